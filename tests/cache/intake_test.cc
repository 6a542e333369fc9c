#include "cache/intake.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cache/environment_fixture.h"

namespace flagstone::cache {
namespace {

using fakes::deleted;
using fakes::delta;
using fakes::flag;
using fakes::full;
using fakes::segment;

std::vector<evaluation::Record> many(std::size_t count, std::string_view raw = "on",
                                     std::size_t from = 0) {
  std::vector<evaluation::Record> records;
  for (std::size_t i = from; i < from + count; ++i) {
    records.push_back(flag("flag-" + std::to_string(i), raw));
  }
  return records;
}

TEST(IntakeTest, StepsAreBoundedAndNothingShowsBeforeTheEnd) {
  EnvironmentFixture f;
  const auto intake = f.environment->begin(1, full(many(10)));
  using Progress = Intake::Progress;
  EXPECT_EQ(intake->step(4), Progress::kMore);
  EXPECT_EQ(f.dialect.validated_count(), 4U);
  EXPECT_EQ(intake->step(100, [&] { return f.dialect.validated_count() == 7; }), Progress::kMore);
  EXPECT_EQ(f.dialect.validated_count(), 7U);
  EXPECT_EQ(f.environment->snapshot(), nullptr);
  EXPECT_EQ(intake->step(100), Progress::kReady);
  EXPECT_EQ(f.environment->snapshot(), nullptr);
  EXPECT_TRUE(std::holds_alternative<Accepted>(intake->finish()));
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 10U);
}

TEST(IntakeTest, AbandonedIntakeLeavesNothing) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "1")}));
  const std::size_t before = f.budget.used_bytes();
  f.environment->begin(1, full(many(100)))->step(50);
  EXPECT_EQ(f.answer("a"), "1");
  EXPECT_EQ(f.budget.used_bytes(), before);
  f.accept(1, full({flag("a", "2")}));
  EXPECT_EQ(f.answer("a"), "2");
}

TEST(IntakeTest, RefusalsKeepTheOldSnapshotAndGiveMemoryBack) {
  struct Case {
    const char* name;
    evaluation::Update update;
    Refused::Kind kind;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"cut", full({flag("a", "2"), flag("b", "broken")}, "e2"), Refused::Kind::kMalformed,
       "flag \"b\": cut at byte 7"},
      {"cut segment", delta({segment("s", "broken")}), Refused::Kind::kMalformed,
       "segment \"s\": cut at byte 7"},
      {"cut metadata", full({flag("a", "2")}, "e2", "broken"), Refused::Kind::kMalformed,
       "metadata: cut at byte 7"},
      {"mostly quarantined", full({flag("a", "2"), flag("b", "refuse"), flag("c", "refuse")}),
       Refused::Kind::kMostlyQuarantined, "2 of 3 records do not compile"},
      {"too large", full({flag("a", std::string(2000, 'x'))}), Refused::Kind::kTooLarge, "bytes"},
      {"over memory", full(many(900)), Refused::Kind::kOverMemory, "memory limit"},
  };
  for (const Case& c : cases) {
    EnvironmentFixture f;
    f.environment = std::make_unique<Environment>(EnvironmentOptions{.name = "test",
                                                                     .sources = {LayerOptions{}},
                                                                     .has_bootstrap = false,
                                                                     .max_document_bytes = 1900},
                                                  f.dialect, f.home);
    f.accept(1, full({flag("a", "1")}, "e1"));
    const auto snapshot = f.environment->snapshot();
    const std::size_t used = f.budget.used_bytes();
    f.budget.set_limit_bytes(64 * 1024);
    const Refused refused = f.refuse(1, c.update);
    EXPECT_EQ(refused.kind, c.kind) << c.name << ": " << refused.message;
    EXPECT_NE(refused.message.find(c.message), std::string::npos) << refused.message;
    EXPECT_EQ(f.environment->snapshot(), snapshot) << c.name;
    EXPECT_EQ(f.environment->layer(1).cursor(), "e1") << c.name;
    EXPECT_EQ(f.budget.used_bytes(), used) << c.name;
  }
}

TEST(IntakeTest, OldAndNewTogetherMustFit) {
  EnvironmentFixture f;
  f.accept(1, full(many(1000, std::string(1000, 'a'))));
  const std::size_t used = f.budget.used_bytes();
  EXPECT_GT(f.budget.used_bytes(MemoryPart::kVendorBytes), 1000U * 1000U);
  EXPECT_GT(f.budget.used_bytes(MemoryPart::kIndex), 1000U * sizeof(Entry));
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kCompiled), 0U) << "nobody asked";
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kUpdates), 0U);
  f.budget.set_limit_bytes(used + used / 2);
  const Refused refused = f.refuse(1, full(many(1000, std::string(1000, 'b'))));
  EXPECT_EQ(refused.kind, Refused::Kind::kOverMemory);
  EXPECT_EQ(f.budget.used_bytes(), used);
  f.budget.set_limit_bytes(used * 3);
  f.accept(1, full(many(1000, std::string(1000, 'b'))));
  EXPECT_EQ(f.budget.used_bytes(), used) << "the old one's memory came back";
  // A snapshot somebody still reads keeps its memory.
  const auto reader = f.environment->snapshot();
  f.accept(1, full(many(1000, std::string(1000, 'c'))));
  EXPECT_GT(f.budget.used_bytes(), used + 1000U * 1000U);
}

TEST(IntakeTest, OnlyWhatIsReferredToIsCompiledAtOnce) {
  EnvironmentFixture f;
  f.dialect.set_compiled_bytes(100'000);
  std::vector<evaluation::Record> records = many(20);
  for (int i = 0; i < 20; ++i) records.push_back(segment("s" + std::to_string(i), "u"));
  f.budget.set_limit_bytes(1'000'000);
  f.accept(1, full(std::move(records)));
  // As many as fit; the others stay encoded, and nothing is refused for it.
  EXPECT_EQ(f.budget.used_bytes(MemoryPart::kCompiled), 900'000U);
  EXPECT_LE(f.budget.used_bytes(), 1'000'000U);
}

TEST(IntakeTest, QuarantineHarmsOnlyItself) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "good", 1), flag("b", "b", 1), flag("c", "c", 1)}));
  const Accepted accepted =
      f.accept(1, full({flag("a", "refuse-2", 2), flag("b", "b2", 2), flag("c", "c", 1)}));
  EXPECT_EQ(accepted.quarantined, 1U);
  EXPECT_EQ(f.answer("a"), "good");
  EXPECT_EQ(f.answer("b"), "b2");
  const Entry* a = f.environment->snapshot()->find_flag("a");
  EXPECT_TRUE(a->is_quarantined());
  EXPECT_EQ(f.raw(*a), "refuse-2") << "the newest text is re-served";
  EXPECT_EQ(a->version(), 2);
  const auto named = f.environment->layer(1).quarantined();
  ASSERT_EQ(named.size(), 1U);
  EXPECT_EQ(named[0].id.key, "a");
  EXPECT_TRUE(named[0].answers);
  EXPECT_NE(named[0].message.find("cannot be read"), std::string::npos);
  // A second bad text keeps the good form; unchanged it stays quarantined without compiling.
  f.accept(1, delta({flag("a", "refuse-3", 3)}));
  EXPECT_EQ(f.answer("a"), "good");
  const std::size_t compiled = f.dialect.compiled_count();
  f.accept(1, full({flag("a", "refuse-3", 3), flag("b", "b2", 2), flag("c", "c", 1)}));
  EXPECT_EQ(f.dialect.compiled_count(), compiled);
  EXPECT_EQ(f.environment->layer(1).records().quarantined_count(), 1U);
  f.accept(1, delta({flag("a", "healed", 4)}));
  EXPECT_EQ(f.answer("a"), "healed");
  EXPECT_EQ(f.environment->layer(1).records().quarantined_count(), 0U);
}

TEST(IntakeTest, QuarantinedBeforeItEverCompiledIsAParseError) {
  EnvironmentFixture f;
  f.accept(1, full({flag("a", "refuse"), flag("b", "b")}));
  EXPECT_EQ(f.answer("a"), "PARSE_ERROR");
  EXPECT_FALSE(f.environment->layer(1).quarantined()[0].answers);
  f.accept(1, delta({flag("c", std::string(evaluation::kRecordBytesMaxDefault + 1, 'x'))}));
  EXPECT_EQ(f.answer("c"), "PARSE_ERROR");
}

struct ShrinkCase {
  const char* name;
  std::size_t before;
  std::size_t kept;
  bool held;
};

TEST(IntakeTest, ShrinkGuardHoldsWhatDropsTooMuch) {
  const std::vector<ShrinkCase> cases = {
      {"empty document", 100, 0, true},        {"just over half", 100, 49, true},
      {"exactly half", 100, 50, false},        {"small set may vanish", 10, 0, false},
      {"eleven of eleven", 11, 0, true},       {"eleven of twenty-one", 21, 10, true},
      {"eleven of twenty-two", 22, 11, false},
  };
  for (const ShrinkCase& c : cases) {
    EnvironmentFixture f;
    f.accept(1, full(many(c.before), "e1"));
    const IntakeOutcome outcome = f.take(1, full(many(c.kept), "e2"));
    EXPECT_EQ(std::holds_alternative<Held>(outcome), c.held) << c.name;
    EXPECT_EQ(f.environment->snapshot()->flag_count(), c.held ? c.before : c.kept) << c.name;
    EXPECT_EQ(f.environment->layer(1).cursor(), c.held ? "e1" : "e2") << c.name;
    EXPECT_EQ(f.environment->layer(1).held().has_value(), c.held) << c.name;
  }
}

TEST(IntakeTest, ShrinkIsConfirmedByTheSameDocumentThreeTimes) {
  EnvironmentFixture f;
  f.accept(1, full(many(100)));
  const auto held = [&](std::vector<evaluation::Record> records) {
    const IntakeOutcome outcome = f.take(1, full(std::move(records), "e2"));
    return std::holds_alternative<Held>(outcome) ? std::get<Held>(outcome).document.times_seen : 0U;
  };
  EXPECT_EQ(held(many(1)), 1U);
  EXPECT_EQ(held(many(2)), 1U) << "another document starts again";
  EXPECT_EQ(held(many(1)), 1U);
  EXPECT_EQ(held(many(1)), 2U);
  EXPECT_EQ(held(many(1)), 0U);
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 1U);
  EXPECT_FALSE(f.environment->layer(1).held().has_value());
}

TEST(IntakeTest, HealedDocumentForgetsTheHeldOne) {
  EnvironmentFixture f;
  f.accept(1, full(many(100)));
  f.take(1, full({}));
  f.take(1, full({}));
  f.accept(1, full(many(100)));
  EXPECT_TRUE(std::holds_alternative<Held>(f.take(1, full({}))));
  EXPECT_EQ(f.environment->layer(1).held()->times_seen, 1U);
}

TEST(IntakeTest, AcceptTakesTheHeldDocumentAtOnce) {
  EnvironmentFixture f;
  EXPECT_FALSE(f.environment->accept_held(1).has_value());
  f.accept(1, full(many(100), "e1"));
  f.take(1, full(many(3), "e2"));
  const std::optional<Accepted> accepted = f.environment->accept_held(1);
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ(accepted->removed, 97U);
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 3U);
  EXPECT_EQ(f.environment->layer(1).cursor(), "e2");
}

TEST(IntakeTest, AcceptAfterADeltaWaitsForTheDocumentAgain) {
  EnvironmentFixture f;
  f.accept(1, full(many(100)));
  f.take(1, full(many(3)));
  f.accept(1, delta({flag("new", "1", 1)}));
  EXPECT_EQ(f.answer("new"), "1") << "deltas apply at once";
  ASSERT_TRUE(f.environment->accept_held(1).has_value());
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 101U);
  f.accept(1, full(many(3)));
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 3U);
}

TEST(IntakeTest, GuardIsOffOrForgivenOrNotAsked) {
  EnvironmentFixture off(1, false, false);
  off.accept(1, full(many(100)));
  off.accept(1, full({}));

  EnvironmentFixture forgiven;
  forgiven.accept(1, full(many(100)));
  forgiven.environment->credential_changed(1);
  forgiven.accept(1, full({}));
  forgiven.accept(1, full(many(100)));
  EXPECT_TRUE(std::holds_alternative<Held>(forgiven.take(1, full({})))) << "once only";

  EnvironmentFixture restored;
  restored.environment
      ->begin_restored(1, {.update = full(many(100), "e1"), .filed = {}, .good_texts = {}})
      ->run();
  EXPECT_EQ(restored.environment->origin(), Origin::kState);
  EXPECT_TRUE(std::holds_alternative<Held>(restored.take(1, full({})))) << "state included";
  EXPECT_EQ(restored.environment->origin(), Origin::kState);
}

// A transfer of everything may put and delete one record; what it says last is so.
TEST(IntakeTest, WithinACompleteDocumentTheOrderCounts) {
  struct Case {
    const char* name;
    std::vector<evaluation::Record> before;
    std::vector<evaluation::Record> document;
    const char* a;
  };
  const auto dead = [](std::int64_t version) { return deleted(flag("a", "", version)); };
  const std::vector<Case> cases = {
      {"put, deleted", {}, {flag("a", "1", 1), dead(2)}, "-"},
      {"put, deleted without version", {}, {flag("a", "1", 1), dead(0)}, "-"},
      {"deleted without version, put", {}, {dead(0), flag("a", "1", 1)}, "1"},
      {"known, deleted without version", {flag("a", "0", 1)}, {dead(0)}, "-"},
      {"known, put again, deleted", {flag("a", "0", 1)}, {flag("a", "0", 1), dead(0)}, "-"},
      {"known, put anew, deleted", {flag("a", "0", 1)}, {flag("a", "1", 2), dead(0)}, "-"},
      {"known, deleted, put again", {flag("a", "0", 1)}, {dead(0), flag("a", "0", 1)}, "0"},
      {"known, deleted, put anew", {flag("a", "0", 1)}, {dead(0), flag("a", "1", 2)}, "1"},
      {"gone, put, gone likewise", {dead(3)}, {flag("a", "1", 2), dead(3)}, "-"},
      {"gone, put, deleted without version", {dead(3)}, {flag("a", "1", 2), dead(0)}, "-"},
      {"put, deleted, put", {}, {flag("a", "1", 1), dead(0), flag("a", "2", 1)}, "2"},
  };
  for (const Case& c : cases) {
    EnvironmentFixture f;
    f.accept(1, full(c.before, "e1"));
    evaluation::Update document = full(c.document, "e2");
    document.in_order = true;
    f.accept(1, std::move(document));
    EXPECT_EQ(f.answer("a"), c.a) << c.name;
    EXPECT_EQ(f.environment->snapshot()->flag_count(), *c.a == '-' ? 0U : 1U) << c.name;
  }
}

TEST(IntakeTest, TheShrinkGuardCountsWhatIsLeftAtTheEnd) {
  const auto twice = [](bool dies) {
    std::vector<evaluation::Record> records = many(100);
    for (std::size_t i = 0; i < 100; ++i) {
      records.push_back(deleted(flag("flag-" + std::to_string(i), "")));
    }
    if (!dies) std::rotate(records.begin(), records.begin() + 100, records.end());
    return records;
  };
  EnvironmentFixture f;
  f.accept(1, full(many(100)));
  EXPECT_TRUE(std::holds_alternative<Held>(f.take(1, full(twice(true)))));
  f.accept(1, full(twice(false)));
  EXPECT_EQ(f.environment->snapshot()->flag_count(), 100U);
}

TEST(IntakeTest, RestoredGoodTextsAnswer) {
  EnvironmentFixture f;
  RestoredLayer restored{.update = full({flag("a", "refuse", 2), flag("b", "refuse", 1)}, "e1"),
                         .filed = {},
                         .good_texts = {}};
  restored.update.records.push_back(flag("c", "c"));
  restored.good_texts.push_back({.id = flag("a", "").id, .version = 1, .raw = "good"});
  const IntakeOutcome outcome = f.environment->begin_restored(1, std::move(restored))->run();
  ASSERT_TRUE(std::holds_alternative<Accepted>(outcome));
  EXPECT_EQ(f.answer("a"), "good");
  EXPECT_EQ(f.raw(*f.environment->snapshot()->find_flag("a")), "refuse");
  EXPECT_EQ(f.answer("b"), "PARSE_ERROR");
  EXPECT_FALSE(f.environment->take_state_write(1).has_value()) << "the state knows it all";
}

}  // namespace
}  // namespace flagstone::cache
