// Random histories of an environment, heard by readers who fall behind at random: what an SDK's
// store makes of it must be what the environment is.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "sidecar/api/launchdarkly_sdk.h"
#include "tests/sidecar/api/launchdarkly_bench.h"
#include "tests/sidecar/api/sdk_store.h"

namespace flagstone::sidecar {
namespace {

using Stream = std::shared_ptr<net::RecordingEventStream::Record>;

SdkObjects served_by(const cache::Snapshot& snapshot, bool flags_only = false) {
  SdkObjects objects;
  simdjson::dom::parser parser;
  const cache::RecordReader reader(cache::RecordReader::Patience::kDisk);
  cache::Snapshot::Walk walk;
  while (const cache::Entry* record = snapshot.next_record(walk)) {
    const bool is_flag = record->kind() == evaluation::kFlagKind;
    if (record->answering() == nullptr || (flags_only && !is_flag)) continue;
    std::string text;
    EXPECT_TRUE(reader.append_text_of(*record->answering(), text));
    objects[{is_flag ? "flag" : "segment", std::string(record->key())}] =
        minified(parser.parse(text));
  }
  return objects;
}

// Reads a stream, and remembers how far.
class Reader {
 public:
  Reader(Stream stream, bool is_v2) : stream_(std::move(stream)), is_v2_(is_v2) {}

  void read() {
    for (const SseEvent& event : sse_events(stream_->all())) {
      is_v2_ ? store.apply_v2(event) : store.apply(event);
    }
    stream_->sent.clear();
    // What was read is let go of.
    if (!stream_->refusing) stream_->shared.clear();
  }
  void refuse() { stream_->refusing = true; }
  void catch_up() {
    if (stream_->refusing && open()) stream_->stream->drain();
  }
  bool open() const { return stream_->open; }

  SdkStore store = {};

 private:
  Stream stream_;
  bool is_v2_;
};

class History {
 public:
  explicit History(unsigned seed) : chance_(seed), bench_(1, 2) {
    bench_.serve<LaunchDarklySdk>(std::uint64_t{7});
    bench_.take({flag_record("f0", 1, "0"), segment_record("s0", 1, "u")});
    for (int i = 0; i < 3; ++i) connect();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      bench_.turn(2);
      if (pick(4) == 0) move_readers();
      if (pick(10) == 0) check();
      if (::testing::Test::HasFailure()) return;
    }
    check();
    for (Reader& reader : readers_) EXPECT_EQ(reader.store.ignored, 0u);
    EXPECT_GT(patches(), 0u);
  }

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(chance_() % below); }
  std::string key(char kind) { return kind + std::to_string(pick(6)); }
  evaluation::Record record(std::int64_t version) {
    const std::string value = std::to_string(pick(3));
    return pick(3) == 0 ? segment_record(key('s'), version, value)
                        : flag_record(key('f'), version, value);
  }

  void step() {
    const std::size_t source = pick(4) == 0 ? 1 : 0;
    switch (pick(10)) {
      case 0: {  // A new document, whose versions may be anything.
        std::vector<evaluation::Record> records;
        for (unsigned i = pick(5); i > 0; --i) records.push_back(record(1 + pick(8)));
        return bench_.take(std::move(records), source);
      }
      case 1:  // Deltas whose order is the rule.
        return bench_.change({record(1 + pick(12))}, source, true);
      case 2:
        return bench_.change({deleted_record(record(1 + pick(12)))}, source, true);
      case 3:
        return bench_.pin(pick(2) == 0
                              ? std::vector<cache::Pin>{}
                              : std::vector<cache::Pin>{{.key = key('f'), .value_json = "\"p\""}});
      case 4:
        return bench_.change({deleted_record(record(++version_))}, source);
      case 5:
        return bench_.change({record(++version_), deleted_record(record(++version_))}, source);
      case 6:  // Nothing but staleness.
        bench_.stale = !bench_.stale;
        return bench_.publish();
      default:
        return bench_.change({record(++version_)}, source);
    }
  }

  void connect() {
    readers_.emplace_back(bench_.get("/all").stream, false);
    flags_readers_.emplace_back(bench_.get("/flags").stream, false);
    std::string target = "/sdk/stream";
    // Some say what they have, which may be old.
    if (!v2_readers_.empty() && pick(2) == 0) {
      Reader& before = v2_readers_[pick(static_cast<unsigned>(v2_readers_.size()))];
      before.read();
      target += "?basis=" + before.store.basis;
      v2_readers_.emplace_back(bench_.get(target).stream, true);
      return v2_readers_.back().store.take_over(before.store);
    }
    v2_readers_.emplace_back(bench_.get(target).stream, true);
  }

  void move_readers() {
    for (auto* readers : {&readers_, &flags_readers_, &v2_readers_}) {
      for (Reader& reader : *readers) {
        if (pick(3) == 0) reader.refuse();
        if (pick(3) == 0) reader.catch_up();
        reader.read();
        if (reader.open()) continue;
        // Too slow for so many bodies: sent away, it comes again.
        const std::string_view target = readers == &readers_         ? "/all"
                                        : readers == &flags_readers_ ? "/flags"
                                                                     : "/sdk/stream";
        reader = Reader(bench_.get(target).stream, readers == &v2_readers_);
      }
    }
    if (pick(4) == 0) connect();
    if (pick(3) == 0) poll();
  }

  void poll() {
    std::string target = "/sdk/poll";
    if (!poller_.basis.empty()) target += "?basis=" + poller_.basis;
    auto answer = bench_.get(target);
    ASSERT_EQ(answer.status, 200);
    poller_.apply_poll(bench_.text_of(answer));
    EXPECT_EQ(poller_.objects_held(), served_by(bench_.snapshot()));
  }

  void check() {
    for (auto* readers : {&readers_, &flags_readers_, &v2_readers_}) {
      for (Reader& reader : *readers) reader.catch_up();
    }
    bench_.turn(3);
    const SdkObjects all = served_by(bench_.snapshot());
    const SdkObjects flags = served_by(bench_.snapshot(), true);
    for (auto* readers : {&readers_, &flags_readers_, &v2_readers_}) {
      for (Reader& reader : *readers) {
        reader.read();
        if (!reader.open()) continue;
        EXPECT_EQ(reader.store.objects_held(), readers == &flags_readers_ ? flags : all);
      }
    }
    poll();
  }

  std::size_t patches() const {
    std::size_t sum = 0;
    for (const Reader& reader : readers_) sum += reader.store.patches;
    return sum;
  }

  std::mt19937 chance_;
  LaunchDarklyBench bench_;
  std::deque<Reader> readers_;
  std::deque<Reader> flags_readers_;
  std::deque<Reader> v2_readers_;
  SdkStore poller_;
  std::int64_t version_ = 20;
};

TEST(LaunchDarklySdkRandom, StoresAreWhatTheEnvironmentIs) {
  for (unsigned seed = 1; seed <= 25 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    History(seed).run(200);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
