// Random histories of one source against a model of a few lines: updates, quarantines, held
// documents, saves to a disk that fails, restarts. What is served is always one complete accepted
// state, cursor included.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <random>

#include "cache/state_directory.h"
#include "tests/cache/environment_fixture.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

constexpr std::size_t kHistories = 10'000;
constexpr std::size_t kSteps = 12;
constexpr std::size_t kKeys = 26;

struct State {
  struct Flag {
    std::string newest;
    std::string answer;
  };
  std::map<std::string, Flag> flags;
  std::string cursor;

  std::string line() const {
    std::string out = cursor + "|";
    for (const auto& [key, flag] : flags) out += key + "=" + flag.newest + ">" + flag.answer + ",";
    return out;
  }
  State with(const evaluation::Update& update) const {
    State next;
    if (update.kind == evaluation::UpdateKind::kDelta) next = *this;
    for (const evaluation::Record& record : update.records) {
      const auto before = flags.find(record.id.key);
      if (record.tombstone) {
        next.flags.erase(record.id.key);
      } else if (record.raw.starts_with("refuse")) {
        const std::string old = before == flags.end() ? "PARSE_ERROR" : before->second.answer;
        next.flags[record.id.key] = {.newest = record.raw, .answer = old};
      } else {
        next.flags[record.id.key] = {.newest = record.raw, .answer = record.raw};
      }
    }
    next.cursor = update.cursor;
    return next;
  }
  std::size_t unanswered() const {
    std::size_t count = 0;
    for (const auto& [key, flag] : flags) count += flag.answer == "PARSE_ERROR" ? 1U : 0U;
    return count;
  }
};

class History : EnvironmentFixture {
 public:
  explicit History(std::uint64_t seed) : EnvironmentFixture(1), random_(seed) { open(); }

  void step() {
    switch (below(8)) {
      case 0:
        return restart();
      case 1:
      case 2:
        return save();
      case 3:
        // The same again: what confirms a held document.
        return take(last_);
      default:
        return take(last_ = make_update());
    }
  }
  std::string served() {
    const Layer& layer = environment->layer(1);
    State state{.flags = {}, .cursor = layer.cursor()};
    if (environment->snapshot() == nullptr) return state.line();
    Snapshot::Walk walk;
    while (const Entry* flag = environment->snapshot()->next_flag(walk)) {
      state.flags[std::string(flag->key())] = {.newest = raw(*flag), .answer = answer(flag->key())};
    }
    return state.line();
  }
  std::string expected() const { return now_.line(); }
  static inline std::map<std::string, std::size_t> seen_outcomes = {};

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  evaluation::Update make_update() {
    const bool is_full = below(2) == 0;
    const bool shrinks = below(3) == 0;
    std::vector<evaluation::Record> records;
    for (std::size_t i = 0; i < kKeys; ++i) {
      if (below(is_full && !shrinks ? 12 : 6) == 0 ? is_full && !shrinks : !is_full || shrinks) {
        if (below(4) != 0) continue;
      }
      const std::string text = below(8) == 0 ? "refuse" : below(200) == 0 ? "broken" : "v";
      records.push_back(fakes::flag("k" + std::to_string(i), text + std::to_string(below(3))));
      if (!is_full && below(5) == 0) records.back() = fakes::deleted(records.back());
    }
    const std::string cursor = "c" + std::to_string(++cursors_);
    return is_full ? fakes::full(std::move(records), cursor)
                   : fakes::delta(std::move(records), cursor);
  }

  void take(const evaluation::Update& update) {
    std::size_t refused = 0;
    bool broken = false;
    for (const evaluation::Record& record : update.records) {
      refused += record.raw.starts_with("refuse") ? 1U : 0U;
      broken = broken || record.raw.starts_with("broken");
    }
    const bool is_full = update.kind == evaluation::UpdateKind::kFull;
    const State next = now_.with(update);
    std::size_t dropped = 0;
    for (const auto& [key, flag] : now_.flags) dropped += next.flags.contains(key) ? 0U : 1U;
    const bool shrinks = is_full && dropped > 10 && dropped > now_.flags.size() / 2;
    const std::size_t times = is_full && !broken ? ++times_seen_[update.cursor] : 1;

    const IntakeOutcome outcome = EnvironmentFixture::take(1, update);
    const bool must_refuse = broken || (is_full && refused > update.records.size() / 2);
    EXPECT_EQ(std::holds_alternative<Refused>(outcome), must_refuse);
    if (std::holds_alternative<Held>(outcome)) {
      EXPECT_TRUE(shrinks);
      ++seen_outcomes["held"];
    }
    if (!std::holds_alternative<Accepted>(outcome)) return;
    EXPECT_TRUE(!shrinks || times >= 3) << "dropped " << dropped;
    ++seen_outcomes[shrinks ? "confirmed" : "accepted"];
    now_ = next;
  }

  void save() {
    const std::optional<StateWrite> write = environment->take_state_write(1);
    if (!write) return;
    if (below(2) == 0) disk_.fail_from(below(8), ENOSPC, below(2) == 0);
    const bool saved = directory_->save(identity_, *write, 1000).has_value();
    disk_.heal();
    ++seen_outcomes[saved ? "saved" : "not saved"];
    if (!saved) environment->state_write_failed(1);
    // A failed save may have come as far as being whole.
    if (saved) on_disk_.clear();
    on_disk_[now_.line()] = now_;
  }

  void restart() {
    directory_.reset();
    if (below(2) == 0) disk_.lose_power(random_());
    open();
    environment = std::make_unique<Environment>(
        EnvironmentOptions{.name = "test", .sources = {{.name = "source-0"}}}, dialect, home);
    times_seen_.clear();
    std::vector<std::string> warnings;
    std::optional<LoadedState> state = directory_->load(identity_, warnings);
    now_ = {};
    if (!state) {
      EXPECT_TRUE(on_disk_.empty() || on_disk_.contains(State().line()));
      return;
    }
    const IntakeOutcome outcome = environment->begin_restored(1, std::move(state->layer))->run();
    if (!std::holds_alternative<Accepted>(outcome)) return;
    ++seen_outcomes["restored"];
    const auto found = on_disk_.find(served());
    ASSERT_NE(found, on_disk_.end()) << "served after a restart: " << served();
    EXPECT_LE(found->second.unanswered(), found->second.flags.size() / 2);
    now_ = found->second;
  }

  void open() {
    directory_ = std::make_unique<StateDirectory>(
        disk_, StateOptions{.path = "/state", .limit_bytes = 1 << 20, .salt = "0123456789abcdef"});
    // Before the first save there is nothing.
    if (on_disk_.empty()) on_disk_[State().line()] = {};
  }

  std::mt19937_64 random_;
  fakes::FakeFileSystem disk_;
  std::unique_ptr<StateDirectory> directory_;
  SourceIdentity identity_{.environment = "default",
                           .index = 0,
                           .dialect = "fake",
                           .options = "",
                           .uri = "https://flags",
                           .selector = "",
                           .credential = "secret"};
  State now_;
  // What a restart may find: the last save that succeeded, and those that failed since.
  std::map<std::string, State> on_disk_;
  std::map<std::string, std::size_t> times_seen_;
  evaluation::Update last_ = fakes::full({}, "c0");
  std::size_t cursors_ = 0;
};

TEST(AcceptedStatesTest, WhatIsServedIsOneCompleteAcceptedState) {
  for (std::size_t seed = 0; seed < kHistories && !testing::Test::HasFailure(); ++seed) {
    History history(seed);
    for (std::size_t i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(i));
      history.step();
      EXPECT_EQ(history.served(), history.expected());
    }
  }
  for (const char* outcome : {"held", "confirmed", "accepted", "saved", "not saved", "restored"}) {
    EXPECT_GT(History::seen_outcomes[outcome], 50U) << outcome;
  }
}

}  // namespace
}  // namespace flagstone::cache
