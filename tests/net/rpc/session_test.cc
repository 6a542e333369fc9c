// Calls over real sessions: an echo and a stream, by HTTP/2 and by HTTP/1.1.
#include <gtest/gtest.h>

#include "net/cors.h"
#include "net/loop.h"
#include "net/rpc/call.h"
#include "tests/fakes/net/http2_bench.h"
#include "tests/fakes/net/rpc_request.h"
#include "tests/fakes/net/session_bench.h"

namespace flagstone::net {
namespace {

// POST /echo answers the message, /fail NOT_FOUND, /stream is a stream kept in `streams`.
class RpcHandler final : public Handler {
 public:
  void handle(const Request& request, Response& response) override {
    const bool streams_it = request.path == "/stream";
    auto call = RpcCall::begin(streams_it ? RpcKind::kServerStream : RpcKind::kUnary, request,
                               response, scratch);
    if (!call) return;
    if (streams_it) {
      streams.push_back(call->open_stream(loop));
      EXPECT_TRUE(streams.back()->send(call->message()));
    } else if (request.path == "/fail") {
      call->fail(RpcCode::kNotFound, "no ü");
    } else {
      call->reply().append(call->message());
      call->send();
    }
  }
  void refuse(const Refusal& refusal, const Request& request, Response& response) override {
    RpcCall::refuse(refusal, request, response);
  }

  Loop loop;
  RpcScratch scratch;
  std::vector<std::unique_ptr<RpcStream>> streams;
};

class RpcOverHttp2 : public ::testing::Test {
 protected:
  RpcOverHttp2() {
    bench.session = std::make_unique<Http2Session>(resources, bench, 3, ListenerKind::kLoopbackTcp);
  }
  ~RpcOverHttp2() override { bench.session.reset(); }  // before the resources it uses
  const Http2Client::Answer& post(std::string_view path, std::string_view body,
                                  const char* type = "application/grpc") {
    id = bench.client.post(path, body, {{"content-type", type}, {"te", "trailers"}});
    bench.exchange();
    return bench.answer(id);
  }

  static HttpLimits limits() {
    HttpLimits limits;
    limits.body_bytes_max = 2000;
    return limits;
  }
  RpcHandler handler;
  Http2Bench bench;
  SessionResources resources{handler, limits(), bench.counters};
  std::int32_t id = 0;
};

TEST_F(RpcOverHttp2, Unary) {
  const auto& answer = post("/echo", rpc_frame("hello"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "application/grpc");
  EXPECT_EQ(answer.header("content-length"), "(none)");
  EXPECT_EQ(answer.body, rpc_frame("hello"));
  EXPECT_EQ(answer.trailer("grpc-status"), "0");
  EXPECT_TRUE(answer.closed);
  const auto& empty = post("/echo", rpc_frame(""));
  EXPECT_EQ(empty.body, rpc_frame(""));
  EXPECT_EQ(empty.trailer("grpc-status"), "0");
}

TEST_F(RpcOverHttp2, AFailureIsOneHead) {
  const auto& answer = post("/fail", rpc_frame("hello"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("grpc-status"), "5");
  EXPECT_EQ(answer.header("grpc-message"), "no %C3%BC");
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.trailers.empty());
  EXPECT_TRUE(answer.closed);
}

TEST_F(RpcOverHttp2, ABodyBeyondTheLimitIsResourceExhausted) {
  const auto& answer = post("/echo", rpc_frame(std::string(5000, 'x')));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("grpc-status"), "8");
}

TEST_F(RpcOverHttp2, AStreamAndItsTrailers) {
  post("/stream", rpc_frame("first"));
  ASSERT_EQ(handler.streams.size(), 1U);
  EXPECT_TRUE(handler.streams[0]->send_shared(RpcSharedMessage::make("shared")));
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, rpc_frame("first") + rpc_frame("shared"));
  EXPECT_FALSE(bench.answer(id).closed);
  handler.streams[0]->close(RpcCode::kUnavailable, "stopping");
  bench.exchange();
  EXPECT_EQ(bench.answer(id).trailer("grpc-status"), "14");
  EXPECT_EQ(bench.answer(id).trailer("grpc-message"), "stopping");
  EXPECT_TRUE(bench.answer(id).closed);
}

TEST_F(RpcOverHttp2, ConnectAsWell) {
  const auto& answer = post("/fail", "{}", "application/json");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"code":"not_found","message":"no ü"})");
}

TEST_F(RpcOverHttp2, APeerThatResetsTakesItsStreamAway) {
  post("/stream", rpc_frame("first"));
  ASSERT_EQ(handler.streams.size(), 1U);
  handler.streams[0]->set_on_closed([this] { handler.streams.clear(); });
  bench.client.reset(id);
  bench.exchange();
  EXPECT_TRUE(handler.streams.empty());
}

class RpcOverHttp1 : public ::testing::Test {
 protected:
  RpcOverHttp1() {
    bench.session = std::make_unique<Http1Session>(resources, bench, 3, ListenerKind::kLoopbackTcp);
  }
  ~RpcOverHttp1() override { bench.session.reset(); }
  // What is said behind the head.
  std::string post(std::string_view path, std::string_view type, std::string_view body) {
    bench.said.clear();
    bench.give("POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.b" +
               "\r\nContent-Type: " + std::string(type) + "\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    const std::size_t end = bench.said.find("\r\n\r\n");
    return end == std::string::npos ? "" : bench.said.substr(end + 4);
  }

  RpcHandler handler;
  Cors cors{handler, {"https://a.b"}};
  SessionBench bench;
  SessionResources resources{cors, {}, bench.counters};
};

TEST_F(RpcOverHttp1, EachOfItsProtocols) {
  EXPECT_EQ(post("/echo", "application/json", "{}"), "{}");
  EXPECT_EQ(post("/echo", "application/proto", ""), "");
  EXPECT_EQ(post("/echo", "application/grpc-web", rpc_frame("m")),
            rpc_frame("m") + rpc_frame("grpc-status:0\r\n", 0x80));
  EXPECT_TRUE(bench.said.find("Access-Control-Allow-Origin: https://a.b\r\n") != std::string::npos);
  post("/echo", "application/grpc", rpc_frame("m"));
  EXPECT_TRUE(bench.said.starts_with("HTTP/1.1 505 ")) << bench.said;
  post("/echo", "text/plain", "m");
  EXPECT_TRUE(bench.said.starts_with("HTTP/1.1 415 ")) << bench.said;
}

TEST_F(RpcOverHttp1, AConnectStreamInChunks) {
  EXPECT_EQ(post("/stream", "application/connect+json", rpc_frame("{}")),
            "7\r\n" + rpc_frame("{}") + "\r\n");
  ASSERT_EQ(handler.streams.size(), 1U);
  bench.said.clear();
  handler.streams[0]->close(RpcCode::kOk, "");
  EXPECT_EQ(bench.said, "7\r\n" + rpc_frame("{}", 2) + "\r\n0\r\n\r\n");
  EXPECT_EQ(post("/echo", "application/json", "{}"), "{}") << "the connection goes on";
}

}  // namespace
}  // namespace flagstone::net
