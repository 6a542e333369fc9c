#include "cache/layer.h"

#include <gtest/gtest.h>

#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::deleted;
using fakes::delta;
using fakes::flag;
using fakes::full;
using fakes::segment;

TEST(LayerTest, CopyMakesAnEqualLayerElsewhere) {
  EnvironmentFixture before;
  before.accept(1, full({flag("a", "1", 4), flag("b", "good", 5), flag("c", "3", 6),
                         flag("in", "set", 7, "x"), segment("s", "u1,u2", 8),
                         flag("by", "segment:s:yes:no", 9)},
                        "first", "meta"));
  before.accept(1, delta({flag("b", "refuse this", 10), deleted(flag("c", "", 11)),
                          flag("never", "refuse always", 12)},
                         "second"));

  EnvironmentFixture after;
  const IntakeOutcome outcome =
      after.environment
          ->begin_restored(1, before.environment->layer(1).restored_copy(before.home.files))
          ->run();
  ASSERT_TRUE(std::holds_alternative<Accepted>(outcome));

  EXPECT_EQ(after.keys(), before.keys());
  for (const char* key : {"a", "b", "c", "never"}) {
    EXPECT_EQ(after.answer(key), before.answer(key)) << key;
  }
  EXPECT_EQ(after.answer("b"), "good") << "the last good text goes on answering";
  EXPECT_EQ(after.answer("never"), "PARSE_ERROR");
  EXPECT_EQ(after.answer("by", "u2"), "yes");
  EXPECT_EQ(after.answer_in_set("x", "in"), "set");
  EXPECT_EQ(after.environment->snapshot()->content_hash(),
            before.environment->snapshot()->content_hash());

  const Layer& copied = after.environment->layer(1);
  EXPECT_EQ(copied.cursor(), "second");
  EXPECT_EQ(copied.document().metadata, "meta");
  EXPECT_EQ(copied.records().quarantined_count(), 2U);
  EXPECT_EQ(copied.records().tombstone_count(), 1U);
  // Versions came along: what was too old for the first is too old for the copy.
  const Accepted late =
      after.accept(1, delta({flag("c", "back", 11), flag("a", "old", 4), flag("b", "old", 10)}));
  EXPECT_EQ(late.outdated, 3U);
  EXPECT_FALSE(late.snapshot_changed);
  // Of the good text too.
  const Layer& original = before.environment->layer(1);
  EXPECT_EQ(original.restored_copy(before.home.files).good_texts.at(0).version, 5);
  EXPECT_EQ(copied.restored_copy(after.home.files).good_texts.at(0).version, 5);
}

}  // namespace
}  // namespace flagstone::cache
