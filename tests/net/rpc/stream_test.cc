// Server streams: frames, shared messages, ends, deadlines and lost peers, in each protocol.
#include <gtest/gtest.h>

#include <memory>

#include "net/base64.h"
#include "net/loop.h"
#include "net/rpc/call.h"
#include "net/timer.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::net {
namespace {

std::string base64(std::string text) {
  encode_base64_from(0, text);
  return text;
}

struct Protocol {
  const char* content_type;
  const char* timeout_field;
};
constexpr Protocol kProtocols[] = {{"application/grpc", "grpc-timeout"},
                                   {"application/grpc-web", "grpc-timeout"},
                                   {"application/grpc-web-text", "grpc-timeout"},
                                   {"application/connect+json", "connect-timeout-ms"}};

class RpcStreamTest : public ::testing::TestWithParam<Protocol> {
 protected:
  void open(const char* timeout = nullptr) {
    const bool text = std::string_view(GetParam().content_type).ends_with("text");
    RpcRequest request(GetParam().content_type, text ? base64(rpc_frame("ask")) : rpc_frame("ask"));
    if (timeout != nullptr) request.with(GetParam().timeout_field, timeout);
    auto call = RpcCall::begin(RpcKind::kServerStream, *request, response, scratch);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->message(), "ask");
    stream = call->open_stream(loop);
    ASSERT_NE(stream, nullptr);
    record = response.stream;
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, GetParam().content_type);
    EXPECT_EQ(response.text, "");
    stream->set_on_closed([this] { ++closed; });
  }
  // As the protocol sends it.
  std::string wire(std::string_view message) const { return coded(rpc_frame(message)); }
  std::string coded(std::string frame) const {
    return protocol() == RpcProtocol::kGrpcWebText ? base64(frame) : frame;
  }
  RpcProtocol protocol() const { return find_rpc_content_type(GetParam().content_type)->protocol; }
  void expect_end(const char* code, const char* connect_error, const std::string& message) const {
    if (protocol() == RpcProtocol::kGrpc) {
      ASSERT_FALSE(record->trailers.empty());
      EXPECT_EQ(record->trailers[0], std::make_pair(std::string("grpc-status"), std::string(code)));
      return;
    }
    EXPECT_TRUE(record->trailers.empty());
    ASSERT_FALSE(record->sent.empty());
    if (protocol() == RpcProtocol::kConnectStream) {
      EXPECT_EQ(record->sent.back(), rpc_frame(connect_error, 2));
      return;
    }
    std::string trailers = std::string("grpc-status:") + code + "\r\n";
    if (!message.empty()) trailers += "grpc-message:" + message + "\r\n";
    EXPECT_EQ(record->sent.back(), coded(rpc_frame(trailers, 0x80)));
  }

  Loop loop;
  RpcScratch scratch;
  RecordingResponse response;
  std::unique_ptr<RpcStream> stream;
  std::shared_ptr<RecordingEventStream::Record> record;
  int closed = 0;
};

TEST_P(RpcStreamTest, SendsFramesAndEndsWell) {
  open();
  EXPECT_TRUE(stream->open());
  EXPECT_TRUE(stream->send("one"));
  EXPECT_TRUE(stream->send(""));
  const auto shared = RpcSharedMessage::make("to everybody");
  EXPECT_EQ(shared->message(), "to everybody");
  EXPECT_TRUE(stream->send_shared(shared));
  EXPECT_EQ(record->all(), wire("one") + wire("") + wire("to everybody"));
  if (protocol() == RpcProtocol::kGrpcWebText) {
    EXPECT_TRUE(record->shared.empty());
  } else {
    ASSERT_EQ(record->shared.size(), 1U);
    EXPECT_EQ(record->shared[0], shared->framed()) << "the very same bytes, not a copy";
  }
  stream->close(RpcCode::kOk, "");
  EXPECT_TRUE(record->closed_by_api);
  EXPECT_FALSE(stream->open());
  EXPECT_EQ(closed, 0);
  expect_end("0", "{}", "");
  EXPECT_FALSE(stream->send("late"));
  stream->close(RpcCode::kOk, "again");
  EXPECT_EQ(closed, 0);
}

TEST_P(RpcStreamTest, EndsWithAFailure) {
  open();
  stream->close(RpcCode::kUnavailable, "stopping");
  expect_end("14", R"({"error":{"code":"unavailable","message":"stopping"}})", "stopping");
  if (protocol() == RpcProtocol::kGrpc) {
    EXPECT_EQ(record->trailers.at(1),
              std::make_pair(std::string("grpc-message"), std::string("stopping")));
  }
}

TEST_P(RpcStreamTest, ASlowReaderIsHeardWhenItHasCaughtUp) {
  open();
  int drained = 0;
  stream->set_on_drained([&] { ++drained; });
  record->refusing = true;
  EXPECT_FALSE(stream->send("one"));
  EXPECT_FALSE(stream->send_shared(RpcSharedMessage::make("two")));
  EXPECT_TRUE(record->sent.empty());
  record->stream->drain();
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(stream->send("latest"));
  EXPECT_EQ(record->all(), wire("latest"));
}

TEST_P(RpcStreamTest, EndsEvenForAReaderTooSlowForTheStatus) {
  open();
  record->refusing = true;
  stream->close(RpcCode::kOk, "");
  EXPECT_TRUE(record->closed_by_api);
  EXPECT_FALSE(stream->open());
}

TEST_P(RpcStreamTest, TheDeadlineIsToldAndThenTheOwner) {
  open(protocol() == RpcProtocol::kConnectStream ? "5" : "5m");
  stream->set_on_closed([this] {
    ++closed;
    EXPECT_FALSE(stream->open());
    stream.reset();  // as its owner would
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(closed, 1);
  EXPECT_TRUE(record->closed_by_api);
  EXPECT_TRUE(record->destroyed);
  expect_end("4",
             R"({"error":{"code":"deadline_exceeded","message":"the call's deadline has passed"}})",
             "the call's deadline has passed");
}

TEST_P(RpcStreamTest, WithoutAnOwnersCallbackTheDeadlineStillEndsIt) {
  open(protocol() == RpcProtocol::kConnectStream ? "5" : "5m");
  stream->set_on_closed({});
  Timer after(loop, [this] { loop.stop(); });
  after.start_once(30);
  loop.run();
  EXPECT_TRUE(record->closed_by_api);
  EXPECT_FALSE(stream->open());
}

TEST_P(RpcStreamTest, AClosedStreamHasNoDeadline) {
  open(protocol() == RpcProtocol::kConnectStream ? "5" : "5m");
  stream->close(RpcCode::kOk, "");
  const auto sent = record->sent;
  Timer after(loop, [this] { loop.stop(); });
  after.start_once(30);
  loop.run();
  EXPECT_EQ(record->sent, sent);
  EXPECT_EQ(closed, 0);
}

TEST_P(RpcStreamTest, APeerThatGoesAwayIsTheOwnersNews) {
  open(protocol() == RpcProtocol::kConnectStream ? "50" : "50m");
  stream->set_on_closed([this] {
    ++closed;
    stream.reset();
  });
  record->stream->lose();
  EXPECT_EQ(closed, 1);
  EXPECT_TRUE(record->destroyed);
  EXPECT_FALSE(record->closed_by_api);
}

TEST_P(RpcStreamTest, DestroyingItCutsTheAnswer) {
  open();
  stream.reset();
  EXPECT_TRUE(record->destroyed);
  EXPECT_FALSE(record->closed_by_api);
  EXPECT_TRUE(record->sent.empty());
}

INSTANTIATE_TEST_SUITE_P(Protocols, RpcStreamTest, ::testing::ValuesIn(kProtocols),
                         [](const auto& one) {
                           return std::string("P") + std::to_string(one.index);
                         });

}  // namespace
}  // namespace flagstone::net
