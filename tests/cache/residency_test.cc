#include "cache/residency.h"

#include <gtest/gtest.h>

#include "tests/cache/environment_fixture.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

using fakes::flag;
using fakes::full;
using fakes::segment;

constexpr std::size_t kFormBytes = 1000;

// Ten flags in memory, compiled when a test says so.
struct ResidencyFixture : EnvironmentFixture {
  ResidencyFixture() {
    dialect.set_compiled_bytes(kFormBytes);
    std::vector<evaluation::Record> records = {segment("s", "u1")};
    for (char c = 'a'; c < 'k'; ++c) records.push_back(flag(std::string(1, c), "on"));
    accept(1, full(std::move(records)));
    // The segment came compiled, as everything that flags refer to.
    residency.add(EntryPointer(*find("s")));
  }
  const Entry* find(std::string_view key) {
    const Entry* entry = environment->snapshot()->find_flag(key);
    return entry != nullptr ? entry
                            : environment->snapshot()->find_record(fakes::kSegmentKind, "", key);
  }
  void compile(std::string_view keys) {
    for (const char c : keys) {
      const Entry* entry = find(std::string(1, c));
      entry->promote(std::move(*dialect.compile(
          {.kind = entry->kind(), .set_id = {}, .key = entry->key(), .raw = "on"})));
      residency.add(EntryPointer(*entry));
    }
  }
  void use(std::string_view keys) {
    for (const char c : keys) find(std::string(1, c))->mark_used();
  }
  std::string compiled() {
    std::string keys;
    for (const std::string key : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "s"}) {
      if (find(key)->compiled() != nullptr) keys += key;
    }
    return keys;
  }

  Residency residency{home};
};

TEST(ResidencyTest, WhatWasNotUsedGoesFirst) {
  ResidencyFixture f;
  f.compile("abcdef");
  f.use("ace");
  EXPECT_EQ(f.residency.free_bytes(3 * kFormBytes), 3 * kFormBytes);
  EXPECT_EQ(f.compiled(), "aces");
  // Used once, not used since.
  f.use("c");
  EXPECT_EQ(f.residency.free_bytes(2 * kFormBytes), 2 * kFormBytes);
  EXPECT_EQ(f.compiled(), "cs");
  // What flags refer to is the last to go, and everything goes when it has to.
  EXPECT_EQ(f.residency.free_bytes(kFormBytes), kFormBytes);
  EXPECT_EQ(f.compiled(), "s");
  EXPECT_EQ(f.residency.free_bytes(5 * kFormBytes), kFormBytes);
  EXPECT_EQ(f.compiled(), "");
  EXPECT_EQ(f.residency.free_bytes(1), 0U);
  for (const char* key : {"a", "j"}) EXPECT_EQ(f.answer(key), "on") << "decoded for the request";
}

TEST(ResidencyTest, WhatIsLetGoOfCountsUntilItIsDestroyed) {
  ResidencyFixture f;
  f.compile("ab");
  const std::size_t used = f.budget.used_bytes(MemoryPart::kCompiled);
  EXPECT_EQ(used, 3 * kFormBytes);
  const evaluation::CompiledRecord* seen = f.find("a")->compiled();
  f.residency.free_bytes(2 * kFormBytes);
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kCompiled), used);
  EXPECT_EQ(seen->bytes(), kFormBytes) << "a serving thread may still be looking";
  {
    const Retired batch = f.home.retired.take();
  }
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kCompiled), kFormBytes);
}

TEST(ResidencyTest, AdmitsWhatFitsBesideAReserve) {
  ResidencyFixture f;
  const std::size_t index = f.budget.used_bytes();
  f.budget.set_limit_bytes((index + 4 * kFormBytes) * Residency::kReservedShare /
                           (Residency::kReservedShare - 1));
  f.compile("abc");
  EXPECT_TRUE(f.residency.admit(kFormBytes));
  f.compile("d");
  EXPECT_FALSE(f.residency.admit(kFormBytes)) << "not before something else has gone";
  EXPECT_EQ(f.compiled().size(), 4U);
  EXPECT_FALSE(f.residency.admit(kFormBytes)) << "and that is not demoted twice";
  EXPECT_EQ(f.compiled().size(), 4U);
  {
    const Retired batch = f.home.retired.take();
  }
  EXPECT_TRUE(f.residency.admit(kFormBytes));
}

TEST(ResidencyTest, ForgetsWhoIsNoLongerServed) {
  ResidencyFixture f;
  f.compile("abc");
  f.accept(1, full({flag("a", "off"), flag("b", "on")}));
  f.residency.sweep();
  // `a` is another entry now, which came compiled since its predecessor was; `c` is gone.
  EXPECT_EQ(f.residency.size(), 1U);
  EXPECT_NE(f.find("a")->compiled(), nullptr);
  EXPECT_EQ(f.answer("a"), "off");
}

TEST(ResidencyTest, ResidencyIsNoVersion) {
  ResidencyFixture f;
  const auto snapshot = f.environment->snapshot();
  const std::uint64_t hash = snapshot->content_hash();
  f.compile("abc");
  f.residency.free_bytes(SIZE_MAX);
  EXPECT_EQ(f.environment->snapshot(), snapshot);
  EXPECT_EQ(snapshot->content_hash(), hash);
}

}  // namespace
}  // namespace flagstone::cache
