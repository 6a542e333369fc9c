// Which evaluation over OFREP and gRPC makes which of LaunchDarkly's events.
#include "sidecar/launchdarkly_report_collector.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sidecar/reported_flags.h"

namespace flagstone::sidecar {
namespace {

// A flag that answers its variation `variation` of "zero", "one" by falling through, with more
// members.
std::string flag_text(std::string_view key, int version, std::string_view more = {},
                      int variation = 1) {
  return R"({"key":")" + std::string(key) + R"(","version":)" + std::to_string(version) +
         R"(,"on":true,"salt":"s","variations":["zero","one"],"fallthrough":{"variation":)" +
         std::to_string(variation) + "}" + std::string(more) + "}";
}

std::string off_text(std::string_view key, int version) {
  return R"({"key":")" + std::string(key) + R"(","version":)" + std::to_string(version) +
         R"(,"on":false,"salt":"s","variations":["zero","one"]})";
}

// Times are the clock's: each digit string of a date is a D.
std::string without_dates(std::string text) {
  return std::regex_replace(text, std::regex(R"((Date":)\d{13})"), "$1D");
}

const std::string kIndex =
    R"({"kind":"index","creationDate":D,"context":{"kind":"user","key":"u"}})";
constexpr std::string_view kUser = R"({"targetingKey":"u"})";

std::string summary(std::string_view features) {
  return R"({"kind":"summary","startDate":D,"endDate":D,"features":{)" + std::string(features) +
         "}}";
}
std::string feature(std::string_view flag, std::string_view counters,
                    std::string_view kinds = R"("user")") {
  return "\"" + std::string(flag) + R"(":{"default":null,"counters":[)" + std::string(counters) +
         R"(],"contextKinds":[)" + std::string(kinds) + "]}";
}

TEST(LaunchDarklyReportCollector, AnEvaluationIsCountedAndItsContextToldOnce) {
  ReportedFlags flags({{"flag", flag_text("flag", 7)}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(flags.ask("flag", kUser).status, 200);
  EXPECT_EQ(without_dates(flags.reported()),
            "[" + kIndex + "," +
                summary(feature("flag", R"({"variation":1,"version":7,"value":"one","count":3})")) +
                "]");
  // In the next second the context is known.
  flags.ask("flag", kUser);
  EXPECT_EQ(without_dates(flags.reported()),
            "[" +
                summary(feature("flag", R"({"variation":1,"version":7,"value":"one","count":1})")) +
                "]");
  EXPECT_EQ(flags.reported(), "");
}

TEST(LaunchDarklyReportCollector, EachKindOfResultHasItsCounter) {
  struct Row {
    std::string_view what;
    std::string flag;
    std::string_view context;
    std::string expected;  // Behind the index event.
  };
  const std::string one = R"({"variation":1,"version":7,"value":"one","count":1})";
  const std::string none = R"({"version":7,"value":null,"count":1})";
  const std::string user = R"({"kind":"user","key":"u"})";
  const auto full = [&](std::string_view more) {
    return R"({"kind":"feature","creationDate":D,"key":"flag","version":7,"context":)" + user +
           std::string(more) + "},";
  };
  const std::vector<Row> rows = {
      {"off without a variation", off_text("flag", 7), kUser, summary(feature("flag", none))},
      {"malformed", flag_text("flag", 7, "", 5), kUser, summary(feature("flag", none))},
      {"excluded from summaries", flag_text("flag", 7, R"(,"excludeFromSummaries":true)"), kUser,
       ""},
      {"tracked", flag_text("flag", 7, R"(,"trackEvents":true)"), kUser,
       full(R"(,"variation":1,"value":"one","default":null,"reason":{"kind":"FALLTHROUGH"})") +
           summary(feature("flag", one))},
      {"tracked and malformed", flag_text("flag", 7, R"(,"trackEvents":true)", 5), kUser,
       full(
           R"(,"value":null,"default":null,"reason":{"kind":"ERROR","errorKind":"MALFORMED_FLAG"})") +
           summary(feature("flag", none))},
      {"tracked in its fallthrough", flag_text("flag", 7, R"(,"trackEventsFallthrough":true)"),
       kUser,
       full(R"(,"variation":1,"value":"one","default":null,"reason":{"kind":"FALLTHROUGH"})") +
           summary(feature("flag", one))},
      {"a tracked rule",
       flag_text("flag", 7,
                 R"(,"rules":[{"id":"r","clauses":[],"variation":1,"trackEvents":true}])", 0),
       kUser,
       full(R"(,"variation":1,"value":"one","default":null,)"
            R"("reason":{"kind":"RULE_MATCH","ruleIndex":0,"ruleId":"r"})") +
           summary(feature("flag", one))},
      {"a rule that is not tracked",
       flag_text("flag", 7, R"(,"rules":[{"id":"r","clauses":[],"variation":1}])", 0), kUser,
       summary(feature("flag", one))},
      {"tracked, excluded from summaries",
       flag_text("flag", 7, R"(,"trackEvents":true,"excludeFromSummaries":true)"), kUser,
       full(R"(,"variation":1,"value":"one","default":null,"reason":{"kind":"FALLTHROUGH"})")},
      {"tracked, never sampled", flag_text("flag", 7, R"(,"trackEvents":true,"samplingRatio":0)"),
       kUser, summary(feature("flag", one))},
      {"debugging is over", flag_text("flag", 7, R"(,"debugEventsUntilDate":1500000000000)"), kUser,
       summary(feature("flag", one))},
      {"debugged", flag_text("flag", 7, R"(,"debugEventsUntilDate":9500000000000)"), kUser,
       R"({"kind":"debug","creationDate":D,"key":"flag","version":7,"context":)" + user +
           R"(,"variation":1,"value":"one","default":null,"reason":{"kind":"FALLTHROUGH"}},)" +
           summary(feature("flag", one))},
  };
  for (const Row& row : rows) {
    ReportedFlags flags({{"flag", row.flag}});
    flags.ask("flag", row.context);
    std::string expected = "[" + kIndex + "," + row.expected;
    if (expected.ends_with(',')) expected.pop_back();
    EXPECT_EQ(without_dates(flags.reported()), expected + "]") << row.what;
  }
}

TEST(LaunchDarklyReportCollector, ExperimentsAreToldInFull) {
  const std::string rollout =
      R"({"key":"flag","version":7,"on":true,"salt":"s","variations":["zero","one"],)"
      R"("fallthrough":{"rollout":{"kind":"experiment","variations":[{"variation":1,"weight":100000}]}}})";
  ReportedFlags flags({{"flag", rollout}});
  flags.ask("flag", kUser);
  EXPECT_EQ(
      without_dates(flags.reported()),
      "[" + kIndex + "," +
          R"({"kind":"feature","creationDate":D,"key":"flag","version":7,"context":{"kind":"user",)"
          R"("key":"u"},"variation":1,"value":"one","default":null,)"
          R"("reason":{"kind":"FALLTHROUGH","inExperiment":true}},)" +
          summary(feature("flag", R"({"variation":1,"version":7,"value":"one","count":1})")) + "]");
}

TEST(LaunchDarklyReportCollector, PrerequisitesCountToo) {
  ReportedFlags flags({
      {"top", flag_text("top", 3, R"(,"prerequisites":[{"key":"below","variation":1}])")},
      {"below", flag_text("below", 5, R"(,"trackEvents":true)")},
  });
  EXPECT_EQ(flags.ask("top", kUser).status, 200);
  EXPECT_EQ(
      without_dates(flags.reported()),
      "[" + kIndex + "," +
          R"({"kind":"feature","creationDate":D,"key":"below","version":5,"context":{"kind":"user",)"
          R"("key":"u"},"variation":1,"value":"one","default":null,"prereqOf":"top",)"
          R"("reason":{"kind":"FALLTHROUGH"}},)" +
          summary(feature("below", R"({"variation":1,"version":5,"value":"one","count":1})") + "," +
                  feature("top", R"({"variation":1,"version":3,"value":"one","count":1})")) +
          "]");
}

TEST(LaunchDarklyReportCollector, DebuggingEndsByWhicheverClockIsAhead) {
  ReportedFlags flags({{"flag", flag_text("flag", 7, R"(,"debugEventsUntilDate":9500000000000)")}});
  flags.forwarder.vendor_time = 9'500'000'000'000;
  flags.reports.drain(flags.forwarder, 1000);
  flags.ask("flag", kUser);
  EXPECT_FALSE(flags.reported().contains("debug"));
  flags.forwarder.vendor_time = 9'499'999'999'999;
  flags.reports.drain(flags.forwarder, 1000);
  flags.ask("flag", kUser);
  EXPECT_TRUE(flags.reported().contains("debug"));
}

TEST(LaunchDarklyReportCollector, AFlagThatDoesNotExistIsUnknown) {
  ReportedFlags flags({{"flag", flag_text("flag", 7)}});
  EXPECT_EQ(flags.ask("gone", kUser).status, 404);
  EXPECT_EQ(flags
                .post("/flagd.evaluation.v2.Service/ResolveBoolean",
                      R"({"flagKey":"gone","context":{"targetingKey":"u"}})")
                .status,
            404);
  EXPECT_EQ(without_dates(flags.reported()),
            "[" + kIndex + "," +
                summary(feature("gone", R"({"unknown":true,"value":null,"count":2})")) + "]");
}

TEST(LaunchDarklyReportCollector, GrpcCountsTheTypeThatWasAskedFor) {
  ReportedFlags flags({{"flag", flag_text("flag", 7, R"(,"trackEvents":true)")}});
  const std::string body = R"({"flagKey":"flag","context":{"targetingKey":"u"}})";
  EXPECT_EQ(flags.post("/flagd.evaluation.v2.Service/ResolveString", body).status, 200);
  EXPECT_EQ(flags.post("/flagd.evaluation.v2.Service/ResolveBoolean", body).status, 400);
  const std::string events = without_dates(flags.reported());
  EXPECT_TRUE(events.ends_with(
      summary(feature("flag", R"({"variation":1,"version":7,"value":"one","count":1},)"
                              R"({"version":7,"value":null,"count":1})")) +
      "]"))
      << events;
  EXPECT_TRUE(events.contains(
      R"("value":null,"default":null,"reason":{"kind":"ERROR","errorKind":"WRONG_TYPE"}})"))
      << events;
}

// As LaunchDarkly's SDKs: an invalid context tells nothing, and neither does the state of all
// flags.
TEST(LaunchDarklyReportCollector, WhatSdksDoNotTellIsNotTold) {
  ReportedFlags flags({{"flag", flag_text("flag", 7, R"(,"trackEvents":true)")},
                       {"pinned", evaluation::launchdarkly::make_launchdarkly_dialect()->pin_text(
                                      "pinned", "true")}});
  EXPECT_TRUE(flags.ask("pinned", kUser).text.contains(R"("variant":"pinned")"));
  flags.ask("flag", R"({"name":"nobody"})");
  flags.ask("gone", R"({"name":"nobody"})");
  flags.post("/ofrep/v1/evaluate/flags", R"({"context":{"targetingKey":"u"}})");
  flags.post("/flagd.evaluation.v1.Service/ResolveAll", R"({"context":{"targetingKey":"u"}})");
  EXPECT_EQ(flags.reported(), "");
}

TEST(LaunchDarklyReportCollector, NothingPrivateLeaves) {
  ReportedFlags flags({{"flag", flag_text("flag", 7,
                                          R"(,"trackEvents":true,)"
                                          R"("debugEventsUntilDate":9500000000000)")}});
  for (
      const std::string_view context :
      {R"({"targetingKey":"a","email":"SECRET","privateAttributes":["email"]})",
       R"({"targetingKey":"b","at":{"home":"SECRET"},"privateAttributes":["/at/home"]})",
       R"({"targetingKey":"c","email":"SECRET","_meta":{"privateAttributes":["email"]}})",
       R"({"kind":"multi","user":{"key":"d","x":"SECRET","privateAttributes":["x"]},"org":{"key":"o"}})"}) {
    EXPECT_EQ(flags.ask("flag", context).status, 200);
  }
  const std::string events = flags.reported();
  EXPECT_FALSE(events.contains("SECRET")) << events;
  std::size_t index_events = 0;
  for (std::size_t at = 0; (at = events.find(R"("kind":"index")", at)) != std::string::npos; ++at) {
    ++index_events;
  }
  EXPECT_EQ(index_events, 4u);
  EXPECT_TRUE(events.contains(R"("contextKinds":["user","org"])")) << events;
}

// The operator's options, those of a reload too: they hold from the next evaluation on.
TEST(LaunchDarklyReportCollector, WhatTheOperatorKeepsPrivateLeavesInNoEvent) {
  ReportedFlags flags({{"flag", flag_text("flag", 7,
                                          R"(,"trackEvents":true,)"
                                          R"("debugEventsUntilDate":9500000000000)")}});
  config::Environment options;
  options.events.private_attributes = {"email", "/at/home"};
  flags.reports.set_options(options);
  flags.ask("flag", R"({"targetingKey":"a","email":"SECRET","at":{"home":"SECRET","work":"w"}})");
  std::string events = without_dates(flags.reported());
  EXPECT_FALSE(events.contains("SECRET")) << events;
  const std::string shown =
      R"({"kind":"user","key":"a","at":{"work":"w"},"_meta":{"redactedAttributes":["email","/at/home"]}})";
  for (const char* kind : {"index", "feature", "debug"}) {
    const std::size_t event = events.find(R"("kind":")" + std::string(kind) + '"');
    ASSERT_NE(event, std::string::npos) << kind;
    EXPECT_NE(events.find(shown, event), std::string::npos) << kind << events;
  }
  options.events.all_attributes_private = true;
  flags.reports.set_options(options);
  flags.ask("flag", R"({"targetingKey":"b","name":"SECRET","x":"SECRET"})");
  events = flags.reported();
  EXPECT_FALSE(events.contains("SECRET")) << events;
  EXPECT_TRUE(events.contains(R"("redactedAttributes":["name","x"])")) << events;
  flags.reports.set_options({});
  flags.ask("flag", R"({"targetingKey":"c","email":"shown"})");
  EXPECT_TRUE(flags.reported().contains(R"("email":"shown")"));
}

// More reloads than the thread evaluates: the last one counts.
TEST(LaunchDarklyReportCollector, TheLastOptionsHold) {
  ReportedFlags flags({{"flag", flag_text("flag", 7)}});
  config::Environment options;
  for (int i = 0; i < 20; ++i) {
    options.events.private_attributes = {i == 19 ? "email" : "other-" + std::to_string(i)};
    flags.reports.set_options(options);
  }
  flags.ask("flag", R"({"targetingKey":"somebody"})");
  flags.reports.drain(flags.forwarder, 0);
  flags.ask("flag", R"({"targetingKey":"u","email":"SECRET"})");
  EXPECT_FALSE(flags.reported().contains("SECRET"));
}

TEST(LaunchDarklyReportCollector, AnonymousContextsAreIntroducedUnlessTheOperatorOmitsThem) {
  ReportedFlags flags({{"flag", flag_text("flag", 7, R"(,"trackEvents":true)")}});
  config::Environment options;
  options.events.omit_anonymous_contexts = true;
  flags.reports.set_options(options);
  flags.ask("flag", R"({"targetingKey":"u","anonymous":true,"a":1})");
  std::string events = flags.reported();
  EXPECT_FALSE(events.contains(R"("kind":"index")")) << events;
  // It is in the feature event all the same, as SDKs have it, and counted.
  EXPECT_TRUE(events.contains(
      R"("context":{"kind":"user","key":"u","anonymous":true,"_meta":{"redactedAttributes":["a"]}})"))
      << events;
  EXPECT_TRUE(events.contains(R"("count":1)")) << events;
  flags.ask("flag",
            R"({"kind":"multi","user":{"key":"v","anonymous":true},"org":{"key":"o","a":1}})");
  events = without_dates(flags.reported());
  EXPECT_TRUE(events.starts_with(
      R"([{"kind":"index","creationDate":D,"context":{"kind":"org","key":"o","a":1}},)"))
      << events;
}

TEST(LaunchDarklyReportCollector, AnonymousContextsAreRedactedInFeatureEventsAlone) {
  ReportedFlags flags({{"flag", flag_text("flag", 7, R"(,"trackEvents":true)")}});
  flags.ask("flag", R"({"targetingKey":"u","anonymous":true,"a":1})");
  const std::string events = without_dates(flags.reported());
  EXPECT_TRUE(events.starts_with(
      R"([{"kind":"index","creationDate":D,"context":{"kind":"user","key":"u","a":1,"anonymous":true}},)"
      R"({"kind":"feature","creationDate":D,"key":"flag","version":7,"context":{"kind":"user","key":"u",)"
      R"("anonymous":true,"_meta":{"redactedAttributes":["a"]}},)"))
      << events;
}

}  // namespace
}  // namespace flagstone::sidecar
