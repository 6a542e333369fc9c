// A key that nobody knows: it may be new in its file, so the keeper looks before an SDK is told
// that it is wrong, which ends it for good.
#include <gtest/gtest.h>

#include <utility>

#include "sidecar/api/launchdarkly_events.h"
#include "sidecar/api/launchdarkly_sdk.h"
#include "sidecar/api/launchdarkly_sdk_evalx.h"
#include "tests/sidecar/api/launchdarkly_bench.h"

namespace flagstone::sidecar {
namespace {

struct Asked {
  net::Method method;
  std::string_view target;
  std::string_view body;
  int status;  // For who may.
};

constexpr Asked kAsked[] = {
    {net::Method::kGet, "/all", "", 200},
    {net::Method::kGet, "/flags", "", 200},
    {net::Method::kGet, "/sdk/stream", "", 200},
    {net::Method::kGet, "/sdk/latest-all", "", 200},
    {net::Method::kGet, "/sdk/flags", "", 200},
    {net::Method::kGet, "/sdk/poll", "", 200},
    {net::Method::kGet, "/sdk/flags/a", "", 200},
    {net::Method::kGet, "/sdk/segments/s", "", 200},
    {net::Method::kGet, "/sdk/evalx/users/eyJrZXkiOiJ1In0", "", 200},
    {net::Method::kGet, "/sdk/evalx/contexts/eyJrZXkiOiJ1In0", "", 200},
    {net::Method::kReport, "/sdk/evalx/user", R"({"key":"u"})", 200},
    {net::Method::kReport, "/sdk/evalx/context", R"({"kind":"user","key":"u"})", 200},
    {net::Method::kPost, "/bulk", "[]", 202},
    {net::Method::kPost, "/diagnostic", "{}", 202},
};

class LaunchDarklySdkKeyTest : public testing::Test {
 protected:
  LaunchDarklySdkKeyTest() {
    bench.serve<LaunchDarklySdk>(std::uint64_t{7});
    bench.serve<LaunchDarklySdkEvalx>();
    bench.serve<LaunchDarklyEvents>();
    bench.take({flag_record("a", 1, "1"), segment_record("s", 1, "u")});
    bench.desk().events.set_post(bench.loop,
                                 [](std::size_t, upstream::PostedEvents,
                                    const std::function<void(EventInlet::Result)>& done) {
                                   done(upstream::PostResult::kTaken);
                                 });
    bench.desk().unknown_credentials.set_ask(bench.router(), [this](UnknownCredentials::Done done) {
      question = std::move(done);
      ++questions;
      return true;
    });
  }
  net::RecordingResponse ask(const Asked& asked, std::string_view key) {
    return bench.request(asked.method, asked.target, {{"content-type", "application/json"}},
                         asked.body, key);
  }
  // The answer that came later, or later still.
  const net::RecordingResponse& last(const net::RecordingResponse& response) {
    bench.turn(10);
    const net::RecordingResponse* at = &response;
    while (at->deferred != nullptr) at = at->deferred->response.get();
    return *at;
  }

  LaunchDarklyBench bench;
  UnknownCredentials::Done question;
  int questions = 0;
};

TEST_F(LaunchDarklySdkKeyTest, ANewOneIsServedOnceItWasFound) {
  for (const Asked& asked : kAsked) {
    bench.new_key.clear();
    bench.publish();
    const auto response = ask(asked, "sdk-new");
    EXPECT_EQ(response.sends, 0) << asked.target;
    bench.new_key = "sdk-new";
    bench.publish();
    std::exchange(question, {})(true);
    EXPECT_EQ(last(response).status, asked.status) << asked.target;
  }
}

TEST_F(LaunchDarklySdkKeyTest, OneThatWasNotFoundIsNobodys) {
  for (const Asked& asked : kAsked) {
    const auto response = ask(asked, "sdk-stranger");
    EXPECT_EQ(response.sends, 0) << asked.target;
    std::exchange(question, {})(true);
    EXPECT_EQ(last(response).status, 401) << asked.target;
  }
}

TEST_F(LaunchDarklySdkKeyTest, WhereNotAllCouldBeLookedAtItIsTriedAgain) {
  for (const Asked& asked : kAsked) {
    const auto response = ask(asked, "sdk-stranger");
    std::exchange(question, {})(false);
    EXPECT_EQ(last(response).status, 503) << asked.target;
    EXPECT_EQ(last(response).header("Retry-After"), "1") << asked.target;
  }
  bench.awaits_credentials = true;
  bench.publish();
  for (const Asked& asked : kAsked) {
    const auto response = ask(asked, "sdk-stranger");
    std::exchange(question, {})(true);
    EXPECT_EQ(last(response).status, 503) << asked.target;
  }
}

TEST_F(LaunchDarklySdkKeyTest, NobodyIsAskedWhereItIsClear) {
  for (const Asked& asked : kAsked) {
    EXPECT_EQ(last(ask(asked, "")).status, 401) << asked.target;
    EXPECT_EQ(last(ask(asked, "sdk-key-0")).status, asked.status) << asked.target;
  }
  EXPECT_EQ(last(ask(kAsked[0], "flagd-key")).status, 401) << "known, and no SDK's";
  EXPECT_EQ(questions, 0);
}

TEST_F(LaunchDarklySdkKeyTest, AFloodOfStrangersIsBounded) {
  for (std::size_t i = 0; i < 3 * UnknownCredentials::kWaitingMax; ++i) {
    const auto response = ask(kAsked[i % std::size(kAsked)], "sdk-stranger");
    EXPECT_EQ(response.status, i < UnknownCredentials::kWaitingMax ? 0 : 503);
  }
  EXPECT_EQ(questions, 1);
  EXPECT_EQ(last(ask(kAsked[0], "sdk-key-0")).status, 200) << "who is known does not wait";
}

}  // namespace
}  // namespace flagstone::sidecar
