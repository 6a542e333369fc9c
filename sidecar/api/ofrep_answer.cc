#include "sidecar/api/ofrep_answer.h"

#include <array>
#include <cstring>

#include "evaluation/json_text.h"

namespace flagstone::sidecar {
namespace {

using evaluation::append_json_string;

// A reason between the key and what follows. Copied whole, since that is one instruction; the size
// says how much of it counts.
struct ReasonPiece {
  std::array<char, 32> text{};
  std::size_t size = 0;
};

constexpr std::array<ReasonPiece, evaluation::kReasonCount> kReasonPieces = [] {
  std::array<ReasonPiece, evaluation::kReasonCount> pieces;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ReasonPiece& piece = pieces[i];
    const auto add = [&piece](std::string_view text) {
      for (const char c : text) piece.text[piece.size++] = c;
    };
    add(",\"reason\":\"");
    add(evaluation::reason_name(static_cast<evaluation::Reason>(i)));
    add("\"");
  }
  return pieces;
}();

// Puts pieces one after the other into room that was made for all of them, so that an answer costs
// one check of the buffer and not one per piece.
class Pieces {
 public:
  explicit Pieces(char* at) : at_(at) {}
  Pieces& operator<<(const ReasonPiece& piece) {
    std::memcpy(at_, piece.text.data(), piece.text.size());
    at_ += piece.size;
    return *this;
  }
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

// An evaluation that is no error: three pieces that the dialect prepared, what stands between them,
// and `end`.
void append_prepared(std::string& body, const evaluation::Evaluation& evaluation,
                     std::string_view end) {
  std::size_t size = body.size();
  std::size_t room = size + evaluation.key_json.size() + evaluation.value_and_variant.size() +
                     evaluation.metadata_members.size() + kFrameBytes;
  body.resize_and_overwrite(room, [&](char* start, std::size_t) {
    Pieces pieces(start + size);
    pieces << "{\"key\":" << evaluation.key_json
           << kReasonPieces[static_cast<std::size_t>(evaluation.reason)];
    if (!evaluation.value_and_variant.empty()) pieces << "," << evaluation.value_and_variant;
    pieces << ",\"metadata\":{" << evaluation.metadata_members << end;
    return static_cast<std::size_t>(pieces.end() - start);
  });
}

// From behind the key to where further metadata may follow.
void append_result(std::string& body, const evaluation::Evaluation& evaluation) {
  body += ",\"reason\":\"";
  body += reason_name(evaluation.reason);
  body += '"';
  if (evaluation.type != evaluation::ValueType::kNone) {
    body += ",\"value\":";
    body += evaluation.value_json;
  }
  if (!evaluation.variant_json.empty()) {
    body += ",\"variant\":";
    body += evaluation.variant_json;
  }
}

void append_failure(std::string& body, const evaluation::Evaluation& evaluation) {
  body += ",\"errorCode\":\"";
  body += error_code_name(evaluation.error);
  body += "\",\"errorDetails\":";
  append_json_string(body, evaluation.error_details);
}

// An error, or an evaluation of which nothing was prepared.
void append_unprepared(std::string& body, std::string_view key,
                       const evaluation::Evaluation& evaluation) {
  body += "{\"key\":";
  append_json_string(body, key);
  if (evaluation.error == evaluation::ErrorCode::kNone) {
    append_result(body, evaluation);
  } else {
    append_failure(body, evaluation);
  }
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
  constexpr std::string_view kEnd = "}}";
  bool prepared = evaluation.error == evaluation::ErrorCode::kNone && !evaluation.key_json.empty();
  if (prepared && added.is_empty()) return append_prepared(body, evaluation, kEnd);
  if (prepared) {
    append_prepared(body, evaluation, {});
  } else {
    append_unprepared(body, key, evaluation);
  }
  append_added_members(body, added, evaluation.metadata_members);
  body += kEnd;
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
