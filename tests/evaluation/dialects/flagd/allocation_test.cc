// Evaluating allocates nothing once its memory has grown.
#include <gtest/gtest.h>

#include "tests/evaluation/allocation_count.h"
#include "tests/evaluation/dialects/flagd/flag_store.h"

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

TEST(FlagdAllocation, EvaluatingAllocatesNothingInTheSteadyState) {
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
  AllocationCount count;
  for (int i = 0; i < 100; ++i) {
    round(kMatches);
    round(R"({"context":{}})");
  }
  EXPECT_EQ(count.stop(), 0U);
  EXPECT_EQ(matched, 101U);
  EXPECT_EQ(refused, 101U);
}

TEST(FlagdAllocation, ValidatingAllocatesNothing) {
  const auto dialect = make_flagd_dialect();
  const std::string_view text(kDocument);
  const std::size_t begin = text.find(R"({"state")");
  const std::string_view raw = text.substr(begin, text.size() - begin - 2);
  ASSERT_TRUE(dialect->compile({kFlagKind, "s", "f", raw}));
  AllocationCount count;
  const bool valid = dialect->validate({kFlagKind, "s", "f", raw}).has_value();
  EXPECT_EQ(count.stop(), 0U);
  EXPECT_TRUE(valid);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
