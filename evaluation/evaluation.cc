#include "evaluation/evaluation.h"

#include <array>

namespace flagstone::evaluation {
namespace {

constexpr std::array<std::string_view, kReasonCount> kReasonNames = {
    "STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "CACHED", "UNKNOWN", "ERROR"};

constexpr std::array<std::string_view, kErrorCodeCount> kErrorCodeNames = {"",
                                                                           "FLAG_NOT_FOUND",
                                                                           "PARSE_ERROR",
                                                                           "TYPE_MISMATCH",
                                                                           "TARGETING_KEY_MISSING",
                                                                           "INVALID_CONTEXT",
                                                                           "PROVIDER_NOT_READY",
                                                                           "GENERAL"};

}  // namespace

std::string_view reason_name(Reason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

std::string_view error_code_name(ErrorCode code) {
  return kErrorCodeNames[static_cast<std::size_t>(code)];
}

}  // namespace flagstone::evaluation
