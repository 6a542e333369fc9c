#include "cache/environment.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::deleted;
using fakes::delta;
using fakes::flag;
using fakes::full;
using fakes::segment;
using Names = std::vector<std::string>;

TEST(EnvironmentTest, PublishesWhatItTookIn) {
  EnvironmentFixture f;
  EXPECT_EQ(f.environment->snapshot(), nullptr);
  EXPECT_FALSE(f.environment->ready());
  const Accepted accepted = f.accept(
      1, full({flag("a", "on"), segment("s", "u1,u2"), flag("b", "segment:s:yes:no")}, "etag-1"));
  EXPECT_TRUE(f.environment->ready());
  EXPECT_TRUE(accepted.snapshot_changed);
  EXPECT_TRUE(accepted.everything);
  EXPECT_EQ(accepted.added, 3U);
  EXPECT_EQ(f.answer("a"), "on");
  EXPECT_EQ(f.answer("b", "u2"), "yes");
  EXPECT_EQ(f.answer("b", "u3"), "no");
  EXPECT_EQ(f.answer("c"), "-");
  EXPECT_EQ(f.environment->layer(1).cursor(), "etag-1");
}

TEST(EnvironmentTest, ChangedSegmentRecompilesOnlyItself) {
  EnvironmentFixture f;
  f.accept(1, full({segment("s", "u1", 1), flag("b", "segment:s:yes:no", 1)}));
  const std::size_t before = f.dialect.compiled_count();
  const Accepted accepted = f.accept(1, delta({segment("s", "u2", 2)}));
  EXPECT_EQ(f.dialect.compiled_count(), before + 1);
  EXPECT_EQ(f.answer("b", "u2"), "yes");
  ASSERT_EQ(accepted.changed_ids.size(), 1U);
  EXPECT_EQ(accepted.changed_ids[0].key, "s");
}

TEST(EnvironmentTest, UnchangedDocumentPublishesNothingAndCompilesNothing) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "on"), flag("b", "off")}, "", "meta"));
  const auto snapshot = f.environment->snapshot();
  const std::size_t compiled = f.dialect.compiled_count();
  const Accepted accepted = f.accept(1, full({flag("b", "off"), flag("a", "on")}, "", "meta"));
  EXPECT_FALSE(accepted.snapshot_changed);
  EXPECT_EQ(f.environment->snapshot(), snapshot);
  EXPECT_EQ(f.dialect.compiled_count(), compiled);
}

// What a delta does to flag "a" at version 5.
struct DeltaCase {
  const char* name;
  std::vector<evaluation::Record> records;
  std::string answer;
  std::size_t outdated;
};

TEST(EnvironmentTest, DeltasApplyByVersion) {
  const std::vector<DeltaCase> cases = {
      {"newer patch", {flag("a", "new", 6)}, "new", 0},
      {"equal patch", {flag("a", "new", 5)}, "old", 1},
      {"older patch", {flag("a", "new", 4)}, "old", 1},
      {"without version", {flag("a", "new", 0)}, "old", 1},
      {"newer delete", {deleted(flag("a", "", 6))}, "-", 0},
      {"equal delete", {deleted(flag("a", "", 5))}, "old", 1},
      {"delete without version", {deleted(flag("a", "", 0))}, "old", 1},
      {"late patch stays dead", {deleted(flag("a", "", 7)), flag("a", "new", 6)}, "-", 1},
      {"newer patch revives", {deleted(flag("a", "", 7)), flag("a", "new", 8)}, "new", 0},
      {"later in one delta wins", {flag("a", "x", 6), flag("a", "y", 7)}, "y", 0},
      {"older later in one delta", {flag("a", "x", 7), flag("a", "y", 6)}, "x", 1},
      {"other record", {flag("b", "x", 1)}, "old", 0},
  };
  for (const DeltaCase& c : cases) {
    EnvironmentFixture f;
    f.accept(1, full({flag("a", "old", 5)}));
    const Accepted accepted = f.accept(1, delta(c.records));
    EXPECT_EQ(f.answer("a"), c.answer) << c.name;
    EXPECT_EQ(accepted.outdated, c.outdated) << c.name;
  }
}

TEST(EnvironmentTest, WhereNothingHasVersionsDeltasApplyAsTheyCome) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "old", 0), flag("b", "b", 0)}));
  EXPECT_EQ(f.accept(1, delta({flag("a", "new", 0), deleted(flag("b", "", 0))})).outdated, 0U);
  EXPECT_EQ(f.answer("a"), "new");
  EXPECT_EQ(f.answer("b"), "-");
}

TEST(EnvironmentTest, TombstonesOutliveTheirDeltaAndAreBounded) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "old", 5)}));
  f.accept(1, delta({deleted(flag("a", "", 7))}));
  EXPECT_EQ(f.accept(1, delta({flag("a", "late", 6)})).outdated, 1U);
  EXPECT_EQ(f.answer("a"), "-");
  for (std::size_t i = 0; i < kTombstonesMax + 50; ++i) {
    f.accept(1, delta({deleted(flag("gone-" + std::to_string(i), "", 2))}));
  }
  EXPECT_LE(f.environment->layer(1).records().tombstone_count(), kTombstonesMax);
  // A complete document knows nothing of versions before it.
  f.accept(1, full({flag("a", "again", 1)}));
  EXPECT_EQ(f.answer("a"), "again");
  EXPECT_EQ(f.environment->layer(1).records().tombstone_count(), 0U);
}

TEST(EnvironmentTest, DuplicatesInADocumentTheLastWins) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "one"), flag("a", "two")}));
  EXPECT_EQ(f.answer("a"), "two");
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 1U);
  f.accept(1, full({flag("a", "three"), flag("a", "two")}));
  EXPECT_EQ(f.answer("a"), "two");
  f.accept(1, full({flag("a", "two"), flag("a", "three")}));
  EXPECT_EQ(f.answer("a"), "three");
}

TEST(EnvironmentTest, LaterSourcesWinAndLetGo) {
  EnvironmentFixture f(3, false, false);
  Environment& e = *f.environment;
  const auto first = e.source_layer(0);
  const auto second = e.source_layer(1);
  const auto third = e.source_layer(2);
  f.accept(second, full({flag("a", "2"), flag("b", "2")}));
  EXPECT_FALSE(e.ready());
  f.accept(first, full({flag("a", "1"), flag("c", "1")}));
  f.accept(third, full({}));
  EXPECT_TRUE(e.ready());
  EXPECT_EQ(f.answer("a"), "2");
  EXPECT_EQ(f.answer("b"), "2");
  EXPECT_EQ(f.answer("c"), "1");
  const Accepted shadowed = f.accept(first, full({flag("a", "1x"), flag("c", "1")}));
  EXPECT_FALSE(shadowed.snapshot_changed) << "what is covered changes nobody's answer";
  const Accepted covered = f.accept(third, full({flag("c", "3")}));
  ASSERT_EQ(covered.changed_ids.size(), 1U);
  EXPECT_EQ(covered.changed_ids[0].key, "c");
  EXPECT_EQ(f.answer("c"), "3");
  f.accept(third, full({}));
  EXPECT_EQ(f.answer("c"), "1");
  f.accept(second, full({}));
  EXPECT_EQ(f.answer("a"), "1x");
  EXPECT_EQ(f.answer("b"), "-");
  // A tombstone of a later source hides nothing of an earlier one.
  f.accept(second, delta({flag("a", "2", 3)}));
  f.accept(second, delta({deleted(flag("a", "", 4))}));
  EXPECT_EQ(f.answer("a"), "1x");
}

TEST(EnvironmentTest, ManySourcesAgreeWithASimpleModel) {
  EnvironmentFixture f(3, false, false);
  std::vector<std::map<std::string, std::string>> model(3);
  std::uint64_t random = 7;
  const auto next = [&random](std::size_t below) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(random >> 33) % below;
  };
  for (int round = 0; round < 60; ++round) {
    const std::size_t source = next(3);
    auto& mine = model[source];
    const bool whole = next(3) == 0;
    if (whole) mine.clear();
    std::vector<evaluation::Record> records;
    for (std::size_t i = next(whole ? 300 : 20); i-- > 0;) {
      const std::string key = "k" + std::to_string(next(400));
      const bool remove = !whole && next(3) == 0;
      const std::string text = "v" + std::to_string(round) + "-" + std::to_string(i);
      records.push_back(remove ? deleted(flag(key, "")) : flag(key, text));
      if (remove) mine.erase(key);
      if (!remove) mine[key] = text;
    }
    f.accept(f.environment->source_layer(source), whole ? full(records) : delta(records));
    std::map<std::string, std::string> expected;
    for (const auto& layer : model) {
      for (const auto& [key, text] : layer) expected[key] = text;
    }
    ASSERT_EQ(f.environment->snapshot()->flag_count(), expected.size());
    ASSERT_EQ(f.keys().size(), expected.size());
    for (const auto& [key, text] : expected) ASSERT_EQ(f.answer(key), text) << key;
  }
}

TEST(EnvironmentTest, SetsAreKeptApart) {
  EnvironmentFixture f(2, false, false);
  f.accept(1, full({flag("a", "x", 0, "set-x"), flag("a", "y", 0, "set-y"), flag("b", "none")}));
  f.accept(2, full({flag("a", "later", 0, "set-a")}));
  EXPECT_EQ(f.answer_in_set("set-x", "a"), "x");
  EXPECT_EQ(f.answer_in_set("set-y", "a"), "y");
  EXPECT_EQ(f.answer_in_set("", "a"), "-");
  EXPECT_EQ(f.answer("a"), "later") << "the latest source, before the greatest set id";
  f.accept(2, full({}));
  EXPECT_EQ(f.answer("a"), "y") << "then the greatest set id";
  EXPECT_EQ(f.keys(), (Names{"/b", "set-y/a"}));
  EXPECT_EQ(f.keys({.set_id = "set-x", .source = {}, .one_per_key = true}), (Names{"set-x/a"}));
  EXPECT_EQ(f.keys({.set_id = "", .source = {}, .one_per_key = true}), (Names{"/b"}));
  EXPECT_EQ(f.keys({.set_id = {}, .source = "source-0", .one_per_key = false}),
            (Names{"/b", "set-x/a", "set-y/a"}));
  EXPECT_EQ(f.keys({.set_id = {}, .source = "source-1", .one_per_key = true}), (Names{}));
}

TEST(EnvironmentTest, MetadataBelongsToItsLayer) {
  EnvironmentFixture f(2);
  f.accept(1, full({flag("a", "1")}, "", "first"));
  f.accept(2, full({flag("b", "2")}, "", "second"));
  const Snapshot& snapshot = *f.environment->snapshot();
  const auto metadata = [&](std::string_view key) {
    return std::string(
        snapshot.evaluate(*snapshot.find_flag(key), {}, {}, f.scratch, f.reader).metadata_members);
  };
  EXPECT_EQ(metadata("a"), "first");
  EXPECT_EQ(metadata("b"), "second");
  const std::uint64_t hash = snapshot.content_hash();
  EXPECT_TRUE(f.accept(2, full({flag("b", "2")}, "", "third")).everything);
  EXPECT_NE(f.environment->snapshot()->content_hash(), hash);
}

TEST(EnvironmentTest, BootstrapShowsUntilEveryRequiredSourceAnswered) {
  EnvironmentFixture f(2, true);
  Environment& e = *f.environment;
  f.accept(e.bootstrap_layer(), full({flag("a", "boot"), flag("b", "boot")}));
  EXPECT_TRUE(e.ready());
  EXPECT_EQ(e.origin(), Origin::kBootstrap);
  f.accept(e.source_layer(0), full({flag("a", "live")}));
  EXPECT_EQ(e.origin(), Origin::kBootstrap);
  EXPECT_EQ(f.answer("a"), "live");
  EXPECT_EQ(f.answer("b"), "boot");
  const Accepted last = f.accept(e.source_layer(1), full({}));
  EXPECT_EQ(e.origin(), Origin::kLive);
  EXPECT_EQ(f.answer("b"), "-");
  ASSERT_EQ(last.changed_ids.size(), 1U);
  EXPECT_EQ(last.changed_ids[0].key, "b");
}

TEST(EnvironmentTest, PinsLieOnTopInEverySet) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "x", 0, "set-x"), flag("a", "none"), flag("b", "b")}));
  auto outcome = f.environment->set_pins({{.key = "a", .value_json = "1"},
                                          {.key = "new", .value_json = "2"},
                                          {.key = "new", .value_json = "3"}});
  EXPECT_TRUE(outcome.problems.empty());
  EXPECT_EQ(outcome.accepted.changed_ids.size(), 3U);
  EXPECT_EQ(f.answer_in_set("set-x", "a"), "pinned=1");
  EXPECT_EQ(f.answer_in_set("", "a"), "pinned=1");
  EXPECT_EQ(f.answer("new"), "pinned=3");
  EXPECT_EQ(f.answer("b"), "b");
  // What happens below a pin is not seen, and sets that come later are pinned too.
  EXPECT_FALSE(f.accept(1, delta({flag("a", "y", 0, "set-x")})).snapshot_changed);
  f.accept(1, delta({flag("a", "z", 0, "set-z")}));
  EXPECT_EQ(f.answer_in_set("set-z", "a"), "pinned=1");
  // Pins are no part of the state.
  const std::optional<StateWrite> write = f.environment->take_state_write(1);
  ASSERT_TRUE(write.has_value());
  EXPECT_EQ(f.raw(*write->image.records.find(evaluation::kFlagKind, "", "a")), "none");
  EXPECT_FALSE(f.environment->take_state_write(f.environment->pins_layer()).has_value());
  f.environment->set_pins({});
  EXPECT_EQ(f.answer_in_set("set-x", "a"), "y");
  EXPECT_EQ(f.answer("new"), "-");
}

TEST(EnvironmentTest, PinsNeedADocumentBelow) {
  EnvironmentFixture f;
  f.environment->set_pins({{.key = "a", .value_json = "1"}});
  EXPECT_EQ(f.environment->snapshot(), nullptr);
  f.accept(1, full({flag("b", "b")}));
  EXPECT_EQ(f.answer("a"), "pinned=1");
}

TEST(EnvironmentTest, FlagIdsAreStable) {
  EnvironmentFixture f(2, false, false);
  f.accept(1, full({flag("a", "1"), flag("b", "1"), segment("s", "x")}));
  const auto id = [&](std::string_view key) {
    return f.environment->snapshot()->find_flag(key)->flag_id();
  };
  const std::uint32_t a = id("a");
  const std::uint32_t b = id("b");
  EXPECT_NE(a, b);
  EXPECT_LT(std::max(a, b), f.environment->flag_id_limit());
  EXPECT_EQ(f.environment->flag_id_limit(), 2U) << "segments are not counted";
  f.accept(1, full({flag("a", "2"), flag("b", "1")}));
  EXPECT_EQ(id("a"), a);
  f.accept(2, full({flag("a", "3")}));
  EXPECT_EQ(id("a"), a) << "in another layer";
  f.environment->set_pins({{.key = "a", .value_json = "1"}});
  EXPECT_EQ(id("a"), a) << "pinned";
  f.environment->set_pins({});
  f.accept(1, full({flag("b", "1")}));
  f.accept(2, full({}));
  f.accept(1, full({flag("c", "1"), flag("b", "1")}));
  EXPECT_NE(id("c"), a) << "a deleted flag keeps its number";
  f.accept(1, full({flag("a", "back"), flag("b", "1")}));
  EXPECT_EQ(id("a"), a) << "deleted and back";
}

TEST(EnvironmentTest, ContentHashKnowsContentOnly) {
  EnvironmentFixture f;
  EnvironmentFixture g;
  f.accept(1, full({flag("a", "1"), flag("b", "2")}));
  g.accept(1, full({flag("b", "2"), flag("a", "0")}));
  EXPECT_NE(f.environment->snapshot()->content_hash(), g.environment->snapshot()->content_hash());
  g.accept(1, delta({flag("a", "1")}));
  EXPECT_EQ(f.environment->snapshot()->content_hash(), g.environment->snapshot()->content_hash());
  g.accept(1, delta({flag("c", "1")}));
  g.accept(1, delta({deleted(flag("c", ""))}));
  EXPECT_EQ(f.environment->snapshot()->content_hash(), g.environment->snapshot()->content_hash());
}

TEST(EnvironmentTest, StateWritesNameWhatChanged) {
  EnvironmentFixture f;
  EXPECT_FALSE(f.environment->take_state_write(1).has_value());
  f.accept(1, full({flag("a", "1"), flag("b", "1")}, "e1"));
  std::optional<StateWrite> write = f.environment->take_state_write(1);
  ASSERT_TRUE(write.has_value());
  EXPECT_TRUE(write->everything);
  EXPECT_FALSE(f.environment->take_state_write(1).has_value());
  f.accept(1, full({flag("a", "2")}, "e2"));
  write = f.environment->take_state_write(1);
  ASSERT_TRUE(write.has_value());
  EXPECT_FALSE(write->everything);
  EXPECT_EQ(write->changed.size(), 2U);
  EXPECT_EQ(write->image.cursor, "e2");
  f.environment->state_write_failed(1);
  EXPECT_TRUE(f.environment->take_state_write(1)->everything);
  f.accept(1, full({flag("a", "2")}, "e2"));
  EXPECT_FALSE(f.environment->take_state_write(1).has_value()) << "nothing moved";
  f.accept(1, full({flag("a", "2")}, "e3"));
  EXPECT_TRUE(f.environment->take_state_write(1)->changed.empty()) << "only the cursor moved";
}

}  // namespace
}  // namespace flagstone::cache
