#include "upstream/transports/file_watch.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  fakes::TestLoop loop;
  fakes::PostingFileReader files{loop.loop()};
  fakes::RecordingSink sink{loop};
  fakes::TemporaryFolder folder;
  FileWatchOptions options;
  std::unique_ptr<FileWatch> watch;
  std::optional<Outcome> outcome = Outcome::kAccepted;

  FileWatchTest() {
    options.path = folder.path("flags.json");
    options.safety = std::chrono::hours(1);  // So that only inotify can tell.
    sink.on_document = [this](const std::string&) {
      if (outcome) watch->settle(*outcome);
    };
  }

  void start() {
    watch = std::make_unique<FileWatch>(loop.loop(), files, options, sink);
    watch->start();
  }
  // The newest document becomes `text`.
  bool becomes(const std::string& text) {
    return loop.run_until([&] { return !sink.documents.empty() && sink.documents.back() == text; });
  }
  bool fails(std::size_t times) {
    return loop.run_until([&] { return sink.failures.size() >= times; });
  }
};

TEST_F(FileWatchTest, ReadsAtStartAndOnEveryKindOfWriting) {
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  fakes::write_file(options.path, "two");
  EXPECT_TRUE(becomes("two"));
  fakes::replace_file(options.path, "three");
  EXPECT_TRUE(becomes("three"));
  fs::remove(options.path);
  EXPECT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMissing);
  fakes::write_file(options.path, "four");
  EXPECT_TRUE(becomes("four"));
  fakes::write_file(folder.path("linked"), "five");
  fs::remove(options.path);
  fs::create_hard_link(folder.path("linked"), options.path);
  EXPECT_TRUE(becomes("five"));
  EXPECT_TRUE(sink.degraded.empty());
}

TEST_F(FileWatchTest, OtherFilesInTheFolderAreNotItsBusiness) {
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  const int reads = files.reads();
  fakes::write_file(folder.path("other"), "x");
  fakes::replace_file(folder.path("flags.json.bak"), "x");
  loop.run_for(150);
  EXPECT_EQ(files.reads(), reads);
}

TEST_F(FileWatchTest, ConfigMapsSwapASymlink) {
  const auto publish = [&](const std::string& version, const std::string& text) {
    fs::create_directories(folder.path(version));
    fakes::write_file(folder.path(version + "/flags.json"), text);
    fs::create_symlink(version, folder.path("..data_tmp"));
    fs::rename(folder.path("..data_tmp"), folder.path("..data"));
  };
  publish("..2026_1", "one");
  fs::create_symlink("..data/flags.json", options.path);
  start();
  EXPECT_TRUE(becomes("one"));
  for (int round = 2; round < 6; ++round) {
    publish("..2026_" + std::to_string(round), std::to_string(round));
    fs::remove_all(folder.path("..2026_" + std::to_string(round - 1)));
    EXPECT_TRUE(becomes(std::to_string(round)));
  }
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(FileWatchTest, TheFolderMayComeLaterAndGoAndComeAgain) {
  options.path = folder.path("not/yet/flags.json");
  start();
  EXPECT_TRUE(fails(1));
  for (const std::string text : {"one", "two", "three"}) {
    fs::create_directories(folder.path("not/yet"));
    fakes::write_file(options.path, text);
    EXPECT_TRUE(becomes(text));
    const std::size_t failures = sink.failures.size();
    fs::remove_all(folder.path("not"));
    EXPECT_TRUE(fails(failures + 1));
    EXPECT_EQ(sink.failures.back().first, FailureKind::kMissing);
  }
  // Moved away as a whole, and another put in its place.
  fs::create_directories(folder.path("not/yet"));
  fakes::write_file(options.path, "four");
  EXPECT_TRUE(becomes("four"));
  fs::rename(folder.path("not/yet"), folder.path("not/gone"));
  fs::create_directories(folder.path("not/yet"));
  fakes::write_file(options.path, "five");
  EXPECT_TRUE(becomes("five"));
}

TEST_F(FileWatchTest, AStormOfWritesIsReadAFewTimes) {
  fakes::write_file(options.path, "start");
  start();
  EXPECT_TRUE(becomes("start"));
  const int reads = files.reads();
  for (int i = 0; i < 1000; ++i) fakes::write_file(options.path, std::to_string(i));
  EXPECT_TRUE(becomes("999"));
  EXPECT_LE(files.reads() - reads, 10);
}

TEST_F(FileWatchTest, OneDocumentInWorkAndThenTheNewest) {
  fakes::write_file(options.path, "one");
  outcome = std::nullopt;
  start();
  EXPECT_TRUE(becomes("one"));
  for (const std::string text : {"two", "three", "four"}) {
    fakes::write_file(options.path, text);
    loop.run_for(30);
  }
  EXPECT_EQ(sink.documents, std::vector<std::string>{"one"});
  watch->settle(Outcome::kRefused);
  EXPECT_TRUE(becomes("four"));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"one", "four"}));
}

TEST_F(FileWatchTest, BadContentIsAFailureUntilItChanges) {
  fakes::write_file(options.path, "");
  start();
  EXPECT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMalformed);
  EXPECT_EQ(sink.failures[0].second, "an empty file");
  sink.objection = "line 1: no";
  fakes::write_file(options.path, "half");
  EXPECT_TRUE(fails(2));
  EXPECT_EQ(sink.failures[1].second, "line 1: no");
  options.max_bytes = 10;
  sink.objection.clear();
  fakes::write_file(options.path, "whole");
  EXPECT_TRUE(becomes("whole"));
}

TEST_F(FileWatchTest, TooLargeIsNotRead) {
  options.max_bytes = 10;
  fakes::write_file(options.path, "more than ten");
  start();
  EXPECT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kTooLarge);
  EXPECT_EQ(sink.largest_piece, 0U);
}

TEST_F(FileWatchTest, LargeFilesComeInSlices) {
  const std::string text(5'000'000, 'x');
  options.piece_bytes = 65'536;
  fakes::write_file(options.path, text);
  start();
  EXPECT_TRUE(becomes(text));
  EXPECT_LE(sink.largest_piece, 65'536U);
}

TEST_F(FileWatchTest, WithoutInotifyItLooksByTheClockAndSaysSoOnce) {
  options.open_inotify = [] {
    errno = EMFILE;
    return -1;
  };
  options.fallback = milliseconds(10);
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  fakes::write_file(options.path, "number two");
  EXPECT_TRUE(becomes("number two"));
  fakes::replace_file(options.path, "number 3");
  EXPECT_TRUE(becomes("number 3"));
  // Untouched files are not read, but are contact.
  const int unchanged = sink.unchanged;
  EXPECT_TRUE(loop.run_until([&] { return sink.unchanged > unchanged + 3; }));
  EXPECT_EQ(sink.documents.size(), 3U);
  ASSERT_EQ(sink.degraded.size(), 1U);
  EXPECT_EQ(sink.degraded[0],
            "cannot be watched (Too many open files); looking at it every 10 ms instead");
}

TEST_F(FileWatchTest, ARefusedFileIsNoContactAndIsReadAgainWhenTouched) {
  options.open_inotify = [] {
    errno = EMFILE;
    return -1;
  };
  options.fallback = milliseconds(5);
  outcome = Outcome::kRefused;
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  loop.run_for(50);
  EXPECT_EQ(sink.unchanged, 0);
  EXPECT_EQ(sink.documents.size(), 1U);
  outcome = Outcome::kAccepted;
  fakes::replace_file(options.path, "one");
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 2; }));
}

TEST_F(FileWatchTest, TheClockFindsWhatInotifyCannotSee) {
  // Two folders up, nobody watches.
  options.path = folder.path("a/b/flags.json");
  options.safety = milliseconds(20);
  fs::create_directories(folder.path("a/b"));
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  fs::create_directories(folder.path("c/b"));
  fakes::write_file(folder.path("c/b/flags.json"), "two");
  fs::rename(folder.path("a"), folder.path("old"));
  fs::rename(folder.path("c"), folder.path("a"));
  EXPECT_TRUE(becomes("two"));
}

TEST_F(FileWatchTest, RefreshReadsAgainWhateverTheStamp) {
  fakes::write_file(options.path, "one");
  start();
  EXPECT_TRUE(becomes("one"));
  watch->refresh();
  EXPECT_TRUE(loop.run_until([&] { return sink.documents.size() == 2; }));
}

TEST_F(FileWatchTest, NothingComesAfterStop) {
  fakes::write_file(options.path, "one");
  start();
  watch->stop();
  loop.run_for(30);
  EXPECT_TRUE(sink.documents.empty());
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(FileWatchTest, AReaderMayAnswerBeforeItReturns) {
  fakes::ImmediateFileReader immediate;
  fakes::write_file(options.path, "one");
  watch = std::make_unique<FileWatch>(loop.loop(), immediate, options, sink);
  watch->start();
  EXPECT_TRUE(becomes("one"));
  fakes::write_file(options.path, "two");
  EXPECT_TRUE(becomes("two"));
}

TEST_F(FileWatchTest, ComingAndGoingLeaksNoDescriptor) {
  start();
  EXPECT_TRUE(fails(1));
  loop.run_for(1);
  const std::size_t before = fakes::open_descriptors();
  for (int i = 0; i < 300; ++i) {
    watch = std::make_unique<FileWatch>(loop.loop(), files, options, sink);
    watch->start();
    loop.run_for(1);
  }
  EXPECT_LE(fakes::open_descriptors(), before);
}

TEST_F(FileWatchTest, TheNextPieceWaitsForTheDisk) {
  options.piece_bytes = 1'000;
  options.disk_patience = std::chrono::hours(1);
  sink.disk_is_behind = true;
  fakes::write_file(options.path, std::string(10'000, 'x'));
  start();
  EXPECT_TRUE(loop.run_until([&] { return sink.arrived() > 0; }));
  watch->refresh();
  loop.run_for(50);
  EXPECT_EQ(sink.arrived(), 1'000U);
  EXPECT_EQ(files.reads(), 1);
  sink.disk_is_behind = false;
  EXPECT_TRUE(becomes(std::string(10'000, 'x')));
  EXPECT_EQ(sink.given_up, 0);
}

TEST_F(FileWatchTest, ButNotWithoutEnd) {
  options.piece_bytes = 1'000;
  options.disk_patience = milliseconds(20);
  sink.disk_is_behind = true;
  fakes::write_file(options.path, std::string(10'000, 'x'));
  start();
  EXPECT_TRUE(becomes(std::string(10'000, 'x')));
  EXPECT_EQ(sink.given_up, 1);
}

}  // namespace
}  // namespace flagstone::upstream
