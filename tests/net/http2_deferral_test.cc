// Answers that come in a later turn, over HTTP/2, and calls of gRPC that are begun anew.
#include <gtest/gtest.h>

#include "net/rpc/call.h"
#include "tests/fakes/net/http2_bench.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"
#include "tests/fakes/net/running_server.h"

namespace flagstone::net {
namespace {

TEST(Http2Deferral, OtherStreamsGoOnMeanwhile) {
  Http2Bench bench;
  const int first = bench.client.post("/later/1?q", "one", {{"x-field", "kept"}});
  const int second = bench.client.post("/later/2", std::string(20'000, 'y'));
  const int third = bench.client.get("/3");
  bench.exchange();
  EXPECT_TRUE(bench.answer(third).closed);
  EXPECT_FALSE(bench.answer(first).closed);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kAnswering);
  EXPECT_TRUE(bench.session->owes_answer());
  EXPECT_TRUE(bench.session->takes_bytes());
  const std::size_t held = bench.session->held_bytes();
  EXPECT_GT(held, 20'000u);
  const Request& request = bench.handler.deferrals.at(0)->request();
  EXPECT_EQ(request.path, "/later/1");
  EXPECT_EQ(request.query, "q");
  EXPECT_EQ(request.host, "localhost");
  EXPECT_EQ(request.header("x-field"), "kept");
  EXPECT_EQ(request.body, "one");
  EXPECT_EQ(bench.handler.deferrals.at(0)->response().body(), "");
  const int productions = bench.productions;
  bench.handler.run_again(1);
  EXPECT_GT(bench.productions, productions);
  bench.exchange();
  EXPECT_EQ(bench.answer(second).body, std::string(20'000, 'y'));
  EXPECT_FALSE(bench.answer(first).closed);
  EXPECT_LT(bench.session->held_bytes(), held - 20'000);
  bench.handler.run_again(0);
  bench.exchange();
  EXPECT_EQ(bench.answer(first).body, "one");
  EXPECT_EQ(bench.session->held_bytes(), 0u);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
}

TEST(Http2Deferral, AResetEndsTheOneAndNoOther) {
  Http2Bench bench;
  const int first = bench.client.get("/later/1");
  const int second = bench.client.post("/later/2", "two");
  bench.exchange();
  auto& deferrals = bench.handler.deferrals;
  int gone = 0;
  deferrals.at(0)->set_on_gone([&] {
    ++gone;
    deferrals[0].reset();
  });
  bench.client.reset(first);
  bench.exchange();
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(deferrals[0], nullptr);
  EXPECT_TRUE(deferrals[1]->alive());
  bench.handler.run_again(1);
  bench.exchange();
  EXPECT_EQ(bench.answer(second).body, "two");
  EXPECT_EQ(bench.session->held_bytes(), 0u);
}

TEST(Http2Deferral, DestroyedUnansweredResetsItsStream) {
  Http2Bench bench;
  const int first = bench.client.get("/later");
  bench.exchange();
  bench.handler.deferrals.clear();
  const int second = bench.client.get("/next");
  bench.exchange();
  EXPECT_TRUE(bench.answer(first).closed);
  EXPECT_EQ(bench.answer(first).error, std::uint32_t{NGHTTP2_INTERNAL_ERROR});
  EXPECT_EQ(bench.answer(second).status, 200);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
}

TEST(Http2Deferral, SurvivesItsSession) {
  Http2Bench bench;
  bench.client.post("/later/1", "one");
  bench.client.post("/later/2", "two");
  bench.exchange();
  auto& deferrals = bench.handler.deferrals;
  int gone = 0;
  for (auto& deferral : deferrals) {
    deferral->set_on_gone([&] {
      ++gone;
      deferrals.clear();  // of which the other one's stream still lives
    });
  }
  bench.session.reset();
  EXPECT_EQ(gone, 1);
}

TEST(Http2Deferral, HandsTheRequestOnAndMayBecomeAnEventStream) {
  Http2Bench bench;
  const int id = bench.client.get("/later");
  bench.exchange();
  auto& deferrals = bench.handler.deferrals;
  bench.handler.handle(deferrals.at(0)->request(), deferrals.at(0)->response());
  deferrals.erase(deferrals.begin());
  EXPECT_EQ(deferrals.at(0)->request().path, "/later");
  deferrals[0]->response().body() = "a";
  auto stream = deferrals[0]->response().open_stream(200, "text/event-stream");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
  EXPECT_TRUE(stream->send("b"));
  stream->close();
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "ab");
  EXPECT_TRUE(bench.answer(id).closed);
}

TEST(Http2Deferral, AHeadIsAnsweredWithoutABody) {
  Http2Bench bench;
  const int id = bench.client.ask("HEAD", "/later");
  bench.exchange();
  bench.handler.run_again(0);
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "");
  EXPECT_EQ(bench.answer(id).header("content-length"), "11");
}

// Whoever lets requests wait that hold much is not given room for more of them in pieces.
TEST(Http2Deferral, BodiesThatWaitCountForTheirPeer) {
  HttpLimits limits;
  limits.connection_window_bytes = 100'000;
  Http2Bench bench(limits);
  for (int i = 0; i < 3; ++i) {
    bench.client.post("/later", std::string(40'000, 'x'));
    bench.exchange();
  }
  EXPECT_EQ(bench.handler.deferrals.size(), 2u);
  EXPECT_EQ(bench.answer(5).status, 503);
  bench.handler.run_again(0);
  bench.exchange();
  const int again = bench.client.post("/x", std::string(40'000, 'x'));
  bench.exchange();
  EXPECT_EQ(bench.answer(again).status, 200);
}

TEST(Http2Deferral, DrainWaitsForItThroughASocket) {
  ServerOptions options;
  options.connection.idle_limit_ms = options.connection.drain_idle_limit_ms = 20;
  options.connection.tick_ms = 1;
  RunningServer server(options);
  Http2Connection connection(server);
  const int first = connection.client.get("/later");
  const int second = connection.client.get("/now");
  ASSERT_TRUE(connection.answered(second));
  bool drained = false;
  server.on_loop([&] {
    server.server().stop_accepting();
    server.server().drain([&] { drained = true; });
  });
  ASSERT_TRUE(connection.talk_until([&] { return connection.client.goaways == 2; }));
  EXPECT_FALSE(server.on_loop([&] { return drained; }));
  server.on_loop([&] { server.handler.run_again(0); });
  ASSERT_TRUE(connection.answered(first));
  EXPECT_EQ(connection.client.answers[first].body, "GET /later");
  EXPECT_TRUE(connection.ends());
  connection.socket.close();
  server.wait_until([&] { return drained; });
}

TEST(Http2Deferral, AHalfClosedPeerIsAnswered) {
  RunningServer server;
  Http2Connection connection(server);
  const int id = connection.client.get("/later");
  ASSERT_TRUE(connection.send());
  connection.socket.end_writing();
  server.wait_until([&] { return server.handler.deferrals.size() == 1; });
  server.on_loop([&] { server.handler.run_again(0); });
  EXPECT_TRUE(connection.ends());
  EXPECT_EQ(connection.client.answers[id].body, "GET /later");
}

// ---- calls ----

// Answers a call with its own message, the second time that it is begun.
class PatientApi final : public Handler {
 public:
  void handle(const Request& request, Response& response) override {
    auto call = RpcCall::begin(RpcKind::kUnary, request, response, scratch);
    if (!call) return;
    messages.emplace_back(call->message());
    if (!ready) {
      call->reply().append("half an answer");
      deferrals.push_back(call->defer());
      return;
    }
    call->reply().append(call->message());
    call->send();
  }
  void refuse(const Refusal& refusal, const Request& request, Response& response) override {
    RpcCall::refuse(refusal, request, response);
  }

  bool ready = false;
  RpcScratch scratch;
  std::vector<std::string> messages;
  std::vector<std::unique_ptr<DeferredResponse>> deferrals;
};

TEST(RpcDeferral, CallsAreBegunAnew) {
  const std::string message = "a message that is longer than small strings are";
  struct Row {
    const char* content_type;
    std::string body;
    Http2Client::Fields fields;
    std::string answer;
  };
  const std::string framed = rpc_frame(message);
  const Row rows[] = {
      {"application/grpc", framed, {{"grpc-timeout", "5S"}}, framed},
      {"application/grpc", rpc_frame(gzipped(message), 1), {{"grpc-encoding", "gzip"}}, framed},
      {"application/grpc-web", framed, {}, framed + rpc_frame("grpc-status:0\r\n", 0x80)},
      {"application/grpc-web-text",
       "AAAAAAVoZWxsbw==",
       {},
       "AAAAAAVoZWxsb4AAAAAPZ3JwYy1zdGF0dXM6MA0K"},
      {"application/json", message, {}, message},
      {"application/proto", gzipped(message), {{"content-encoding", "gzip"}}, message},
  };
  Http2Bench bench;
  PatientApi api;
  SessionResources resources(api, {}, bench.counters);
  bench.session = std::make_unique<Http2Session>(resources, bench, 0, ListenerKind::kLoopbackTcp);
  std::vector<std::int32_t> ids;
  for (const Row& row : rows) {
    Http2Client::Fields fields = row.fields;
    fields.emplace_back("content-type", row.content_type);
    ids.push_back(bench.client.post("/test.Service/Method", row.body, fields));
  }
  bench.exchange();
  ASSERT_EQ(api.deferrals.size(), ids.size());
  // Twice: the first time it is deferred again.
  for (const bool ready : {false, true}) {
    api.ready = ready;
    const auto deferrals = std::move(api.deferrals);
    api.deferrals.clear();
    for (std::size_t i = deferrals.size(); i-- > 0;) {
      api.handle(deferrals[i]->request(), deferrals[i]->response());
    }
    std::ranges::reverse(api.deferrals);
  }
  bench.exchange();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(bench.answer(ids[i]).body, rows[i].answer) << rows[i].content_type;
    EXPECT_TRUE(bench.answer(ids[i]).closed);
  }
  EXPECT_EQ(bench.answer(ids[0]).trailer("grpc-status"), "0");
  EXPECT_EQ(api.messages.size(), 3 * ids.size());
  EXPECT_EQ(bench.session->held_bytes(), 0u);
  bench.session.reset();
}

TEST(RpcDeferral, ADroppedCallIsReset) {
  Http2Bench bench;
  PatientApi api;
  SessionResources resources(api, {}, bench.counters);
  bench.session = std::make_unique<Http2Session>(resources, bench, 0, ListenerKind::kLoopbackTcp);
  const int id =
      bench.client.post("/a.B/C", rpc_frame("m"), {{"content-type", "application/grpc"}});
  bench.exchange();
  api.deferrals.clear();
  bench.exchange();
  EXPECT_EQ(bench.answer(id).error, std::uint32_t{NGHTTP2_INTERNAL_ERROR});
  bench.session.reset();
}

// The fake that apis are tested with.
TEST(RecordingDeferral, DoesAsASessionDoes) {
  RpcRequest request("application/json", "{}");
  RecordingResponse response;
  response.request = *request;
  PatientApi api;
  api.handle(*request, response);
  ASSERT_NE(response.deferred, nullptr);
  EXPECT_EQ(response.sends, 0);
  const auto later = std::move(api.deferrals[0]);
  EXPECT_TRUE(later->alive());
  api.ready = true;
  api.handle(later->request(), later->response());
  EXPECT_FALSE(later->alive());
  EXPECT_EQ(response.deferred->response->text, "{}");
  EXPECT_EQ(response.deferred->response->status, 200);
}

}  // namespace
}  // namespace flagstone::net
