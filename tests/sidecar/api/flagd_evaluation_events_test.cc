#include "sidecar/api/flagd_evaluation_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "net/timer.h"
#include "tests/sidecar/api/flagd_bench.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kPath = "/flagd.evaluation.v1.Service/EventStream";
constexpr std::string_view kReady = R"({"type":"provider_ready","data":null})";

class EventBench : public FlagdBench {
 public:
  explicit EventBench(std::size_t sources = 1) : FlagdBench(sources) {
    serve<FlagdEvaluationEvents>();
  }
  Record listen(std::string_view selector = {}) { return open(kPath, selector).stream; }
};

std::string flags(const std::string& members, const std::string& more = "") {
  return R"({"flags":{)" + members + "}" + more + "}";
}

// What a subscriber heard after provider_ready, the changes as "key=type", sorted.
std::vector<std::string> changes(const FlagdBench::Record& record) {
  std::vector<std::string> found;
  for (const std::string& message : hear(record->all()).messages) {
    if (message == kReady) continue;
    const std::string before = R"({"type":"configuration_change","data":{"flags":{)";
    EXPECT_TRUE(message.starts_with(before) && message.ends_with("}}}")) << message;
    std::string rest = message.substr(before.size(), message.size() - before.size() - 3);
    while (!rest.empty()) {
      const std::size_t key_end = rest.find('"', 1);
      const std::string type_is = R"(":{"type":")";
      const std::size_t type_at = key_end + type_is.size();
      EXPECT_EQ(rest.substr(key_end, type_is.size()), type_is);
      const std::size_t type_end = rest.find('"', type_at);
      found.push_back(rest.substr(1, key_end - 1) + "=" + rest.substr(type_at, type_end - type_at));
      rest.erase(0, std::min(type_end + 3, rest.size()));  // `"}` and a comma
    }
    found.push_back("|");
  }
  if (!found.empty()) found.pop_back();
  std::sort(found.begin(), found.end());
  return found;
}

using Changes = std::vector<std::string>;

TEST(FlagdEventStream, ReadyFirstAndAtOnceInEveryPackage) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  for (const char* package :
       {"/flagd.evaluation.v1.Service/EventStream", "/flagd.evaluation.v2.Service/EventStream",
        "/schema.v1.Service/EventStream"}) {
    auto answer = bench.open(package);
    ASSERT_NE(answer.stream, nullptr) << package;
    EXPECT_EQ(answer.content_type, "application/connect+json");
    EXPECT_EQ(hear(answer.stream->all()).messages, std::vector<std::string>{std::string(kReady)});
    EXPECT_TRUE(answer.stream->open);
  }
  EXPECT_EQ(bench.desk().counters.event_streams.read(), 3u);
}

TEST(FlagdEventStream, EndsWhenItsEnvironmentIsTakenOut) {
  EventBench bench;
  auto waiting = bench.listen();
  bench.take_environment_out();
  EXPECT_TRUE(waiting->open) << "there was nothing yet that could be taken away";
  bench.take(flags(R"("a":)" + one_flag("1")));
  bench.take_environment_out();
  EXPECT_NE(hear(waiting->all()).end.find("unavailable"), std::string::npos);
  EXPECT_EQ(bench.desk().counters.event_streams.read(), 0u);
}

TEST(FlagdEventStream, ReadyOnceThereAreFlags) {
  EventBench bench;
  auto record = bench.listen();
  EXPECT_TRUE(record->sent.empty());
  bench.publish();
  EXPECT_TRUE(record->sent.empty());
  bench.take(flags(R"("a":)" + one_flag("1")));
  EXPECT_EQ(hear(record->all()).messages, std::vector<std::string>{std::string(kReady)});
}

TEST(FlagdEventStream, ProtobufSaysTheSame) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  auto record = bench.open(kPath, {}, "", "proto").stream;
  ASSERT_NE(record, nullptr);
  bench.take(flags(R"("b\"":)" + one_flag("1")));
  const Heard heard = hear(record->all());
  ASSERT_EQ(heard.messages.size(), 2u);
  flagd_wire::evaluation_v1::EventStreamResponse event;
  ASSERT_TRUE(event.ParseFromString(heard.messages[0]));
  EXPECT_EQ(event.type(), "provider_ready");
  EXPECT_FALSE(event.has_data());
  ASSERT_TRUE(event.ParseFromString(heard.messages[1]));
  EXPECT_EQ(event.type(), "configuration_change");
  const auto& changed = event.data().fields().at("flags").struct_value().fields();
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed.at("a").struct_value().fields().at("type").string_value(), "delete");
  EXPECT_EQ(changed.at("b\"").struct_value().fields().at("type").string_value(), "write");
}

struct DifferenceCase {
  const char* what;
  std::string before;
  std::string after;
  Changes expected;
};

const std::string kRefers = R"(,"targeting":{"$ref":"e"})";

std::vector<DifferenceCase> difference_cases() {
  const std::string a = R"("a":)" + one_flag("1");
  const std::string b = R"("b":)" + one_flag("1");
  const std::string referring = R"("a":)" + one_flag("1", kRefers) + "," + b;
  const std::string through = R"(,"$evaluators":{"e":{"!":[{"$ref":"deep"}]},"deep":{"var":"X"}})";
  auto deep = [&](const char* with) {
    std::string text = through;
    return text.replace(text.find('X'), 1, with);
  };
  return {
      {"added", flags(a), flags(a + "," + b), {"b=write"}},
      {"changed", flags(a + "," + b), flags(R"("a":)" + one_flag("2") + "," + b), {"a=update"}},
      {"removed", flags(a + "," + b), flags(b), {"a=delete"}},
      {"several",
       flags(a + R"(,"c":{})"),
       flags(b + R"(,"c":{"state":"DISABLED"})"),
       {"a=delete", "b=write", "c=update"}},
      {"the document's metadata is every flag's",
       flags(a + "," + b),
       flags(a + "," + b, R"(,"metadata":{"v":1})"),
       {"a=update", "b=update"}},
      {"an evaluator is part of those that refer to it",
       flags(referring, R"(,"$evaluators":{"e":{"var":"x"}})"),
       flags(referring, R"(,"$evaluators":{"e":{"var":"y"}})"),
       {"a=update"}},
      {"also when it is gone",
       flags(referring, R"(,"$evaluators":{"e":{"var":"x"}})"),
       flags(referring),
       {"a=update"}},
      {"also through another one",
       flags(referring, deep("x")),
       flags(referring, deep("y")),
       {"a=update"}},
      {"one that nobody refers to is nobody's",
       flags(a, R"(,"$evaluators":{"e":{"var":"x"}})"),
       flags(a, R"(,"$evaluators":{"e":{"var":"y"}})"),
       {}},
      {"nothing", flags(a), flags(a), {}},
      {"evaluators in a circle end",
       flags(referring, R"(,"$evaluators":{"e":{"!":{"$ref":"e"}}})"),
       flags(referring, R"(,"$evaluators":{"e":{"!!":{"$ref":"e"}}})"),
       {"a=update"}},
  };
}

TEST(FlagdEventStream, TellsTheTrueDifference) {
  for (const DifferenceCase& c : difference_cases()) {
    EventBench bench;
    bench.take(c.before);
    auto record = bench.listen();
    bench.take(c.after);
    EXPECT_EQ(changes(record), c.expected) << c.what;
  }
}

TEST(FlagdEventStream, OnlyWhatTheSelectorSelects) {
  EventBench bench(2);
  bench.take(flags(R"("x":)" + one_flag("1"), R"(,"metadata":{"flagSetId":"web"})"), 0);
  bench.take(flags(R"("x":)" + one_flag("2")), 1);
  auto web = bench.listen("flagSetId=web");
  auto first = bench.listen("source=a.json");
  auto second = bench.listen("b.json");
  auto all = bench.listen();
  bench.take(flags(R"("x":)" + one_flag("3") + R"(,"y":)" + one_flag("1")), 1);
  EXPECT_EQ(changes(web), Changes{});
  EXPECT_EQ(changes(first), Changes{});
  EXPECT_EQ(changes(second), (Changes{"x=update", "y=write"}));
  EXPECT_EQ(changes(all), (Changes{"x=update", "y=write"}));
  // Of the sets that have x, the later source's counts for everything; when it lets go, the
  // earlier's shows: another text, another source.
  bench.take(flags(R"("y":)" + one_flag("1")), 1);
  EXPECT_EQ(changes(web), Changes{});
  EXPECT_EQ(changes(all), (Changes{"x=update", "x=update", "y=write", "|"}));
}

TEST(FlagdEventStream, APinIsAChange) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  auto record = bench.listen();
  bench.pin("a", "2");
  EXPECT_EQ(changes(record), Changes{"a=update"});
}

TEST(FlagdEventStream, OneMessageForAll) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  auto one = bench.listen();
  auto other = bench.listen("flagSetId=");
  auto same = bench.listen();
  bench.take(flags(R"("a":)" + one_flag("2")));
  ASSERT_EQ(one->shared.size(), 2u);
  EXPECT_EQ(one->shared.back().get(), same->shared.back().get());
  EXPECT_NE(one->shared.back().get(), other->shared.back().get());
}

TEST(FlagdEventStream, ASlowReaderJumpsToTheLatest) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1") + R"(,"c":)" + one_flag("1")));
  auto slow = bench.listen();
  auto quick = bench.listen();
  slow->refusing = true;
  bench.take(flags(R"("a":)" + one_flag("2") + R"(,"c":)" + one_flag("1")));
  bench.take(flags(R"("a":)" + one_flag("3") + R"(,"b":)" + one_flag("1")));
  EXPECT_EQ(changes(slow), Changes{});
  EXPECT_EQ(changes(quick), (Changes{"a=update", "a=update", "b=write", "c=delete", "|"}));
  slow->stream->drain();
  EXPECT_EQ(changes(slow), (Changes{"a=update", "b=write", "c=delete"}));
  // And goes on with the others.
  bench.take(flags(R"("a":)" + one_flag("3")));
  EXPECT_EQ(slow->shared.back().get(), quick->shared.back().get());
}

TEST(FlagdEventStream, WhoSleptThroughAChangeAndItsOppositeHearsNothing) {
  EventBench bench;
  const std::string before = flags(R"("a":)" + one_flag("1"));
  bench.take(before);
  auto slow = bench.listen();
  slow->refusing = true;
  bench.take(flags(R"("a":)" + one_flag("2")));
  bench.take(before);
  slow->stream->drain();
  EXPECT_EQ(changes(slow), Changes{});
  bench.take(flags(R"("a":)" + one_flag("3")));
  EXPECT_EQ(changes(slow), Changes{"a=update"});
}

TEST(FlagdEventStream, WhoLagsTooFarBehindHearsThatEverythingChanged) {
  EventBench bench;
  auto document = [](std::size_t n) {
    return flags(R"("a":)" + one_flag(std::to_string(n)) + R"(,"b":)" + one_flag("1"));
  };
  bench.take(document(0));
  std::vector<FlagdBench::Record> slow;
  const std::size_t lists = FlagdEventStreams::kEarlierListsMax;
  for (std::size_t i = 0; i <= lists; ++i) {
    slow.push_back(bench.listen());
    slow.back()->refusing = true;
    bench.take(document(i + 1));
  }
  const std::uint64_t while_lagging = bench.desk().counters.stream_bytes.read();
  for (auto& record : slow) record->stream->drain();
  EXPECT_EQ(changes(slow.front()), (Changes{"a=update", "b=update"}));
  for (std::size_t i = 1; i < slow.size(); ++i) EXPECT_EQ(changes(slow[i]), Changes{"a=update"});
  // What nobody needs any more is gone.
  EXPECT_LT(bench.desk().counters.stream_bytes.read(), while_lagging);
  for (auto& record : slow) record->stream->lose();
  EXPECT_EQ(bench.desk().counters.stream_bytes.read(), 0u);
  EXPECT_EQ(bench.desk().counters.event_streams.read(), 0u);
}

TEST(FlagdEventStream, TooManySelectorsAndStreamsAreRefused) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  std::vector<FlagdBench::Record> records;
  for (std::size_t i = 0; i < FlagStreams::kSelectorsMax; ++i) {
    records.push_back(bench.listen("flagSetId=" + std::to_string(i)));
    ASSERT_NE(records.back(), nullptr);
  }
  auto refused = bench.open(kPath, "flagSetId=x");
  EXPECT_EQ(refused.stream, nullptr);
  EXPECT_NE(refused.text.find("resource_exhausted"), std::string::npos) << refused.text;
  // One that is known already, and everything, cost nothing more.
  EXPECT_NE(bench.listen("flagSetId=0"), nullptr);
  EXPECT_NE(bench.listen(), nullptr);
  // Somebody's going makes room.
  records[1]->stream->lose();
  EXPECT_NE(bench.listen("flagSetId=x"), nullptr);
  while (bench.desk().counters.event_streams.read() < FlagStreams::kStreamsMax) {
    ASSERT_NE(bench.listen(), nullptr);
  }
  EXPECT_EQ(bench.open(kPath).stream, nullptr);
}

TEST(FlagdEventStream, BadRequests) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  struct Case {
    const char* selector;
    const char* message;
    const char* codec;
  };
  for (const Case& c : {Case{"colour=blue", "{}", "json"}, Case{"", "[]", "json"},
                        Case{"", "", "json"}, Case{"", "\xff", "proto"}}) {
    auto answer = bench.open(kPath, c.selector, c.message, c.codec);
    EXPECT_EQ(answer.stream, nullptr);
    EXPECT_NE(answer.text.find("invalid_argument"), std::string::npos) << answer.text;
  }
}

TEST(FlagdEventStream, ShutdownIsToldAndEndsWell) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  auto record = bench.listen();
  bench.stop();
  const Heard heard = hear(record->all());
  ASSERT_EQ(heard.messages.size(), 2u);
  EXPECT_EQ(heard.messages[1], R"({"type":"provider_shutdown","data":null})");
  EXPECT_EQ(heard.end, "{}");
  EXPECT_TRUE(record->closed_by_api);
  auto late = bench.open(kPath);
  EXPECT_EQ(late.stream, nullptr);
  EXPECT_NE(late.text.find("unavailable"), std::string::npos) << late.text;
}

TEST(FlagdEventStream, SilenceIsKeptAlive) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  FlagdEventStreams streams(bench.loop, bench.desk(), 10);
  net::RpcRequest request("application/connect+json", net::rpc_frame("{}"));
  net::RecordingResponse response;
  auto call =
      net::RpcCall::begin(net::RpcKind::kServerStream, *request, response, bench.desk().rpc);
  ASSERT_TRUE(call);
  streams.add(0, {}, call->open_stream(bench.loop));
  net::Timer look(bench.loop, [&] {
    if (response.stream->sent.size() > 1) bench.loop.stop();
  });
  look.start_repeating(1, 1);
  bench.loop.run();
  const Heard heard = hear(response.stream->all());
  EXPECT_EQ(heard.messages[0], kReady);
  EXPECT_EQ(heard.messages[1], R"({"type":"keep_alive","data":null})");
}

TEST(FlagdEventStream, TheDeadlineEndsTheLongestOpenFirst) {
  EventBench bench;
  bench.take(flags(R"("a":)" + one_flag("1")));
  bench.desk().settings.stream_deadline = std::chrono::milliseconds(20);
  auto first = bench.listen();
  FlagdBench::Record second;
  bool second_was_open = false;
  net::Timer later(bench.loop, [&] { second = bench.listen(); });
  later.start_once(10);
  net::Timer look(bench.loop, [&] {
    if (!first->open && !second_was_open) second_was_open = second->open;
    if (!first->open && !second->open) bench.loop.stop();
  });
  look.start_repeating(1, 1);
  bench.loop.run();
  EXPECT_TRUE(second_was_open);
  for (const auto& record : {first, second}) {
    EXPECT_NE(hear(record->all()).end.find("deadline_exceeded"), std::string::npos);
  }
  EXPECT_EQ(bench.desk().counters.event_streams.read(), 0u);
}

}  // namespace
}  // namespace flagstone::sidecar
