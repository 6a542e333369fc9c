// Semantic versions as LaunchDarkly compares them: 2.0 with minor and patch optional.
//
// Pure; views into the text. Source: go-semver v1.0.3, followed to the letter: numbers that 64 bits
// do not hold wrap around.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flagstone::evaluation::launchdarkly {

struct VersionNumber {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::int64_t patch = 0;
  // Without its hyphen; empty for a release. What follows a `+` counts for nothing.
  std::string_view prerelease;
};

std::optional<VersionNumber> read_version(std::string_view text);

// By precedence.
std::strong_ordering compare(const VersionNumber& a, const VersionNumber& b);

}  // namespace flagstone::evaluation::launchdarkly
