// A spool on a disk in memory, and who receives what it sends. For tests.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/arena.h"
#include "evaluation/json_reader.h"
#include "net/gzip.h"
#include "tests/fakes/cache/fake_file_system.h"
#include "upstream/launchdarkly_event_spool.h"

namespace flagstone::upstream::launchdarkly {

inline constexpr std::uint64_t kMiB = std::uint64_t{1024} * 1024;
inline constexpr const char* kFolder = "/state";

class TestFolder final : public EventFolder {
 public:
  cache::FileSystem& files() override { return disk; }
  std::string path() override { return is_there ? kFolder : ""; }
  bool make_room(std::uint64_t) override { return has_room; }
  void set_bytes(std::uint64_t now) override { bytes = now; }
  bool was_thinned_out() override { return std::exchange(is_thinned_out, false); }

  fakes::FakeFileSystem disk;
  bool is_there = true;
  bool has_room = true;
  bool is_thinned_out = false;
  std::uint64_t bytes = 0;
};

// LaunchDarkly, as far as it matters here: a payload whose id it knows is not counted again.
struct Receiver {
  std::set<std::string> ids;
  std::uint64_t summed = 0;
  std::map<std::int64_t, int> custom;  // By their `n`.
  int payloads = 0;

  void take(const OutgoingBatch& batch) {
    EXPECT_EQ(batch.head.payload_id.size(), 36U);
    ++payloads;
    if (!ids.insert(batch.head.payload_id).second) return;
    std::string text;
    ASSERT_EQ(net::Gunzip().run(batch.payload, 8 * kMiB, text), net::Gunzip::Result::kDone);
    evaluation::JsonReader reader(64);
    evaluation::Arena arena;
    const auto list = reader.read(text, arena);
    ASSERT_TRUE(list) << text;
    for (const evaluation::Value& event : list->items()) {
      if (const auto* n = event.member("n")) ++custom[n->as_int()];
      const auto* features = event.member("features");
      if (features == nullptr) continue;
      for (const evaluation::Value& counter : features->member("f")->member("counters")->items()) {
        summed += static_cast<std::uint64_t>(counter.member("count")->as_int());
      }
    }
  }
};

inline std::string body_of(int n) {
  return R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"f":{"default":0,"counters":[)"
         R"({"variation":0,"version":1,"value":1,"count":)" +
         std::to_string(n + 1) + R"(}]}}},{"kind":"custom","n":)" + std::to_string(n) + "}]";
}

inline SpoolPost post_of(int n) {
  return {.kind = PayloadKind::kEvents,
          .group = {.source = 0, .schema = "4", .tags = n % 5 == 4 ? "b" : "a"},
          .payload_id = "app-" + std::to_string(n),
          .body = body_of(n)};
}

struct Bench {
  Bench() {
    (void)folder.disk.make_folder(kFolder);
    (void)folder.disk.sync_folder("/");
  }
  // A new process.
  void start() {
    spool.reset();
    spool = std::make_unique<EventSpool>(folder, options());
    spool->open(0);
  }
  SpoolOptions options() {
    return {.limit_bytes = limit_bytes,
            .memory_bytes = memory_bytes,
            .batch_bytes = batch_bytes,
            .fresh_id = [this] {
              std::string id(kLogIdBytes, '\0');
              for (char& c : id) c = static_cast<char>(random());
              return id;
            }};
  }
  void takes(int n) { EXPECT_EQ(spool->take(post_of(n), 0), PostResult::kTaken) << n; }
  void takes_all(int posts) {
    for (int n = 0; n < posts; ++n) takes(n);
  }
  // A batch of its own.
  void takes_and_seals(int n) {
    takes(n);
    spool->seal();
  }
  std::uint64_t dropped(DropReason reason) const {
    return spool->facts().dropped[static_cast<std::size_t>(reason)];
  }
  // What no compression makes small, as a third event of the post.
  SpoolPost noisy_post_of(int n, int bytes) {
    SpoolPost post = post_of(n);
    std::string noise;
    for (int i = 0; i < bytes; ++i) noise += static_cast<char>('a' + random() % 26);
    post.body.insert(post.body.size() - 1, R"(,{"kind":"debug","noise":")" + noise + "\"}");
    return post;
  }
  bool send_one() {
    const auto batch = spool->next();
    if (!batch) return false;
    receiver.take(*batch);
    spool->settle(*batch, BatchOutcome::kSent);
    return true;
  }
  void send_all() {
    spool->seal();
    while (send_one()) {
    }
  }
  std::size_t files_with(std::string_view suffix) const {
    std::size_t count = 0;
    for (const std::string& name : folder.disk.files()) count += name.ends_with(suffix);
    return count;
  }
  std::uint64_t bytes_on_disk() {
    std::uint64_t sum = 0;
    for (const std::string& name : folder.disk.files()) sum += folder.disk.contents(name).size();
    return sum;
  }
  // A log may have nothing but the ids of payloads in it.
  std::size_t files_with_events() {
    std::size_t count = 0;
    for (const std::string& name : folder.disk.files()) {
      LogReader log(folder.disk.contents(name));
      bool only_ids = log.header().has_value();
      while (const auto record = log.next()) {
        only_ids = only_ids && record->type == LogRecord::Type::kKnownPayload;
      }
      count += !only_ids;
    }
    return count;
  }

  std::uint64_t limit_bytes = 64 * kMiB;
  std::uint64_t memory_bytes = 4 * kMiB;
  std::uint64_t batch_bytes = 512 * 1024;
  std::mt19937 random{5};
  TestFolder folder;
  Receiver receiver;
  std::unique_ptr<EventSpool> spool;
};

// From its next calls on, so many of them aside, the disk does nothing; or fails that one alone.
class Fault {
 public:
  Fault(Bench& bench, std::size_t calls, int error = EIO, bool once = false)
      : disk_(bench.folder.disk), last_good_call_(disk_.changing_calls() + calls) {
    disk_.fail_from(calls, error, once);
  }
  bool has_struck() const { return disk_.changing_calls() > last_good_call_; }

 private:
  fakes::FakeFileSystem& disk_;
  std::size_t last_good_call_;
};

// The scene with a fault at its first call to the disk, its second, and so on, until it is played
// without one: it says whether its fault struck.
inline void at_each_call(const std::function<bool(std::size_t call)>& scene) {
  bool has_struck = true;
  for (std::size_t call = 0; has_struck; ++call) {
    has_struck = scene(call);
    ASSERT_FALSE(testing::Test::HasFailure()) << "at call " << call;
    ASSERT_LT(call, 1000U);
  }
}

inline void expect_all(const Receiver& receiver, int posts) {
  std::uint64_t sum = 0;
  for (int n = 0; n < posts; ++n) {
    sum += static_cast<std::uint64_t>(n) + 1;
    const auto found = receiver.custom.find(n);
    EXPECT_EQ(found == receiver.custom.end() ? 0 : found->second, 1) << "event " << n;
  }
  EXPECT_EQ(receiver.summed, sum);
}

}  // namespace flagstone::upstream::launchdarkly
