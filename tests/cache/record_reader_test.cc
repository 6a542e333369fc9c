#include "cache/record_reader.h"

#include <gtest/gtest.h>

#include "cache/state_directory.h"
#include "tests/cache/environment_fixture.h"
#include "tests/fakes/cache/fake_file_system.h"

namespace flagstone::cache {
namespace {

using fakes::delta;
using fakes::flag;
using fakes::full;
using fakes::segment;

// An environment whose texts lie in a file.
struct FiledFixture : EnvironmentFixture {
  FiledFixture() : EnvironmentFixture(1, false, false) {}

  void take_and_save(evaluation::Update update) {
    accept(1, std::move(update));
    auto saved = directory.save(identity, *environment->take_state_write(1), 1);
    ASSERT_TRUE(saved.has_value());
    environment->state_write_done(1, std::move(*saved));
    const Retired batch = home.retired.take();
  }
  TextPlace place(std::string_view key) { return environment->snapshot()->find_flag(key)->text(); }

  fakes::FakeFileSystem disk;
  StateDirectory directory{disk, {.path = "/state", .salt = "0123456789abcdef"}};
  SourceIdentity identity{.environment = "default",
                          .index = 0,
                          .dialect = "fake",
                          .options = "",
                          .uri = "u",
                          .selector = "",
                          .credential = ""};
};

TEST(RecordReaderTest, TextsMoveIntoTheFileThatTheyWereSavedIn) {
  FiledFixture f;
  f.accept(1, full({flag("a", "one"), flag("b", "two")}));
  EXPECT_TRUE(f.place("a").is_in_memory());
  EXPECT_GT(f.budget.used_bytes(MemoryPart::kVendorBytes), 0U);
  const std::uint64_t hash = f.environment->snapshot()->content_hash();
  f.take_and_save(full({flag("a", "one"), flag("b", "two"), flag("c", "three")}));
  EXPECT_TRUE(f.place("a").is_in_file());
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kVendorBytes), 0U);
  EXPECT_NE(f.environment->snapshot()->content_hash(), hash);
  EXPECT_EQ(f.answer("a") + f.answer("b") + f.answer("c"), "onetwothree");

  // What changes alone is appended to a second file, and read from there.
  f.take_and_save(delta({flag("b", "zwei")}));
  f.take_and_save(delta({flag("c", "drei")}));
  EXPECT_EQ(f.answer("a") + f.answer("b") + f.answer("c"), "onezweidrei");
  EXPECT_EQ(f.place("b").file(), f.place("c").file());
  EXPECT_NE(f.place("a").file(), f.place("b").file());
  EXPECT_EQ(f.home.files.open_count(), 2U);
}

TEST(RecordReaderTest, TextsOfAnySizeFollowEachOther) {
  FiledFixture f;
  std::vector<evaluation::Record> records;
  for (const std::size_t size : {70U, 400U, 30U, 900U, 60U, 2000U, 1U}) {
    records.push_back(flag("of-" + std::to_string(size), std::string(size, 'x')));
  }
  f.take_and_save(full(records));
  for (const evaluation::Record& record : records) EXPECT_EQ(f.answer(record.id.key), record.raw);
}

TEST(RecordReaderTest, FilesGoWithTheLastTextInThem) {
  FiledFixture f;
  f.take_and_save(full({flag("a", "1"), flag("b", "2")}));
  f.take_and_save(full({flag("a", "3"), flag("b", "4")}));
  EXPECT_EQ(f.answer("a"), "3");
  // The first base is still named by nobody but the snapshot that was replaced.
  {
    const Retired batch = f.home.retired.take();
  }
  EXPECT_LE(f.home.files.open_count(), 2U);
  for (int i = 0; i < 2000; ++i) {
    f.take_and_save(full({flag("a", "a" + std::to_string(i)), flag("b", std::string(200, 'x'))}));
  }
  EXPECT_EQ(f.answer("a"), "a1999");
  EXPECT_LE(f.home.files.open_count(), 3U);
}

TEST(RecordReaderTest, QuarantinedRecordsKeepBothTexts) {
  FiledFixture f;
  f.take_and_save(full({flag("a", "good"), flag("b", "b"), flag("c", "c")}));
  f.take_and_save(full({flag("a", "refuse it"), flag("b", "b"), flag("c", "c")}));
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kVendorBytes), 0U);
  const Entry* a = f.environment->snapshot()->find_flag("a");
  EXPECT_EQ(f.raw(*a), "refuse it");
  EXPECT_EQ(f.raw(*a->answering()), "good");
  EXPECT_EQ(f.answer("a"), "good");
}

TEST(RecordReaderTest, DamageIsAnErrorAndNeverAnAnswer) {
  FiledFixture f;
  f.take_and_save(full({flag("a", "one"), flag("ref", "segment:s:yes:no"), segment("s", "u1")}));
  const Entry* s = f.environment->snapshot()->find_record(fakes::kSegmentKind, "", "s");
  s->demote();
  for (const std::string& path : f.disk.files()) {
    if (!path.ends_with(".base")) continue;
    std::string& bytes = f.disk.contents(path);
    bytes.replace(bytes.find("one"), 3, "two");
    bytes.replace(bytes.find("u1"), 2, "u2");
  }
  const Entry* a = f.environment->snapshot()->find_flag("a");
  const auto answer = f.environment->snapshot()->evaluate(*a, {}, {}, f.scratch, f.reader);
  EXPECT_EQ(answer.error, evaluation::ErrorCode::kGeneral);
  EXPECT_EQ(f.reader.failures(), 1U);
  // Also where it is not the flag itself.
  const Entry* ref = f.environment->snapshot()->find_flag("ref");
  const auto other = f.environment->snapshot()->evaluate(*ref, {}, {}, f.scratch, f.reader);
  EXPECT_EQ(other.error, evaluation::ErrorCode::kGeneral);
  // The same document again heals it, although nothing in it changed.
  f.environment->distrust_texts();
  f.accept(1, full({flag("a", "one"), flag("ref", "segment:s:yes:no"), segment("s", "u1")}));
  EXPECT_EQ(f.answer("a"), "one");
  EXPECT_EQ(f.answer("ref", "u1"), "yes");
}

TEST(RecordReaderTest, KnowsWhatHadToBeDecoded) {
  FiledFixture f;
  f.take_and_save(full({flag("ref", "segment:s:yes:no"), segment("s", "u1")}));
  const Entry* ref = f.environment->snapshot()->find_flag("ref");
  const Entry* s = f.environment->snapshot()->find_record(fakes::kSegmentKind, "", "s");
  ref->demote();
  const auto decoded = [&] {
    std::vector<const Entry*> entries;
    (void)f.environment->snapshot()->evaluate(*ref, {}, {}, f.scratch, f.reader);
    f.reader.for_each_decoded([&](const Entry& entry) { entries.push_back(&entry); });
    return entries;
  };
  EXPECT_EQ(decoded(), std::vector<const Entry*>{ref}) << "segments are compiled as they come in";
  s->demote();
  EXPECT_EQ(decoded(), (std::vector<const Entry*>{ref, s}));
}

TEST(RecordReaderTest, ARestartBeginsWithTextsInTheirFile) {
  FiledFixture f;
  f.take_and_save(full({flag("a", "one", 3), flag("b", "two"), segment("s", "u1")}));
  f.take_and_save(delta({flag("b", "zwei", 4)}));
  const std::size_t validated = f.dialect.validated_count();
  EnvironmentFixture after(1, false, false);
  std::vector<std::string> warnings;
  StateDirectory reopened(f.disk, {.path = "/state", .salt = "0123456789abcdef"});
  auto state = reopened.load(f.identity, warnings);
  ASSERT_TRUE(state.has_value());
  after.environment->begin_restored(1, std::move(state->layer))->run();
  EXPECT_EQ(after.answer("a") + after.answer("b"), "onezwei");
  EXPECT_EQ(after.budget.used_bytes(MemoryPart::kVendorBytes), 0U);
  EXPECT_EQ(after.dialect.validated_count(), 0U) << "it was when it came in";
  EXPECT_GT(validated, 0U);
  EXPECT_EQ(after.environment->snapshot()->find_flag("a")->version(), 3);
  EXPECT_EQ(after.environment->snapshot()->content_hash(),
            f.environment->snapshot()->content_hash());
}

}  // namespace
}  // namespace flagstone::cache
