#include "sidecar/api/ofrep_bulk.h"

#include <gtest/gtest.h>

#include <chrono>

#include "sidecar/api/ofrep.h"
#include "tests/sidecar/api/flagd_bench.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kAll = "/ofrep/v1/evaluate/flags";
constexpr std::string_view kBody = R"({"context":{"targetingKey":"u","tier":"gold"}})";

std::string flags_document(std::size_t count, std::string_view value) {
  std::string document = R"({"flags":{)";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) document += ',';
    document += "\"flag-" + std::to_string(i) + "\":" + R"({"state":"ENABLED","variants":{"v":")" +
                std::string(value) + R"(","w":"other"},"defaultVariant":"w",)" +
                R"("targeting":{"if":[{"==":[{"var":"tier"},"gold"]},"v",null]}})";
  }
  return document + "}}";
}

class OfrepBulkTest : public ::testing::Test {
 protected:
  OfrepBulkTest() {
    // What ends a slice is its bytes, however slow the machine is.
    bench.desk().settings.bulk_slice = std::chrono::hours(1);
    bench.serve<Ofrep>();
  }

  // Turns the loop until `done`, or until nothing more can come of it.
  void turn_until(const std::function<bool()>& done, int turns = 100'000) {
    for (int i = 0; i < turns && !done(); ++i) {
      EXPECT_TRUE(bench.loop.post([this] { bench.loop.stop(); }));
      bench.loop.run();
    }
  }
  static std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  FlagdBench bench;
};

TEST_F(OfrepBulkTest, AFewFlagsAreAnsweredAtOnce) {
  bench.take(flags_document(20, "yes"));
  const auto response = bench.post(kAll, kBody);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.stream, nullptr);
  EXPECT_EQ(count(response.text, "\"yes\""), 20U);
}

TEST_F(OfrepBulkTest, ManyGoOutInSlicesFromOneState) {
  constexpr std::size_t kFlags = 20'000;
  bench.take(flags_document(kFlags, "before"));
  auto response = bench.post(kAll, kBody);
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.header("ETag").empty());
  ASSERT_NE(response.stream, nullptr) << "20,000 flags are more than a slice";
  // What changes meanwhile is for the next who asks.
  bench.take(flags_document(kFlags, "after"));
  turn_until([&] { return !response.stream->open; });
  EXPECT_TRUE(response.stream->closed_by_api);
  const std::string whole = response.text + response.stream->all();
  EXPECT_EQ(count(whole, "\"value\":\"before\""), kFlags);
  EXPECT_EQ(count(whole, "after"), 0U);
  EXPECT_TRUE(whole.starts_with("{\"flags\":[{"));
  EXPECT_TRUE(whole.ends_with("]}"));
  EXPECT_GT(response.stream->sent.size(), 3U);
  for (const std::string& slice : response.stream->sent) {
    EXPECT_LE(slice.size(), SlicedAnswers::kSliceBytes + 8192);
  }
}

TEST_F(OfrepBulkTest, ASlowReaderIsWaitedForAndMissesNothing) {
  constexpr std::size_t kFlags = 20'000;
  bench.take(flags_document(kFlags, "yes"));
  auto response = bench.post(kAll, kBody);
  ASSERT_NE(response.stream, nullptr);
  std::size_t pauses = 0;
  for (int i = 0; i < 10'000 && response.stream->open; ++i) {
    response.stream->refusing = true;
    const std::size_t sent = response.stream->sent.size();
    turn_until([] { return false; }, 3);
    EXPECT_EQ(response.stream->sent.size(), sent);
    // Its last slice may have been taken already: then those turns ended it.
    if (!response.stream->open) break;
    ++pauses;
    response.stream->stream->drain();
  }
  EXPECT_GT(pauses, 3U);
  EXPECT_TRUE(response.stream->closed_by_api);
  EXPECT_EQ(count(response.text + response.stream->all(), "\"value\":\"yes\""), kFlags);
}

TEST_F(OfrepBulkTest, TheStateIsGivenBackHoweverItEnds) {
  std::size_t returned = 0;
  bench.desk().return_state = [&](std::shared_ptr<const cache::ServingState> state) {
    EXPECT_NE(state, nullptr);
    ++returned;
  };
  bench.take(flags_document(20'000, "yes"));
  auto finished = bench.post(kAll, kBody);
  auto lost = bench.post(kAll, kBody);
  ASSERT_NE(finished.stream, nullptr);
  ASSERT_NE(lost.stream, nullptr);
  turn_until([&] { return !finished.stream->open; });
  EXPECT_GE(returned, 1U);
  if (lost.stream->open) lost.stream->stream->lose();
  EXPECT_EQ(returned, 2U);
}

TEST_F(OfrepBulkTest, WhatIsNotAllThereHasNoProperEnd) {
  net::RecordingResponse response;
  {
    FlagdBench own;
    own.desk().settings.bulk_slice = std::chrono::hours(1);
    own.serve<Ofrep>();
    own.take(flags_document(20'000, "yes"));
    response = own.post(kAll, kBody);
    ASSERT_NE(response.stream, nullptr);
    EXPECT_TRUE(response.stream->open);
  }
  EXPECT_TRUE(response.stream->aborted);
}

TEST_F(OfrepBulkTest, TooManyAtOnceAreRefused) {
  bench.take(flags_document(20'000, "yes"));
  std::vector<net::RecordingResponse> under_way;
  for (std::size_t i = 0; i < SlicedAnswers::kUnderWayMax; ++i) {
    under_way.push_back(bench.post(kAll, kBody));
    ASSERT_NE(under_way.back().stream, nullptr);
  }
  const auto refused = bench.post(kAll, kBody);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_TRUE(refused.text.find("large answers") != refused.text.npos) << refused.text;
  under_way.front().stream->stream->lose();
  EXPECT_EQ(bench.post(kAll, kBody).status, 200);
}

}  // namespace
}  // namespace flagstone::sidecar
