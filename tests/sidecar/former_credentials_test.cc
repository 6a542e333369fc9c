#include "sidecar/former_credentials.h"

#include <gtest/gtest.h>

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

upstream::TimePoint at(int ms) { return upstream::TimePoint(milliseconds(ms)); }

Strings counting(const FormerCredentials& former, int ms, Strings all = {}) {
  former.append_to(all, at(ms));
  return all;
}

TEST(FormerCredentialsTest, TheOneBeforeCountsUntilItsGraceIsOver) {
  FormerCredentials former;
  former.note(0, "old", milliseconds(100), at(0));
  EXPECT_EQ(counting(former, 0), Strings{}) << "the current one is not a former one";
  former.note(0, "new", milliseconds(100), at(10));
  EXPECT_EQ(counting(former, 109), Strings{"old"});
  EXPECT_EQ(counting(former, 110), Strings{});
}

TEST(FormerCredentialsTest, AnEmptyOneChangesNothing) {
  FormerCredentials former;
  former.note(0, "old", milliseconds(100), at(0));
  former.note(0, "", milliseconds(100), at(1));
  EXPECT_EQ(counting(former, 1), Strings{});
  former.note(0, "new", milliseconds(100), at(2));
  EXPECT_EQ(counting(former, 3), Strings{"old"});
}

TEST(FormerCredentialsTest, SeveralRotationsInARowAllCount) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(0, "b", milliseconds(100), at(10));
  former.note(0, "c", milliseconds(100), at(20));
  EXPECT_EQ(counting(former, 30), (Strings{"a", "b"}));
  EXPECT_EQ(counting(former, 115), Strings{"b"});
}

TEST(FormerCredentialsTest, OneThatComesBackIsCurrent) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(0, "b", milliseconds(100), at(10));
  former.note(0, "a", milliseconds(100), at(20));
  EXPECT_EQ(counting(former, 30, {"a"}), (Strings{"a", "b"}));
}

TEST(FormerCredentialsTest, WithoutGraceThereIsNone) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(0), at(0));
  former.note(0, "b", milliseconds(0), at(1));
  EXPECT_EQ(counting(former, 1), Strings{});
}

TEST(FormerCredentialsTest, SourcesAreApart) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(2, "x", milliseconds(100), at(0));
  former.note(2, "y", milliseconds(100), at(1));
  EXPECT_EQ(counting(former, 2, {"a", "y"}), (Strings{"a", "y", "x"}));
}

TEST(FormerCredentialsTest, WhoseItWas) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(2, "x", milliseconds(100), at(0));
  former.note(2, "y", milliseconds(100), at(1));
  EXPECT_EQ(former.source_of("x", at(2)), 2U);
  EXPECT_EQ(former.source_of("x", at(101)), std::nullopt) << "its grace is over";
  EXPECT_EQ(former.source_of("y", at(2)), std::nullopt) << "it is in use";
}

using Facts = std::vector<FormerCredentials::SourceFacts>;

TEST(FormerCredentialsTest, AReloadKeepsThoseOfTheSourcesItKeeps) {
  const auto grace = milliseconds(100);
  const Facts facts{{.identity = "x", .grace = grace}, {.identity = "y", .grace = grace}};
  const auto x_for = [](int ms) { return Facts{{.identity = "x", .grace = milliseconds(ms)}}; };
  FormerCredentials before;
  before.note(0, "x-old", grace, at(0));
  before.note(1, "y-old", grace, at(0));
  before.note(0, "x-new", grace, at(10));
  before.note(1, "y-new", grace, at(20));
  const struct {
    Facts facts;
    Strings now;
    Strings former;
    int ms = 30;
  } rows[] = {
      {facts, {"x-new", "y-new"}, {"x-old", "y-old"}},
      {{facts[1], facts[0]}, {"y-new", "x-new"}, {"x-old", "y-old"}},
      {{{.identity = "z", .grace = grace}, facts[0]}, {"z", "x-new"}, {"x-old"}},
      {{facts[1]}, {"y-new"}, {"y-old"}},
      // It changed in the meantime.
      {{facts[1]}, {"y-third"}, {"y-old", "y-new"}},
      {{{.identity = "z", .grace = grace}}, {"z"}, {}},
      // Another grace from the reload on ends it sooner, and never later.
      {x_for(0), {"x-new"}, {}},
      {x_for(10), {"x-new"}, {"x-old"}, 39},
      {x_for(10), {"x-new"}, {}, 40},
      {x_for(1000), {"x-new"}, {"x-old"}, 109},
      {x_for(1000), {"x-new"}, {}, 110},
  };
  for (const auto& row : rows) {
    FormerCredentials after;
    after.take_over(before, facts, row.facts, at(30));
    for (std::size_t i = 0; i < row.now.size(); ++i) after.note(i, row.now[i], grace, at(30));
    EXPECT_EQ(counting(after, row.ms), row.former) << row.now.front() << " at " << row.ms;
  }
}

// Steady and wall time, each by hand.
class TwoClocks final : public upstream::Clock {
 public:
  upstream::TimePoint now() const override { return at(ms); }
  std::int64_t unix_ms() const override { return wall_ms; }
  void pass(int more) {
    ms += more;
    wall_ms += more;
  }

  int ms = 0;
  std::int64_t wall_ms = 1'000'000;
};

class FormerAfterRestart : public testing::Test {
 protected:
  // Another process on what the first one kept, with these credentials in its files by now.
  FormerCredentials restarted(const std::string& saved, const Strings& now, const Facts& sources) {
    clock.ms = 77;
    FormerCredentials next;
    for (std::size_t i = 0; i < now.size(); ++i)
      next.note(i, now[i], sources[i].grace, clock.now());
    EXPECT_TRUE(next.restore(saved, sources, clock));
    return next;
  }
  // Of these credentials, those that it knows by a hash.
  Strings opened(const FormerCredentials& former, const Strings& asked) const {
    Strings all;
    for (const std::string& key : asked) {
      for (const auto& hashed : former.hashed(clock.now())) {
        if (cache::credential_hash(hashed.salt, key) == hashed.hash) all.push_back(key);
      }
    }
    return all;
  }

  TwoClocks clock;
  const Facts one{{.identity = "a", .grace = milliseconds(100)}};
  const Strings keys{"a", "b", "c"};
};

TEST_F(FormerAfterRestart, CountsToItsEndByTheWallClock) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  clock.pass(10);
  former.note(0, "b", milliseconds(100), clock.now());
  clock.pass(30);
  const std::string saved = former.save(one, "salt", clock);
  clock.wall_ms += 20;
  const FormerCredentials next = restarted(saved, {"b"}, one);
  EXPECT_EQ(counting(next, 77), Strings{}) << "no text of it is known";
  EXPECT_EQ(opened(next, keys), Strings{"a"}) << "b is in use";
  clock.pass(49);
  EXPECT_EQ(opened(next, keys), Strings{"a"});
  clock.pass(1);
  EXPECT_EQ(opened(next, keys), Strings{});
}

TEST_F(FormerAfterRestart, TheOneInUseBeforeIsAFormerOneIfItWasReplacedMeanwhile) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  const std::string saved = former.save(one, "salt", clock);
  clock.wall_ms += 60;
  EXPECT_EQ(opened(restarted(saved, {"b"}, one), keys), Strings{"a"});
  EXPECT_EQ(opened(restarted(saved, {"a"}, one), keys), Strings{});
  EXPECT_EQ(opened(restarted(saved, {""}, one), keys), Strings{"a"}) << "its file is not there yet";
  clock.wall_ms += 40;
  EXPECT_EQ(opened(restarted(saved, {"b"}, one), keys), Strings{}) << "too long ago";
}

TEST_F(FormerAfterRestart, WhatAReloadTookOverIsNotTakenTwice) {
  FormerCredentials first;
  first.note(0, "a", milliseconds(100), clock.now());
  first.note(0, "b", milliseconds(100), clock.now());
  FormerCredentials second = restarted(first.save(one, "one", clock), {"b"}, one);
  second.note(0, "c", milliseconds(100), clock.now());
  const std::string saved = second.save(one, "two", clock);
  FormerCredentials third;
  third.take_over(second, one, one, clock.now());
  EXPECT_EQ(opened(third, keys), Strings{"a"});
  ASSERT_TRUE(third.restore(saved, one, clock));
  EXPECT_EQ(opened(third, keys), Strings{"a"});
  EXPECT_EQ(counting(third, clock.ms), Strings{"b"});
  FormerCredentials ungraced;
  ungraced.take_over(second, one, {{.identity = "a", .grace = milliseconds(0)}}, clock.now());
  EXPECT_EQ(opened(ungraced, keys), Strings{}) << "nor longer than the grace of now";
}

TEST_F(FormerAfterRestart, ASecondRestartStillKnowsIt) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  former.note(0, "b", milliseconds(100), clock.now());
  const FormerCredentials next = restarted(former.save(one, "one", clock), {"b"}, one);
  clock.pass(50);
  const FormerCredentials third = restarted(next.save(one, "two", clock), {"c"}, one);
  EXPECT_EQ(opened(third, keys), (Strings{"a", "b"}));
  clock.pass(50);
  EXPECT_EQ(opened(third, keys), Strings{"b"});
}

TEST_F(FormerAfterRestart, NoOtherSourceIsOpenedByIt) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  former.note(1, "b", milliseconds(100), clock.now());
  const Facts two{one[0], {.identity = "b", .grace = milliseconds(100)}};
  const std::string saved = former.save(two, "salt", clock);
  EXPECT_EQ(opened(restarted(saved, {"c"}, {{.identity = "c", .grace = milliseconds(100)}}), keys),
            Strings{});
  EXPECT_EQ(opened(restarted(saved, {"c"}, {two[1]}), keys), Strings{"b"});
}

TEST_F(FormerAfterRestart, WhoseItWas) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  former.note(1, "b", milliseconds(100), clock.now());
  const Facts two{one[0], {.identity = "b", .grace = milliseconds(100)}};
  const FormerCredentials next =
      restarted(former.save(two, "salt", clock), {"a", "new"}, {two[0], two[1]});
  EXPECT_EQ(next.source_of("b", clock.now()), 1U);
  EXPECT_EQ(next.source_of("c", clock.now()), std::nullopt);
  clock.pass(100);
  EXPECT_EQ(next.source_of("b", clock.now()), std::nullopt);
}

TEST_F(FormerAfterRestart, NeitherAShorterGraceNorAClockThatWasSetBackMakesItLonger) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  const std::string saved = former.save(one, "salt", clock);
  const FormerCredentials shorter =
      restarted(saved, {"b"}, {{.identity = "a", .grace = milliseconds(10)}});
  clock.pass(10);
  EXPECT_EQ(opened(shorter, keys), Strings{});
  EXPECT_EQ(opened(restarted(saved, {"b"}, {{.identity = "a", .grace = milliseconds(0)}}), keys),
            Strings{});
  clock.wall_ms -= 500'000;
  const FormerCredentials back = restarted(saved, {"b"}, one);
  clock.pass(100);
  EXPECT_EQ(opened(back, keys), Strings{});
}

TEST_F(FormerAfterRestart, WhatIsNoneOfItIsToldApart) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), clock.now());
  const std::string saved = former.save(one, "salt", clock);
  for (std::size_t size = 0; size < saved.size(); ++size) {
    EXPECT_FALSE(FormerCredentials().restore(saved.substr(0, size), one, clock)) << size;
  }
  EXPECT_FALSE(FormerCredentials().restore(saved + "x", one, clock));
  EXPECT_EQ(FormerCredentials().save(one, "salt", clock), "") << "nothing to keep";
  FormerCredentials ungraced;
  ungraced.note(0, "a", milliseconds(0), clock.now());
  EXPECT_EQ(ungraced.save({{.identity = "a", .grace = milliseconds(0)}}, "salt", clock), "");
}

}  // namespace
}  // namespace flagstone::sidecar
