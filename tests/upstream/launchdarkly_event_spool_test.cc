#include "tests/upstream/launchdarkly_spool_bench.h"

namespace flagstone::upstream::launchdarkly {
namespace {

TEST(EventSpool, MergesIntoOneBatchForEachGroup) {
  Bench bench;
  bench.start();
  bench.takes_all(10);
  EXPECT_EQ(bench.files_with(".log"), 1U);
  bench.spool->seal();
  // The next log knows what came, and no more.
  EXPECT_EQ(bench.files_with(".log"), 1U);
  EXPECT_EQ(bench.files_with(".batch"), 2U);
  EXPECT_EQ(bench.files_with_events(), 2U);
  EXPECT_EQ(bench.spool->facts().batches, 2U);
  EXPECT_EQ(bench.spool->facts().disk_bytes, bench.folder.bytes);
  bench.send_all();
  EXPECT_EQ(bench.receiver.payloads, 2);
  expect_all(bench.receiver, 10);
  const SpoolFacts& facts = bench.spool->facts();
  EXPECT_EQ(facts.received, 20U);
  EXPECT_EQ(facts.merged_away, 8U);
  EXPECT_EQ(facts.sent, 12U);
  EXPECT_EQ(facts.disk_bytes, bench.folder.disk.contents("/state/2.log").size());
  EXPECT_TRUE(facts.is_empty);
  EXPECT_FALSE(facts.wants_seal);
  EXPECT_EQ(bench.files_with_events(), 0U);
  // A minute later nobody posts those again.
  EXPECT_EQ(bench.spool->take(post_of(10), EventSpool::kCarriedMs + 1), PostResult::kTaken);
  bench.spool->seal();
  const std::string& next = bench.folder.disk.contents("/state/3.log");
  EXPECT_FALSE(next.contains("app-0"));
  EXPECT_TRUE(next.contains("app-10"));
}

TEST(EventSpool, WithoutPayloadIdsNoLogIsKept) {
  Bench bench;
  bench.start();
  SpoolPost post = post_of(0);
  post.payload_id.clear();
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTaken);
  bench.send_all();
  EXPECT_EQ(bench.folder.disk.files().size(), 0U);
  EXPECT_EQ(bench.spool->facts().disk_bytes, 0U);
}

TEST(EventSpool, APayloadThatIsPostedAgainCountsOnce) {
  Bench bench;
  bench.start();
  bench.takes(0);
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
  // Well-formed, and deeper than anything that we look into.
  post = post_of(1);
  post.body =
      "[{\"kind\":\"custom\",\"data\":" + std::string(300, '[') + std::string(300, ']') + "}]";
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTooLarge);
  post.kind = PayloadKind::kDiagnostic;
  post.body =
      "{\"kind\":\"diagnostic\",\"id\":" + std::string(300, '[') + std::string(300, ']') + "}";
  EXPECT_EQ(bench.spool->take(post, 0), PostResult::kTooLarge);
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

// SDKs give them no payload id, and post them again after a lost answer.
TEST(EventSpool, ADiagnosticThatIsPostedAgainCountsOnce) {
  const auto post = [](std::string created, std::string payload_id = {}) {
    return SpoolPost{.kind = PayloadKind::kDiagnostic,
                     .group = {},
                     .payload_id = std::move(payload_id),
                     .body = R"({"kind":"diagnostic","id":{"diagnosticId":"d"},"creationDate":)" +
                             created + "}"};
  };
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.spool->take(post("1"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post("1"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->facts().received, 1U);
  bench.start();
  EXPECT_EQ(bench.spool->take(post("1"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post("2"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post("3", "the app's own"), 0), PostResult::kTaken);
  EXPECT_EQ(bench.spool->take(post("3", "the app's own"), 0), PostResult::kTaken);
  bench.start();
  EXPECT_EQ(bench.spool->take(post("2"), 0), PostResult::kTaken);
  std::vector<std::string> ids;
  while (const auto batch = bench.spool->next()) {
    ids.push_back(batch->head.payload_id);
    bench.spool->settle(*batch, BatchOutcome::kSent);
  }
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(ids[0].size(), 36U);
  EXPECT_EQ(ids[2], "the app's own");
  // It is of what the diagnostic says of itself: the next in line has the same.
  Bench other;
  other.start();
  EXPECT_EQ(other.spool->take(post("1"), 0), PostResult::kTaken);
  other.spool->seal();
  EXPECT_EQ(other.spool->next()->head.payload_id, ids[0]);
}

TEST(EventSpool, TheOldestThatWaitsIsAsOldAsWhatItIsMadeOf) {
  Bench bench;
  bench.start();
  const auto oldest = [&] { return bench.spool->facts().oldest_ms; };
  EXPECT_EQ(oldest(), std::nullopt);
  for (int n : {1, 4}) {  // Of two groups.
    ASSERT_EQ(bench.spool->take(post_of(n), n * 100), PostResult::kTaken);
    EXPECT_EQ(oldest(), 100);
  }
  bench.spool->seal();
  ASSERT_EQ(bench.spool->take(post_of(6), 600), PostResult::kTaken);
  bench.spool->shrink(1);
  EXPECT_EQ(bench.spool->facts().dropped[static_cast<std::size_t>(DropReason::kSpoolLimit)], 1U);
  EXPECT_EQ(oldest(), 100) << "its summaries";
  ASSERT_TRUE(bench.send_one());
  const auto batch = bench.spool->next();
  ASSERT_TRUE(batch);
  bench.spool->settle(*batch, BatchOutcome::kTooLarge);
  EXPECT_EQ(bench.spool->facts().batches, 2U);
  EXPECT_EQ(oldest(), 100) << "its halves";
  while (bench.send_one()) {
  }
  EXPECT_EQ(oldest(), 600) << "what is not sealed";
  bench.spool->seal();
  EXPECT_EQ(oldest(), 600);
  bench.start();
  EXPECT_EQ(oldest(), 0) << "when they were found";
  bench.send_all();
  EXPECT_EQ(oldest(), std::nullopt);
}

// Its batches count as waiting, so they have an age as well.
TEST(EventSpool, ALogThatCannotBeReadYetIsAsOldAsWhenItWasFound) {
  Bench bench;
  bench.start();
  bench.takes(0);
  bench.folder.disk.reading_fails_with = EMFILE;
  bench.start();
  const auto expect_one = [&](const char* when) {
    EXPECT_EQ(bench.spool->facts().batches, 1U) << when;
    EXPECT_EQ(bench.spool->facts().oldest_ms, 0) << when;
  };
  expect_one("found, at 0");
  EXPECT_EQ(bench.spool->take(post_of(1), 400), PostResult::kFull);
  EXPECT_FALSE(bench.spool->next());
  expect_one("looked for again, at 400");
  bench.folder.disk.reading_fails_with = 0;
  EXPECT_EQ(bench.spool->take(post_of(1), 500), PostResult::kTaken);
  const auto batch = bench.spool->next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(bench.spool->facts().oldest_ms, 0) << "what it was made into";
  bench.spool->settle(*batch, BatchOutcome::kSent);
  EXPECT_EQ(bench.spool->facts().oldest_ms, 500) << "what came since";
}

// The process is killed at each of its calls to the disk, that one done by half or not at all.
// Whoever was not told that his events are taken posts them again. At the end each event has
// arrived, once.
TEST(EventSpool, KilledAtEachCall) {
  constexpr int kPosts = 12;
  at_each_call([](std::size_t call) {
    Bench bench;
    bench.start();
    const Fault kill(bench, call);
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
    run([&] { return kill.has_struck(); });
    const bool was_killed = kill.has_struck();
    bench.folder.disk.heal();
    bench.start();
    run([] { return false; });
    bench.send_all();
    expect_all(bench.receiver, kPosts);
    EXPECT_EQ(bench.files_with_events(), 0U);
    return was_killed;
  });
}

// Likewise, and no answer left the process before it was killed: all is posted again. Twice, for
// the next process has what it knows from what the first one left.
TEST(EventSpool, KilledBeforeItsAnswersLeave) {
  constexpr int kPosts = 12;
  at_each_call([](std::size_t call) {
    Bench bench;
    bench.start();
    const Fault kill(bench, call);
    for (int n = 0; n < kPosts && !kill.has_struck(); ++n) {
      (void)bench.spool->take(post_of(n), 0);
      if (n % 4 == 3 && !kill.has_struck()) bench.spool->seal();
      if (n % 5 == 4 && !kill.has_struck()) bench.send_one();
    }
    const bool was_killed = kill.has_struck();
    bench.folder.disk.heal();
    for (int process = 0; process < 2; ++process) {
      bench.start();
      bench.takes_all(kPosts);
      bench.send_all();
    }
    expect_all(bench.receiver, kPosts);
    return was_killed;
  });
}

// The process that reads what another left is killed at each of its own calls, too.
TEST(EventSpool, KilledWhileItBegins) {
  constexpr int kPosts = 6;
  at_each_call([](std::size_t call) {
    Bench bench;
    bench.start();
    for (int n = 0; n < kPosts; ++n) {
      bench.takes(n);
      // One log is whole, of the other the batches are there and the log, which could not go.
      if (n == 2) {
        bench.folder.disk.unlinking_fails_with = EIO;
        bench.spool->seal();
        bench.folder.disk.unlinking_fails_with = 0;
      }
    }
    EXPECT_EQ(bench.files_with(".log"), 2U);
    const Fault kill(bench, call);
    bench.start();
    const bool was_killed = kill.has_struck();
    bench.folder.disk.heal();
    bench.start();
    bench.takes_all(kPosts);
    bench.send_all();
    expect_all(bench.receiver, kPosts);
    return was_killed;
  });
}

// Where the power goes, what was not sealed may be gone; nothing comes twice, and what was sealed
// arrives.
TEST(EventSpool, PowerLostAtEachCall) {
  constexpr int kPosts = 12;
  at_each_call([](std::size_t call) {
    Bench bench;
    bench.start();
    const Fault cut(bench, call);
    int sealed = 0;
    for (int n = 0; n < kPosts && !cut.has_struck(); ++n) {
      (void)bench.spool->take(post_of(n), 0);
      if (n % 4 == 3 && !cut.has_struck()) {
        bench.spool->seal();
        if (!cut.has_struck()) sealed = n + 1;
      }
      if (n % 5 == 4 && !cut.has_struck()) bench.send_one();
    }
    const bool was_cut = cut.has_struck();
    bench.folder.disk.heal();
    bench.folder.disk.lose_power(call);
    bench.start();
    bench.send_all();
    for (const auto& [n, times] : bench.receiver.custom) EXPECT_EQ(times, 1) << n;
    for (int n = 0; n < sealed; ++n) EXPECT_EQ(bench.receiver.custom[n], 1) << n;
    return was_cut;
  });
}

// A disk that fails once, at each of its calls: the process lives on, and nothing acknowledged is
// lost or doubled.
TEST(EventSpool, TheDiskFailsOnce) {
  constexpr int kPosts = 12;
  at_each_call([](std::size_t call) {
    Bench bench;
    bench.start();
    const Fault failure(bench, call, ENOSPC, true);
    for (int n = 0; n < kPosts; ++n) {
      if (bench.spool->take(post_of(n), 0) != PostResult::kTaken) bench.takes(n);
      if (n % 4 == 3) bench.spool->seal();
      if (n % 5 == 4) bench.send_one();
      if (n == 9) bench.start();
    }
    const bool has_failed = failure.has_struck();
    bench.folder.disk.heal();
    bench.send_all();
    bench.start();
    bench.send_all();
    expect_all(bench.receiver, kPosts);
    return has_failed;
  });
}

TEST(EventSpool, AFullDiskTakesNothingAndSendsWhatItHas) {
  Bench bench;
  bench.start();
  bench.takes(0);
  bench.folder.disk.fail_from(0, ENOSPC);
  EXPECT_EQ(bench.spool->take(post_of(1), 0), PostResult::kFull);
  EXPECT_NE(bench.spool->facts().problem, "");
  SpoolPost own = post_of(2);
  own.is_own = true;
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTaken);
  bench.send_all();
  EXPECT_EQ(bench.receiver.custom.size(), 2U);
  bench.folder.disk.heal();
  bench.takes(1);
  bench.send_all();
  expect_all(bench.receiver, 3);
  EXPECT_EQ(bench.spool->facts().problem, "");
}

TEST(EventSpool, OverTheLimitTheOldestEventsGoAndSummariesStay) {
  Bench bench;
  bench.limit_bytes = 256 * 1024;
  bench.start();
  std::uint64_t expected_sum = 0;
  for (int n = 0; n < 60; ++n) {
    SpoolPost post = bench.noisy_post_of(n, 9000);
    post.group.tags = "a";
    ASSERT_EQ(bench.spool->take(post, 0), PostResult::kTaken) << n;
    expected_sum += static_cast<std::uint64_t>(n) + 1;
    bench.spool->seal();
    EXPECT_LE(bench.folder.bytes, bench.limit_bytes);
  }
  const std::uint64_t dropped = bench.dropped(DropReason::kSpoolLimit);
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
  bench.takes(0);
}

// Groups whose events all were told before are nothing to seal, and not in the way of others.
TEST(EventSpool, ASealLeavesNothingThatWantsOne) {
  Bench bench;
  bench.folder.is_there = false;
  bench.start();
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t n = 0; n < OpenBatches::kGroupsMax; ++n) {
      EXPECT_FALSE(bench.spool->facts().wants_seal) << round << '/' << n;
      const EventGroup group{.source = 0, .schema = "4", .tags = std::to_string(n)};
      bench.spool->take({.kind = PayloadKind::kEvents,
                         .group = group,
                         .payload_id = {},
                         .body = R"([{"kind":"index","context":{"kind":"user","key":"k"}}])"},
                        0);
    }
    EXPECT_TRUE(bench.spool->facts().wants_seal);
    bench.spool->seal();
    EXPECT_FALSE(bench.spool->facts().wants_seal);
  }
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
  bench.takes_and_seals(1);
  TestFolder& folder = bench.folder;
  folder.is_there = true;
  {
    EventSpool other(folder, bench.options());
    other.open(0);
    EXPECT_EQ(other.take(post_of(2), 0), PostResult::kTaken);
    EXPECT_EQ(other.take(post_of(3), 0), PostResult::kTaken);
  }
  bench.takes(4);
  bench.send_all();
  expect_all(bench.receiver, 5);
}

}  // namespace
}  // namespace flagstone::upstream::launchdarkly
