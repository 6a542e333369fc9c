// What a LaunchDarkly source remembers beside its state, to ask for no more than what it lacks.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream {

enum class LaunchDarklyProtocol : std::uint8_t { kFdv1, kFdv2 };

// "fdv1", "fdv2": in cursors and for people.
std::string_view launchdarkly_protocol_name(LaunchDarklyProtocol protocol);

struct LaunchDarklyCursor {
  LaunchDarklyProtocol protocol = LaunchDarklyProtocol::kFdv1;
  // FDv1: of the complete data, as long as nothing changed it since.
  std::string digest;
  std::string etag;
  // FDv2: the selector, opaque; the `basis` of the next request.
  std::string selector;
};

// Round trip; a text of any other form (another version's, damaged) is none.
std::string to_text(const LaunchDarklyCursor& cursor);
std::optional<LaunchDarklyCursor> launchdarkly_cursor_from_text(std::string_view text);

}  // namespace flagstone::upstream
