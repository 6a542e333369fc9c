// Texts that are not in memory: what is served is late at worst, and never without some flag.
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <utility>
#include <vector>

#include "sidecar/api/launchdarkly_sdk.h"
#include "sidecar/api/launchdarkly_sdk_evalx.h"
#include "sidecar/api/ofrep.h"
#include "tests/sidecar/api/launchdarkly_bench.h"
#include "tests/sidecar/api/sdk_store.h"

namespace flagstone::sidecar {
namespace {

// What was brought is in memory from then on.
struct Disk {
  std::string bytes;
  std::set<std::uint64_t> in_memory;
  std::uint64_t in_memory_until = 0;  // The offset.
  bool all_in_memory = false;
  bool damaged = false;
  std::size_t brought = 0;
};

class DiskFile final : public cache::ReadableFile {
 public:
  explicit DiskFile(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}
  cache::ReadOutcome read(std::span<char> to, std::uint64_t offset) const override {
    if (disk_->damaged) return cache::ReadOutcome::kFailed;
    disk_->bytes.copy(to.data(), to.size(), offset);
    return cache::ReadOutcome::kDone;
  }
  cache::ReadOutcome read_at_once(std::span<char> to, std::uint64_t offset) const override {
    const bool is_in_memory = disk_->all_in_memory || offset < disk_->in_memory_until ||
                              disk_->in_memory.contains(offset);
    return is_in_memory ? read(to, offset) : cache::ReadOutcome::kWouldWait;
  }

 private:
  std::shared_ptr<Disk> disk_;
};

class LaunchDarklySdkDiskTest : public ::testing::Test {
 protected:
  LaunchDarklySdkDiskTest() {
    bench.desk().late.set_bring([this](cache::TextPlace place, LateAnswers::Done done) {
      disk->in_memory.insert(place.offset());
      ++disk->brought;
      auto kept = std::make_shared<LateAnswers::Done>(std::move(done));
      EXPECT_TRUE(bench.loop.post([kept] { (*kept)(); }));
    });
    bench.serve<LaunchDarklySdk>(std::uint64_t{7});
    bench.serve<LaunchDarklySdkEvalx>();
    bench.serve<Ofrep>();
    bench.take({flag_record("a", 1, "1"), flag_record("b", 1, "2"), segment_record("s", 1, "u")});
  }

  // More than goes into a few slices.
  void take_many() {
    bench.desk().settings.bulk_slice = std::chrono::hours(1);
    bench.take(flag_records(1500, 600));
  }
  // As the state's write does it.
  void move_texts() {
    const std::uint32_t file = *bench.home().files.add(std::make_unique<DiskFile>(disk));
    cache::Snapshot::Walk walk;
    while (const cache::Entry* record = bench.snapshot().next_record(walk)) {
      const cache::TextPlace now = record->text();
      if (!now.is_in_memory()) continue;
      const auto place = cache::TextPlace::in_file(file, disk->bytes.size(), now.bytes());
      disk->bytes += now.text();
      record->move_text(*place);
      if (record->compiled() != nullptr) record->demote();
    }
    const cache::Retired batch = bench.home().retired.take();
  }
  static SdkStore store_of(const std::string& events) {
    SdkStore store;
    for (const SseEvent& event : sse_events(events)) store.apply(event);
    return store;
  }

  std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  LaunchDarklyBench bench;
};

TEST_F(LaunchDarklySdkDiskTest, EveryAnswerWaitsForItsTexts) {
  move_texts();
  auto stream = bench.get("/all").stream;
  EXPECT_TRUE(stream->sent.empty());
  bench.turn_until([&] { return !stream->sent.empty(); });
  EXPECT_EQ(store_of(stream->all()).objects_held().size(), 3u);
  EXPECT_EQ(disk->brought, 3u);
  disk->in_memory.clear();
  auto document = bench.get("/sdk/latest-all");
  EXPECT_EQ(document.status, 200);
  const std::string text = bench.text_of(document);
  EXPECT_NE(text.find(ld_flag("a", 1, "1")), std::string::npos);
  EXPECT_NE(text.find(ld_flag("b", 1, "2")), std::string::npos);
  EXPECT_NE(text.find(ld_segment("s", 1, "u")), std::string::npos);
  disk->in_memory.clear();
  auto evaluated = bench.get("/sdk/evalx/users/eyJrZXkiOiJ1In0");
  const std::string values = bench.text_of(evaluated);
  EXPECT_NE(values.find(R"("a":{"value":1,)"), std::string::npos) << values;
  EXPECT_NE(values.find(R"("b":{"value":2,)"), std::string::npos) << values;
}

TEST_F(LaunchDarklySdkDiskTest, ChangesWaitForTheirTexts) {
  auto stream = bench.get("/all").stream;
  stream->sent.clear();
  stream->refusing = true;
  SdkStore store;
  store.apply_poll(bench.get("/sdk/poll").text);
  // The first change is refused by a slow reader, so of the second nothing is written yet.
  bench.change({flag_record("a", 2, "2")});
  bench.change({flag_record("a", 3, "3")});
  move_texts();
  stream->stream->drain();
  EXPECT_TRUE(stream->sent.empty());
  bench.turn_until([&] { return !stream->sent.empty(); });
  EXPECT_EQ(stream->all(), "event: patch\ndata: {\"path\":\"/flags/a\",\"data\":" +
                               ld_flag("a", 3, "3") + "}\n\n");
  disk->in_memory.clear();
  auto poll = bench.get("/sdk/poll?basis=" + store.basis);
  ASSERT_NE(poll.deferred, nullptr);
}

TEST_F(LaunchDarklySdkDiskTest, WhatCannotBeReadIsNotLeftOut) {
  move_texts();
  disk->damaged = true;
  auto stream = bench.get("/all").stream;
  auto document = bench.get("/sdk/latest-all");
  bench.turn(20);
  EXPECT_TRUE(stream->sent.empty());
  EXPECT_TRUE(stream->open) << "it waits";
  EXPECT_EQ(document.status == 503 || document.stream != nullptr, true);
  if (document.stream != nullptr) {
    EXPECT_FALSE(document.stream->open);
    simdjson::dom::parser parser;
    const std::string text = document.text + document.stream->all();
    EXPECT_NE(parser.parse(text).error(), simdjson::SUCCESS) << "nobody takes it for the whole";
  }
  // What is in memory but damaged is refused at once.
  for (std::uint64_t offset = 0; offset < disk->bytes.size(); ++offset) {
    disk->in_memory.insert(offset);
  }
  EXPECT_EQ(bench.get("/sdk/latest-all").status, 503);
  EXPECT_EQ(bench.get("/sdk/flags/a").status, 503);
  EXPECT_EQ(bench.get("/sdk/evalx/users/eyJrZXkiOiJ1In0").status, 503);
  disk->damaged = false;
  bench.turn_until([&] { return !stream->sent.empty(); }, 100'000'000);
  EXPECT_EQ(store_of(stream->all()).objects_held().size(), 3u) << "it was tried again";
}

TEST_F(LaunchDarklySdkDiskTest, WhatBreaksOffIsNotTakenForTheWhole) {
  take_many();
  move_texts();
  disk->all_in_memory = true;
  bench.desk().budget = &bench.budget();
  bench.budget().set_limit_bytes(1);
  auto document = bench.get("/sdk/latest-all");
  auto events = bench.get("/all").stream;
  ASSERT_NE(document.stream, nullptr) << "longer than a slice";
  EXPECT_FALSE(document.header("ETag").empty());
  bench.turn(3);
  EXPECT_FALSE(events->sent.empty());
  disk->damaged = true;
  bench.turn(20);
  EXPECT_TRUE(document.stream->aborted);
  EXPECT_TRUE(events->aborted);
  EXPECT_EQ(bench.desk().counters.sdk_streams.read(), 0u);
}

TEST_F(LaunchDarklySdkDiskTest, AtAStopAnswersGoOnAndAPutThatIsNotWholeHasNoProperEnd) {
  take_many();
  bench.desk().budget = &bench.budget();
  bench.budget().set_limit_bytes(1);
  auto document = bench.get("/sdk/latest-all");
  auto evaluated = bench.post_bulk();
  auto events = bench.get("/all").stream;
  ASSERT_NE(document.stream, nullptr);
  ASSERT_NE(evaluated.stream, nullptr);
  EXPECT_TRUE(document.stream->finite) << "so that a drain waits for it";
  EXPECT_TRUE(evaluated.stream->finite);
  EXPECT_FALSE(events->finite);
  bench.turn(1);
  EXPECT_FALSE(events->sent.empty());
  bench.stop();
  EXPECT_TRUE(events->aborted);
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(bench.text_of(document)).error(), simdjson::SUCCESS);
  EXPECT_EQ(parser.parse(bench.text_of(evaluated)).error(), simdjson::SUCCESS);
  EXPECT_TRUE(document.stream->closed_by_api);
  EXPECT_TRUE(evaluated.stream->closed_by_api);
}

TEST_F(LaunchDarklySdkDiskTest, ADiskThatHangsEndsAnswersAndNoStreams) {
  move_texts();
  std::vector<LateAnswers::Done> asked;
  bench.desk().late.set_bring(
      [&](cache::TextPlace, LateAnswers::Done done) { asked.push_back(std::move(done)); });
  auto events = bench.get("/all").stream;
  auto evaluated = bench.post_bulk();
  std::vector<net::RecordingResponse> documents;
  for (std::size_t i = 0; i < SlicedAnswers::kUnderWayMax; ++i) {
    documents.push_back(bench.get("/sdk/latest-all"));
    ASSERT_NE(documents.back().stream, nullptr);
  }
  EXPECT_EQ(bench.get("/sdk/latest-all").status, 503);
  bench.turn_slowly_until([&] { return !documents.back().stream->open; });
  for (const net::RecordingResponse& document : documents) {
    EXPECT_TRUE(document.stream->aborted);
  }
  ASSERT_NE(evaluated.stream, nullptr);
  bench.turn_slowly_until([&] { return !evaluated.stream->open; });
  EXPECT_TRUE(evaluated.stream->aborted);
  EXPECT_TRUE(events->open);
  EXPECT_EQ(bench.get("/sdk/latest-all").status, 200) << "there is room again";
  // What it brings at last is for those who wait by then.
  disk->all_in_memory = true;
  for (LateAnswers::Done& done : std::exchange(asked, {})) done();
  bench.turn_slowly_until([&] { return !events->sent.empty(); });
  EXPECT_EQ(store_of(events->all()).objects_held().size(), 3u);
}

TEST_F(LaunchDarklySdkDiskTest, AWaitThatIsOverEndsNoAnswerThatHasGoneOnSince) {
  take_many();
  move_texts();
  std::vector<LateAnswers::Done> asked;
  bench.desk().late.set_bring(
      [&](cache::TextPlace, LateAnswers::Done done) { asked.push_back(std::move(done)); });
  bench.turn();  // The loop's clock stood still meanwhile.
  auto for_its_reader = bench.get("/sdk/latest-all");
  auto for_the_disk = bench.get("/sdk/latest-all");
  // Who asks after them hears after them.
  bool is_over = false;
  const auto place = cache::TextPlace::in_file(0, 0, 1);
  bench.desk().late.bring(std::span(&*place, 1), [&](bool in_time) { is_over = !in_time; });
  const std::int64_t later_ms = bench.loop.now_ms() + LateAnswers::kWaitMsMax / 2;
  bench.turn_slowly_until([&] { return bench.loop.now_ms() >= later_ms; });
  ASSERT_TRUE(for_its_reader.stream->open && for_the_disk.stream->open);
  ASSERT_TRUE(for_its_reader.stream->sent.empty() && for_the_disk.stream->sent.empty());

  // One comes to where it has to wait for the disk again.
  disk->in_memory_until = disk->bytes.size() / 4;
  const std::size_t asked_before = asked.size();
  for_the_disk.stream->stream->drain();
  bench.turn_until([&] { return asked.size() > asked_before; }, 100);
  EXPECT_FALSE(for_the_disk.stream->sent.empty());
  ASSERT_GT(asked.size(), asked_before);
  // The other needs it no more, and has a slow reader.
  disk->all_in_memory = true;
  for_its_reader.stream->stream->drain();
  for_its_reader.stream->refusing = true;
  bench.turn();
  EXPECT_EQ(for_its_reader.stream->sent.size(), 1u);

  bench.turn_slowly_until([&] { return is_over; });
  ASSERT_TRUE(for_its_reader.stream->open);
  ASSERT_TRUE(for_the_disk.stream->open);
  for_its_reader.stream->stream->drain();
  for (LateAnswers::Done& done : std::exchange(asked, {})) done();
  for (net::RecordingResponse* document : {&for_its_reader, &for_the_disk}) {
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(bench.text_of(*document)).error(), simdjson::SUCCESS);
    EXPECT_TRUE(document->stream->closed_by_api);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
