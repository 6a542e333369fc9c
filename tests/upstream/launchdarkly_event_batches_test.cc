// What becomes of sealed batches: halved, refused, unreadable, taken away.
#include "tests/upstream/launchdarkly_spool_bench.h"

namespace flagstone::upstream::launchdarkly {
namespace {

TEST(EventSpool, TooLargeIsHalvedUntilItFits) {
  Bench bench;
  bench.start();
  bench.takes_all(8);
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
  EXPECT_EQ(bench.dropped(DropReason::kTooLarge), 0U);
  // What cannot be halved goes.
  bench.spool->take({.group = {}, .payload_id = {}, .body = R"([{"kind":"custom"}])"}, 0);
  bench.spool->seal();
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
  EXPECT_EQ(bench.dropped(DropReason::kTooLarge), 1U);
  EXPECT_FALSE(bench.spool->next());
}

TEST(EventSpool, RefusedIsHalvedAndThenDroppedAndCounted) {
  Bench bench;
  bench.start();
  bench.takes_and_seals(0);
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  EXPECT_EQ(bench.spool->facts().batches, 2U);
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  bench.spool->settle(*bench.spool->next(), BatchOutcome::kRefused);
  EXPECT_EQ(bench.dropped(DropReason::kRefused), 2U);
  EXPECT_EQ(bench.files_with_events(), 0U);
}

TEST(EventSpool, DamagedFilesCostThemselvesAlone) {
  Bench bench;
  bench.start();
  bench.takes_and_seals(0);
  bench.takes_and_seals(1);
  bench.takes(2);
  bench.takes(3);
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
  EXPECT_EQ(bench.files_with_events(), 0U);
}

// No descriptors, no memory, a disk that does not answer: that says nothing about the files.
TEST(EventSpool, WhatCannotBeReadNowIsReadLater) {
  Bench bench;
  bench.start();
  for (int n = 0; n < 10; ++n) {
    bench.takes(n);
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
  bench.takes(10);
  bench.send_all();
  expect_all(bench.receiver, 11);
  const SpoolFacts& facts = bench.spool->facts();
  for (const std::uint64_t dropped : facts.dropped) EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(facts.batches, 0U);
  EXPECT_EQ(bench.files_with_events(), 0U);
}

TEST(EventSpool, AFolderThatCannotBeLookedIntoIsLeftAlone) {
  Bench bench;
  bench.start();
  bench.takes(0);
  bench.folder.disk.listing_fails_with = EMFILE;
  bench.start();
  bench.takes(1);
  bench.folder.disk.listing_fails_with = 0;
  bench.takes(2);
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
  bench.takes(0);
  EXPECT_EQ(bench.folder.disk.contents("/state/1.log"), "somebody's");
}

// The disk takes neither half, and the process is killed before both are sent.
TEST(EventSpool, AWholeStaysUntilItsHalvesAreSafe) {
  for (const int sent : {0, 1, 2, 3}) {
    Bench bench;
    bench.start();
    bench.takes_all(4);
    bench.spool->seal();
    bench.folder.disk.fail_from(0, ENOSPC);
    bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    bench.folder.disk.heal();
    EXPECT_EQ(bench.spool->facts().batches, 3U);
    for (int i = 0; i < sent; ++i) EXPECT_TRUE(bench.send_one());
    EXPECT_EQ(bench.files_with(".batch"), sent == 3 ? 0U : 1U);
    EXPECT_EQ(bench.files_with_events() == 0, sent == 3);
    EXPECT_EQ(bench.spool->facts().disk_bytes, bench.bytes_on_disk());
    bench.start();
    // The receiver knows the ids of what it has: the whole is halved as it was.
    for (int i = 0; i < 2 && sent < 3; ++i) {
      bench.spool->settle(*bench.spool->next(), BatchOutcome::kTooLarge);
    }
    bench.send_all();
    expect_all(bench.receiver, 4);
    EXPECT_EQ(bench.files_with_events(), 0U);
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
  own.body = nested(evaluation::kJsonDepthMax);
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTaken);
  own.body = nested(evaluation::kJsonDepthMax * 2);
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTooLarge);
  own.body = std::string(EventSpool::kBodyBytesMax + 1, ' ');
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kTooLarge);
  own.body = "[{]";
  EXPECT_EQ(bench.spool->take(own, 0), PostResult::kMalformed);
  const SpoolFacts& facts = bench.spool->facts();
  EXPECT_EQ(facts.received, 1U);
  EXPECT_EQ(facts.dropped[static_cast<std::size_t>(DropReason::kRefused)], 1U);
  EXPECT_EQ(facts.dropped[static_cast<std::size_t>(DropReason::kTooLarge)], 2U);
}

// Two processes, one after the other, that each had batches in memory before they got the folder.
TEST(EventSpool, WhatIsInMemoryTakesNoLogsPlace) {
  Bench bench;
  bench.folder.is_there = false;
  bench.start();
  bench.takes_and_seals(0);
  bench.folder.is_there = true;
  bench.takes(1);
  bench.send_one();  // 0 or 1: nothing was sent but what is in memory.
  bench.folder.is_there = false;
  bench.start();
  for (const int n : {2, 3}) {
    bench.takes_and_seals(n);
  }
  bench.folder.is_there = true;
  bench.takes(4);
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
  bench.takes_and_seals(0);
  bench.takes_and_seals(1);
  bench.folder.disk.remove(bench.folder.disk.files().front());
  bench.send_all();
  EXPECT_EQ(bench.receiver.custom.size(), 1U);
  EXPECT_EQ(bench.dropped(DropReason::kSpoolLimit), 2U);
  EXPECT_EQ(bench.spool->facts().disk_bytes, bench.bytes_on_disk());
}

// The state needs room: what can go without changing any sum goes, and no more than has to.
TEST(EventSpool, ItShrinksByWhatIsNoSummary) {
  Bench bench;
  bench.start();
  for (int n = 0; n < 6; ++n) {
    bench.spool->take(bench.noisy_post_of(n, 5000), 0);
    bench.spool->seal();
  }
  const std::uint64_t before = bench.folder.bytes;
  bench.spool->shrink(before / 4);
  EXPECT_LE(bench.folder.bytes, before - before / 4);
  EXPECT_GT(bench.folder.bytes, before / 2);
  EXPECT_EQ(bench.folder.bytes, bench.bytes_on_disk());
  bench.spool->shrink(before);
  EXPECT_LT(bench.folder.bytes, before / 4);
  EXPECT_EQ(bench.dropped(DropReason::kSpoolLimit), 12U);
  bench.send_all();
  EXPECT_EQ(bench.receiver.summed, 1U + 2 + 3 + 4 + 5 + 6);
  EXPECT_TRUE(bench.receiver.custom.empty());
}

// Else the room that was made is taken again by what is not there, and the next save makes more.
TEST(EventSpool, WhatTheStateTookAwayTakesNoRoom) {
  Bench bench;
  bench.start();
  for (const int n : {0, 1}) {
    bench.takes_and_seals(n);
  }
  const std::uint64_t before = bench.folder.bytes;
  bench.folder.disk.remove(bench.folder.disk.files().front());
  bench.folder.is_thinned_out = true;
  bench.spool->seal();
  EXPECT_LT(bench.folder.bytes, before);
  EXPECT_EQ(bench.folder.bytes, bench.bytes_on_disk());
  EXPECT_EQ(bench.spool->facts().batches, 1U);
  EXPECT_EQ(bench.dropped(DropReason::kSpoolLimit), 2U);
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
  bench.takes(1);
  EXPECT_FALSE(bench.spool->facts().wants_seal);
  EXPECT_EQ(bench.spool->facts().batches, 1U);
}

}  // namespace
}  // namespace flagstone::upstream::launchdarkly
