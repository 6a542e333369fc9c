#include "upstream/launchdarkly_cursor.h"

#include <array>

namespace flagstone::upstream {
namespace {

// Changes whenever the same bytes may decode to other records.
constexpr std::string_view kForm = "launchdarkly/1";
constexpr std::string_view kFdv1 = "fdv1";
constexpr std::string_view kFdv2 = "fdv2";

}  // namespace

std::string_view launchdarkly_protocol_name(LaunchDarklyProtocol protocol) {
  return protocol == LaunchDarklyProtocol::kFdv2 ? kFdv2 : kFdv1;
}

// Header values cannot contain line breaks; the selector, which may, stands last.
std::string to_text(const LaunchDarklyCursor& cursor) {
  std::string text(kForm);
  text.append("\n").append(launchdarkly_protocol_name(cursor.protocol));
  for (const std::string* field : {&cursor.digest, &cursor.etag, &cursor.selector}) {
    text.append("\n").append(*field);
  }
  return text;
}

std::optional<LaunchDarklyCursor> launchdarkly_cursor_from_text(std::string_view text) {
  std::array<std::string_view, 4> fields;
  for (std::string_view& field : fields) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    field = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (fields[0] != kForm || (fields[1] != kFdv1 && fields[1] != kFdv2)) return std::nullopt;
  return LaunchDarklyCursor{
      .protocol = fields[1] == kFdv2 ? LaunchDarklyProtocol::kFdv2 : LaunchDarklyProtocol::kFdv1,
      .digest = std::string(fields[2]),
      .etag = std::string(fields[3]),
      .selector = std::string(text)};
}

}  // namespace flagstone::upstream
