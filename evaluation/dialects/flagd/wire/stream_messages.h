// The messages of flagd's streams and of its sync service, as protobuf bytes and as protobuf's
// JSON: flagd.sync.v1, and EventStream of flagd.evaluation.v1, v2 and schema.v1 (which are equal on
// the wire).
//
// Pure functions; writers append.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/flagd/wire/struct_writer.h"

namespace flagstone::evaluation::flagd {

// The selector of a SyncFlagsRequest or FetchAllFlagsRequest; empty when it has none. A view into
// the message or the reader's memory. The error is for the caller.
std::expected<std::string_view, std::string> read_sync_selector(std::string_view message);
std::expected<std::string_view, std::string> read_sync_selector_json(std::string_view body,
                                                                     ContextReader& reader);
// EventStreamRequest and GetMetadataRequest say nothing, but have to be messages.
std::expected<void, std::string> check_empty_request(std::string_view message);
std::expected<void, std::string> check_empty_request_json(std::string_view body,
                                                          ContextReader& reader);

// What stands before the document in a SyncFlagsResponse; behind it comes the context.
void append_document_head(std::string& out, std::size_t document_bytes);
void append_sync_context(std::string& out, std::string_view context_json, StructWriter& structs);
void append_sync_flags_json(std::string& out, std::string_view document,
                            std::string_view context_json);

// FetchAllFlagsResponse.
void append_fetched_flags(std::string& out, std::string_view document);
void append_fetched_flags_json(std::string& out, std::string_view document);

// GetMetadataResponse.
void append_sync_metadata(std::string& out, std::string_view metadata_json, StructWriter& structs);
void append_sync_metadata_json(std::string& out, std::string_view metadata_json);

// EventStreamResponse. `data_json` is an object, or empty for none.
void append_event(std::string& out, std::string_view type, std::string_view data_json,
                  StructWriter& structs);
void append_event_json(std::string& out, std::string_view type, std::string_view data_json);

}  // namespace flagstone::evaluation::flagd
