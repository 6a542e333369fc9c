#include "upstream/transports/kubernetes_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ScriptedHttpServer;
using fakes::ServedRequest;

std::string object(const std::string& version, const std::string& document) {
  return R"({"metadata":{"name":"flags","resourceVersion":")" + version + R"("},"spec":{"doc":)" +
         document + "}}";
}
std::string event(const std::string& type, const std::string& inner) {
  return R"({"type":")" + type + R"(","object":)" + inner + "}\n";
}
std::string bookmark(const std::string& version) {
  return event("BOOKMARK", R"({"metadata":{"resourceVersion":")" + version + R"("}})");
}
Reply list(const std::string& version, const std::string& items) {
  return {.body = R"({"items":[)" + items + R"(],"metadata":{"resourceVersion":")" + version +
                  R"("}})"};
}
bool is_watch(const ServedRequest& request) { return request.target.contains("&watch=1"); }

// What the watches bring: one script for all of them, in the order said, read by the newest alone.
// Empty lines, which mean nothing, show the server that somebody still reads.
class Feed {
 public:
  void say(std::string bytes) { put(std::move(bytes)); }
  // For where a watch that was given up may take what is said with it: once more if it did.
  void say_again(std::string bytes) {
    const std::lock_guard lock(mutex_);
    if (script_.empty()) script_.emplace_back(std::move(bytes));
    changed_.notify_all();
  }
  void end() { put(std::nullopt); }
  Reply reply() {
    return {.stream = [this, turn = ++turn_] {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(5), [&] { return !script_.empty(); });
      if (turn != turn_) return std::string();
      if (script_.empty()) return std::string("\n");
      std::optional<std::string> next = std::move(script_.front());
      script_.pop_front();
      return next.value_or("");
    }};
  }

 private:
  void put(std::optional<std::string> next) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(next));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> turn_ = 0;
  std::deque<std::optional<std::string>> script_;
};

class KubernetesWatchTest : public testing::Test {
 protected:
  KubernetesWatchTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options.api = "example.org/v1";
    options.resource = "things";
    options.name_space = "shop";
    options.name = "flags";
    options.document_path = {"spec", "doc"};
    options.held = milliseconds(5);
    options.watch_brief = milliseconds(0);
    sink.on_document = [this](const std::string&) {
      if (outcome) watch->settle(*outcome);
    };
  }

  // Lists are answered by the handler, watches by the feed unless it says something.
  using Handler = std::function<std::optional<Reply>(const ServedRequest&, std::size_t)>;
  void start(Handler handler) {
    server = std::make_unique<ScriptedHttpServer>(
        [this, handler = std::move(handler)](const ServedRequest& request, std::size_t index) {
          auto reply = handler(request, index);
          return reply ? *reply : feed.reply();
        });
    options.server = server->url("");
    watch = std::make_unique<KubernetesWatch>(
        loop.loop(), client, clock, random, options,
        [this]() -> std::expected<std::vector<HttpHeader>, std::string> {
          if (!credential_problem.empty()) return std::unexpected(credential_problem);
          return std::vector<HttpHeader>{{"Authorization", credential, true}};
        },
        sink);
    watch->start();
  }
  // The same list each time.
  void start_with(const std::string& version, const std::string& items) {
    start([=](const ServedRequest& request, std::size_t) -> std::optional<Reply> {
      if (is_watch(request)) return std::nullopt;
      return list(version, items);
    });
  }
  bool documents(std::size_t times) {
    return loop.run_until([&] { return sink.documents.size() >= times; });
  }
  bool fails(std::size_t times) {
    return loop.run_until([&] { return sink.failures.size() >= times; });
  }
  bool asks(std::size_t times) {
    return loop.run_until([&] { return server->requests().size() >= times; });
  }
  std::string target(std::size_t index) { return server->requests().at(index).target; }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  SystemClock clock;
  fakes::FixedRandom random;  // Zero: every back-off is over at once, every watch is the shortest.
  fakes::RecordingSink sink{loop};
  KubernetesWatchOptions options;
  Feed feed;
  std::string credential = "first";
  std::string credential_problem;
  std::optional<Outcome> outcome = Outcome::kAccepted;
  std::unique_ptr<ScriptedHttpServer> server;
  std::unique_ptr<KubernetesWatch> watch;
};

TEST_F(KubernetesWatchTest, ListsThenWatchesFromThereOn) {
  start_with("5", object("4", R"({"one":1})"));
  ASSERT_TRUE(documents(1));
  feed.say(event("MODIFIED", object("6", R"({"two":2})")));
  ASSERT_TRUE(documents(2));
  feed.say(bookmark("8"));
  ASSERT_TRUE(loop.run_until([&] { return sink.unchanged == 1; }));
  feed.end();
  ASSERT_TRUE(asks(3));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{R"({"one":1})", R"({"two":2})"}));
  EXPECT_EQ(sink.validators[0].etag, "5");
  EXPECT_EQ(sink.validators[1].etag, "6");
  EXPECT_TRUE(sink.failures.empty());
  const std::string base =
      "/apis/example.org/v1/namespaces/shop/things?fieldSelector=metadata.name%3Dflags";
  const std::string more = "&watch=1&allowWatchBookmarks=true&resourceVersion=";
  EXPECT_EQ(target(0), base);
  EXPECT_EQ(target(1), base + more + "5&timeoutSeconds=300");
  EXPECT_EQ(target(2), base + more + "8&timeoutSeconds=300");
  EXPECT_EQ(server->requests()[2].header("authorization"), "first");
  EXPECT_EQ(server->requests()[2].header("accept"), "application/json");
}

TEST_F(KubernetesWatchTest, EveryCutOfAnEventGivesTheSame) {
  const std::string line = event("MODIFIED", object("6", R"({"two":"\u20ac €"})"));
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    feed.say(line.substr(0, cut));
    feed.say(line.substr(cut) + bookmark("7"));
    ASSERT_TRUE(documents(1 + cut)) << cut;
    EXPECT_EQ(sink.documents.back(), R"({"two":"\u20ac €"})");
  }
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(KubernetesWatchTest, TooOldAVersionIsListedAgain) {
  const std::string gone = R"({"kind":"Status","code":410,"message":"too old"})";
  for (const bool by_status : {true, false}) {
    sink.documents.clear();
    start([&](const ServedRequest& request, std::size_t index) -> std::optional<Reply> {
      if (!is_watch(request)) {
        return list(index == 0 ? "5" : "50", object("5", index == 0 ? "{}" : R"({"new":1})"));
      }
      if (index > 1) return std::nullopt;
      if (by_status) return Reply{.status = 410, .body = gone};
      return Reply{.body = event("ERROR", gone)};
    });
    ASSERT_TRUE(documents(2));
    ASSERT_TRUE(asks(4));
    EXPECT_TRUE(target(3).contains("resourceVersion=50&")) << target(3);
    EXPECT_TRUE(sink.failures.empty());
  }
}

TEST_F(KubernetesWatchTest, AnotherErrorOfTheWatchIsAFailureAndListedAgain) {
  start([&](const ServedRequest& request, std::size_t index) -> std::optional<Reply> {
    if (!is_watch(request)) return list("5", object("5", "{}"));
    if (index > 1) return std::nullopt;
    return Reply{.body = event("ERROR", R"({"code":500,"message":"etcd\nis ill"})")};
  });
  ASSERT_TRUE(documents(2));
  ASSERT_EQ(sink.failures.size(), 1U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kServerError);
  EXPECT_EQ(sink.failures[0].second, "the watch ended with status 500 (etcd is ill)");
}

TEST_F(KubernetesWatchTest, DeletedIsAFailureUntilItIsThereAgain) {
  start_with("5", object("4", R"({"one":1})"));
  ASSERT_TRUE(documents(1));
  feed.say(event("DELETED", object("6", R"({"one":1})")));
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kNotFound);
  EXPECT_EQ(sink.failures[0].second, "somebody deleted things `flags` in namespace `shop`");
  EXPECT_EQ(sink.retries[0].count(), 0);
  feed.say(bookmark("7"));
  feed.say(event("ADDED", object("8", R"({"two":2})")));
  ASSERT_TRUE(documents(2));
  EXPECT_EQ(sink.unchanged, 0);  // The bookmark in between was no good news.
}

TEST_F(KubernetesWatchTest, AbsentFromTheStartIsWatchedFor) {
  start_with("5", "");
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kNotFound);
  EXPECT_EQ(sink.failures[0].second, "there is no things `flags` in namespace `shop`");
  feed.say(event("ADDED", R"({"metadata":{"name":"other","resourceVersion":"6"}})"));
  feed.say(event("ADDED", object("7", R"({"two":2})")));
  ASSERT_TRUE(documents(1));
  EXPECT_EQ(sink.failures.size(), 1U);
}

TEST_F(KubernetesWatchTest, NoDocumentAndABadOneWaitForTheNextVersion) {
  start_with("5", R"({"metadata":{"name":"flags","resourceVersion":"4"},"spec":{}})");
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMalformed);
  EXPECT_EQ(sink.failures[0].second, "things `flags` in namespace `shop` has no spec.doc");
  sink.objection = "no good";
  feed.say(event("MODIFIED", object("6", "{}")));
  ASSERT_TRUE(fails(2));
  EXPECT_EQ(sink.failures[1].second, "no good");
  sink.objection.clear();
  feed.say(event("MODIFIED", object("7", "{}")));
  ASSERT_TRUE(documents(1));
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(KubernetesWatchTest, CutInsideAnEventWatchesAgainFromTheLastWholeOne) {
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  feed.say(event("MODIFIED", object("6", R"({"two":2})")) + R"({"type":"MODI)");
  feed.end();
  ASSERT_TRUE(asks(3));
  EXPECT_EQ(sink.documents.size(), 2U);
  ASSERT_EQ(sink.failures.size(), 1U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kTruncated);
  EXPECT_TRUE(target(2).contains("&watch=1") && target(2).contains("Version=6&")) << target(2);
  EXPECT_TRUE(loop.run_until([&] { return sink.unchanged == 1; }));  // In contact again.
}

TEST_F(KubernetesWatchTest, AnEventThatIsNoneIsListedPast) {
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  feed.say("nonsense\n");
  ASSERT_TRUE(documents(2));
  ASSERT_EQ(sink.failures.size(), 1U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMalformed);
  EXPECT_FALSE(is_watch(server->requests()[2]));
}

TEST_F(KubernetesWatchTest, AGiantEventAndAGiantListAreRefused) {
  options.object_bytes_max = 64 * 1024;
  std::string giant = R"({"x":")" + std::string(128 * 1024, 'x') + "\"}";
  start([&](const ServedRequest& request, std::size_t index) -> std::optional<Reply> {
    if (is_watch(request)) return std::nullopt;
    return list("5", object("4", index == 2 ? giant : "{}"));
  });
  ASSERT_TRUE(documents(1));
  feed.say(event("MODIFIED", object("6", giant)));
  ASSERT_TRUE(documents(2));
  ASSERT_EQ(sink.failures.size(), 2U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kTooLarge);
  EXPECT_EQ(sink.failures[0].second, "an event of more than 65536 bytes");
  EXPECT_EQ(sink.failures[1].first, FailureKind::kTooLarge);
}

TEST_F(KubernetesWatchTest, EveryStatusHasItsKindItsWordsAndAnotherTry) {
  struct Case {
    int status;
    FailureKind kind;
    std::string words;
  };
  const std::string rest =
      ": the pod's service account may not list and watch things in namespace `shop`; "
      "k8s/rbac has the Role it needs";
  const std::vector<Case> cases = {
      {401, FailureKind::kUnauthorized,
       "status 401 (said): the API server does not take the service account's token"},
      {403, FailureKind::kUnauthorized, "status 403 (said)" + rest},
      {404, FailureKind::kNotFound,
       "status 404 (said): the cluster has no things of example.org/v1; is their "
       "CustomResourceDefinition installed?"},
      {410, FailureKind::kNotFound, "status 410 (said)"},
      {429, FailureKind::kRateLimited, "status 429 (said)"},
      {500, FailureKind::kServerError, "status 500 (said)"},
      {204, FailureKind::kHttpStatus, "status 204"},
  };
  options.backoff.denied_ordinary = milliseconds(3'600'000);
  start([&](const ServedRequest& request, std::size_t index) -> std::optional<Reply> {
    if (is_watch(request)) return std::nullopt;
    if (index >= cases.size()) return list("5", object("4", "{}"));
    const int status = cases[index].status;
    const std::string body = R"({"kind":"Status","code":1,"message":"said"})";
    return Reply{.status = status, .body = status == 204 ? "" : body};
  });
  ASSERT_TRUE(documents(1));
  ASSERT_EQ(sink.failures.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(sink.failures[i].first, cases[i].kind) << cases[i].status;
    EXPECT_EQ(sink.failures[i].second, cases[i].words);
  }
}

TEST_F(KubernetesWatchTest, RetryAfterIsObeyedAndANewTokenDoesNotWait) {
  start([](const ServedRequest& request, std::size_t index) -> std::optional<Reply> {
    if (is_watch(request)) return std::nullopt;
    if (index == 0) return Reply{.status = 429, .headers = {{"Retry-After", "3000"}}};
    return list("5", object("4", "{}"));
  });
  ASSERT_TRUE(fails(1));
  EXPECT_GE(sink.retries[0].count(), 3'000'000);
  credential = "second";
  watch->credential_changed();
  ASSERT_TRUE(documents(1));
  EXPECT_EQ(server->requests()[1].header("authorization"), "second");
  ASSERT_TRUE(asks(3));
  watch->credential_changed();  // A watch under way is not disturbed.
  feed.say(bookmark("9"));
  ASSERT_TRUE(loop.run_until([&] { return sink.unchanged == 1; }));
  EXPECT_EQ(server->requests().size(), 3U);
}

TEST_F(KubernetesWatchTest, WithoutATokenNothingIsAsked) {
  credential_problem = "no token";
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(fails(2));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kCredential);
  EXPECT_EQ(sink.failures[0].second, "no token");
  EXPECT_TRUE(server->requests().empty());
}

TEST_F(KubernetesWatchTest, AHeldDocumentIsFetchedAgainUntilItIsBelieved) {
  outcome = Outcome::kHeld;
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(3));
  outcome = Outcome::kAccepted;
  ASSERT_TRUE(documents(4));
  // The watches between were given up after 5 ms: the server may come to them late.
  ASSERT_TRUE(loop.run_until([&] {
    feed.say_again(bookmark("9"));
    return sink.unchanged >= 1;
  }));
  loop.run_for(20);
  const auto requests = server->requests();
  EXPECT_EQ(std::ranges::count_if(requests, std::not_fn(is_watch)), 4);  // Not fetched again.
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(KubernetesWatchTest, ARefusedDocumentIsListedAgainWhenTheWatchEnds) {
  outcome = Outcome::kRefused;
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  feed.say(bookmark("6"));
  feed.end();
  outcome = Outcome::kAccepted;
  ASSERT_TRUE(documents(2));
  EXPECT_EQ(sink.unchanged, 0);
  EXPECT_FALSE(is_watch(server->requests()[2]));
}

TEST_F(KubernetesWatchTest, WhatComesWhileADocumentIsInWorkWaits) {
  outcome.reset();
  start_with("5", object("4", R"({"one":1})"));
  ASSERT_TRUE(documents(1));
  loop.run_for(20);
  EXPECT_EQ(server->requests().size(), 1U);  // Not even watched before it is settled.
  watch->settle(Outcome::kAccepted);
  feed.say(event("MODIFIED", object("6", R"({"two":2})")) +
           event("MODIFIED", object("7", R"({"three":3})")) + bookmark("8"));
  feed.end();
  ASSERT_TRUE(documents(2));
  loop.run_for(20);
  EXPECT_EQ(sink.documents.size(), 2U);
  watch->settle(Outcome::kAccepted);
  ASSERT_TRUE(documents(3));
  EXPECT_EQ(server->requests().size(), 2U);
  watch->settle(Outcome::kAccepted);
  ASSERT_TRUE(asks(3));
  EXPECT_TRUE(target(2).contains("resourceVersion=8&")) << target(2);
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(KubernetesWatchTest, RefreshListsNowOrAfterTheWork) {
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  ASSERT_TRUE(asks(2));
  outcome.reset();
  watch->refresh();
  ASSERT_TRUE(documents(2));
  watch->refresh();
  watch->settle(Outcome::kAccepted);
  ASSERT_TRUE(documents(3));
  outcome = Outcome::kAccepted;
  watch->settle(Outcome::kAccepted);
  ASSERT_TRUE(asks(5));
  EXPECT_TRUE(is_watch(server->requests()[4]));
}

TEST_F(KubernetesWatchTest, AServerThatEndsEveryWatchAtOnceIsNotAskedInARush) {
  options.watch_brief = milliseconds(3'600'000);
  options.backoff.base = options.backoff.cap = milliseconds(3'600'000);
  random = fakes::FixedRandom(~std::uint64_t{0});  // The longest waits.
  start_with("5", object("4", "{}"));
  feed.end();
  ASSERT_TRUE(asks(2));
  loop.run_for(50);
  EXPECT_EQ(server->requests().size(), 2U);
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(KubernetesWatchTest, AServerThatNeverEndsItsWatchIsLeft) {
  options.watch_shortest = options.watch_longest = milliseconds(1);
  options.watch_overtime = milliseconds(20);
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kSlow);
  ASSERT_TRUE(asks(3));
  EXPECT_TRUE(is_watch(server->requests()[2]));
  EXPECT_TRUE(target(1).ends_with("timeoutSeconds=1")) << target(1);
}

TEST_F(KubernetesWatchTest, NothingIsSaidAfterStop) {
  start_with("5", object("4", "{}"));
  ASSERT_TRUE(documents(1));
  ASSERT_TRUE(asks(2));
  watch->stop();
  feed.say(event("MODIFIED", object("6", "{}")));
  loop.run_for(30);
  EXPECT_EQ(sink.documents.size(), 1U);
  EXPECT_TRUE(sink.failures.empty());
}

}  // namespace
}  // namespace flagstone::upstream
