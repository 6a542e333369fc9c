// What differs between two indexes, found page by page, is what a walk over both finds.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "cache/entry_home.h"
#include "cache/memory_budget.h"
#include "cache/record_index.h"

namespace flagstone::cache {
namespace {

using Ids = std::map<evaluation::RecordId, const Entry*>;
using Differences = std::map<evaluation::RecordId, std::pair<const Entry*, const Entry*>>;

class RecordDifferenceTest : public ::testing::Test {
 protected:
  EntryPointer entry(const evaluation::RecordId& id, std::int64_t version, bool tombstone = false) {
    return Entry::make({.kind = id.kind,
                        .layer = static_cast<std::uint16_t>(version % 3),
                        .tombstone = tombstone,
                        .version = version,
                        .set_id = id.set_id,
                        .key = id.key,
                        .raw = tombstone ? "" : "{}"},
                       home_);
  }
  static Ids ids_of(const RecordIndex& index) {
    Ids ids;
    RecordIndex::Position position;
    while (const EntryPointer* next = index.next(position)) {
      if (!(*next)->is_tombstone()) ids[(*next)->id()] = next->get();
    }
    return ids;
  }
  static Differences by_walking(const RecordIndex& before, const RecordIndex& after) {
    Differences found;
    for (const auto& [id, one] : ids_of(before)) found[id].first = one;
    for (const auto& [id, one] : ids_of(after)) found[id].second = one;
    std::erase_if(found, [](const auto& item) { return item.second.first == item.second.second; });
    return found;
  }
  static Differences by_pages(const RecordIndex& before, const RecordIndex& after) {
    Differences found;
    RecordIndex::for_each_difference(before, after, [&](const Entry* was, const Entry* is) {
      const evaluation::RecordId id = (was != nullptr ? was : is)->id();
      EXPECT_FALSE(found.contains(id)) << id.key << " comes twice";
      found[id] = {was, is};
    });
    return found;
  }

  MemoryBudget budget_;
  EntryHome home_{budget_};
};

TEST_F(RecordDifferenceTest, OfRandomIndexes) {
  std::mt19937 chance(4);
  RecordIndex before(budget_);
  std::int64_t version = 0;
  for (int round = 0; round < 120; ++round) {
    // It grows and shrinks, so that directories of other sizes are compared, too.
    const unsigned keys = round / 15 % 2 == 0 ? 1000 : 40;
    const unsigned long count = round % 10 == 0 ? 500 : 1 + chance() % 5;
    std::vector<RecordIndex::Edit> edits;
    for (unsigned long i = 0; i < count; ++i) {
      const evaluation::RecordId id{.kind = evaluation::RecordKind(chance() % 2),
                                    .set_id = chance() % 3 == 0 ? "set" : "",
                                    .key = "key-" + std::to_string(chance() % keys)};
      EntryPointer made = entry(id, ++version, chance() % 5 == 0);
      edits.push_back(chance() % 3 == 0 ? RecordIndex::erase(std::move(made))
                                        : RecordIndex::put(std::move(made)));
    }
    RecordIndex after = before.with(std::move(edits));
    ASSERT_EQ(by_pages(before, after), by_walking(before, after)) << round;
    ASSERT_EQ(by_pages(after, before), by_walking(after, before)) << round;
    EXPECT_TRUE(by_pages(after, after).empty());
    if (round % 7 != 0) before = std::move(after);
  }
  EXPECT_EQ(by_pages(RecordIndex(budget_), before), by_walking(RecordIndex(budget_), before));
}

}  // namespace
}  // namespace flagstone::cache
