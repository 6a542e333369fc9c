#include "cache/document_spool.h"

#include <gtest/gtest.h>

#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::flag;
using fakes::full;

// Bytes in memory that may have to be brought first.
class BytesFile final : public ReadableFile {
 public:
  BytesFile(std::string bytes, bool* warm) : bytes_(std::move(bytes)), warm_(warm) {}
  ReadOutcome read(std::span<char> to, std::uint64_t offset) const override {
    if (offset + to.size() > bytes_.size()) return ReadOutcome::kFailed;
    bytes_.copy(to.data(), to.size(), offset);
    return ReadOutcome::kDone;
  }
  ReadOutcome read_at_once(std::span<char> to, std::uint64_t offset) const override {
    return warm_ == nullptr || *warm_ ? read(to, offset) : ReadOutcome::kWouldWait;
  }

 private:
  std::string bytes_;
  bool* warm_;
};

// A document's records as a spool has them.
struct Spooled {
  void add(std::string_view key, std::string_view raw, std::string_view set_id = "") {
    append_spooled(bytes, {.kind = evaluation::kFlagKind,
                           .has_own_set = !set_id.empty(),
                           .set_id = set_id,
                           .key = key,
                           .raw = raw});
    document->text_bytes += raw.size();
    ++document->records;
  }
  evaluation::Update update(bool* warm = nullptr) {
    document->bytes = bytes.size();
    document->spool = std::make_shared<SpoolFile>();
    document->spool->file = std::make_unique<BytesFile>(bytes, warm);
    evaluation::Update update = full({}, "cursor");
    update.elsewhere = document;
    return update;
  }

  std::string bytes;
  std::shared_ptr<SpooledDocument> document = std::make_shared<SpooledDocument>();
};

TEST(DocumentSpoolTest, ARecordIsReadOnceAllOfItIsThere) {
  std::string bytes;
  append_spooled(bytes, {.kind = fakes::kSegmentKind,
                         .has_own_set = true,
                         .tombstone = true,
                         .version = -7,
                         .set_id = "set",
                         .key = "key",
                         .raw = "a text"});
  const std::size_t whole = bytes.size();
  bytes += "and what follows";
  for (std::size_t size = 0; size < whole; ++size) {
    std::string_view part = std::string_view(bytes).substr(0, size);
    std::size_t needed = 0;
    EXPECT_FALSE(read_spooled(part, needed)) << size;
    EXPECT_GT(needed, size);
    EXPECT_LE(needed, whole);
  }
  std::string_view rest = bytes;
  std::size_t needed = 0;
  const auto record = read_spooled(rest, needed);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->kind, fakes::kSegmentKind);
  EXPECT_TRUE(record->has_own_set);
  EXPECT_TRUE(record->tombstone);
  EXPECT_EQ(record->version, -7);
  EXPECT_EQ(record->set_id, "set");
  EXPECT_EQ(record->key, "key");
  EXPECT_EQ(record->raw, "a text");
  EXPECT_EQ(rest, "and what follows");
}

TEST(DocumentSpoolTest, IsTakenInAsTheSameDocumentFromMemory) {
  Spooled spooled;
  std::vector<evaluation::Record> records;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "flag-" + std::to_string(i);
    const std::string raw = i % 100 == 7 ? "refuse" : std::string(200, 'x') + std::to_string(i);
    const std::string set = i % 3 == 0 ? "own" : "documents";
    spooled.add(key, raw, i % 3 == 0 ? "own" : "");
    records.push_back(flag(key, raw, 0, set));
  }
  spooled.document->document_set_id = "documents";

  EnvironmentFixture memory;
  const Accepted expected = memory.accept(1, full(std::move(records), "cursor"));
  EnvironmentFixture disk;
  const Accepted accepted = disk.accept(1, spooled.update());
  EXPECT_EQ(accepted.records, expected.records);
  EXPECT_EQ(accepted.added, expected.added);
  EXPECT_EQ(accepted.quarantined, expected.quarantined);
  EXPECT_EQ(disk.environment->layer(1).cursor(), "cursor");
  EXPECT_EQ(disk.environment->snapshot()->content_hash(),
            memory.environment->snapshot()->content_hash());
  EXPECT_EQ(disk.answer_in_set("documents", "flag-1"), memory.answer_in_set("documents", "flag-1"));
  EXPECT_EQ(disk.answer_in_set("own", "flag-0"), memory.answer_in_set("own", "flag-0"));
  // Its texts stay where they are.
  EXPECT_EQ(disk.budget.used_bytes(MemoryPart::kVendorBytes), 0U);
  EXPECT_GT(memory.budget.used_bytes(MemoryPart::kVendorBytes), 3000U * 190U);
  EXPECT_EQ(disk.home.files.open_count(), 1U);
}

TEST(DocumentSpoolTest, WaitsForTheDiskWithoutBlocking) {
  Spooled spooled;
  spooled.add("a", "1");
  spooled.add("b", "2");
  bool warm = false;
  EnvironmentFixture f;
  const auto intake = f.environment->begin(1, spooled.update(&warm));
  EXPECT_EQ(intake->step(100), Intake::Progress::kDisk);
  EXPECT_EQ(intake->wanted_from_disk().offset, 0U);
  EXPECT_EQ(intake->wanted_from_disk().bytes, spooled.bytes.size());
  EXPECT_EQ(intake->step(100), Intake::Progress::kDisk);
  warm = true;
  EXPECT_EQ(intake->step(100), Intake::Progress::kReady);
  EXPECT_TRUE(std::holds_alternative<Accepted>(intake->finish()));
  EXPECT_EQ(f.answer("a") + f.answer("b"), "12");
}

TEST(DocumentSpoolTest, WhatTheDiskCouldNotTakeIsRefusedWithItsReason) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "old")}));
  Spooled spooled;
  spooled.add("a", "new");
  evaluation::Update update = spooled.update();
  spooled.document->spool->problem = {.message = "write: No space left on device"};
  const Refused refused = f.refuse(1, std::move(update));
  EXPECT_EQ(refused.kind, Refused::Kind::kOverMemory);
  EXPECT_NE(refused.message.find("No space left"), std::string::npos) << refused.message;
  EXPECT_EQ(f.answer("a"), "old");

  Spooled cut;
  cut.add("a", "new");
  evaluation::Update half = cut.update();
  cut.document->bytes += 100;
  EXPECT_EQ(f.refuse(1, std::move(half)).kind, Refused::Kind::kMalformed);
  EXPECT_EQ(f.answer("a"), "old");
  EXPECT_EQ(f.home.files.open_count(), 1U) << "let go, to be closed with the next batch";
  {
    const Retired batch = f.home.retired.take();
  }
  EXPECT_EQ(f.home.files.open_count(), 0U);
}

}  // namespace
}  // namespace flagstone::cache
