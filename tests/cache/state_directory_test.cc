#include "cache/state_directory.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "tests/cache/environment_fixture.h"
#include "tests/cache/restored_records.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

using fakes::deleted;
using fakes::delta;
using fakes::FakeFileSystem;
using fakes::flag;
using fakes::full;
using fakes::segment;

constexpr const char* kPath = "/var/state";

StateOptions options(std::uint64_t limit_bytes = 256ULL * 1024 * 1024) {
  return {.path = kPath, .limit_bytes = limit_bytes, .salt = "0123456789abcdef"};
}

SourceIdentity identity(std::string uri = "https://flags", std::string credential = "secret") {
  return {.environment = "default",
          .index = 0,
          .dialect = "fake",
          .options = "",
          .uri = std::move(uri),
          .selector = "",
          .credential = std::move(credential)};
}

// What a source's state says, in one line: "etag|meta|a=1@5,b=-@6,c!good".
std::string line(LoadedState& state) {
  const evaluation::Update& update = state.layer.update;
  std::set<std::string> records;
  for (const evaluation::Record& r : restored_records(state.layer)) {
    std::string text = r.id.set_id + "/" + r.id.key + "=" + (r.tombstone ? "-" : r.raw) + "@" +
                       std::to_string(r.version) + "#" +
                       std::to_string(static_cast<int>(r.id.kind));
    for (const GoodText& good : state.layer.good_texts) {
      if (good.id == r.id) text += "!" + good.raw;
    }
    records.insert(std::move(text));
  }
  std::string out = update.cursor + "|" + update.metadata + "|";
  for (const std::string& record : records) out += record + ",";
  return out;
}

struct StateFixture : EnvironmentFixture {
  StateFixture() : EnvironmentFixture(1, false, false) { open(); }

  void open(StateOptions with = options()) {
    directory.reset();
    directory = std::make_unique<StateDirectory>(disk, std::move(with));
  }
  // As the daemon does: take in, then write what changed.
  std::expected<void, StateError> take_and_save(evaluation::Update update,
                                                SourceIdentity who = identity()) {
    accept(1, std::move(update));
    const std::optional<StateWrite> write = environment->take_state_write(1);
    if (!write) return {};
    auto saved = directory->save(who, *write, now_ms);
    if (!saved) {
      environment->state_write_failed(1);
      return std::unexpected(saved.error());
    }
    environment->state_write_done(1, std::move(*saved));
    return {};
  }
  std::string loaded(SourceIdentity who = identity()) {
    warnings.clear();
    auto state = directory->load(who, warnings);
    return state ? line(*state) : "nothing";
  }
  // A new process: everything in memory is gone, the state is read back.
  void restart(SourceIdentity who = identity()) {
    open();
    environment = std::make_unique<Environment>(
        EnvironmentOptions{.name = "test",
                           .sources = {{.name = "source-0", .shrink_guard = false}}},
        dialect, home);
    warnings.clear();
    std::optional<LoadedState> state = directory->load(who, warnings);
    if (state) environment->begin_restored(1, std::move(state->layer))->run();
  }

  FakeFileSystem disk;
  std::unique_ptr<StateDirectory> directory;
  std::vector<std::string> warnings;
  std::int64_t now_ms = 1000;
};

std::vector<evaluation::Record> many(std::size_t count, std::size_t raw_bytes = 400) {
  std::vector<evaluation::Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(flag("flag-" + std::to_string(i), std::string(raw_bytes, 'x')));
  }
  return records;
}

// Holds whoever comes to it until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Somebody stands before it, or never will.
  bool wait_until_reached() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reached_ || done_; });
    return reached_;
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }
  bool finished() {
    const std::lock_guard lock(mutex_);
    return done_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool open_ = false;
  bool done_ = false;
};

TEST(StateDirectoryTest, ASlowSyncDelaysNobodyButTheSave) {
  struct Case {
    const char* name;
    bool saved_before;  // Then the slow save appends; otherwise it writes the first base.
  };
  for (const Case& c : {Case{"base", false}, Case{"segment", true}}) {
    StateFixture f;
    if (c.saved_before) {
      ASSERT_TRUE(f.take_and_save(full({flag("a", "0"), flag("b", "b")}, "e0"))) << c.name;
      f.accept(1, delta({flag("a", "1")}, "e1"));
    } else {
      f.accept(1, full({flag("a", "1"), flag("b", "b")}, "e1"));
    }
    // The write goes to the writer and comes back: the keeper alone destroys it.
    const std::optional<StateWrite> write = f.environment->take_state_write(1);
    ASSERT_TRUE(write);
    Gate gate;
    f.disk.before_sync = [&gate] { gate.pass(); };
    bool saved = false;
    std::thread writer([&] {
      saved = f.directory->save(identity(), *write, f.now_ms).has_value();
      gate.finish();
    });
    EXPECT_TRUE(gate.wait_until_reached()) << c.name;
    for (int i = 2; i < 100; ++i) {
      const std::string text = std::to_string(i);
      EXPECT_TRUE(f.accept(1, delta({flag("a", text)}, "e" + text)).snapshot_changed);
      EXPECT_EQ(f.answer("a"), text);
    }
    EXPECT_FALSE(gate.finished()) << c.name << ": the save waits for the disk";
    gate.open();
    writer.join();
    EXPECT_TRUE(saved) << c.name;

    // What was given to it is there, all of it and nothing newer, even without power.
    f.disk.lose_power(1);
    f.open();
    EXPECT_EQ(f.loaded(), "e1||/a=1@0#0,/b=b@0#0,") << c.name;
    const std::optional<StateWrite> rest = f.environment->take_state_write(1);
    ASSERT_TRUE(rest);
    EXPECT_TRUE(f.directory->save(identity(), *rest, f.now_ms)) << c.name;
    EXPECT_EQ(f.loaded(), "e99||/a=99@0#0,/b=b@0#0,") << c.name;
  }
}

TEST(StateDirectoryTest, GivesBackWhatWasSaved) {
  StateFixture f;
  EXPECT_TRUE(f.directory->writable());
  EXPECT_EQ(f.loaded(), "nothing");
  ASSERT_TRUE(f.take_and_save(full(
      {flag("a", "1", 5), segment("s", "u1", 2), flag("x", "in-set", 1, "set")}, "etag", "meta")));
  f.open();
  EXPECT_EQ(f.loaded(), "etag|meta|/a=1@5#0,/s=u1@2#1,set/x=in-set@1#0,");
  EXPECT_TRUE(f.warnings.empty());
}

TEST(StateDirectoryTest, DeltasSurviveRestarts) {
  StateFixture f;
  f.take_and_save(full({flag("a", "segment:s:yes:no", 5), segment("s", "u1", 1)}, "1"));
  f.take_and_save(delta({segment("s", "u1,u2", 2)}, "2"));
  f.take_and_save(delta({deleted(flag("gone", "", 9))}, "3"));
  f.take_and_save(delta({flag("b", "b", 0)}, "4"));
  f.take_and_save(delta({deleted(flag("b", "", 0))}, "5"));
  f.restart();
  EXPECT_EQ(f.answer("a", "u2"), "yes");
  EXPECT_EQ(f.answer("b"), "-");
  EXPECT_EQ(f.environment->layer(1).cursor(), "5");
  // The tombstone's version too.
  f.take_and_save(delta({flag("gone", "late", 8)}, "6"));
  EXPECT_EQ(f.answer("gone"), "-");
  // And what is appended after a restart.
  f.take_and_save(delta({flag("a", "on", 6)}, "7"));
  f.restart();
  EXPECT_EQ(f.answer("a"), "on");
  EXPECT_EQ(f.environment->layer(1).cursor(), "7");
}

TEST(StateDirectoryTest, QuarantinedKeepsBothTextsOverARestart) {
  StateFixture f;
  f.take_and_save(full({flag("a", "good", 1), flag("b", "b", 1), flag("c", "c", 1)}));
  f.take_and_save(delta({flag("a", "refuse", 2)}));
  f.restart();
  EXPECT_EQ(f.answer("a"), "good");
  EXPECT_EQ(f.raw(*f.environment->snapshot()->find_flag("a")), "refuse");
  f.environment->state_write_failed(1);  // writes everything again
  f.take_and_save(delta({flag("d", "d", 1)}));
  f.restart();
  EXPECT_EQ(f.answer("a"), "good");
  f.take_and_save(delta({flag("a", "healed", 3)}));
  f.restart();
  EXPECT_EQ(f.answer("a"), "healed");
  EXPECT_FALSE(f.environment->snapshot()->find_flag("a")->is_quarantined());
}

TEST(StateDirectoryTest, OneChangedFlagWritesLittle) {
  StateFixture f;
  std::vector<evaluation::Record> records = many(10'000);
  ASSERT_TRUE(f.take_and_save(full(records, "1")));
  ASSERT_GT(f.disk.written_bytes(), 4'000'000U);
  std::uint64_t before = f.disk.written_bytes();
  records[5000].raw = "changed";
  ASSERT_TRUE(f.take_and_save(full(records, "2")));
  EXPECT_LE(f.disk.written_bytes() - before, 64U * 1024) << "a whole document, one flag changed";
  before = f.disk.written_bytes();
  ASSERT_TRUE(f.take_and_save(delta({flag("flag-1", "changed", 7)}, "3")));
  EXPECT_LE(f.disk.written_bytes() - before, 64U * 1024) << "a delta";
  f.restart();
  EXPECT_EQ(f.answer("flag-5000"), "changed");
  EXPECT_EQ(f.answer("flag-1"), "changed");
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 10'000U);
}

TEST(StateDirectoryTest, SegmentsAreFoldedIntoANewBase) {
  StateFixture f;
  f.take_and_save(full(many(1000), "0"));
  const std::uint64_t whole = f.directory->used_bytes();
  for (int i = 1; i <= 100; ++i) {
    f.take_and_save(
        delta({flag("flag-" + std::to_string(i), std::string(4000, 'y'), i)}, std::to_string(i)));
    // Two generations, each with segments of a quarter.
    ASSERT_LE(f.directory->used_bytes(), whole * 4);
  }
  f.restart();
  EXPECT_EQ(f.environment->layer(1).cursor(), "100");
  EXPECT_EQ(f.answer("flag-100"), std::string(4000, 'y'));
  std::size_t manifests = 0;
  for (const std::string& file : f.disk.files()) manifests += file.ends_with(".manifest");
  EXPECT_EQ(manifests, 2U);
}

TEST(StateDirectoryTest, AnotherSourcesStateIsNeverServed) {
  StateFixture f;
  f.take_and_save(full({flag("a", "1")}, "etag"));
  SourceIdentity other = identity();
  EXPECT_NE(f.loaded(), "nothing");
  other.uri = "https://other";
  EXPECT_EQ(f.loaded(other), "nothing");
  other = identity();
  other.options = "fractional=v1";
  EXPECT_EQ(f.loaded(other), "nothing");
  other = identity();
  other.selector = "team";
  EXPECT_EQ(f.loaded(other), "nothing");
  other = identity();
  other.dialect = "flagd";
  EXPECT_EQ(f.loaded(other), "nothing");
  other = identity();
  other.environment = "payments";
  EXPECT_EQ(f.loaded(other), "nothing");
  // Even when somebody moves the files.
  other = identity("https://other");
  f.take_and_save(full({flag("b", "2")}), other);
  std::string mine;
  std::string theirs;
  for (const std::string& file : f.disk.files()) {
    if (!file.ends_with(".manifest")) continue;
    (mine.empty() ? mine : theirs) = file;
  }
  std::swap(f.disk.contents(mine), f.disk.contents(theirs));
  f.open();
  EXPECT_EQ(f.loaded(), "nothing");
  EXPECT_EQ(f.loaded(other), "nothing");
}

TEST(StateDirectoryTest, AnotherCredentialKeepsTheDataAndDropsTheCursor) {
  StateFixture f;
  f.take_and_save(full({flag("a", "1")}, "etag"));
  f.open({.path = kPath, .limit_bytes = 1 << 20, .salt = "another salt 456"});
  EXPECT_EQ(f.loaded(), "etag||/a=1@0#0,");
  EXPECT_EQ(f.loaded(identity("https://flags", "rotated")), "||/a=1@0#0,");
  const auto state = f.directory->load(identity("https://flags", "rotated"), f.warnings);
  EXPECT_FALSE(state->credential_matches);
  for (const std::string& file : f.disk.files()) {
    EXPECT_EQ(f.disk.contents(file).find("secret"), std::string::npos) << file;
  }
}

TEST(StateDirectoryTest, SecondDaemonReadsAndDoesNotWrite) {
  StateFixture f;
  f.take_and_save(full({flag("a", "1")}, "etag"));
  f.disk.hold_lock_elsewhere(true);
  f.open();
  EXPECT_FALSE(f.directory->writable());
  EXPECT_NE(f.directory->problem().find("another daemon"), std::string::npos);
  EXPECT_EQ(f.loaded(), "etag||/a=1@0#0,");
  const std::uint64_t before = f.disk.written_bytes();
  const auto saved = f.take_and_save(full({flag("a", "2")}));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, StateError::Kind::kNotWritable);
  EXPECT_EQ(f.disk.written_bytes(), before);
  // The first one ends.
  f.disk.hold_lock_elsewhere(false);
  EXPECT_TRUE(f.take_and_save(full({flag("a", "3")})));
  EXPECT_EQ(f.loaded(), "||/a=3@0#0,");
}

TEST(StateDirectoryTest, AtTheLimitOldThingsGoThenPersistence) {
  StateFixture f;
  f.take_and_save(full(many(100)), identity("https://gone"));
  const std::uint64_t one = f.directory->used_bytes();
  f.open(options(one * 3));
  f.directory->set_active({identity()});
  f.environment->state_write_failed(1);
  ASSERT_TRUE(f.take_and_save(full(many(100, 401))));
  f.environment->state_write_failed(1);
  ASSERT_TRUE(f.take_and_save(full(many(100, 402))));
  f.environment->state_write_failed(1);
  ASSERT_TRUE(f.take_and_save(full(many(100, 403))));
  EXPECT_LE(f.directory->used_bytes(), one * 3);
  EXPECT_EQ(f.loaded(identity("https://gone")), "nothing") << "the inactive one went first";
  const auto saved = f.take_and_save(full(many(400)));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().kind, StateError::Kind::kLimit);
  EXPECT_LE(f.directory->used_bytes(), one * 3);
  f.open(options(one * 3));
  EXPECT_NE(f.loaded().find("/flag-0="), std::string::npos) << "the last one that fitted";
}

TEST(StateDirectoryTest, BlobsAreKeptAndChecked) {
  StateFixture f;
  EXPECT_FALSE(f.directory->load_blob("default", "usage", f.warnings).has_value());
  ASSERT_TRUE(f.directory->save_blob("default", "usage", "counts"));
  EXPECT_EQ(f.directory->load_blob("default", "usage", f.warnings), "counts");
  EXPECT_FALSE(f.directory->load_blob("other/..", "usage", f.warnings).has_value());
  EXPECT_TRUE(f.warnings.empty());
  f.disk.contents("/var/state/default/usage.blob")[14] ^= 1;
  EXPECT_FALSE(f.directory->load_blob("default", "usage", f.warnings).has_value());
  EXPECT_EQ(f.warnings.size(), 1U);
}

TEST(StateDirectoryTest, NamesStayInsideTheDirectory) {
  StateFixture f;
  SourceIdentity who = identity();
  const std::vector<std::string> names = {
      "..", ".", "a/b", "", "\xc3\xbcmlaut", std::string(500, 'n')};
  for (const std::string& name : names) {
    who.environment = name;
    ASSERT_TRUE(f.take_and_save(full({flag("a", "env " + name)}), who));
    f.environment->state_write_failed(1);
  }
  for (const std::string& file : f.disk.files()) {
    EXPECT_TRUE(file.starts_with("/var/state/")) << file;
    EXPECT_EQ(file.find("/../"), std::string::npos) << file;
    for (std::size_t i = 0, start = 1; i < file.size(); ++i) {
      if (file[i] == '/') start = i;
      EXPECT_LE(i - start, 255U);
    }
  }
  who.environment = "a/b";
  EXPECT_EQ(f.loaded(who), "||/a=env a/b@0#0,");
}

}  // namespace
}  // namespace flagstone::cache
