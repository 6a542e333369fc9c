#include "sidecar/api/ofrep_answer.h"

#include <gtest/gtest.h>

namespace flagstone::sidecar {
namespace {

using evaluation::ErrorCode;
using evaluation::Evaluation;
using evaluation::Reason;
using evaluation::ValueType;

std::string written(std::string_view key, const Evaluation& evaluation,
                    const AddedMetadata& added = {}) {
  std::string body;
  append_evaluation(body, key, evaluation, added);
  return body;
}

TEST(OfrepAnswer, ValueVariantAndMetadata) {
  Evaluation evaluation;
  evaluation.reason = Reason::kStatic;
  evaluation.type = ValueType::kNumber;
  evaluation.value_json = "1.0";
  evaluation.variant = "on\"";
  evaluation.variant_json = "\"on\\\"\"";
  evaluation.metadata_members = "\"a\":1";
  EXPECT_EQ(written("k\"1", evaluation),
            R"({"key":"k\"1","reason":"STATIC","value":1.0,"variant":"on\"","metadata":{"a":1}})");
}

TEST(OfrepAnswer, PreparedPiecesAreTakenAsTheyAre) {
  Evaluation evaluation;
  evaluation.type = ValueType::kNumber;
  evaluation.key_json = R"("k\"1")";
  evaluation.value_json = "1.0";
  evaluation.variant = "on";
  evaluation.variant_json = "\"on\"";
  evaluation.value_and_variant = R"("value":1.0,"variant":"on")";
  for (const Reason reason : {Reason::kStatic, Reason::kDefault, Reason::kTargetingMatch,
                              Reason::kSplit, Reason::kCached, Reason::kUnknown}) {
    evaluation.reason = reason;
    Evaluation unprepared = evaluation;
    unprepared.key_json = {};
    unprepared.value_and_variant = {};
    EXPECT_EQ(written("k\"1", evaluation), written("k\"1", unprepared));
  }
  evaluation.reason = Reason::kTargetingMatch;
  evaluation.metadata_members = R"("a":1)";
  AddedMetadata added;
  added.selector = {Selector::Kind::kSet, "web"};
  EXPECT_EQ(written("k\"1", evaluation, added),
            R"({"key":"k\"1","reason":"TARGETING_MATCH","value":1.0,"variant":"on",)"
            R"("metadata":{"a":1,"flagSetId":"web"}})");

  Evaluation nothing;
  nothing.reason = Reason::kDisabled;
  nothing.key_json = "\"k\"";
  EXPECT_EQ(written("k", nothing), R"({"key":"k","reason":"DISABLED","metadata":{}})");
}

TEST(OfrepAnswer, WithoutValueTheCallersDefaultCounts) {
  Evaluation evaluation;
  evaluation.reason = Reason::kDisabled;
  EXPECT_EQ(written("k", evaluation), R"({"key":"k","reason":"DISABLED","metadata":{}})");
}

TEST(OfrepAnswer, ErrorsCarryCodeAndDetails) {
  Evaluation evaluation;
  evaluation.reason = Reason::kError;
  evaluation.error = ErrorCode::kParseError;
  evaluation.error_details = "no\nrule";
  EXPECT_EQ(written("k", evaluation),
            R"({"key":"k","errorCode":"PARSE_ERROR","errorDetails":"no\nrule","metadata":{}})");
}

TEST(OfrepAnswer, ReflectsTheSelectorUnlessTheFlagSaysIt) {
  Evaluation evaluation;
  evaluation.reason = Reason::kDisabled;
  AddedMetadata added;
  added.selector = {Selector::Kind::kSet, "web"};
  EXPECT_EQ(written("k", evaluation, added),
            R"({"key":"k","reason":"DISABLED","metadata":{"flagSetId":"web"}})");
  evaluation.metadata_members = R"("flagSetId":"web","x":1)";
  EXPECT_EQ(written("k", evaluation, added),
            R"({"key":"k","reason":"DISABLED","metadata":{"flagSetId":"web","x":1}})");
}

TEST(OfrepAnswer, SaysThatItIsStale) {
  cache::EnvironmentState environment;
  environment.stale = true;
  environment.last_contact_unix_ms = 10'000;
  Evaluation evaluation;
  evaluation.reason = Reason::kDisabled;
  evaluation.metadata_members = "\"a\":1";
  EXPECT_EQ(written("k", evaluation, AddedMetadata::of(environment, {}, 72'500)),
            R"({"key":"k","reason":"DISABLED",)"
            R"("metadata":{"a":1,"flagstone.stale":true,"flagstone.age_seconds":62}})");
  // A wall clock that was set back makes no negative age.
  EXPECT_EQ(AddedMetadata::of(environment, {}, 1).age_seconds, 0);
  // A bootstrap was never in contact with anybody: it has no age.
  environment.last_contact_unix_ms = 0;
  evaluation.metadata_members = {};
  EXPECT_EQ(written("k", evaluation, AddedMetadata::of(environment, {}, 72'500)),
            R"({"key":"k","reason":"DISABLED","metadata":{"flagstone.stale":true}})");
  environment.stale = false;
  EXPECT_FALSE(AddedMetadata::of(environment, {}, 72'500).stale);
}

TEST(OfrepAnswer, StatusByErrorCode) {
  EXPECT_EQ(ofrep_status(ErrorCode::kNone), 200);
  EXPECT_EQ(ofrep_status(ErrorCode::kFlagNotFound), 404);
  EXPECT_EQ(ofrep_status(ErrorCode::kProviderNotReady), 503);
  EXPECT_EQ(ofrep_status(ErrorCode::kParseError), 400);
  EXPECT_EQ(ofrep_status(ErrorCode::kGeneral), 400);
}

}  // namespace
}  // namespace flagstone::sidecar
