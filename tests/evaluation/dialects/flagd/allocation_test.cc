// Evaluating allocates nothing once its memory has grown: counted by this program's operator new.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "tests/evaluation/dialects/flagd/flag_store.h"

namespace {
// Only the thread under test counts, and only while it says so.
thread_local bool counting = false;
thread_local std::size_t allocations = 0;

void* counted(std::size_t size, std::size_t align) {
  if (counting) ++allocations;
  // malloc and free stay the sanitizers' own, so they see every block.
  void* block = align <= alignof(std::max_align_t)
                    ? std::malloc(size == 0 ? 1 : size)
                    : std::aligned_alloc(align, (size + align - 1) / align * align);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new[](std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return counted(size, static_cast<std::size_t>(align));
}
// The forms that do not throw count too; out of memory still throws here, and ends the test.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size, 1); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::string_view kDocument =
    R"({"metadata":{"flagSetId":"s","version":"a long version text"},
"$evaluators":{"premium":{"==":[{"var":"tier"},"premium"]}},
"flags":{"f":{"state":"ENABLED","variants":{"red":"#f00","green":"#0f0","off":"#000"},
"defaultVariant":"off","metadata":{"owner":"a team with a long name"},
"targeting":{"if":[{"and":[{"$ref":"premium"},{"in":[{"var":"region"},["eu","us"]]},
{"some":[{"var":"roles"},{"==":[{"var":""},"admin"]}]}]},
{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},["red",25],["green",75]]},
"nope"]}}}})";

constexpr std::string_view kMatches =
    R"({"context":{"targetingKey":"a user with a name longer than fifteen bytes","tier":"premium",
        "region":"eu","roles":["user","admin"],"n":12345678901234567890123}})";

TEST(Allocation, EvaluatingAllocatesNothingInTheSteadyState) {
  FlagStore store(kDocument);
  const CompiledRecord& flag = store.flag("f");
  const auto metadata = store.dialect().compile_metadata(R"({"flagSetId":"s","version":"long"})");
  ASSERT_TRUE(metadata);
  ContextReader reader;
  Scratch scratch;
  std::size_t matched = 0;
  std::size_t refused = 0;
  const auto round = [&](std::string_view body) {
    const auto context = reader.read_member(body, "context");
    const Evaluation result = store.dialect().evaluate({"f", "s", flag, metadata->get()}, *context,
                                                       store, {1'700'000'000'000, 1}, scratch);
    matched += result.reason == Reason::kTargetingMatch;
    refused += result.error == ErrorCode::kGeneral;
  };
  round(kMatches);
  round(R"({"context":{}})");
  allocations = 0;
  counting = true;
  for (int i = 0; i < 100; ++i) {
    round(kMatches);
    round(R"({"context":{}})");
  }
  counting = false;
  EXPECT_EQ(allocations, 0U);
  EXPECT_EQ(matched, 101U);
  EXPECT_EQ(refused, 101U);
}

TEST(Allocation, ValidatingAllocatesNothing) {
  const auto dialect = make_flagd_dialect();
  const std::string_view text(kDocument);
  const std::size_t begin = text.find(R"({"state")");
  const std::string_view raw = text.substr(begin, text.size() - begin - 2);
  ASSERT_TRUE(dialect->compile({kFlagKind, "s", "f", raw}));
  allocations = 0;
  counting = true;
  const bool valid = dialect->validate({kFlagKind, "s", "f", raw}).has_value();
  counting = false;
  EXPECT_TRUE(valid);
  EXPECT_EQ(allocations, 0U);
}

TEST(Allocation, TheCounterCounts) {
  allocations = 0;
  counting = true;
  auto block = std::make_unique<std::array<char, 64>>();
  counting = false;
  EXPECT_EQ(allocations, 1U);
  EXPECT_NE(block, nullptr);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
