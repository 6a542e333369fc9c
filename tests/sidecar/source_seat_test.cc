// When a stream's seat calls its source stale: by the time since it broke, whatever else happens.
// And what another credential does to what it remembers.
#include "sidecar/source_seat.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <utility>

#include "cache/entry_home.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "net/loop.h"
#include "sidecar/writer.h"

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

// Brings nothing by itself; the test speaks to its listener, the seat.
class SilentStream final : public upstream::Source {
 public:
  explicit SilentStream(std::string key = "key") : credential_(config::Secret(std::move(key))) {}

  upstream::SourceKind kind() const override { return upstream::SourceKind::kStream; }
  std::string_view uri() const override { return "grpc://hub:8015"; }
  std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }
  const config::Secret& credential() const override { return credential_; }
  void resume(std::string_view) override {}
  void start() override {}
  void stop() override {}
  void settle(upstream::Outcome) override {}
  void refresh() override {}

 private:
  config::Secret credential_;
};

class QuietHost final : public SeatHost {
 public:
  void wants_work() override {}
  void changed() override {}
  void first_word() override {}
  void credentials_changed() override {}
};

struct World {
  HandClock clock;
  net::Loop loop;
  Writer writer;
  spdlog::logger log{"test"};
  StateSaver saver{loop, writer, log, {}, 0};
  QuietHost host;
  std::unique_ptr<evaluation::Dialect> dialect = evaluation::flagd::make_flagd_dialect({});
  cache::MemoryBudget budget;
  cache::EntryHome home{budget};
};

class Seated {
 public:
  explicit Seated(World& world)
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
               .layer = environment_.source_layer(0),
               .optional = false,
               .identity = std::nullopt},
              environment_, world.host, world.saver, world.clock, world.log) {}

  void start() { seat_.start(std::make_unique<SilentStream>(), world_.loop); }
  void start_after(const Seated& predecessor, std::string key = "key") {
    seat_.start_after(std::make_unique<SilentStream>(std::move(key)), world_.loop,
                      predecessor.seat_);
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
    seat_.on_update(std::move(update), {});
  }
  void work() {
    while (seat_.work([] { return false; })) {
    }
  }
  void gets_another_key() { seat_.on_credential_changed(); }
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
    seat_.on_update(std::move(update), {});
    work();
  }
  std::string_view last_failure_kind() const { return seat_.last_failure_kind(); }
  std::int64_t last_failure_unix_ms() const { return seat_.last_failure_unix_ms(); }

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

}  // namespace
}  // namespace flagstone::sidecar
