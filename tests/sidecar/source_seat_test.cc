// When a stream's seat calls its source stale: by the time since it broke, whatever else happens.
// What another credential does to what it remembers, what the state is told of the last contact,
// what becomes of a document that the disk does not take, and what the log says of all that.
#include "sidecar/source_seat.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cache/entry_home.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "net/loop.h"
#include "sidecar/disk_thread.h"

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 24 * 60 * kMinuteMs;

class HandClock final : public upstream::Clock {
 public:
  upstream::TimePoint now() const override {
    return upstream::TimePoint(std::chrono::milliseconds(ms));
  }
  std::int64_t unix_ms() const override { return 1'700'000'000'000 + ms; }

  std::int64_t ms = 5'000'000;
};

// What a source is at the moment, and what it was told.
struct SourceScript {
  upstream::SourceKind kind = upstream::SourceKind::kStream;
  std::vector<upstream::Outcome> settled;
  config::Secret key{"key"};
};

// Brings nothing by itself; the test speaks to its listener, the seat.
class SilentStream final : public upstream::Source {
 public:
  explicit SilentStream(SourceScript& script) : script_(script) {}

  upstream::SourceKind kind() const override { return script_.kind; }
  std::string_view uri() const override { return "grpc://hub:8015"; }
  std::chrono::milliseconds interval() const override {
    return std::chrono::seconds(script_.kind == upstream::SourceKind::kPoll ? 30 : 0);
  }
  const config::Secret& credential() const override { return script_.key; }
  void resume(std::string_view) override {}
  void start() override {}
  void stop() override {}
  void settle(upstream::Outcome outcome) override { script_.settled.push_back(outcome); }
  void refresh() override {}

 private:
  SourceScript& script_;
};

class QuietHost final : public SeatHost {
 public:
  void wants_work() override { on_work(); }
  void changed() override {}
  void first_word() override {}
  void credentials_changed() override {}

  std::function<void()> on_work = [] {};
};

// The log's lines, without their times.
class Lines final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<std::string> take() { return std::exchange(lines_, {}); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    lines_.emplace_back(line.payload.begin(), line.payload.end());
  }
  void flush_() override {}

  std::vector<std::string> lines_;
};

struct World {
  // An empty folder: no state is kept.
  explicit World(std::string folder = {})
      : saver(loop, writer, reader, log, std::move(folder), std::uint64_t{1} << 30) {}

  HandClock clock;
  net::Loop loop;
  DiskThread writer;
  DiskThread reader;
  std::shared_ptr<Lines> lines = std::make_shared<Lines>();
  spdlog::logger log{"test", lines};
  StateSaver saver;
  QuietHost host;
  std::unique_ptr<evaluation::Dialect> dialect = evaluation::flagd::make_flagd_dialect({});
  cache::MemoryBudget budget;
  cache::EntryHome home{budget};
};

class Seated {
 public:
  explicit Seated(World& world, std::optional<cache::SourceIdentity> identity = std::nullopt)
      : world_(world),
        environment_({.name = "default",
                      .sources = {{.name = "grpc://hub:8015",
                                   .optional = false,
                                   .shrink_guard = true,
                                   .confirm_shrink = 3}},
                      .has_bootstrap = false},
                     *world.dialect, world.home),
        seat_({.environment = "default",
               .uri = "grpc://hub:8015",
               .filter = {},
               .layer = environment_.source_layer(0),
               .optional = false,
               .identity = std::move(identity),
               .disk_patience = std::chrono::milliseconds(20)},
              environment_, world.host, world.saver, world.clock, world.log) {}

  void start() { seat_.start(std::make_unique<SilentStream>(script), world_.loop); }
  void start_after(const Seated& predecessor, std::string key = "key") {
    script.key = config::Secret(std::move(key));
    seat_.start_after(std::make_unique<SilentStream>(script), world_.loop, predecessor.seat_);
    work();
  }

  void brings(std::string variant) {
    begins_to_bring(std::move(variant));
    work();
  }
  void begins_to_bring(std::string variant) {
    evaluation::Update update;
    update.cursor = "cursor of " + variant;
    update.records.push_back({.id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = "a"},
                              .version = 0,
                              .tombstone = false,
                              .raw = R"({"state":"ENABLED","variants":{")" + variant +
                                     R"(":true},"defaultVariant":")" + variant + R"("})"});
    seat_.on_update(std::move(update));
  }
  void work() {
    while (seat_.work([] { return false; })) {
    }
  }
  void brings(evaluation::Update update) {
    seat_.on_update(std::move(update));
    work();
  }
  // The second has turned over.
  void is_looked_after() { seat_.renew_state(); }
  // What the state would say of the last contact, or nothing where it would not be written.
  std::optional<std::int64_t> contact_for_the_state() {
    const auto write = seat_.take_state_write();
    if (!write) return std::nullopt;
    return write->contact_unix_ms;
  }
  SourceSeat::Condition condition() const { return seat_.condition(); }
  const std::string& last_error() const { return seat_.last_error(); }
  void gets_another_key(std::string key = "another key") {
    script.key = config::Secret(std::move(key));
    seat_.on_credential_changed();
  }
  std::string cursor() const { return environment_.layer(1).cursor(); }
  bool has_flags() const { return environment_.snapshot()->find_flag("a") != nullptr; }
  void confirms() { seat_.on_unchanged(); }
  void breaks() {
    seat_.on_failure({.kind = upstream::FailureKind::kTimeout,
                      .message = "grpc://hub:8015: timed out",
                      .retry_in = std::chrono::milliseconds(1'000)});
  }

  void brings_what_is_no_document() {
    evaluation::Update update;
    update.records.push_back({.id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = "a"},
                              .version = 0,
                              .tombstone = false,
                              .raw = "no JSON"});
    seat_.on_update(std::move(update));
    work();
  }
  std::string_view last_failure_kind() const { return seat_.last_failure_kind(); }
  std::int64_t last_failure_unix_ms() const { return seat_.last_failure_unix_ms(); }

  SourceScript script;
  bool stale() const { return seat_.stale(world_.clock.ms); }
  // How long ago it last was in contact, as status shows it.
  std::int64_t age_ms() const { return world_.clock.unix_ms() - seat_.last_success_unix_ms(); }

 private:
  World& world_;
  cache::Environment environment_;
  SourceSeat seat_;
};

class StreamsSeatTest : public testing::Test {
 protected:
  StreamsSeatTest() { seat.start(); }
  void after(std::int64_t ms) { world.clock.ms += ms; }

  World world;
  Seated seat{world};
};

TEST_F(StreamsSeatTest, AnOpenStreamIsNeverStaleHoweverSilent) {
  EXPECT_TRUE(seat.stale()) << "it has brought nothing yet";
  seat.brings("on");
  EXPECT_FALSE(seat.stale());
  after(kDayMs);
  EXPECT_FALSE(seat.stale());
  EXPECT_EQ(seat.age_ms(), 0);
}

TEST_F(StreamsSeatTest, StaleAMinuteAfterItBroke) {
  seat.brings("on");
  after(kDayMs);
  seat.breaks();
  EXPECT_FALSE(seat.stale());
  after(kMinuteMs);
  EXPECT_FALSE(seat.stale());
  EXPECT_EQ(seat.age_ms(), kMinuteMs) << "the age counts from the break";
  after(1);
  EXPECT_TRUE(seat.stale());
}

TEST_F(StreamsSeatTest, FailuresToReconnectDoNotProlongIt) {
  seat.brings("on");
  seat.breaks();
  for (int i = 0; i < 6; ++i) {
    after(kMinuteMs / 6);
    seat.breaks();
  }
  EXPECT_FALSE(seat.stale());
  after(1);
  EXPECT_TRUE(seat.stale());
  EXPECT_EQ(seat.age_ms(), kMinuteMs + 1);
}

TEST_F(StreamsSeatTest, WhatComesAfterwardsMakesItFreshAndTheNextBreakCountsAnew) {
  seat.brings("on");
  for (bool same : {false, true}) {
    seat.breaks();
    after(2 * kMinuteMs);
    EXPECT_TRUE(seat.stale());
    if (same) {
      seat.confirms();
    } else {
      seat.brings("other");
    }
    EXPECT_FALSE(seat.stale()) << same;
    EXPECT_EQ(seat.age_ms(), 0) << same;
    after(kDayMs);
    EXPECT_FALSE(seat.stale()) << same;
    seat.breaks();
    after(kMinuteMs);
    EXPECT_FALSE(seat.stale()) << same;
    after(1);
    EXPECT_TRUE(seat.stale()) << same;
    seat.confirms();
  }
}

TEST_F(StreamsSeatTest, AReloadGoesOnCounting) {
  seat.brings("on");
  seat.breaks();
  after(kMinuteMs / 2);
  Seated successor(world);
  successor.start_after(seat);
  EXPECT_FALSE(successor.stale());
  after(kMinuteMs / 2);
  EXPECT_FALSE(successor.stale());
  after(1);
  EXPECT_TRUE(successor.stale());
  successor.confirms();
  EXPECT_FALSE(successor.stale());
}

TEST_F(StreamsSeatTest, AnotherKeyKeepsTheFlagsAndForgetsTheCursor) {
  seat.brings("on");
  EXPECT_EQ(seat.cursor(), "cursor of on");
  seat.gets_another_key();
  EXPECT_EQ(seat.cursor(), "");
  EXPECT_TRUE(seat.has_flags());
  seat.begins_to_bring("asked for with the key before");
  seat.gets_another_key();
  seat.work();
  EXPECT_EQ(seat.cursor(), "");
  seat.brings("off");
  EXPECT_EQ(seat.cursor(), "cursor of off");
}

TEST_F(StreamsSeatTest, AReloadWithAnotherKeyForgetsTheCursor) {
  seat.brings("on");
  Seated same(world);
  same.start_after(seat);
  EXPECT_EQ(same.cursor(), "cursor of on");
  Seated other(world);
  other.start_after(seat, "another key");
  EXPECT_EQ(other.cursor(), "");
  EXPECT_TRUE(other.has_flags());
}

TEST(RestoredSeatTest, AKeyThatChangesWhileTheStateIsLoadedForgetsTheCursor) {
  std::string folder = (std::filesystem::temp_directory_path() / "seat-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    World world(folder);
    const cache::SourceIdentity identity{.environment = "default",
                                         .index = 0,
                                         .dialect = "flagd",
                                         .options = {},
                                         .uri = "grpc://hub:8015",
                                         .selector = {},
                                         .credential = {}};
    {
      Seated before(world, identity);
      before.start();
      before.brings("on");
      world.saver.flush([&] { world.loop.stop(); });
      world.loop.run();
    }
    world.host.on_work = [&] { world.loop.stop(); };
    for (const bool changes : {false, true}) {
      Seated seat(world, identity);
      seat.start();
      if (changes) seat.gets_another_key();
      world.loop.run();
      seat.work();
      EXPECT_TRUE(seat.has_flags());
      EXPECT_EQ(seat.cursor(), changes ? "" : "cursor of on");
    }
  }
  std::filesystem::remove_all(folder);
}

TEST_F(StreamsSeatTest, AStreamThatNeverBroughtAnythingIsStale) {
  seat.breaks();
  EXPECT_TRUE(seat.stale());
  after(kDayMs);
  EXPECT_TRUE(seat.stale());
}

TEST_F(StreamsSeatTest, WhatFailedLastIsKnownWhenAllIsWellAgain) {
  seat.brings("on");
  EXPECT_EQ(seat.last_failure_kind(), "");
  EXPECT_EQ(seat.last_failure_unix_ms(), 0);
  after(1'000);
  seat.breaks();
  const std::int64_t broken_unix_ms = world.clock.unix_ms();
  after(1'000);
  seat.confirms();
  EXPECT_EQ(seat.last_failure_kind(), "timeout");
  EXPECT_EQ(seat.last_failure_unix_ms(), broken_unix_ms);
  seat.brings_what_is_no_document();
  EXPECT_EQ(seat.last_failure_kind(), "malformed");
  EXPECT_EQ(seat.last_failure_unix_ms(), world.clock.unix_ms());
}

// LaunchDarkly's source is a stream, and a poll once that has been away for a while.
TEST_F(StreamsSeatTest, APollInItsPlaceIsJudgedByWhenTheStreamBroke) {
  seat.brings("on");
  after(kDayMs);
  seat.breaks();
  after(10'000);
  seat.script.kind = upstream::SourceKind::kPoll;
  seat.breaks();
  EXPECT_FALSE(seat.stale());
  EXPECT_EQ(seat.age_ms(), 10'000);
  after(80'000);
  EXPECT_FALSE(seat.stale()) << "three intervals have not passed";
  after(1);
  EXPECT_TRUE(seat.stale());
}

TEST_F(StreamsSeatTest, AlsoWhereTheStreamWentWithoutAWord) {
  seat.brings("on");
  after(kDayMs);
  seat.is_looked_after();
  seat.script.kind = upstream::SourceKind::kPoll;
  EXPECT_FALSE(seat.stale());
  EXPECT_EQ(seat.age_ms(), 0);
  after(90'001);
  EXPECT_TRUE(seat.stale());
}

TEST_F(StreamsSeatTest, TheStateSaysWhenContactWasNotWhenItIsWritten) {
  const auto now = [this] { return world.clock.unix_ms(); };
  seat.brings("on");
  const std::int64_t first = now();
  after(1'000);
  EXPECT_EQ(seat.contact_for_the_state(), now()) << "an open stream is contact";
  seat.breaks();
  const std::int64_t broke = now();
  EXPECT_GT(broke, first);
  after(10'000);
  seat.gets_another_key();
  EXPECT_EQ(seat.contact_for_the_state(), broke);
}

class PolledSeatTest : public StreamsSeatTest {
 protected:
  PolledSeatTest() {
    seat.script.kind = upstream::SourceKind::kPoll;
    seat.brings("on");
    (void)seat.contact_for_the_state();
  }
};

TEST_F(PolledSeatTest, TheStateSaysWhenItWasPolledLast) {
  after(45'000);
  seat.confirms();
  const std::int64_t polled = world.clock.unix_ms();
  after(20'000);
  seat.gets_another_key();
  EXPECT_EQ(seat.contact_for_the_state(), polled);
}

std::vector<std::string> told(World& world) { return world.lines->take(); }

TEST_F(PolledSeatTest, AnOutageIsToldEveryTenMinutesAndAtItsEndHowLongItTook) {
  EXPECT_EQ(told(world).size(), 1U);
  // 23:36:40 UTC, and midnight is not reached.
  for (int i = 0; i < 62; ++i) {
    seat.breaks();
    after(20'000);
  }
  const auto lines = told(world);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "default: grpc://hub:8015: timed out; what it had before goes on answering");
  EXPECT_EQ(lines[1],
            "default: still failing since 23:36 (31 tries): grpc://hub:8015: timed out; what it "
            "had before goes on answering");
  EXPECT_NE(lines[2].find("since 23:36 (61 tries)"), std::string::npos) << lines[2];
  seat.confirms();
  EXPECT_EQ(told(world),
            std::vector<std::string>{"default: grpc://hub:8015 is good again after 20m40s"});
  seat.confirms();
  after(1'000);
  seat.breaks();
  after(100);
  seat.confirms();
  const auto later = told(world);
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[1], "default: grpc://hub:8015 is good again after 0.1s");
}

TEST_F(StreamsSeatTest, AnUpdatesLineCountsAndNamesWhatChanged) {
  const auto flag = [](std::string key, const std::string& variant) {
    return evaluation::Record{
        .id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = std::move(key)},
        .version = 0,
        .tombstone = false,
        .raw = R"({"state":"ENABLED","variants":{")" + variant + R"(":true},"defaultVariant":")" +
               variant + R"("})"};
  };
  const auto update = [&](const std::string& variant, int count, bool evaluator) {
    evaluation::Update made;
    for (int i = 0; i < count; ++i) made.records.push_back(flag("f" + std::to_string(i), variant));
    if (evaluator) {
      made.records.push_back({.id = {.kind = evaluation::RecordKind{1}, .set_id = {}, .key = "e"},
                              .version = 0,
                              .tombstone = false,
                              .raw = R"({"==":[1,1]})"});
    }
    return made;
  };
  struct Case {
    evaluation::Update update;
    std::string line;
  };
  std::vector<Case> cases;
  cases.push_back({update("a", 1, false), "1 flag from U: 1 added, 0 changed, 0 removed"});
  cases.push_back({update("a", 5, true),
                   "5 flags, 1 evaluator from U: 5 added, 0 changed, 0 removed: `f1`, `f2`, `f3` "
                   "and 2 more"});
  cases.push_back({update("b", 5, true),
                   "5 flags, 1 evaluator from U: 0 added, 5 changed, 0 removed: `f0`, `f1`, `f2` "
                   "and 2 more"});
  cases.push_back(
      {update("b", 5, false), "5 flags from U: 0 added, 0 changed, 1 removed: evaluator `e`"});
  cases.push_back({update("b", 5, false), "5 flags from U: 0 added, 0 changed, 0 removed"});
  for (Case& each : cases) {
    seat.brings(std::move(each.update));
    const auto lines = told(world);
    ASSERT_FALSE(lines.empty());
    std::string wanted = "default: " + each.line;
    wanted.replace(wanted.find(" U:"), 3, " grpc://hub:8015:");
    EXPECT_EQ(lines[0], wanted);
  }
}

TEST_F(StreamsSeatTest, AFirstDocumentIsNotNamed) {
  evaluation::Update update;
  for (int i = 0; i < 10; ++i) {
    update.records.push_back(
        {.id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = std::to_string(i)},
         .version = 0,
         .tombstone = false,
         .raw = R"({"state":"ENABLED","variants":{"a":1},"defaultVariant":"a"})"});
  }
  seat.brings(std::move(update));
  EXPECT_EQ(told(world)[0],
            "default: 10 flags from grpc://hub:8015: 10 added, 0 changed, 0 removed");
}

// A document whose spool the writer is not done with; or never had, when it is given up.
evaluation::Update spooled_update(bool given_up) {
  auto document = std::make_shared<cache::SpooledDocument>();
  document->records = 5'000;
  document->text_bytes = 16'000'000;
  document->given_up = given_up;
  document->spool = std::make_shared<cache::SpoolFile>();
  if (given_up) document->spool->problem = {.message = "it took nothing", .passes = true};
  evaluation::Update update;
  update.elsewhere = std::move(document);
  return update;
}

TEST_F(StreamsSeatTest, ADiskThatHangsCostsTheDocumentWhichIsAskedForAgainSoon) {
  // The writer never gets to what it was given: there is no state directory, and so no barrier.
  seat.brings(spooled_update(false));
  EXPECT_TRUE(seat.script.settled.empty());
  world.host.on_work = [this] { world.loop.stop(); };
  world.loop.run();
  seat.work();
  EXPECT_EQ(seat.script.settled, std::vector{upstream::Outcome::kRefusedForNow});
  EXPECT_EQ(seat.condition(), SourceSeat::Condition::kRefused);
  EXPECT_NE(seat.last_error().find("`cache.memory_limit` of "), std::string::npos)
      << seat.last_error();
}

TEST_F(StreamsSeatTest, OnlyWhereNothingAnswersIsItAskedForAgainSoon) {
  seat.brings(spooled_update(true));
  EXPECT_EQ(seat.script.settled.back(), upstream::Outcome::kRefusedForNow);
  seat.brings("on");
  seat.brings(spooled_update(true));
  EXPECT_EQ(seat.script.settled.back(), upstream::Outcome::kRefused);
}

}  // namespace
}  // namespace flagstone::sidecar
