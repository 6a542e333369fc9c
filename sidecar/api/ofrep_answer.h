// Writes OFREP's JSON: answers, errors, bulk items, and the ETags of bulk answers.
//
// Pure functions appending to the caller's buffer; nothing allocates once the buffer is warm.
// Source: open-feature/protocol service/openapi.yaml 0.3.0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/serving_state.h"
#include "evaluation/evaluation.h"
#include "sidecar/selector.h"

namespace flagstone::sidecar {

// Metadata that Flagstone adds to every answer of one request: the selector's reflection, and how
// old the data is while it is stale.
struct AddedMetadata {
  Selector selector;
  bool stale = false;
  // Since the last contact; nothing when there was none, as for a bootstrap.
  std::optional<std::int64_t> age_seconds = std::nullopt;

  static AddedMetadata of(const cache::EnvironmentState& environment, const Selector& selector,
                          std::int64_t now_unix_ms);
};

// 200, 404 or 400: what OFREP says of an evaluation with this error.
int ofrep_status(evaluation::ErrorCode code);

// {"key":…,"reason":…,"value":…,"variant":…,"metadata":{…}} or, for an error,
// {"key":…,"errorCode":…,"errorDetails":…,"metadata":{…}}.
void append_evaluation(std::string& body, std::string_view key,
                       const evaluation::Evaluation& evaluation, const AddedMetadata& added);

// {"key":…,"errorCode":…,"errorDetails":…}, without the key when it is empty.
void append_error(std::string& body, std::string_view key, evaluation::ErrorCode code,
                  std::string_view details);

// Members of a metadata object, without braces.
void append_added_members(std::string& body, const AddedMetadata& added,
                          std::string_view flag_members);

// 32 hexadecimal digits in quotes.
using EtagText = std::array<char, 34>;
EtagText make_etag(std::uint64_t high, std::uint64_t low);

// RFC 9110, If-None-Match: a list of (possibly weak) tags, or `*`. Compared weakly.
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace flagstone::sidecar
