#include "upstream/launchdarkly_event_spool.h"

#include <gtest/gtest.h>

#include <cerrno>
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

namespace flagstone::upstream::launchdarkly {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1024} * 1024;
constexpr const char* kFolder = "/state";

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

std::string body_of(int n) {
  return R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"f":{"default":0,"counters":[)"
         R"({"variation":0,"version":1,"value":1,"count":)" +
         std::to_string(n + 1) + R"(}]}}},{"kind":"custom","n":)" + std::to_string(n) + "}]";
}

SpoolPost post_of(int n) {
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

  std::uint64_t limit_bytes = 64 * kMiB;
  std::uint64_t memory_bytes = 4 * kMiB;
  std::uint64_t batch_bytes = 512 * 1024;
  std::mt19937 random{5};
  TestFolder folder;
  Receiver receiver;
  std::unique_ptr<EventSpool> spool;
};

void expect_all(const Receiver& receiver, int posts) {
  std::uint64_t sum = 0;
  for (int n = 0; n < posts; ++n) {
    sum += static_cast<std::uint64_t>(n) + 1;
    const auto found = receiver.custom.find(n);
    EXPECT_EQ(found == receiver.custom.end() ? 0 : found->second, 1) << "event " << n;
  }
  EXPECT_EQ(receiver.summed, sum);
}

TEST(EventSpool, MergesIntoOneBatchForEachGroup) {
  Bench bench;
  bench.start();
  for (int n = 0; n < 10; ++n) {
    EXPECT_EQ(bench.spool->take(post_of(n), 0), PostResult::kTaken);
  }
  EXPECT_EQ(bench.files_with(".log"), 1U);
  bench.spool->seal();
  EXPECT_EQ(bench.files_with(".log"), 0U);
  EXPECT_EQ(bench.files_with(".batch"), 2U);
  EXPECT_EQ(bench.spool->facts().batches, 2U);
  EXPECT_EQ(bench.spool->facts().disk_bytes, bench.folder.bytes);
  bench.send_all();
  EXPECT_EQ(bench.receiver.payloads, 2);
  expect_all(bench.receiver, 10);
  const SpoolFacts& facts = bench.spool->facts();
  EXPECT_EQ(facts.received, 20U);
  EXPECT_EQ(facts.merged_away, 8U);
  EXPECT_EQ(facts.sent, 12U);
  EXPECT_EQ(facts.disk_bytes, 0U);
  EXPECT_TRUE(facts.is_empty);
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
}

TEST(EventSpool, APayloadThatIsPostedAgainCountsOnce) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post_of(0), 1000), PostResult::kTaken);
  // It does so across a restart, and when it is sealed already.
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(0), 2000), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post_of(1), 2000), PostResult::kTaken);
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(0), 3000), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 2);
}

TEST(EventSpool, Refusals) {
  Bench bench;
  bench.start();
  SpoolPost post = post_of(0);
  post.body = "[{]";
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kMalformed);
  post.body = "{}";
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kMalformed);
  post.kind = PayloadKind::kDiagnostic;
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTaken);
  post.kind = PayloadKind::kEvents;
  post.payload_id = "x";
  post.is_gzip = true;
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kMalformed);
  post.body = net::gzip(std::string(EventSpool::kBodyBytesMax + 1, ' '));
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTooLarge);
  post.body = net::gzip("[]");
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->facts().received, 1U);
}

TEST(EventSpool, DiagnosticsOfEqualProcessesAreSentOnce) {
  Bench bench;
  bench.start();
  const auto post = [](std::string body) {
    return SpoolPost{
        .kind = PayloadKind::kDiagnostic, .group = {}, .payload_id = {}, .body = std::move(body)};
  };
  const std::string init = R"({"kind":"diagnostic-init","sdk":{"name":"py"},"id":)";
  EXPECT_EQ(bench.spool->take(post(init + "1}"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post(init + "2}"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post(R"({"kind":"diagnostic"})"), 0), PostResult::kTaken);
  bench.spool->seal();
  const auto first = bench.spool->next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->head.kind, PayloadKind::kDiagnostic);
  std::string text;
  ASSERT_EQ(net::Gunzip().run(first->payload, 1000, text), net::Gunzip::Result::kDone);
  EXPECT_EQ(text, init + "1}");
  EXPECT_EQ(bench.spool->facts().batches, 2U);
}

// The process is killed at each of its calls to the disk, that one done by half or not at all.
// Whoever was not told that his events are taken posts them again. At the end each event has
// arrived, once.
TEST(EventSpool, KilledAtEachCall) {
  constexpr int kPosts = 12;
  for (std::size_t call = 0;; ++call) {
    Bench bench;
    bench.start();
    const std::size_t begin = bench.folder.disk.changing_calls();
    bench.folder.disk.fail_from(call, EIO);
    const auto is_dead = [&] { return bench.folder.disk.changing_calls() > begin + call; };
    std::set<int> acknowledged;
    const auto run = [&](const auto& dead) {
      for (int n = 0; n < kPosts; ++n) {
        if (acknowledged.contains(n)) continue;
        const bool taken = bench.spool->take(post_of(n), 0) == PostResult::kTaken;
        if (dead()) return;
        if (taken) acknowledged.insert(n);
        if (n % 4 == 3) {
          bench.spool->seal();
          if (dead()) return;
        }
        if (n % 5 == 4) bench.send_one();
        if (dead()) return;
      }
    };
    run(is_dead);
    const bool was_killed = is_dead();
    bench.folder.disk.heal();
    bench.start();
    run([] { return false; });
    bench.send_all();
    expect_all(bench.receiver, kPosts);
    EXPECT_EQ(bench.folder.disk.files().size(), 0U) << "call " << call;
    ASSERT_FALSE(HasFailure()) << "killed at call " << call;
    if (!was_killed) break;
    ASSERT_LT(call, 1000U);
  }
}

// Where the power goes, what was not sealed may be gone; nothing comes twice, and what was sealed
// arrives.
TEST(EventSpool, PowerLostAtEachCall) {
  constexpr int kPosts = 12;
  for (std::size_t call = 0;; ++call) {
    Bench bench;
    bench.start();
    const std::size_t begin = bench.folder.disk.changing_calls();
    bench.folder.disk.fail_from(call, EIO);
    const auto is_dead = [&] { return bench.folder.disk.changing_calls() > begin + call; };
    int sealed = 0;
    for (int n = 0; n < kPosts && !is_dead(); ++n) {
      (void)bench.spool->take(post_of(n), 0);
      if (n % 4 == 3 && !is_dead()) {
        bench.spool->seal();
        if (!is_dead()) sealed = n + 1;
      }
      if (n % 5 == 4 && !is_dead()) bench.send_one();
    }
    const bool was_cut = is_dead();
    bench.folder.disk.heal();
    bench.folder.disk.lose_power(call);
    bench.start();
    bench.send_all();
    for (const auto& [n, times] : bench.receiver.custom) EXPECT_EQ(times, 1) << n;
    for (int n = 0; n < sealed; ++n) EXPECT_EQ(bench.receiver.custom[n], 1) << n;
    ASSERT_FALSE(HasFailure()) << "cut at call " << call;
    if (!was_cut) break;
  }
}

// A disk that fails once, at each of its calls: the process lives on, and nothing acknowledged is
// lost or doubled.
TEST(EventSpool, TheDiskFailsOnce) {
  constexpr int kPosts = 12;
  for (std::size_t call = 0;; ++call) {
    Bench bench;
    bench.start();
    const std::size_t begin = bench.folder.disk.changing_calls();
    bench.folder.disk.fail_from(call, ENOSPC, true);
    for (int n = 0; n < kPosts; ++n) {
      if (bench.spool->take(post_of(n), 0) != PostResult::kTaken) {
        EXPECT_EQ(bench.spool->take(post_of(n), 0), PostResult::kTaken);
      }
      if (n % 4 == 3) bench.spool->seal();
      if (n % 5 == 4) bench.send_one();
      if (n == 9) bench.start();
    }
    const bool has_failed = bench.folder.disk.changing_calls() > begin + call;
    bench.folder.disk.heal();
    bench.send_all();
    bench.start();
    bench.send_all();
    expect_all(bench.receiver, kPosts);
    ASSERT_FALSE(HasFailure()) << "failed at call " << call;
    if (!has_failed) break;
  }
}

TEST(EventSpool, AFullDiskTakesNothingAndSendsWhatItHas) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kTaken);
  bench.folder.disk.fail_from(0, ENOSPC);
  EXPECT_EQ(bench.spool->take(post_of(1), 0), PostResult::kFull);
  EXPECT_NE(bench.spool->facts().problem, "");
  SpoolPost own = post_of(2);
  own.is_own = true;
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTaken);
  bench.send_all();
  EXPECT_EQ(bench.receiver.custom.size(), 2U);
  bench.folder.disk.heal();
  EXPECT_EQ(bench.spool->take(post_of(1), 0), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 3);
  EXPECT_EQ(bench.spool->facts().problem, "");
}

TEST(EventSpool, OverTheLimitTheOldestEventsGoAndSummariesStay) {
  Bench bench;
  bench.limit_bytes = 256 * 1024;
  bench.start();
  std::uint64_t expected_sum = 0;
  std::string noise;
  int n = 0;
  for (; n < 60; ++n) {
    SpoolPost post = post_of(n);
    noise.clear();
    for (int i = 0; i < 9000; ++i) noise += static_cast<char>('a' + bench.random() % 26);
    post.group.tags = "a";
    post.body.insert(post.body.size() - 1, R"(,{"kind":"debug","noise":")" + noise + "\"}");
    ASSERT_EQ(bench.spool->take(post, 0), PostResult::kTaken) << n;
    expected_sum += static_cast<std::uint64_t>(n) + 1;
    bench.spool->seal();
    EXPECT_LE(bench.folder.bytes, bench.limit_bytes);
  }
  const std::uint64_t dropped =
      bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kSpoolLimit)];
  EXPECT_GT(dropped, 0U);
  bench.start();
  bench.send_all();
  EXPECT_EQ(bench.receiver.summed, expected_sum);
  EXPECT_EQ(bench.receiver.custom.size() * 2 + dropped, 120U);
  EXPECT_FALSE(bench.receiver.custom.contains(0));
  EXPECT_TRUE(bench.receiver.custom.contains(59));
}

TEST(EventSpool, WhenNothingCanGoItIsFull) {
  Bench bench;
  bench.limit_bytes = 64 * 1024;
  bench.start();
  int taken = 0;
  for (int n = 0; n < 1000; ++n) {
    SpoolPost post = post_of(n);
    post.body = R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"f":{"counters":[)"
                R"({"count":1}]}}}])";
    if (bench.spool->take(post, 0) == PostResult::kFull) break;
    ++taken;
    bench.spool->seal();
  }
  EXPECT_GT(taken, 10);
  EXPECT_LT(taken, 1000);
  bench.send_all();
  EXPECT_EQ(bench.receiver.summed, static_cast<std::uint64_t>(taken));
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kTaken);
}

TEST(EventSpool, WithoutADiskItIsInMemoryAndBounded) {
  Bench bench;
  bench.folder.is_there = false;
  bench.memory_bytes = 100'000;
  bench.start();
  SpoolPost large = post_of(0);
  large.body.insert(1, R"({"kind":"debug","noise":")" + std::string(60'000, 'x') + "\"},");
  EXPECT_EQ(bench.spool->take(large, 0), PostResult::kTaken);
  large.payload_id = "other";
  EXPECT_EQ(bench.spool->take(large, 0), PostResult::kFull);
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
  EXPECT_GT(bench.spool->facts().memory_bytes, 60'000U);
  bench.send_all();
  expect_all(bench.receiver, 1);
  // Once there is a disk, with what another process left on it, both are used.
  bench.spool->take(post_of(1), 0);
  bench.spool->seal();
  TestFolder& folder = bench.folder;
  folder.is_there = true;
  {
    EventSpool other(folder, bench.options());
    other.open(0);
    EXPECT_EQ(other.take(post_of(2), 0), PostResult::kTaken);
    EXPECT_EQ(other.take(post_of(3), 0), PostResult::kTaken);
  }
  EXPECT_EQ(bench.spool->take(post_of(4), 0), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 5);
}

TEST(EventSpool, TooLargeIsHalvedUntilItFits) {
  Bench bench;
  bench.start();
  for (int n = 0; n < 8; ++n) bench.spool->take(post_of(n), 0);
  bench.spool->seal();
  // Upstream takes 3 events at most.
  while (const auto batch = bench.spool->next()) {
    if (batch->head.events > 3) {
      bench.spool->settle(*batch, BatchOutcome::kTooLarge);
      if (batch->head.events == 8) bench.start();
      continue;
    }
    bench.receiver.take(*batch);
    bench.spool->settle(*batch, BatchOutcome::kSent);
  }
  expect_all(bench.receiver, 8);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kTooLarge)], 0U);
  // What cannot be halved goes.
  bench.spool->take({.group = {}, .payload_id = {}, .body = R"([{"kind":"custom"}])"}, 0);
  bench.spool->seal();
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kTooLarge)], 1U);
  EXPECT_FALSE(bench.spool->next());
}

TEST(EventSpool, RefusedIsHalvedAndThenDroppedAndCounted) {
  Bench bench;
  bench.start();
  bench.spool->take(post_of(0), 0);
  bench.spool->seal();
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  EXPECT_EQ(bench.spool->facts().batches, 2U);
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kRefused)], 2U);
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
}

TEST(EventSpool, DamagedFilesCostThemselvesAlone) {
  Bench bench;
  bench.start();
  bench.spool->take(post_of(0), 0);
  bench.spool->seal();
  bench.spool->take(post_of(1), 0);
  bench.spool->seal();
  bench.spool->take(post_of(2), 0);
  bench.spool->take(post_of(3), 0);
  for (const std::string& name : bench.folder.disk.files()) {
    std::string& bytes = bench.folder.disk.contents(name);
    if (name.ends_with("1-000.batch")) bytes[bytes.size() / 2] ^= 1;
    // The last record is torn.
    if (name.ends_with(".log")) bytes.resize(bytes.size() - 10);
  }
  bench.start();
  bench.send_all();
  EXPECT_EQ(bench.receiver.custom.size(), 2U);
  EXPECT_TRUE(bench.receiver.custom.contains(1));
  EXPECT_TRUE(bench.receiver.custom.contains(2));
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
}

// No descriptors, no memory, a disk that does not answer: that says nothing about the files.
TEST(EventSpool, WhatCannotBeReadNowIsReadLater) {
  Bench bench;
  bench.start();
  for (int n = 0; n < 10; ++n) {
    bench.spool->take(post_of(n), 0);
    if (n % 3 == 2) bench.spool->seal();
  }
  bench.folder.disk.reading_fails_with = EMFILE;
  EXPECT_FALSE(bench.spool->next());
  EXPECT_EQ(bench.spool->facts().batches, 4U);
  EXPECT_NE(bench.spool->facts().problem, "");
  // Nor does it at the start, neither of batches nor of a log.
  const std::uint64_t bytes = bench.folder.bytes;
  bench.start();
  EXPECT_FALSE(bench.spool->next());
  EXPECT_EQ(bench.spool->facts().batches, 5U);
  EXPECT_EQ(bench.folder.bytes, bytes);
  bench.spool->seal();
  EXPECT_EQ(bench.spool->take(post_of(10), 0), PostResult::kFull);
  bench.folder.disk.reading_fails_with = 0;
  EXPECT_EQ(bench.spool->take(post_of(10), 0), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 11);
  const SpoolFacts& facts = bench.spool->facts();
  for (const std::uint64_t dropped : facts.dropped) EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(facts.batches, 0U);
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
}

TEST(EventSpool, AFolderThatCannotBeLookedIntoIsLeftAlone) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kTaken);
  bench.folder.disk.listing_fails_with = EMFILE;
  bench.start();
  EXPECT_EQ(bench.spool->take(post_of(1), 0), PostResult::kTaken);
  bench.folder.disk.listing_fails_with = 0;
  EXPECT_EQ(bench.spool->take(post_of(2), 0), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 3);
}

TEST(EventSpool, ALogThatIsThereIsNotEmptied) {
  Bench bench;
  bench.start();
  std::string& there = (bench.folder.disk.close(*bench.folder.disk.create("/state/1.log")),
                        bench.folder.disk.contents("/state/1.log"));
  there = "somebody's";
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kFull);
  EXPECT_EQ(bench.spool->take(post_of(0), 0), PostResult::kTaken);
  EXPECT_EQ(bench.folder.disk.contents("/state/1.log"), "somebody's");
}

// The disk takes neither half, and the process is killed before both are sent.
TEST(EventSpool, AWholeStaysUntilItsHalvesAreSafe) {
  for (const int sent : {0, 1, 2, 3}) {
    Bench bench;
    bench.start();
    for (int n = 0; n < 4; ++n) bench.spool->take(post_of(n), 0);
    bench.spool->seal();
    bench.folder.disk.fail_from(0, ENOSPC);
    bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    bench.folder.disk.heal();
    EXPECT_EQ(bench.spool->facts().batches, 3U);
    EXPECT_GT(bench.spool->facts().disk_bytes, 0U);
    for (int i = 0; i < sent; ++i) EXPECT_TRUE(bench.send_one());
    EXPECT_EQ(bench.files_with(".batch"), sent == 3 ? 0U : 1U);
    EXPECT_EQ(bench.spool->facts().disk_bytes == 0, sent == 3);
    bench.start();
    // The receiver knows the ids of what it has: the whole is halved as it was.
    for (int i = 0; i < 2 && sent < 3; ++i) {
      bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    }
    bench.send_all();
    expect_all(bench.receiver, 4);
    EXPECT_EQ(bench.folder.disk.files().size(), 0U);
  }
}

TEST(EventSpool, OurOwnThatAreNotTakenAreCounted) {
  Bench bench;
  bench.start();
  const auto nested = [](std::size_t levels) {
    return R"([{"kind":"index","context":)" + std::string(levels, '[') + std::string(levels, ']') +
           "}]";
  };
  SpoolPost own = post_of(0);
  own.payload_id.clear();
  own.is_own = true;
  // A context as deep as evaluation takes it.
  own.body = nested(evaluation::kMaxJsonDepth);
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTaken);
  own.body = nested(evaluation::kMaxJsonDepth * 2);
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kMalformed);
  own.body = std::string(EventSpool::kBodyBytesMax + 1, ' ');
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTooLarge);
  const SpoolFacts& facts = bench.spool->facts();
  EXPECT_EQ(facts.received, 1U);
  EXPECT_EQ(facts.dropped[static_cast<std::size_t>(DropReason::kRefused)], 1U);
  EXPECT_EQ(facts.dropped[static_cast<std::size_t>(DropReason::kTooLarge)], 1U);
}

// Two processes, one after the other, that each had batches in memory before they got the folder.
TEST(EventSpool, WhatIsInMemoryTakesNoLogsPlace) {
  Bench bench;
  bench.folder.is_there = false;
  bench.start();
  bench.spool->take(post_of(0), 0);
  bench.spool->seal();
  bench.folder.is_there = true;
  EXPECT_EQ(bench.spool->take(post_of(1), 0), PostResult::kTaken);
  bench.send_one();  // 0 or 1: nothing was sent but what is in memory.
  bench.folder.is_there = false;
  bench.start();
  for (const int n : {2, 3}) {
    bench.spool->take(post_of(n), 0);
    bench.spool->seal();
  }
  bench.folder.is_there = true;
  EXPECT_EQ(bench.spool->take(post_of(4), 0), PostResult::kTaken);
  bench.send_all();
  expect_all(bench.receiver, 5);
}

// At run time the first group is empty, since its context was told before; a replay does not know.
TEST(EventSpool, AReplayGivesTheSameIds) {
  Bench bench;
  bench.start();
  const auto post = [&](std::string tags, std::string body) {
    EXPECT_EQ(bench.spool->take({.kind = PayloadKind::kEvents,
                                 .group = {.source = 0, .schema = "4", .tags = std::move(tags)},
                                 .payload_id = {},
                                 .body = std::move(body)},
                                0),
              PostResult::kTaken);
  };
  const std::string index = R"([{"kind":"index","context":{"kind":"user","key":"k"}}])";
  post("a", index);
  bench.send_all();
  post("a", index);
  post("b", body_of(0));
  // The batch is in memory, and is sent; the log stays, and the process is killed.
  bench.folder.disk.fail_from(0, ENOSPC);
  bench.send_all();
  bench.folder.disk.heal();
  bench.start();
  bench.send_all();
  expect_all(bench.receiver, 1);
}

TEST(EventSpool, WhatOneSourceWasToldTheOtherWasNot) {
  Bench bench;
  bench.start();
  for (const std::uint64_t source : {0U, 1U, 0U}) {
    const EventGroup group{.source = source, .schema = "4", .tags = {}};
    bench.spool->take({.kind = PayloadKind::kEvents,
                       .group = group,
                       .payload_id = {},
                       .body = R"([{"kind":"index","context":{"kind":"user","key":"k"}}])"},
                      0);
    bench.spool->take({.kind = PayloadKind::kDiagnostic,
                       .group = group,
                       .payload_id = {},
                       .body = R"({"kind":"diagnostic-init"})"},
                      0);
  }
  bench.spool->seal();
  EXPECT_EQ(bench.spool->facts().batches, 4U);
  EXPECT_EQ(bench.spool->facts().merged_away, 2U);
}

TEST(EventSpool, WhatTheStateTookAwayIsCounted) {
  Bench bench;
  bench.start();
  bench.spool->take(post_of(0), 0);
  bench.spool->seal();
  bench.spool->take(post_of(1), 0);
  bench.spool->seal();
  bench.folder.disk.remove(bench.folder.disk.files().front());
  bench.send_all();
  EXPECT_EQ(bench.receiver.custom.size(), 1U);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kSpoolLimit)], 2U);
  EXPECT_EQ(bench.spool->facts().disk_bytes, 0U);
}

// Else the room that was made is taken again by what is not there, and the next save makes more.
TEST(EventSpool, WhatTheStateTookAwayTakesNoRoom) {
  Bench bench;
  bench.start();
  for (const int n : {0, 1}) {
    bench.spool->take(post_of(n), 0);
    bench.spool->seal();
  }
  const std::uint64_t one = bench.folder.bytes / 2;
  bench.folder.disk.remove(bench.folder.disk.files().front());
  bench.folder.is_thinned_out = true;
  bench.spool->seal();
  EXPECT_LE(bench.folder.bytes, one + 10);
  EXPECT_EQ(bench.spool->facts().batches, 1U);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kSpoolLimit)], 2U);
}

TEST(EventSpool, ALargeBatchIsSealedBeforeTheNextBody) {
  Bench bench;
  bench.batch_bytes = 1000;
  bench.start();
  SpoolPost post = post_of(0);
  post.body.insert(1, R"({"kind":"debug","noise":")" + std::string(2000, 'x') + "\"},");
  bench.spool->take(post, 0);
  EXPECT_TRUE(bench.spool->facts().wants_seal);
  EXPECT_EQ(bench.spool->facts().batches, 0U);
  bench.spool->take(post_of(1), 0);
  EXPECT_FALSE(bench.spool->facts().wants_seal);
  EXPECT_EQ(bench.spool->facts().batches, 1U);
}

}  // namespace
}  // namespace flagstone::upstream::launchdarkly
