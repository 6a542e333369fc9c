#include "sidecar/api/ofrep_answer.h"

#include <algorithm>
#include <cstring>

#include "evaluation/json_text.h"

namespace flagstone::sidecar {
namespace {

using evaluation::append_json_string;

// Puts pieces one after the other into room that was made for all of them, so that an answer costs
// one check of the buffer and not one per piece.
class Pieces {
 public:
  explicit Pieces(char* at) : at_(at) {}
  Pieces& operator<<(std::string_view piece) {
    // An empty view may point nowhere, which memcpy must not be given.
    if (!piece.empty()) std::memcpy(at_, piece.data(), piece.size());
    at_ += piece.size();
    return *this;
  }
  char* end() const { return at_; }

 private:
  char* at_;
};

// More than all that is written between the views of one answer.
constexpr std::size_t kFrameBytes = 128;

// The bytes of a JSON string that stand for themselves.
bool is_plain(std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < kFirstPrintable || c == '"' || c == '\\';
  });
}

void append_key(std::string& body, std::string_view key) {
  constexpr std::string_view kOpening = "{\"key\":";
  if (!is_plain(key)) {
    body += kOpening;
    append_json_string(body, key);
    return;
  }
  std::size_t size = body.size();
  std::size_t room = size + kOpening.size() + key.size() + 2;
  body.resize_and_overwrite(room, [&](char* start, std::size_t) {
    Pieces pieces(start + size);
    pieces << kOpening << "\"" << key << "\"";
    return static_cast<std::size_t>(pieces.end() - start);
  });
}

// From behind the key to where further metadata may follow, for an evaluation that is no error.
void append_result(std::string& body, const evaluation::Evaluation& evaluation) {
  std::size_t size = body.size();
  std::size_t room = size + evaluation.value_json.size() + evaluation.variant_json.size() +
                     evaluation.metadata_members.size() + kFrameBytes;
  body.resize_and_overwrite(room, [&](char* start, std::size_t) {
    Pieces pieces(start + size);
    pieces << ",\"reason\":\"" << reason_name(evaluation.reason) << "\"";
    if (evaluation.type != evaluation::ValueType::kNone) {
      pieces << ",\"value\":" << evaluation.value_json;
    }
    if (!evaluation.variant_json.empty()) pieces << ",\"variant\":" << evaluation.variant_json;
    pieces << ",\"metadata\":{" << evaluation.metadata_members;
    return static_cast<std::size_t>(pieces.end() - start);
  });
}

void append_failure(std::string& body, const evaluation::Evaluation& evaluation) {
  body += ",\"errorCode\":\"";
  body += error_code_name(evaluation.error);
  body += "\",\"errorDetails\":";
  append_json_string(body, evaluation.error_details);
  body += ",\"metadata\":{";
  body += evaluation.metadata_members;
}

}  // namespace

int ofrep_status(evaluation::ErrorCode code) {
  switch (code) {
    case evaluation::ErrorCode::kNone:
      return 200;
    case evaluation::ErrorCode::kFlagNotFound:
      return 404;
    case evaluation::ErrorCode::kProviderNotReady:
      return 503;
    default:
      return 400;
  }
}

void append_evaluation(std::string& body, std::string_view key,
                       const evaluation::Evaluation& evaluation, const AddedMetadata& added) {
  append_key(body, key);
  if (evaluation.error == evaluation::ErrorCode::kNone) {
    append_result(body, evaluation);
  } else {
    append_failure(body, evaluation);
  }
  append_added_members(body, added, evaluation.metadata_members);
  body.append("}}", 2);
}

void append_error(std::string& body, std::string_view key, evaluation::ErrorCode code,
                  std::string_view details) {
  body += '{';
  if (!key.empty()) {
    body += "\"key\":";
    append_json_string(body, key);
    body += ',';
  }
  body += "\"errorCode\":\"";
  body += error_code_name(code);
  body += "\",\"errorDetails\":";
  append_json_string(body, details);
  body += '}';
}

}  // namespace flagstone::sidecar
