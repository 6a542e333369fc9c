#include "evaluation/dialects/flagd/wire/stream_messages.h"

#include "evaluation/dialects/flagd/wire/protobuf_reader.h"
#include "evaluation/dialects/flagd/wire/protobuf_writer.h"
#include "evaluation/json_text.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation::flagd {
namespace {

using WireType = ProtobufReader::WireType;

// SyncFlagsRequest, FetchAllFlagsRequest.
constexpr std::uint32_t kSelector = 2;
// SyncFlagsResponse, FetchAllFlagsResponse, GetMetadataResponse.
constexpr std::uint32_t kFlagConfiguration = 1;
constexpr std::uint32_t kSyncContext = 2;
constexpr std::uint32_t kMetadata = 2;
// EventStreamResponse.
constexpr std::uint32_t kType = 1;
constexpr std::uint32_t kData = 2;

constexpr std::string_view kNoMessage = "the request is no protobuf message";

}  // namespace

std::expected<std::string_view, std::string> read_sync_selector(std::string_view message) {
  std::string_view selector;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (reader.is(kSelector, WireType::kBytes)) selector = reader.bytes();
  }
  if (reader.failed()) return std::unexpected(std::string(kNoMessage));
  if (!is_utf8(selector)) return std::unexpected("the selector is not UTF-8");
  return selector;
}

std::expected<std::string_view, std::string> read_sync_selector_json(std::string_view body,
                                                                     ContextReader& reader) {
  const auto root = reader.read_object(body);
  if (!root) return std::unexpected(root.error().message);
  const Value* selector = root->member("selector");
  if (selector == nullptr || selector->is_null()) return std::string_view();
  if (!selector->is_string()) return std::unexpected("\"selector\" is not a string");
  return selector->as_string();
}

std::expected<void, std::string> check_empty_request(std::string_view message) {
  ProtobufReader reader(message);
  while (reader.next()) {
  }
  if (reader.failed()) return std::unexpected(std::string(kNoMessage));
  return {};
}

std::expected<void, std::string> check_empty_request_json(std::string_view body,
                                                          ContextReader& reader) {
  const auto root = reader.read_object(body);
  if (!root) return std::unexpected(root.error().message);
  return {};
}

void append_document_head(std::string& out, std::size_t document_bytes) {
  append_bytes_head(out, kFlagConfiguration, document_bytes);
}

void append_sync_context(std::string& out, std::string_view context_json, StructWriter& structs) {
  structs.append_field(out, kSyncContext, context_json);
}

void append_sync_flags_json(std::string& out, std::string_view document,
                            std::string_view context_json) {
  out += "{\"flagConfiguration\":";
  append_json_string(out, document);
  out += ",\"syncContext\":";
  out += context_json;
  out += '}';
}

void append_fetched_flags(std::string& out, std::string_view document) {
  append_bytes(out, kFlagConfiguration, document);
}

void append_fetched_flags_json(std::string& out, std::string_view document) {
  out += "{\"flagConfiguration\":";
  append_json_string(out, document);
  out += '}';
}

void append_sync_metadata(std::string& out, std::string_view metadata_json, StructWriter& structs) {
  structs.append_field(out, kMetadata, metadata_json);
}

void append_sync_metadata_json(std::string& out, std::string_view metadata_json) {
  out += "{\"metadata\":";
  out += metadata_json;
  out += '}';
}

void append_event(std::string& out, std::string_view type, std::string_view data_json,
                  StructWriter& structs) {
  append_bytes(out, kType, type);
  if (!data_json.empty()) structs.append_field(out, kData, data_json);
}

void append_event_json(std::string& out, std::string_view type, std::string_view data_json) {
  out += "{\"type\":";
  append_json_string(out, type);
  out += ",\"data\":";
  out += data_json.empty() ? std::string_view("null") : data_json;
  out += '}';
}

}  // namespace flagstone::evaluation::flagd
