#include "evaluation/dialects/launchdarkly/wire/evaluation_counts.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr auto kAdmitAll = [](std::string_view) { return true; };

std::string summary_of(const EvaluationCounts& counts) {
  const std::vector<std::string> events = counts.summaries(1 << 24);
  EXPECT_EQ(events.size(), 1u);
  return events.front();
}

TEST(EvaluationCounts, AreASummaryEvent) {
  EvaluationCounts counts;
  const auto user = counts.kind_bit("user");
  const auto org = counts.kind_bit("org");
  counts.count({.flag = "b", .version = 11, .variation = 1, .value = R"("x")"}, user, 2000);
  counts.count({.flag = "a", .version = 3, .variation = 0, .value = "true"}, user, 1000);
  counts.count({.flag = "b", .version = 11, .variation = 1, .value = R"("x")"}, user | org, 5000);
  counts.count({.flag = "b", .version = 12, .variation = 1, .value = R"("y")"}, user, 3000);
  counts.count({.flag = "b", .version = 12}, user, 3000);
  counts.count({.flag = "no\"ne", .unknown = true}, org, 4000);
  EXPECT_EQ(
      summary_of(counts),
      R"({"kind":"summary","startDate":1000,"endDate":5000,"features":{)"
      R"("a":{"default":null,"counters":[{"variation":0,"version":3,"value":true,"count":1}],)"
      R"("contextKinds":["user"]},)"
      R"("b":{"default":null,"counters":[)"
      R"({"variation":1,"version":11,"value":"x","count":2},)"
      R"({"variation":1,"version":12,"value":"y","count":1},)"
      R"({"version":12,"value":null,"count":1}],"contextKinds":["user","org"]},)"
      R"("no\"ne":{"default":null,"counters":[{"unknown":true,"value":null,"count":1}],)"
      R"("contextKinds":["org"]}}})");
}

TEST(EvaluationCounts, AreSeveralSummariesWhereOneWouldBeTooLarge) {
  EvaluationCounts counts;
  for (const std::string_view flag : {"a", "b", "c"}) {
    counts.count({.flag = flag, .version = 1}, counts.kind_bit("user"), 10);
    counts.count({.flag = flag, .version = 2}, counts.kind_bit("user"), 20);
  }
  const auto feature = [](std::string_view flag) {
    return "\"" + std::string(flag) +
           R"(":{"default":null,"counters":[{"version":1,"value":null,"count":1},)"
           R"({"version":2,"value":null,"count":1}],"contextKinds":["user"]})";
  };
  const std::string head = R"({"kind":"summary","startDate":10,"endDate":20,"features":{)";
  EXPECT_EQ(counts.summaries(head.size() + 1),
            (std::vector{head + feature("a") + "}}", head + feature("b") + "}}",
                         head + feature("c") + "}}"}));
  EXPECT_EQ(
      counts.summaries(head.size() + feature("a").size() + 1),
      (std::vector{head + feature("a") + "," + feature("b") + "}}", head + feature("c") + "}}"}));
  EXPECT_TRUE(EvaluationCounts().summaries(1).empty());
}

TEST(EvaluationCounts, MergedAreTheSumOfBoth) {
  EvaluationCounts first;
  EvaluationCounts second;
  // The same kinds under other bits.
  const auto org = second.kind_bit("org");
  const auto user = second.kind_bit("user");
  first.count({.flag = "a", .version = 1, .variation = 0, .value = "1"}, first.kind_bit("user"),
              50);
  second.count({.flag = "a", .version = 1, .variation = 0, .value = "1"}, org, 20);
  second.count({.flag = "a", .version = 1, .variation = 0, .value = "1"}, org, 90);
  second.count({.flag = "b", .version = 1, .variation = 2, .value = "{}"}, user, 30);
  EXPECT_EQ(first.merge(second, kAdmitAll), 0u);
  EXPECT_EQ(summary_of(first),
            R"({"kind":"summary","startDate":20,"endDate":90,"features":{)"
            R"("a":{"default":null,"counters":[{"variation":0,"version":1,"value":1,"count":3}],)"
            R"("contextKinds":["user","org"]},)"
            R"("b":{"default":null,"counters":[{"variation":2,"version":1,"value":{},"count":1}],)"
            R"("contextKinds":["user"]}}})");
}

TEST(EvaluationCounts, ClearedTheyBeginAnew) {
  EvaluationCounts counts;
  counts.count({.flag = "a", .version = 1, .variation = 0, .value = "1"}, counts.kind_bit("user"),
               5);
  counts.clear();
  EXPECT_TRUE(counts.empty());
  counts.count({.flag = "a", .version = 1, .variation = 0, .value = "1"}, counts.kind_bit("org"),
               9);
  EXPECT_EQ(
      summary_of(counts),
      R"({"kind":"summary","startDate":9,"endDate":9,"features":{"a":{"default":null,)"
      R"("counters":[{"variation":0,"version":1,"value":1,"count":1}],"contextKinds":["org"]}}})");
}

TEST(EvaluationCounts, ManyFlagsAreAllCounted) {
  EvaluationCounts counts;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_TRUE(counts.count({.flag = std::to_string(i), .version = i}, 0, 1));
    }
  }
  const std::string summary = summary_of(counts);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = summary.find("\"count\":3}", at)) != std::string::npos; ++at)
    ++found;
  EXPECT_EQ(found, 20'000u);
  counts.clear();
  EXPECT_LE(counts.bytes(), 4 * EvaluationCounts::kKeptBytesMax);
}

TEST(EvaluationCounts, InventedNamesAreBounded) {
  EvaluationCounts counts;
  std::size_t counted = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (counts.count({.flag = "invented-" + std::to_string(i), .unknown = true}, 0, 1)) ++counted;
  }
  EXPECT_EQ(counted, EvaluationCounts::kUnknownMax);
  EXPECT_LE(counts.bytes(), 256u * 1024);
  // Those that are known go on being counted, and so do flags.
  EXPECT_TRUE(counts.count({.flag = "invented-0", .unknown = true}, 0, 1));
  EXPECT_TRUE(counts.count({.flag = "a flag", .version = 1}, 0, 1));
  EvaluationCounts empty;
  EXPECT_FALSE(empty.count({.flag = std::string(257, 'x'), .unknown = true}, 0, 1));
  EXPECT_TRUE(empty.empty());
}

TEST(EvaluationCounts, WhatIsNotAdmittedIsLeftOutWhenMerging) {
  EvaluationCounts from;
  from.count({.flag = "good", .unknown = true}, 0, 1);
  from.count({.flag = "bad", .unknown = true}, 0, 1);
  from.count({.flag = "bad", .unknown = true}, 0, 1);
  from.count({.flag = "bad", .version = 1}, 0, 1);
  EvaluationCounts to;
  EXPECT_EQ(to.merge(from, [](std::string_view name) { return name == "good"; }), 2u);
  EXPECT_EQ(summary_of(to),
            R"({"kind":"summary","startDate":1,"endDate":1,"features":{)"
            R"("bad":{"default":null,"counters":[{"version":1,"value":null,"count":1}],)"
            R"("contextKinds":[]},"good":{"default":null,"counters":[{"unknown":true,"value":null,)"
            R"("count":1}],"contextKinds":[]}}})");
}

TEST(EvaluationCounts, InventedKindsAreBounded) {
  EvaluationCounts counts;
  for (int i = 0; i < 1000; ++i) (void)counts.kind_bit("kind-" + std::to_string(i));
  EXPECT_EQ(counts.kind_bit("kind-0"), 1u);
  EXPECT_EQ(counts.kind_bit("kind-999"), 0u);
  EXPECT_EQ(counts.kind_bit(std::string(129, 'k')), 0u);
  // They are not in the way for good.
  counts.clear();
  EXPECT_EQ(counts.kind_bit("user"), 1u);
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
