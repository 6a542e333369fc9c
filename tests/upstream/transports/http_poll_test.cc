#include "upstream/transports/http_poll.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
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

class HttpPollTest : public testing::Test {
 protected:
  HttpPollTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options.interval = milliseconds(10);
    sink.on_document = [this](const std::string&) {
      if (outcome) poll->settle(*outcome);
    };
  }

  void start(ScriptedHttpServer::Handler handler) {
    server = std::make_unique<ScriptedHttpServer>(std::move(handler));
    options.url = server->url("/flags");
    poll = std::make_unique<HttpPoll>(
        loop.loop(), client, clock, random, options,
        [this]() -> std::expected<std::vector<HttpHeader>, std::string> {
          if (!credential_problem.empty()) return std::unexpected(credential_problem);
          return std::vector<HttpHeader>{{"Authorization", credential, true}};
        },
        sink);
    if (resumed) poll->resume(*resumed);
    poll->start();
  }
  bool asks(std::size_t times) {
    return loop.run_until([&] { return server->requests().size() >= times; });
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  SystemClock clock;
  fakes::FixedRandom random;  // Zero: every back-off is over at once.
  fakes::RecordingSink sink{loop};
  HttpPollOptions options;
  std::string credential = "first";
  std::string credential_problem;
  std::optional<Validators> resumed;
  std::optional<Outcome> outcome = Outcome::kAccepted;
  std::unique_ptr<ScriptedHttpServer> server;
  std::unique_ptr<HttpPoll> poll;
};

TEST_F(HttpPollTest, ValidatorsOfWhatWasAcceptedMakeTheNextRequestConditional) {
  start([](const ServedRequest& request, std::size_t) {
    if (request.header("if-none-match") == "\"1\"") return Reply{.status = 304};
    return Reply{.headers = {{"ETag", "\"1\""}, {"Last-Modified", "yesterday"}}, .body = "one"};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.unchanged == 3; }));
  EXPECT_EQ(sink.documents, std::vector<std::string>{"one"});
  EXPECT_TRUE(sink.failures.empty());
  const auto seen = server->requests();
  EXPECT_EQ(seen[0].header("if-none-match"), "");
  EXPECT_EQ(seen[1].header("if-none-match"), "\"1\"");
  EXPECT_EQ(seen[1].header("if-modified-since"), "yesterday");
  EXPECT_EQ(seen[0].header("authorization"), "first");
}

TEST_F(HttpPollTest, AResumedCursorMakesTheFirstRequestConditional) {
  resumed = Validators{"\"state\"", ""};
  start([](const ServedRequest&, std::size_t) { return Reply{.status = 304}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.unchanged >= 1; }));
  EXPECT_EQ(server->requests()[0].header("if-none-match"), "\"state\"");
  EXPECT_TRUE(sink.documents.empty());
}

TEST_F(HttpPollTest, RefusedAndHeldDocumentsLeaveNothingToRemember) {
  for (const Outcome bad : {Outcome::kRefused, Outcome::kHeld}) {
    sink.documents.clear();
    outcome = bad;
    start([](const ServedRequest&, std::size_t) {
      return Reply{.headers = {{"ETag", "\"1\""}}, .body = "one"};
    });
    EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 3; }));
    for (const ServedRequest& request : server->requests()) {
      EXPECT_EQ(request.header("if-none-match"), "");
    }
  }
}

TEST_F(HttpPollTest, ATruncatedBodyUnderANewETagHealsUnderTheSameETag) {
  start([](const ServedRequest& request, std::size_t index) {
    if (index == 0) return Reply{.headers = {{"ETag", "\"1\""}}, .body = "one"};
    if (request.header("if-none-match") == "\"2\"") return Reply{.status = 304};
    Reply reply{.headers = {{"ETag", "\"2\""}}, .body = "two"};
    if (index < 4) {
      reply.body = "tw";
      reply.announced_length = 3;
    }
    return reply;
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.unchanged == 1; }));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(sink.failures.size(), 3U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kTruncated);
  const auto seen = server->requests();
  for (std::size_t i = 1; i <= 4; ++i) EXPECT_EQ(seen[i].header("if-none-match"), "\"1\"");
  EXPECT_EQ(seen[5].header("if-none-match"), "\"2\"");
}

TEST_F(HttpPollTest, EveryStatusHasItsKindAndNoneEndsThePolling) {
  struct Case {
    int status;
    FailureKind kind;
  };
  const std::vector<Case> cases = {
      {401, FailureKind::kUnauthorized}, {403, FailureKind::kUnauthorized},
      {404, FailureKind::kNotFound},     {410, FailureKind::kNotFound},
      {429, FailureKind::kRateLimited},  {500, FailureKind::kServerError},
      {503, FailureKind::kServerError},  {418, FailureKind::kHttpStatus},
      {206, FailureKind::kHttpStatus},   {204, FailureKind::kMalformed},
      {304, FailureKind::kProtocol},     {200, FailureKind::kMalformed},  // Without a body.
  };
  start([&](const ServedRequest&, std::size_t index) {
    return Reply{.status = index < cases.size() ? cases[index].status : 200,
                 .body = index < cases.size() ? "" : "one"};
  });
  EXPECT_TRUE(loop.run_until([&] { return !sink.documents.empty(); }));
  ASSERT_EQ(sink.failures.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(sink.failures[i].first, cases[i].kind) << cases[i].status;
  }
  EXPECT_EQ(sink.failures[6].second, "status 503");
}

TEST_F(HttpPollTest, RetryAfterIsObeyed) {
  start([](const ServedRequest&, std::size_t index) {
    return Reply{.status = index == 0 ? 429 : 503,
                 .headers = {{"Retry-After", index == 0 ? "0" : "120"}}};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() == 2; }));
  EXPECT_LE(sink.retries[0], milliseconds(1));
  EXPECT_GE(sink.retries[1], milliseconds(120'000));
  EXPECT_LE(sink.retries[1], milliseconds(132'000));
  loop.run_for(50);
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(HttpPollTest, AnotherCredentialIsTriedAtOnce) {
  options.backoff.denied_ordinary = milliseconds(0);
  start([](const ServedRequest& request, std::size_t) {
    if (request.header("authorization") == "first") return Reply{.status = 401};
    return Reply{.body = "one"};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() == 1; }));
  EXPECT_GE(sink.retries[0], std::chrono::minutes(5));
  credential = "second";
  poll->ask_anew();
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 1; }));
}

TEST_F(HttpPollTest, OnAnOperatorsWordALongWaitEndsAndNoOther) {
  options.backoff.denied_ordinary = milliseconds(0);
  options.interval = std::chrono::hours(1);
  start([](const ServedRequest&, std::size_t index) {
    return index < 2 ? Reply{.status = 401} : Reply{.body = "one"};
  });
  for (std::size_t times : {1U, 2U}) {
    EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() == times; }));
    EXPECT_GE(sink.retries[times - 1], std::chrono::minutes(5));
    EXPECT_TRUE(poll->is_denied());
    poll->try_now();
  }
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 1; }));
  EXPECT_FALSE(poll->is_denied());
  poll->try_now();
  loop.run_for(30);
  EXPECT_EQ(server->requests().size(), 3U);
}

TEST_F(HttpPollTest, WithoutACredentialNothingIsAsked) {
  credential_problem = "no such file";
  options.backoff.base = milliseconds(3);
  start([](const ServedRequest&, std::size_t) { return Reply{.body = "one"}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() >= 2; }));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kCredential);
  EXPECT_EQ(sink.failures[0].second, "no such file");
  EXPECT_TRUE(server->requests().empty());
  credential_problem.clear();
  EXPECT_TRUE(loop.run_until([&] { return !sink.documents.empty(); }));
}

TEST_F(HttpPollTest, NothingIsAskedWhileADocumentIsInWork) {
  outcome = std::nullopt;
  start([](const ServedRequest&, std::size_t) { return Reply{.body = "one"}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 1; }));
  loop.run_for(60);
  poll->refresh();
  loop.run_for(20);
  EXPECT_EQ(server->requests().size(), 1U);
  poll->settle(Outcome::kAccepted);
  EXPECT_TRUE(asks(2));
}

TEST_F(HttpPollTest, RefreshAsksNowAndWithoutCondition) {
  options.interval = std::chrono::hours(1);
  start([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"ETag", "\"1\""}}, .body = "one"};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 1; }));
  poll->refresh();
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 2; }));
  EXPECT_EQ(server->requests()[1].header("if-none-match"), "");
}

TEST_F(HttpPollTest, TheSinksObjectionEndsTheTransfer) {
  sink.objection = "line 1: no";
  start([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"ETag", "\"1\""}}, .body = std::string(1'000'000, 'x')};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() >= 2; }));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMalformed);
  EXPECT_EQ(sink.failures[0].second, "line 1: no");
  for (const auto& request : server->requests()) EXPECT_EQ(request.header("if-none-match"), "");
}

// More than sockets and curl hold by themselves.
std::string large_document() { return std::string(24'000'000, 'x'); }

TEST_F(HttpPollTest, TimeDoesNotRunWhileATransferWaitsForTheDisk) {
  options.limits.whole = milliseconds(1'000);
  options.limits.idle = milliseconds(1'000);
  sink.disk_is_behind = true;
  start([](const ServedRequest&, std::size_t) { return Reply{.body = large_document()}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.arrived() > 0; }));
  loop.run_for(1'100);
  EXPECT_TRUE(sink.failures.empty()) << sink.failures[0].second;
}

TEST_F(HttpPollTest, AnOperatorsWordEndsTheWaitForTheDiskToo) {
  options.backoff.denied_ordinary = milliseconds(0);
  sink.disk_is_behind = true;
  start([](const ServedRequest&, std::size_t index) {
    return index == 0 ? Reply{.status = 401} : Reply{.body = large_document()};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.failures.size() == 1; }));
  poll->try_now();
  EXPECT_TRUE(loop.run_until([&] { return sink.arrived() > 0; }));
  EXPECT_TRUE(poll->is_denied());  // Until the document is whole.
  // The disk has caught up, and the look at it is due before the request that the word leads to.
  sink.disk_is_behind = false;
  const std::int64_t since_ms = loop.loop().now_ms();
  while (loop.loop().now_ms() - since_ms < 10) loop.loop().refresh_now();
  poll->try_now();
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 1; }));
  EXPECT_EQ(server->requests().size(), 3U);
}

TEST_F(HttpPollTest, ATransferWaitsForTheDisk) {
  sink.disk_is_behind = true;
  start([](const ServedRequest&, std::size_t) { return Reply{.body = large_document()}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.arrived() > 0; }));
  loop.run_for(50);
  EXPECT_LE(sink.arrived(), 2 * sink.largest_piece) << "the rest waits with the other side";
  sink.disk_is_behind = false;
  EXPECT_TRUE(loop.run_until([&] { return !sink.documents.empty(); }));
  EXPECT_TRUE(sink.documents[0] == large_document());
  EXPECT_TRUE(sink.failures.empty());
  EXPECT_EQ(sink.given_up, 0);
}

TEST_F(HttpPollTest, ADiskThatHangsIsNotWaitedForWithoutEnd) {
  options.disk_patience = milliseconds(20);
  sink.disk_is_behind = true;
  start([](const ServedRequest&, std::size_t) { return Reply{.body = large_document()}; });
  EXPECT_TRUE(loop.run_until([&] { return !sink.documents.empty(); }));
  EXPECT_EQ(sink.given_up, 1);
  EXPECT_TRUE(sink.documents[0] == large_document());
}

TEST_F(HttpPollTest, WhatIsStoppedWhileItWaitsStaysStopped) {
  sink.disk_is_behind = true;
  start([](const ServedRequest&, std::size_t) { return Reply{.body = large_document()}; });
  EXPECT_TRUE(loop.run_until([&] { return sink.arrived() > 0; }));
  poll->refresh();
  EXPECT_TRUE(asks(2));
  poll->stop();
  sink.disk_is_behind = false;
  loop.run_for(50);
  EXPECT_TRUE(sink.documents.empty());
}

TEST_F(HttpPollTest, WhatIsRefusedForNowIsAskedForAgainSoon) {
  options.interval = std::chrono::hours(1);
  outcome = Outcome::kRefusedForNow;
  start([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"ETag", "\"1\""}}, .body = "one"};
  });
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 3; }));
  EXPECT_EQ(server->requests()[2].header("if-none-match"), "");
}

TEST_F(HttpPollTest, NothingComesAfterStop) {
  start([](const ServedRequest&, std::size_t) { return Reply{.body = "one", .drip_ms = 20}; });
  EXPECT_TRUE(asks(1));
  poll->stop();
  loop.run_for(100);
  EXPECT_TRUE(sink.documents.empty());
  EXPECT_TRUE(sink.failures.empty());
  EXPECT_EQ(server->requests().size(), 1U);
}

}  // namespace
}  // namespace flagstone::upstream
