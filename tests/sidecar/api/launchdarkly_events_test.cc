#include "sidecar/api/launchdarkly_events.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/running_timers.h"

namespace flagstone::sidecar {
namespace {

using upstream::PostResult;
using Headers = std::vector<net::HeaderField>;

class LaunchDarklyEventsTest : public testing::Test {
 protected:
  LaunchDarklyEventsTest() {
    publish(false);
    desk.events.set_post(loop, [this](std::size_t environment, upstream::PostedEvents events,
                                      std::function<void(EventInlet::Result)> done) {
      EXPECT_EQ(environment, 1U);
      posted.push_back(std::move(events));
      waiting.push_back(std::move(done));
    });
    api.add_routes(router);
  }
  void publish(bool awaits_credentials) {
    auto state = std::make_shared<cache::ServingState>();
    state->routes.by_credential["sdk-1"].environment = 1;
    state->routes.awaits_credentials = awaits_credentials;
    state->environments.resize(2);
    desk.state = state;
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(loop.post([this] { loop.stop(); }));
      loop.run();
    }
  }
  net::RecordingResponse post(std::string_view path, std::string_view body, const Headers& more) {
    headers = more;
    net::RecordingResponse response;
    response.request.method = net::Method::kPost;
    response.request.path = path;
    response.request.headers = headers;
    response.request.body = body;
    router.handle(response.request, response);
    turn();
    return response;
  }
  static const net::RecordingResponse& late(const net::RecordingResponse& response) {
    return *response.deferred->response;
  }

  net::Loop loop;
  ServingDesk desk{loop};
  LaunchDarklyEvents api{loop, desk};
  net::Router router;
  Headers headers;
  std::vector<upstream::PostedEvents> posted;
  std::vector<std::function<void(EventInlet::Result)>> waiting;
};

TEST_F(LaunchDarklyEventsTest, AKeyThatMayYetBeReadIsNotRefusedForGood) {
  EXPECT_EQ(post("/bulk", "[1]", {{"authorization", "sdk-2"}}).status, 401);
  publish(true);
  const auto early = post("/bulk", "[1]", {{"authorization", "sdk-2"}});
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.header("Retry-After"), "1");
  EXPECT_EQ(post("/bulk", "[1]", {}).status, 401);
  EXPECT_TRUE(posted.empty());
}

TEST_F(LaunchDarklyEventsTest, HandsOnWhatTheAppSaid) {
  post("/bulk", "[1]",
       {{"authorization", "sdk-1"},
        {"content-encoding", "gzip"},
        {"x-launchdarkly-event-schema", "4"},
        {"x-launchdarkly-payload-id", "p"},
        {"x-launchdarkly-tags", "application-id/a"},
        {"x-launchdarkly-unsummarized", "true"}});
  post("/diagnostic", "{}", {{"authorization", "api_key sdk-1"}});
  ASSERT_EQ(posted.size(), 2U);
  EXPECT_EQ(posted[0].kind, upstream::PostedEvents::Kind::kEvents);
  EXPECT_EQ(posted[0].credential, "sdk-1");
  EXPECT_TRUE(posted[0].is_gzip);
  EXPECT_EQ(posted[0].schema, "4");
  EXPECT_EQ(posted[0].payload_id, "p");
  EXPECT_EQ(posted[0].tags, "application-id/a");
  EXPECT_EQ(posted[0].body, "[1]");
  EXPECT_TRUE(posted[0].is_unsummarized);
  EXPECT_FALSE(posted[1].is_unsummarized);
  EXPECT_EQ(posted[1].kind, upstream::PostedEvents::Kind::kDiagnostic);
  EXPECT_EQ(posted[1].credential, "sdk-1");
  EXPECT_FALSE(posted[1].is_gzip);
}

TEST_F(LaunchDarklyEventsTest, HeadersThatAreNoneOfTheseAreLeftOut) {
  post("/bulk", "[]",
       {{"authorization", "sdk-1"},
        {"x-launchdarkly-event-schema", "four"},
        {"x-launchdarkly-payload-id", "p\x01"},
        {"x-launchdarkly-tags", "\xc3\xa9"}});
  ASSERT_EQ(posted.size(), 1U);
  EXPECT_EQ(posted[0].schema, "");
  EXPECT_EQ(posted[0].payload_id, "");
  EXPECT_EQ(posted[0].tags, "");
}

TEST_F(LaunchDarklyEventsTest, AnswersWhatBecameOfIt) {
  const struct {
    EventInlet::Result result;
    int status;
  } rows[] = {{PostResult::kTaken, 202},
              {PostResult::kMalformed, 400},
              {PostResult::kTooLarge, 413},
              {PostResult::kFull, 503},
              {std::nullopt, 401}};
  for (const auto& row : rows) {
    const auto response = post("/bulk", "[]", {{"authorization", "sdk-1"}});
    ASSERT_NE(response.deferred, nullptr);
    EXPECT_EQ(late(response).sends, 0);
    waiting.back()(row.result);
    turn();
    EXPECT_EQ(late(response).status, row.status);
    EXPECT_EQ(late(response).header("Retry-After"), row.status == 503 ? "1" : "");
  }
}

TEST_F(LaunchDarklyEventsTest, RefusesAtOnce) {
  const struct {
    Headers headers;
    int status;
  } rows[] = {{{}, 401},
              {{{"authorization", "sdk-2"}}, 401},
              {{{"authorization", "sdk-1"}, {"content-encoding", "br"}}, 400}};
  for (const auto& row : rows) {
    const auto response = post("/bulk", "[]", row.headers);
    EXPECT_EQ(response.deferred, nullptr);
    EXPECT_EQ(response.status, row.status);
  }
  EXPECT_TRUE(posted.empty());
}

TEST_F(LaunchDarklyEventsTest, WhenTooMuchIsOnItsWayTheAppTriesAgain) {
  const std::string body(EventInlet::kWaitingBytesMax / 2 + 1, ' ');
  EXPECT_NE(post("/bulk", body, {{"authorization", "sdk-1"}}).deferred, nullptr);
  const auto refused = post("/bulk", body, {{"authorization", "sdk-1"}});
  EXPECT_EQ(refused.deferred, nullptr);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
}

TEST_F(LaunchDarklyEventsTest, WhereMemoryIsShortTheAppTriesAgain) {
  const cache::MemoryBudget budget(10);
  desk.budget = &budget;
  EXPECT_EQ(post("/bulk", "[           ]", {{"authorization", "sdk-1"}}).status, 503);
  EXPECT_NE(post("/bulk", "[]", {{"authorization", "sdk-1"}}).deferred, nullptr);
}

TEST_F(LaunchDarklyEventsTest, AnAppThatHasGoneIsNotAnswered) {
  const auto response = post("/bulk", "[]", {{"authorization", "sdk-1"}});
  EXPECT_EQ(net::running_timers(loop), 1U);
  response.deferred->deferral->lose();
  EXPECT_EQ(net::running_timers(loop), 0U) << "nobody is waited for";
  waiting.back()(PostResult::kTaken);
  turn();
  EXPECT_EQ(late(response).sends, 0);
}

}  // namespace
}  // namespace flagstone::sidecar
