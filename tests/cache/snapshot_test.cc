#include "cache/snapshot.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/cache/allocation_counter.h"
#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::delta;
using fakes::flag;
using fakes::full;

std::vector<evaluation::Record> many(std::size_t count, std::size_t raw_bytes = 40) {
  std::vector<evaluation::Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(flag("flag-" + std::to_string(i), std::string(raw_bytes, 'x')));
  }
  return records;
}

TEST(SnapshotTest, ContentHashKnowsTheDialectsOptions) {
  const auto hash_under = [](std::string_view fingerprint) {
    EnvironmentFixture f;
    f.dialect.set_options_fingerprint(fingerprint);
    f.accept(1, full({flag("a", "1"), flag("b", "2")}, "", "meta"));
    return f.environment->snapshot()->content_hash();
  };
  EXPECT_EQ(hash_under("fractional=v1"), hash_under("fractional=v1"));
  EXPECT_NE(hash_under("fractional=v1"), hash_under("fractional=v2"));
  EXPECT_NE(hash_under("fractional=v1"), hash_under(""));
}

TEST(SnapshotTest, OneChangedFlagAllocatesLittle) {
  for (const std::size_t count : {std::size_t{10'000}, std::size_t{100'000}}) {
    EnvironmentFixture f;
    f.accept(1, full(many(count)));
    const auto old = f.environment->snapshot();
    const std::size_t index_before = f.budget.used_bytes(MemoryPart::kIndex);
    const AllocationCounter counter;
    f.accept(1, delta({flag("flag-77", "changed")}));
    EXPECT_LE(counter.bytes(), 64U * 1024) << count;
    EXPECT_GT(counter.bytes(), 0U);
    // Old and new together: what is not shared.
    EXPECT_LE(f.budget.used_bytes(MemoryPart::kIndex) - index_before, 64U * 1024) << count;
    EXPECT_EQ(f.raw(*old->find_flag("flag-77")), std::string(40, 'x')) << "the old one stays";
    EXPECT_EQ(f.raw(*f.environment->snapshot()->find_flag("flag-77")), "changed");
    EXPECT_EQ(old->find_flag("flag-78"), f.environment->snapshot()->find_flag("flag-78"));
  }
}

TEST(SnapshotTest, LookupsAllocateNothing) {
  EnvironmentFixture f;
  f.accept(1, full(many(10'000)));
  const Snapshot& snapshot = *f.environment->snapshot();
  const std::string long_key(500, 'k');
  const AllocationCounter counter;
  std::size_t found = 0;
  for (int i = 0; i < 100; ++i) {
    found += snapshot.find_flag("flag-1234") != nullptr ? std::size_t{1} : 0;
    found += snapshot.find_flag("", "flag-1") != nullptr ? std::size_t{1} : 0;
    found += snapshot.find_flag("set", "flag-1") != nullptr ? std::size_t{1} : 0;
    found += snapshot.find_flag(long_key) != nullptr ? std::size_t{1} : 0;
    found += snapshot.find_record_in_any_set(fakes::kSegmentKind, "flag-1") != nullptr
                 ? std::size_t{1}
                 : 0;
  }
  Snapshot::Walk walk;
  while (snapshot.next_flag(walk) != nullptr) ++found;
  EXPECT_EQ(counter.count(), 0U);
  EXPECT_EQ(found, 200U + 10'000U);
}

TEST(SnapshotTest, WalksAreResumableAndStable) {
  EnvironmentFixture f;
  f.accept(1, full(many(1000)));
  const auto order = [&f] {
    std::vector<std::string> keys;
    Snapshot::Walk walk;
    while (const Entry* flag = f.environment->snapshot()->next_flag(walk)) {
      keys.emplace_back(flag->key());
    }
    return keys;
  };
  const std::vector<std::string> before = order();
  EXPECT_EQ(std::set<std::string>(before.begin(), before.end()).size(), 1000U);
  f.accept(1, delta({flag("flag-3", "changed")}));
  EXPECT_EQ(order(), before);
}

TEST(SnapshotTest, OneKeyInManySets) {
  EnvironmentFixture f;
  std::vector<evaluation::Record> records;
  for (int i = 0; i < 3000; ++i) records.push_back(flag("same", "x", 0, std::to_string(i)));
  f.accept(1, full(records));
  for (int i = 0; i < 3000; ++i) {
    ASSERT_NE(f.environment->snapshot()->find_flag(std::to_string(i), "same"), nullptr);
  }
  EXPECT_EQ(f.environment->snapshot()->find_flag("same")->set_id(), "999");
  EXPECT_EQ(f.keys().size(), 1U);
  EXPECT_EQ(f.keys({.set_id = {}, .source = {}, .one_per_key = false}).size(), 3000U);
}

TEST(SnapshotTest, EntriesCostLittleBesideTheirBytes) {
  constexpr std::size_t kCount = 10'000;
  constexpr std::size_t kRawBytes = 500;
  EnvironmentFixture f;
  const std::size_t live_before = AllocationCounter::live_bytes();
  f.accept(1, full(many(kCount, kRawBytes)));
  const std::size_t live = AllocationCounter::live_bytes() - live_before;
  const std::size_t vendor = f.budget.used_bytes(MemoryPart::kVendorBytes);
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kCompiled), 0U);
  const std::size_t overhead = (live - vendor) / kCount;
  EXPECT_LE(overhead, 112U);
  // The budget does not count less than there is.
  EXPECT_GE(f.budget.used_bytes(MemoryPart::kIndex) / kCount, overhead);
  RecordProperty("overhead_bytes_per_entry", static_cast<int>(overhead));
  RecordProperty("counted_bytes_per_entry",
                 static_cast<int>(f.budget.used_bytes(MemoryPart::kIndex) / kCount));
}

}  // namespace
}  // namespace flagstone::cache
