// LaunchDarkly's own account of an evaluation: what its SDKs call the detail, what its evalx
// answers show and what its events are made of.
//
// Values and views; they live as long as the Evaluation they belong to: in the compiled flags and
// in the Scratch. Source: go-server-sdk-evaluation v3 (evaluator), go-sdk-common v3 (ldreason).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "evaluation/evaluation.h"

namespace flagstone::evaluation::launchdarkly {

enum class ReasonKind : std::uint8_t {
  kOff,
  kFallthrough,
  kTargetMatch,
  kRuleMatch,
  kPrerequisiteFailed,
  kError,
};
enum class ErrorKind : std::uint8_t {
  kNone,
  kMalformedFlag,
  kUserNotSpecified,
  kWrongType,
};
// Why a big segment's answer may be wrong; kNone when none was asked.
enum class BigSegmentsStatus : std::uint8_t { kNone, kNotConfigured };

// What a flag's text says beside its rules. Belongs to the compiled flag.
struct FlagFacts {
  std::string_view key;
  std::int64_t version = 0;
  bool track_events = false;
  bool track_events_fallthrough = false;
  bool exclude_from_summaries = false;
  // One event in so many is sent; 0: none.
  std::int64_t sampling_ratio = 1;
  std::optional<std::int64_t> debug_events_until_unix_ms;
  // Who may see it: mobile apps, browsers.
  bool for_mobile_key = false;
  bool for_environment_id = false;
};

struct Detail;

// A prerequisite that was evaluated on the way, whatever became of it.
struct PrerequisiteEvaluation {
  // The flag whose prerequisite it is: not always the one that was asked for.
  std::string_view prerequisite_of;
  const Detail* detail = nullptr;
};

struct Detail : VendorDetail {
  const FlagFacts* flag = nullptr;
  ReasonKind reason = ReasonKind::kOff;
  ErrorKind error = ErrorKind::kNone;
  BigSegmentsStatus big_segments = BigSegmentsStatus::kNone;
  // kRuleMatch: the rule's index, and its id, which may be empty; else -1.
  int rule_index = -1;
  std::string_view rule_id;
  // kPrerequisiteFailed: the first that failed.
  std::string_view prerequisite_key;
  bool in_experiment = false;
  // The matched rule's own trackEvents.
  bool rule_track_events = false;
  // -1: none, the caller's default is the value.
  int variation_index = -1;
  // The variation's JSON text; empty when there is none.
  std::string_view value_json;
  // Of the flag that was asked for: every prerequisite at any depth, in the order in which their
  // evaluations ended. Empty in the details of prerequisites themselves.
  std::span<const PrerequisiteEvaluation> prerequisites;

  // The event must be sent in full and with its reason.
  bool is_experiment() const {
    if (in_experiment) return true;
    if (reason == ReasonKind::kFallthrough)
      return flag != nullptr && flag->track_events_fallthrough;
    return reason == ReasonKind::kRuleMatch && rule_track_events;
  }
};

// The account that came with a result of this dialect; nullptr when it is not of this dialect.
// REQUIRES: the environment's dialect is LaunchDarkly's.
inline const Detail* detail_of(const Evaluation& result) {
  return static_cast<const Detail*>(result.detail);
}

}  // namespace flagstone::evaluation::launchdarkly
