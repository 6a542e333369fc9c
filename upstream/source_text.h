// The small texts of document sources: cursors and what is said about failures. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "upstream/document_sink.h"

namespace flagstone::upstream {

// What a document source remembers of an accepted document.
struct DocumentCursor {
  std::string digest;
  Validators validators;
};
// Round trip; a text of any other form (another version's, damaged) is none.
std::string to_text(const DocumentCursor& cursor);
std::optional<DocumentCursor> cursor_from_text(std::string_view text);

// `https://host/x: status 503; trying again in 2.5 s`. `heeds_signal`: SIGHUP ends the wait, which
// is said of one that is worth it.
std::string failure_text(std::string_view uri, std::string_view cause,
                         std::chrono::milliseconds retry_in, bool heeds_signal = false);

}  // namespace flagstone::upstream
