#include "net/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "net/loop.h"

namespace flagstone::net {
namespace {

// A resolver of the test's own: answers are set, or withheld until release().
class ScriptedLookup {
 public:
  std::expected<std::vector<std::string>, Error> operator()(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++calls;
    changed_.wait(lock, [&] { return !hangs; });
    if (fails) return std::unexpected(Error{0, "scripted failure"});
    return std::vector<std::string>{host == "a" ? "10.0.0.1" : "10.0.0.2"};
  }
  void set(bool hang, bool fail) {
    std::lock_guard lock(mutex_);
    hangs = hang;
    fails = fail;
    changed_.notify_all();
  }
  int calls_made() {
    std::lock_guard lock(mutex_);
    return calls;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs = false;
  bool fails = false;
  int calls = 0;
};

class ResolverTest : public ::testing::Test {
 protected:
  ResolverOptions options(std::int64_t limit_ms = 5000) {
    ResolverOptions made;
    made.query_limit_ms = limit_ms;
    made.lookups_in_flight_max = 2;
    made.lookup = [lookup = lookup](const std::string& host) { return (*lookup)(host); };
    return made;
  }
  // Abandoned threads hold on to it, as they do in the daemon.
  std::shared_ptr<ScriptedLookup> lookup = std::make_shared<ScriptedLookup>();
  Loop loop;

  std::expected<Resolution, Error> ask(Resolver& resolver, const std::string& host) {
    std::optional<std::expected<Resolution, Error>> result;
    const auto query = resolver.resolve(host, [&](std::expected<Resolution, Error> answer) {
      result = std::move(answer);
      loop.stop();
    });
    EXPECT_FALSE(result.has_value()) << "never inside resolve()";
    loop.run();
    return std::move(*result);
  }
};

TEST_F(ResolverTest, ResolvesLocalhostBySystem) {
  Resolver resolver(loop);
  const auto answer = ask(resolver, "localhost");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(answer->stale);
  EXPECT_TRUE(std::ranges::all_of(answer->addresses, [](const std::string& address) {
    return address == "127.0.0.1" || address == "::1";
  }));
}

TEST_F(ResolverTest, AnUnresolvableNameIsAnError) {
  Resolver resolver(loop);
  const auto answer = ask(resolver, "no-such-name.invalid");
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("no-such-name.invalid"), std::string::npos);
}

TEST_F(ResolverTest, NumericHostsNeedNoLookup) {
  Resolver resolver(loop, options());
  EXPECT_EQ(ask(resolver, "192.0.2.1")->addresses, std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(ask(resolver, "[::1]")->addresses, std::vector<std::string>{"::1"});
  EXPECT_EQ(lookup->calls_made(), 0);
}

TEST_F(ResolverTest, FallsBackToTheLastGoodAddressesAndSaysSo) {
  Resolver resolver(loop, options());
  EXPECT_FALSE(ask(resolver, "a")->stale);
  lookup->set(false, true);
  const auto answer = ask(resolver, "a");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->stale);
  EXPECT_EQ(answer->addresses, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(answer->error, "scripted failure");
  EXPECT_FALSE(ask(resolver, "b")) << "nothing to fall back to";
}

TEST_F(ResolverTest, AHangingLookupIsAbandonedAtTheLimit) {
  Resolver resolver(loop, options(20));
  EXPECT_TRUE(ask(resolver, "a"));
  lookup->set(true, false);
  const auto stale = ask(resolver, "a");
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->stale);
  EXPECT_FALSE(ask(resolver, "b"));
  EXPECT_EQ(resolver.lookups_in_flight(), 2u);
  EXPECT_FALSE(ask(resolver, "c")) << "no thread is left, the limit still holds";
  lookup->set(false, false);
  const auto healed = ask(resolver, "a");
  ASSERT_TRUE(healed);
  EXPECT_FALSE(healed->stale);
}

TEST_F(ResolverTest, ManyQuestionsForOneNameShareALookup) {
  Resolver resolver(loop, options());
  lookup->set(true, false);
  int answers = 0;
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  for (int i = 0; i < 5; ++i) {
    queries.push_back(resolver.resolve("a", [&](auto) {
      if (++answers == 4) loop.stop();
    }));
  }
  queries[2].reset();  // cancelled: falls silent
  lookup->set(false, false);
  loop.run();
  EXPECT_EQ(answers, 4);
  EXPECT_EQ(lookup->calls_made(), 1);
}

TEST_F(ResolverTest, AQueryMayDestroyItselfOrTheResolverInItsCallback) {
  auto resolver = std::make_unique<Resolver>(loop, options());
  std::unique_ptr<Resolver::Query> first, second;
  first = resolver->resolve("a", [&](auto) {
    first.reset();
    second.reset();
    resolver.reset();
    loop.stop();
  });
  second = resolver->resolve("a", [&](auto) { FAIL() << "was cancelled by the first"; });
  loop.run();
  EXPECT_EQ(resolver, nullptr);
}

TEST_F(ResolverTest, MayGoWhileALookupHangs) {
  lookup->set(true, false);
  {
    Resolver resolver(loop, options());
    const auto query = resolver.resolve("a", [](auto) { FAIL(); });
  }
  lookup->set(false, false);  // its thread finds nobody to tell
}

}  // namespace
}  // namespace flagstone::net
