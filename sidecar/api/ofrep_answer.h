// Writes OFREP's JSON: answers, errors, bulk items, and the ETags of bulk answers.
//
// Pure functions appending to the caller's buffer; nothing allocates once the buffer is warm.
// Source: open-feature/protocol service/openapi.yaml 0.3.0.
#pragma once

#include <string>
#include <string_view>

#include "evaluation/evaluation.h"
#include "sidecar/answer_metadata.h"

namespace flagstone::sidecar {

// 200, 404 or 400: what OFREP says of an evaluation with this error.
int ofrep_status(evaluation::ErrorCode code);

// {"key":…,"reason":…,"value":…,"variant":…,"metadata":{…}} or, for an error,
// {"key":…,"errorCode":…,"errorDetails":…,"metadata":{…}}.
void append_evaluation(std::string& body, std::string_view key,
                       const evaluation::Evaluation& evaluation, const AddedMetadata& added);

// {"key":…,"errorCode":…,"errorDetails":…}, without the key when it is empty.
void append_error(std::string& body, std::string_view key, evaluation::ErrorCode code,
                  std::string_view details);

}  // namespace flagstone::sidecar
