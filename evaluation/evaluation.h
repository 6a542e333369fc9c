// The result of evaluating one flag for one evaluation context.
//
// Views only: they point into the compiled record, the context or the Scratch given to evaluate(),
// and are valid until the next evaluation with that Scratch or until the snapshot is let go,
// whichever comes first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flagstone::evaluation {

// OpenFeature's reasons, as flagd and OFREP spell them (reason_name), and those of LaunchDarkly's
// that its own OpenFeature providers pass on as they are.
enum class Reason : std::uint8_t {
  kStatic,
  kDefault,
  kTargetingMatch,
  kSplit,
  kDisabled,
  kCached,
  kUnknown,
  kError,
  kFallthrough,
  kRuleMatch,
  kPrerequisiteFailed,
};

// OpenFeature's error codes. kNone unless reason is kError.
enum class ErrorCode : std::uint8_t {
  kNone,
  kFlagNotFound,
  kParseError,
  kTypeMismatch,
  kTargetingKeyMissing,
  kInvalidContext,
  kProviderNotReady,
  kGeneral,
};

// The JSON type of a variant's value, judged by typed callers (gRPC); OFREP is untyped.
enum class ValueType : std::uint8_t { kNone, kNull, kBool, kNumber, kString, kArray, kObject };

// REQUIRES: valid JSON without spaces before it.
constexpr ValueType type_of_json(std::string_view json) {
  switch (json.front()) {
    case 'n':
      return ValueType::kNull;
    case 't':
    case 'f':
      return ValueType::kBool;
    case '"':
      return ValueType::kString;
    case '[':
      return ValueType::kArray;
    case '{':
      return ValueType::kObject;
    default:
      return ValueType::kNumber;
  }
}

// A vendor's own account of a result, where it has one that says more than OpenFeature's. The
// vendor's wire knows its type; nobody else looks inside.
struct VendorDetail {};

struct Evaluation {
  Reason reason = Reason::kUnknown;
  ErrorCode error = ErrorCode::kNone;
  // kNone: no value, the caller takes its code default (flagd: DISABLED, or DEFAULT without a
  // default variant; LaunchDarkly: DISABLED or PREREQUISITE_FAILED without an off variation).
  ValueType type = ValueType::kNone;
  // The value as JSON text, spelled as the vendor spelled it. Empty exactly when type is kNone.
  std::string_view value_json;
  // The variant's name, plain and as a JSON string with its quotes. Both empty when there is none.
  std::string_view variant;
  std::string_view variant_json;
  // Pieces of a JSON answer, where the dialect prepared them, else empty: the flag's key as a JSON
  // string with its quotes, and `"value":…,"variant":…`, which says again what the fields above do.
  std::string_view key_json;
  std::string_view value_and_variant;
  // Metadata as the members of a JSON object without its braces (`"a":1,"b":"x"`), the document's
  // and the flag's merged, the flag winning. May be empty.
  std::string_view metadata_members;
  // What went wrong, plain text for people. Empty unless reason is kError.
  std::string_view error_details;
  const VendorDetail* detail = nullptr;
};

// How many there are, for tables indexed by them.
inline constexpr std::size_t kReasonCount = 11;
inline constexpr std::size_t kErrorCodeCount = 8;

// `STATIC`, `TARGETING_MATCH`, ... and `FLAG_NOT_FOUND`, `PARSE_ERROR`, ... (kNone: empty).
constexpr std::string_view reason_name(Reason reason) {
  constexpr std::array<std::string_view, kReasonCount> kNames = {
      "STATIC",  "DEFAULT", "TARGETING_MATCH", "SPLIT",      "DISABLED",           "CACHED",
      "UNKNOWN", "ERROR",   "FALLTHROUGH",     "RULE_MATCH", "PREREQUISITE_FAILED"};
  return kNames[static_cast<std::size_t>(reason)];
}
constexpr std::string_view error_code_name(ErrorCode code) {
  constexpr std::array<std::string_view, kErrorCodeCount> kNames = {"",
                                                                    "FLAG_NOT_FOUND",
                                                                    "PARSE_ERROR",
                                                                    "TYPE_MISMATCH",
                                                                    "TARGETING_KEY_MISSING",
                                                                    "INVALID_CONTEXT",
                                                                    "PROVIDER_NOT_READY",
                                                                    "GENERAL"};
  return kNames[static_cast<std::size_t>(code)];
}

}  // namespace flagstone::evaluation
