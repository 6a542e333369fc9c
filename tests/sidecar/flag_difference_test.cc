#include "sidecar/flag_difference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"

namespace flagstone::sidecar {
namespace {

using Changes = std::vector<std::pair<std::string, FlagChange>>;

class FlagDifference : public ::testing::Test {
 protected:
  FlagDifference()
      : environment_(
            {.name = "test",
             .sources =
                 {{.name = "a", .optional = false, .shrink_guard = false, .confirm_shrink = 3}},
             .has_bootstrap = false},
            *dialect_, home_) {}

  // A list of flags whose content is the number.
  FlagList list(const std::map<std::string, std::uint64_t>& contents) {
    evaluation::Update update;
    for (const auto& [key, content] : contents) {
      update.records.push_back({.id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = key},
                                .version = 0,
                                .tombstone = false,
                                .raw = "{}"});
    }
    environment_.begin(environment_.source_layer(0), std::move(update))->run();
    return FlagList::of(*environment_.snapshot(), {}, [&](const cache::Entry& flag) {
      return contents.at(std::string(flag.key()));
    });
  }

  static Changes sorted(const std::vector<ChangedFlag>& found) {
    Changes changes;
    for (const ChangedFlag& flag : found) changes.emplace_back(flag.key, flag.change);
    std::sort(changes.begin(), changes.end());
    return changes;
  }

 private:
  std::unique_ptr<evaluation::Dialect> dialect_ = evaluation::flagd::make_flagd_dialect();
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};
  cache::Environment environment_;
};

TEST_F(FlagDifference, Table) {
  struct Case {
    std::map<std::string, std::uint64_t> before;
    std::map<std::string, std::uint64_t> after;
    Changes expected;
  };
  const Case cases[] = {
      {{}, {}, {}},
      {{}, {{"a", 1}}, {{"a", FlagChange::kAdded}}},
      {{{"a", 1}}, {}, {{"a", FlagChange::kRemoved}}},
      {{{"a", 1}, {"b", 1}}, {{"a", 2}, {"b", 1}}, {{"a", FlagChange::kChanged}}},
      {{{"a", 1}, {"b", 1}, {"c", 1}},
       {{"b", 2}, {"c", 1}, {"d", 1}},
       {{"a", FlagChange::kRemoved}, {"b", FlagChange::kChanged}, {"d", FlagChange::kAdded}}},
  };
  for (const Case& c : cases) {
    const FlagList before = list(c.before);
    const FlagList after = list(c.after);
    EXPECT_EQ(after.size(), c.after.size());
    EXPECT_EQ(sorted(FlagList::difference(before, after)), c.expected);
  }
}

TEST_F(FlagDifference, OfManyFlags) {
  std::map<std::string, std::uint64_t> contents;
  for (int i = 0; i < 5000; ++i) contents["flag-" + std::to_string(i)] = 1;
  const FlagList before = list(contents);
  contents.erase("flag-17");
  contents["flag-18"] = 2;
  contents["new"] = 1;
  const FlagList after = list(contents);
  EXPECT_EQ(sorted(FlagList::difference(before, after)), (Changes{{"flag-17", FlagChange::kRemoved},
                                                                  {"flag-18", FlagChange::kChanged},
                                                                  {"new", FlagChange::kAdded}}));
  EXPECT_EQ(FlagList::everything_changed(after).size(), after.size());
  // What a list costs: a key and three words for each flag.
  EXPECT_LT(after.bytes(), after.size() * 64);
}

}  // namespace
}  // namespace flagstone::sidecar
