#include "upstream/source_text.h"

#include <array>
#include <cstdio>

namespace flagstone::upstream {
namespace {

// Changes whenever the same bytes may decode to other records, so that a newer program does not
// take "unchanged" for an answer about records that an older one made.
constexpr std::string_view kCursorForm = "document/1";
// Nobody reaches for a signal before that.
constexpr std::chrono::seconds kWorthASignal{60};

}  // namespace

std::string to_text(const DocumentCursor& cursor) {
  std::string text(kCursorForm);
  for (const std::string* field :
       {&cursor.digest, &cursor.validators.etag, &cursor.validators.last_modified}) {
    text += '\n';
    text += *field;  // Header values cannot contain line breaks.
  }
  return text;
}

std::optional<DocumentCursor> cursor_from_text(std::string_view text) {
  std::array<std::string_view, 4> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t end = text.find('\n');
    if ((end == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (fields[0] != kCursorForm || fields[1].empty()) return std::nullopt;
  return DocumentCursor{std::string(fields[1]), {std::string(fields[2]), std::string(fields[3])}};
}

std::string failure_text(std::string_view uri, std::string_view cause,
                         std::chrono::milliseconds retry_in, bool heeds_signal) {
  std::string text(uri);
  text += ": ";
  text += cause;
  if (retry_in.count() == 0) return text + "; waiting for it to change";
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.1f",
                static_cast<double>(retry_in.count()) / 1000);
  const bool is_long = retry_in >= kWorthASignal;
  return text + "; trying again in " + seconds.data() + " s" +
         (heeds_signal && is_long ? "; SIGHUP tries now" : "");
}

}  // namespace flagstone::upstream
