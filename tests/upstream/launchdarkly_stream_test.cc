// Whether data is just coming in, of whatever protocol, so that nobody asks for it a second time.
#include "upstream/launchdarkly_stream.h"

#include <gtest/gtest.h>

namespace flagstone::upstream {
namespace {

class TakesAll final : public LaunchDarklyStreamHost {
 public:
  EventSink::Head on_answer(const HttpHead&) override { return EventSink::Head::kGoOn; }
  bool can_take_data() const override { return true; }
  bool can_take_changes() const override { return true; }
  bool is_current(std::string_view) const override { return false; }
  void on_streamed(LaunchDarklyUpdate&&) override { ++updates; }
  void on_stream_current() override {}
  EventSink::Next on_goodbye(std::optional<std::int64_t>) override {
    return EventSink::Next::kReopen;
  }
  void on_stream_failure(FailureKind, std::string, milliseconds) override {}

  int updates = 0;
};

class LaunchDarklyStreamTest : public testing::Test {
 protected:
  void piece(std::string_view data) { ASSERT_TRUE(stream.on_event_data(data).has_value()); }
  void event(std::string_view name, std::string_view data) {
    ASSERT_EQ(stream.on_event_begin(name), EventSink::Wish::kTake);
    piece(data);
    const auto next = stream.on_event_end();
    ASSERT_TRUE(next.has_value()) << next.error();
  }
  void put_object() {
    event("put-object", R"({"version":1,"kind":"flag","key":"a","object":{"version":1}})");
  }

  TakesAll host;
  LaunchDarklyStream stream{std::uint64_t{1} << 20, IncomingMemory{}, host};
};

TEST_F(LaunchDarklyStreamTest, AnFdv2TransferIsReceivedUntilItsEnd) {
  stream.begin(LaunchDarklyProtocol::kFdv2, false);
  EXPECT_FALSE(stream.is_receiving());
  event("server-intent", R"({"payloads":[{"intentCode":"xfer-full"}]})");
  put_object();
  EXPECT_TRUE(stream.is_receiving()) << "between two of its objects";
  put_object();
  EXPECT_TRUE(stream.is_receiving());
  event("payload-transferred", R"({"state":"s","version":1})");
  EXPECT_EQ(host.updates, 1);
  EXPECT_FALSE(stream.is_receiving());
}

TEST_F(LaunchDarklyStreamTest, OrUntilTheOtherSideGivesItUp) {
  stream.begin(LaunchDarklyProtocol::kFdv2, false);
  event("server-intent", R"({"payloads":[{"intentCode":"xfer-full"}]})");
  put_object();
  event("error", R"({"reason":"r"})");
  EXPECT_FALSE(stream.is_receiving());
  put_object();
  stream.on_stream_failure(FailureKind::kTimeout, "silent", milliseconds(1));
  EXPECT_FALSE(stream.is_receiving()) << "nothing of it will come";
}

TEST_F(LaunchDarklyStreamTest, WhatStandsStillIsNotReceived) {
  stream.begin(LaunchDarklyProtocol::kFdv2, false);
  event("server-intent", R"({"payloads":[{"intentCode":"xfer-full"}]})");
  put_object();
  EXPECT_TRUE(stream.is_receiving());
  EXPECT_FALSE(stream.is_receiving()) << "nothing came since";
  put_object();
  EXPECT_TRUE(stream.is_receiving());
}

TEST_F(LaunchDarklyStreamTest, AnFdv1PutIsReceivedPieceByPiece) {
  stream.begin(LaunchDarklyProtocol::kFdv1, false);
  ASSERT_EQ(stream.on_event_begin("put"), EventSink::Wish::kTake);
  piece(R"({"path":"/",)");
  EXPECT_TRUE(stream.is_receiving());
  EXPECT_FALSE(stream.is_receiving());
  piece(R"("data":{"flags":{},"segments":{}}})");
  EXPECT_TRUE(stream.is_receiving());
  ASSERT_TRUE(stream.on_event_end().has_value());
  EXPECT_FALSE(stream.is_receiving());
}

}  // namespace
}  // namespace flagstone::upstream
