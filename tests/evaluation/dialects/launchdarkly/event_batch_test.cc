#include "evaluation/dialects/launchdarkly/wire/event_batch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "evaluation/arena.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

EventBatch::Taken add(EventBatch& batch, std::string_view json, IndexWindow& window,
                      std::int64_t now_ms = 0) {
  auto list = EventList::read(json);
  EXPECT_TRUE(list) << json;
  return batch.add(*list, window, now_ms);
}

std::string merged(const std::vector<std::string>& payloads) {
  EventBatch batch;
  IndexWindow window;
  for (const std::string& payload : payloads) add(batch, payload, window);
  return batch.json();
}

std::string summary(std::string_view features, int start = 10, int end = 20) {
  return R"({"kind":"summary","startDate":)" + std::to_string(start) + R"(,"endDate":)" +
         std::to_string(end) + R"(,"features":{)" + std::string(features) + "}}";
}

struct Row {
  const char* what;
  std::vector<std::string> payloads;
  std::string expected;
};

TEST(EventBatch, MergesSummariesAndKeepsTheRest) {
  const std::string a1 =
      R"("a":{"default":1,"contextKinds":["user"],"counters":[{"variation":0,"version":2,"value":1,"count":3}]})";
  const std::string a2 =
      R"("a":{"default":1,"contextKinds":["org"],"counters":[{"variation":0,"version":2,"value":1,"count":4},{"unknown":true,"value":9,"count":1}]})";
  const std::string other_default =
      R"("a":{"default":2,"contextKinds":["user"],"counters":[{"variation":0,"version":2,"value":1,"count":5}]})";
  const Row rows[] = {
      {"nothing", {"[]"}, "[]"},
      {"counts add up, dates widen, kinds are joined",
       {"[" + summary(a1, 10, 20) + "]", "[" + summary(a2, 5, 15) + "]"},
       R"([{"kind":"summary","startDate":5,"endDate":20,"features":{"a":{"default":1,"contextKinds":["org","user"],"counters":[{"unknown":true,"value":9,"count":1},{"variation":0,"version":2,"value":1,"count":7}]}}}])"},
      {"other defaults stand beside it",
       {"[" + summary(a1) + "]", "[" + summary(other_default) + "," + summary(a1) + "]"},
       "[" +
           summary(
               R"("a":{"default":1,"contextKinds":["user"],"counters":[{"variation":0,"version":2,"value":1,"count":6}]})") +
           "," + summary(other_default) + "]"},
      {"of different variations, versions and values nothing is summed",
       {"[" +
        summary(
            R"("f":{"counters":[{"variation":0,"version":1,"value":true,"count":1},{"variation":1,"version":1,"value":true,"count":1},{"variation":0,"version":2,"value":true,"count":1},{"variation":0,"version":1,"value":"true","count":1}]})") +
        "]"},
       "[" +
           summary(
               R"("f":{"counters":[{"variation":0,"version":1,"value":"true","count":1},{"variation":0,"version":1,"value":true,"count":1},{"variation":0,"version":2,"value":true,"count":1},{"variation":1,"version":1,"value":true,"count":1}]})") +
           "]"},
      {"keys are compared as texts",
       {"[" + summary(R"("\u0061\"":{"counters":[{"count":1}]})") + "]",
        "[" + summary(R"("a\"":{"counters":[{"count":2}]})") + "]"},
       "[" + summary(R"("a\"":{"counters":[{"count":3}]})") + "]"},
      {"one of a single context is not for merging",
       {R"([{"kind":"summary","context":{"kind":"user","key":"x"},"startDate":1,"endDate":2,"features":{}}])"},
       R"([{"kind":"summary","context":{"kind":"user","key":"x"},"startDate":1,"endDate":2,"features":{}}])"},
      {"nor what is not understood",
       {R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"a":{"counters":[{"count":1.5}]}}}])",
        R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"a":{"counters":[{"count":1,"new":2}]}}}])",
        R"([{"kind":"summary","startDate":1,"features":{"a":{"counters":[{"count":1}]}}}])"},
       R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"a":{"counters":[{"count":1.5}]}}},{"kind":"summary","startDate":1,"endDate":2,"features":{"a":{"counters":[{"count":1,"new":2}]}}},{"kind":"summary","startDate":1,"features":{"a":{"counters":[{"count":1}]}}}])"},
      {"everything else is verbatim and in order",
       {R"( [ {"kind" : "feature", "x":1.0 } , {"kind":"custom","data":[{"a":"]"}]}])",
        R"([{"kind":"identify"},{"kind":"debug"},{"kind":"migration_op"},{}])"},
       R"([{"kind" : "feature", "x":1.0 },{"kind":"custom","data":[{"a":"]"}]},{"kind":"identify"},{"kind":"debug"},{"kind":"migration_op"},{}])"},
      {"an index event that was there already says nothing",
       {R"([{"kind":"index","creationDate":1,"context":{"kind":"user","key":"k","n":1}}])",
        R"([{"kind":"index","creationDate":2,"context":{"kind":"user", "key":"k","n":1}},{"kind":"index","creationDate":3,"context":{"kind":"user","key":"k","n":2}}])",
        R"([{"kind":"index","creationDate":4,"context":{"kind":"org","key":"k","n":2}}])"},
       R"([{"kind":"index","creationDate":1,"context":{"kind":"user","key":"k","n":1}},{"kind":"index","creationDate":3,"context":{"kind":"user","key":"k","n":2}},{"kind":"index","creationDate":4,"context":{"kind":"org","key":"k","n":2}}])"},
      {"a context of several kinds is told by all of its keys",
       {R"([{"kind":"index","context":{"kind":"multi","a":{"key":"1"},"b":{"key":"2"}}}])",
        R"([{"kind":"index","context":{"kind":"multi","a":{"key":"1"},"b":{"key":"3"}}}])",
        R"([{"kind":"index","context":{"kind":"multi","a":{"key":"1"},"b":{"key":"2"}}}])"},
       R"([{"kind":"index","context":{"kind":"multi","a":{"key":"1"},"b":{"key":"2"}}},{"kind":"index","context":{"kind":"multi","a":{"key":"1"},"b":{"key":"3"}}}])"},
  };
  for (const Row& row : rows) EXPECT_EQ(merged(row.payloads), row.expected) << row.what;
}

TEST(EventBatch, CountsWhatItTook) {
  EventBatch batch;
  IndexWindow window;
  const std::string one = summary(R"("a":{"counters":[{"count":1}]})");
  const auto first = add(batch, "[" + one + R"(,{"kind":"custom"}])", window);
  EXPECT_EQ(first.events, 2U);
  EXPECT_EQ(first.merged_away, 0U);
  const auto second = add(batch, "[" + one + "," + one + "]", window);
  EXPECT_EQ(second.events, 2U);
  EXPECT_EQ(second.merged_away, 2U);
  EXPECT_EQ(batch.events(), 2U);
  EXPECT_EQ(batch.summaries(), 1U);
}

TEST(EventList, RefusesWhatIsNoListOfEvents) {
  for (const char* text : {"", "{", "{}", "[1]", "[{}", "[{}] x", "[[]]", "null", "[{\"a\":}]",
                           "[{\"a\":\"\xff\"}]"}) {
    EXPECT_FALSE(EventList::read(text)) << text;
  }
  EXPECT_TRUE(EventList::read(std::string(300, '[') + std::string(300, ']')).error().is_too_deep);
  EXPECT_FALSE(EventList::read("[{]").error().is_too_deep);
  EXPECT_TRUE(EventList::read(" [ ] "));
  EXPECT_TRUE(EventList::read("[{},{}]"));
}

TEST(EventList, Halves) {
  const Halves two = halve_events(R"([{"a":1},{"b":2}])");
  EXPECT_EQ(two.first, R"([{"a":1}])");
  EXPECT_EQ(two.second, R"([{"b":2}])");
  const Halves uneven = halve_events(R"([{"a":"0123456789012345678901234567890"},{},{},{}])");
  EXPECT_EQ(uneven.first, R"([{"a":"0123456789012345678901234567890"}])");
  EXPECT_EQ(uneven.second, "[{},{},{}]");
  EXPECT_EQ(halve_events("[{}]").first, "");
  EXPECT_EQ(halve_events("[]").second, "");
}

TEST(EventList, SummariesAlone) {
  const Summaries kept =
      only_summaries(R"([{"kind":"custom"},{"kind":"summary","n":1},{},{"n":2,"kind":"summary"}])");
  EXPECT_EQ(kept.json, R"([{"kind":"summary","n":1},{"n":2,"kind":"summary"}])");
  EXPECT_EQ(kept.left_out, 2U);
}

TEST(EventList, Diagnostics) {
  const auto first = read_diagnostic(
      R"({"kind":"diagnostic-init","id":{"diagnosticId":"1"},"sdk":{"name":"x"},"platform":{}})");
  const auto second = read_diagnostic(
      R"({"kind":"diagnostic-init","id":{"diagnosticId":"2"},"sdk":{"name": "x"},"platform":{}})");
  const auto other = read_diagnostic(R"({"kind":"diagnostic-init","sdk":{"name":"y"}})");
  ASSERT_TRUE(first && second && other);
  EXPECT_TRUE(first->is_init);
  EXPECT_EQ(first->what, second->what);
  EXPECT_NE(first->what, other->what);
  EXPECT_FALSE(read_diagnostic(R"({"kind":"diagnostic"})")->is_init);
  // Which one it is: of one process, made at one moment, of one kind.
  const auto identity = [](std::string json) { return read_diagnostic(json)->identity; };
  const std::string one =
      identity(R"({"kind":"diagnostic","id":{"diagnosticId":"d"},"creationDate":1,"x":2})");
  EXPECT_EQ(one,
            identity(R"({ "creationDate":1, "id":{ "diagnosticId": "d"}, "kind":"diagnostic"})"));
  EXPECT_NE(one,
            identity(R"({"kind":"diagnostic-init","id":{"diagnosticId":"d"},"creationDate":1})"));
  EXPECT_NE(one, identity(R"({"kind":"diagnostic","id":{"diagnosticId":"d"},"creationDate":2})"));
  EXPECT_NE(one, identity(R"({"kind":"diagnostic","id":{"diagnosticId":"e"},"creationDate":1})"));
  EXPECT_EQ(identity(R"({"kind":"diagnostic","creationDate":1})"), "");
  EXPECT_EQ(identity(R"({"kind":"diagnostic","id":{"diagnosticId":"d"}})"), "");
  EXPECT_FALSE(read_diagnostic("[]"));
  EXPECT_FALSE(read_diagnostic("{"));
}

TEST(IndexWindow, ForgetsAfterAWhileAndBeyondItsBound) {
  IndexWindow window;
  const std::string_view context = R"({"kind":"user","key":"k"})";
  EXPECT_FALSE(window.knows(context, 0));
  EXPECT_TRUE(window.knows(context, IndexWindow::kWindowMs - 1));
  EXPECT_FALSE(window.knows(context, IndexWindow::kWindowMs));
  EXPECT_TRUE(window.knows(context, IndexWindow::kWindowMs + 1));
  // What went to and fro is told of each time.
  const std::string_view changed = R"({"kind":"user","key":"k","a":1})";
  EXPECT_FALSE(window.knows(changed, IndexWindow::kWindowMs + 1));
  EXPECT_FALSE(window.knows(context, IndexWindow::kWindowMs + 1));
  for (std::size_t i = 0; i < IndexWindow::kContextsMax; ++i) {
    window.knows(R"({"kind":"user","key":")" + std::to_string(i) + "\"}",
                 IndexWindow::kWindowMs + 2);
  }
  EXPECT_FALSE(window.knows(context, IndexWindow::kWindowMs + 2));
}

// By flag, default and what is counted.
using Totals = std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>;

Totals totals_of(const std::vector<std::string>& payloads) {
  Totals totals;
  JsonReader reader(64);
  for (const std::string& payload : payloads) {
    Arena arena;
    const auto list = reader.read(payload, arena);
    EXPECT_TRUE(list);
    for (const Value& event : list->items()) {
      for (const Member& feature : event.member("features")->members()) {
        const std::string fallback(feature.value.member("default")->as_string());
        for (const Value& counter : feature.value.member("counters")->items()) {
          std::string what = std::to_string(counter.member("variation")->as_int()) + "/";
          what += std::to_string(counter.member("version")->as_int());
          totals[{std::string(feature.name), fallback, what}] +=
              static_cast<std::uint64_t>(counter.member("count")->as_int());
        }
      }
    }
  }
  return totals;
}

// However events are split over payloads and whatever their order, the same is counted.
TEST(EventBatch, AnySplitGivesTheSameTotals) {
  std::mt19937 random(7);
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> events;
    const int count = 1 + pick(30);
    for (int i = 0; i < count; ++i) {
      std::string features;
      for (int flag = 0; flag < 5; ++flag) {
        if (pick(2) == 0) continue;
        if (!features.empty()) features += ',';
        features += "\"f" + std::to_string(flag) + R"(":{"default":"d)" + std::to_string(pick(3)) +
                    R"(","counters":[)";
        const int counters = 1 + pick(3);
        for (int c = 0; c < counters; ++c) {
          if (c > 0) features += ',';
          features += R"({"variation":)" + std::to_string(pick(2)) + R"(,"version":)" +
                      std::to_string(pick(3)) + R"(,"value":true,"count":)" +
                      std::to_string(pick(1000)) + "}";
        }
        features += "]}";
      }
      events.push_back(summary(features, pick(100), 100 + pick(100)));
    }
    std::vector<std::string> single;
    for (const std::string& event : events) single.push_back("[" + event + "]");
    const Totals expected = totals_of(single);
    std::shuffle(events.begin(), events.end(), random);
    // Batches of batches, as another Flagstone behind this one would make them.
    std::vector<std::string> batches;
    for (std::size_t at = 0; at < events.size();) {
      std::string payload = "[";
      const std::size_t until = std::min(events.size(), at + 1 + random() % 5);
      for (; at < until; ++at) payload += (payload.size() > 1 ? "," : "") + events[at];
      payload += "]";
      if (pick(2) == 0) {
        batches.push_back(payload);
      } else {
        batches.push_back(merged({payload}));
      }
    }
    EXPECT_EQ(totals_of({merged(batches)}), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly
