// flagd's selector: which flags of an environment a caller means. Pure value.
//
// Source: flagd core/pkg/store/query.go. One `key=value`, split at the first `=`; keys `flagSetId`
// and `source`; a bare word means `source`; empty means everything; `flagSetId=` means the flags
// that belong to no set.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace flagstone::sidecar {

struct Selector {
  enum class Kind : std::uint8_t { kEverything, kSet, kSource };
  Kind kind = Kind::kEverything;
  // The set's id or the source's URI as configured. A view into the text that was parsed.
  std::string_view value;

  // The member of metadata that reflects it: "flagSetId" or "source"; empty for everything.
  std::string_view member_name() const;

  static std::expected<Selector, std::string> parse(std::string_view text);
};

// What a source is called by selectors and in metadata: its URI without the schemes that flagd
// leaves out (`file:`, `grpc://`, `grpcs://`, `core.openfeature.dev/`).
std::string_view source_name(std::string_view uri);

}  // namespace flagstone::sidecar
