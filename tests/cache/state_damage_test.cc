// What may happen to the state's files, everywhere it may happen: damage, a cut, a failing disk, a
// lost power. What is read back is always something that was saved once, or nothing.
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "cache/state_directory.h"
#include "tests/cache/environment_fixture.h"
#include "tests/cache/restored_records.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

using fakes::delta;
using fakes::FakeFileSystem;
using fakes::flag;
using fakes::full;

StateOptions options() {
  return {.path = "/state", .limit_bytes = 1 << 20, .salt = "0123456789abcdef"};
}

SourceIdentity identity() {
  return {.environment = "default",
          .index = 0,
          .dialect = "fake",
          .options = "",
          .uri = "https://flags",
          .selector = "",
          .credential = "secret"};
}

std::string line(std::optional<LoadedState> state, bool with_cursor = true) {
  if (!state) return "nothing";
  std::set<std::string> records;
  for (const evaluation::Record& r : restored_records(state->layer)) {
    records.insert(r.id.key + "=" + r.raw);
  }
  std::string out = with_cursor ? state->layer.update.cursor : "";
  out += "|" + state->layer.update.metadata + "|";
  for (const std::string& record : records) out += record + ",";
  return out;
}

std::string load(FakeFileSystem& disk) {
  StateDirectory directory(disk, options());
  std::vector<std::string> warnings;
  return line(directory.load(identity(), warnings));
}

// Writes a short history: bases, segments, a delta that only moves the cursor.
class History : public EnvironmentFixture {
 public:
  History() : EnvironmentFixture(1, false, false) {}

  // Every state that was saved, without and with its cursor. `stop_at_error` for a disk that died.
  std::vector<std::string> write(FakeFileSystem& disk, bool stop_at_error = false) {
    std::vector<std::string> states = {"nothing"};
    StateDirectory directory(disk, options());
    const auto step = [&](evaluation::Update update, bool everything) {
      accept(1, std::move(update));
      if (everything) environment->state_write_failed(1);
      const std::optional<StateWrite> write = environment->take_state_write(1);
      states.push_back(describe_layer(true));
      attempted = states.size();
      const auto saved = directory.save(identity(), *write, 1000);
      if (saved) last_saved = states.back();
      if (!saved) environment->state_write_failed(1);
      return saved.has_value() || !stop_at_error;
    };
    if (!step(full({flag("a", "1"), flag("b", "one")}, "c1", "m1"), true)) return states;
    if (!step(delta({flag("a", "2")}, "c2"), false)) return states;
    if (!step(full({flag("a", "3"), flag("c", "three")}, "c3", "m3"), true)) return states;
    if (!step(delta({flag("b", "4")}, "c4"), false)) return states;
    if (!step(delta({fakes::deleted(flag("c", ""))}, "c5"), false)) return states;
    step(delta({}, "c6"), false);
    return states;
  }
  std::string describe_layer(bool with_cursor) {
    const Layer& layer = environment->layer(1);
    std::set<std::string> records;
    RecordIndex::Position position;
    while (const EntryPointer* entry = layer.records().next(position)) {
      records.insert(std::string((*entry)->key()) + "=" + raw(**entry));
    }
    std::string out = with_cursor ? layer.cursor() : "";
    out += "|" + layer.document().metadata + "|";
    for (const std::string& record : records) out += record + ",";
    return out;
  }

  std::string last_saved = "nothing";
  std::size_t attempted = 0;
};

// With its own cursor, or with none: then upstream is asked for everything.
bool was_saved_once(const std::vector<std::string>& states, const std::string& loaded) {
  for (const std::string& state : states) {
    if (loaded == state || loaded == state.substr(std::min(state.find('|'), state.size()))) {
      return true;
    }
  }
  return false;
}

TEST(StateDamageTest, EveryByteCorruptedGivesNoWrongData) {
  FakeFileSystem original;
  History history;
  const std::vector<std::string> states = history.write(original);
  ASSERT_EQ(load(original), states.back());
  std::size_t fell_back = 0;
  for (const std::string& path : original.files()) {
    const std::size_t size = original.contents(path).size();
    for (std::size_t i = 0; i < size; ++i) {
      FakeFileSystem disk;
      History().write(disk);
      ASSERT_EQ(disk.contents(path).size(), size);
      disk.contents(path)[i] = static_cast<char>(disk.contents(path)[i] ^ (1 << (i % 8)));
      const std::string loaded = load(disk);
      ASSERT_TRUE(was_saved_once(states, loaded)) << path << " byte " << i << ": " << loaded;
      ASSERT_NE(loaded, "nothing") << "there is always the other generation";
      if (loaded != states.back()) ++fell_back;
      // A second look, after the damaged files were set aside, sees the same or better.
      ASSERT_EQ(load(disk), loaded) << path << " byte " << i;
    }
  }
  EXPECT_GT(fell_back, 300U);
}

TEST(StateDamageTest, CutAtEveryLengthGivesNoWrongData) {
  FakeFileSystem original;
  History history;
  const std::vector<std::string> states = history.write(original);
  for (const std::string& path : original.files()) {
    for (std::size_t size = 0; size < original.contents(path).size(); ++size) {
      FakeFileSystem disk;
      History().write(disk);
      disk.contents(path).resize(size);
      const std::string loaded = load(disk);
      ASSERT_TRUE(was_saved_once(states, loaded)) << path << " at " << size << ": " << loaded;
      ASSERT_NE(loaded, "nothing");
    }
    FakeFileSystem disk;
    History().write(disk);
    disk.remove(path);
    ASSERT_TRUE(was_saved_once(states, load(disk))) << "without " << path;
  }
}

TEST(StateDamageTest, CorruptFilesAreSetAsideAndBounded) {
  FakeFileSystem disk;
  for (int round = 0; round < 10; ++round) {
    History().write(disk);
    for (const std::string& path : disk.files()) {
      if (path.ends_with(".base")) disk.contents(path)[20] ^= 1;
    }
    StateDirectory directory(disk, options());
    std::vector<std::string> warnings;
    EXPECT_FALSE(directory.load(identity(), warnings).has_value());
    EXPECT_FALSE(warnings.empty());
    EXPECT_GT(directory.corrupt_files_seen(), 0U);
  }
  std::size_t aside = 0;
  for (const std::string& path : disk.files()) aside += path.find(".corrupt-") != path.npos;
  EXPECT_EQ(aside, StateDirectory::kCorruptKeptMax);
}

TEST(StateDamageTest, PowerLostAtEveryCallLeavesOldOrNew) {
  FakeFileSystem counting;
  History all;
  all.write(counting);
  const std::size_t calls = counting.changing_calls();
  ASSERT_GT(calls, 40U);
  for (std::size_t call = 0; call <= calls; ++call) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      FakeFileSystem disk;
      disk.fail_from(call, EIO);
      History history;
      const std::vector<std::string> states = history.write(disk, true);
      disk.lose_power(seed * 1000 + call);
      const std::string loaded = load(disk);
      // What save() called durable is there, or what it was just writing.
      ASSERT_TRUE(loaded == history.last_saved || loaded == states.back())
          << "call " << call << " seed " << seed << ": " << loaded << ", saved "
          << history.last_saved;
      // And it can go on from there.
      History again;
      again.write(disk);
      ASSERT_EQ(load(disk), again.last_saved);
    }
  }
}

TEST(StateDamageTest, AFailingDiskNeverLosesWhatWasSaved) {
  FakeFileSystem counting;
  History().write(counting);
  for (const int code : {ENOSPC, EROFS, EIO}) {
    for (const bool once : {true, false}) {
      for (std::size_t call = 0; call < counting.changing_calls(); ++call) {
        FakeFileSystem disk;
        disk.fail_from(call, code, once);
        History history;
        const std::vector<std::string> states = history.write(disk);
        disk.heal();
        const std::string loaded = load(disk);
        // A failed write may have taken effect all the same; an older state than the last good one
        // may not come back.
        const auto at = [&states](const std::string& state) {
          return std::find(states.begin(), states.end(), state) - states.begin();
        };
        ASSERT_TRUE(was_saved_once(states, loaded)) << call << ": " << loaded;
        ASSERT_GE(at(loaded), at(history.last_saved)) << code << " at " << call;
        ASSERT_EQ(disk.open_descriptors(), 0U) << "a descriptor leaks at " << call;
      }
    }
  }
}

}  // namespace
}  // namespace flagstone::cache
