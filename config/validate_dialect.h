// The checks of what only one dialect's sources have. Pure; part of validate().
#pragma once

#include <string>

#include "config/options.h"
#include "config/validate_source.h"

namespace flagstone::config {

// Longer ones the vendor's SDKs leave out.
inline constexpr std::size_t kTagBytesMax = 64;
inline constexpr Milliseconds kRotationGraceMax = std::chrono::hours(24 * 30);
// No SDK of LaunchDarkly's asks LaunchDarkly more often.
inline constexpr Milliseconds kLaunchDarklyIntervalMin{30'000};

// Each attribute of a context is compared with each of them.
inline constexpr std::size_t kPrivateAttributesMax = 64;

// `path` is that of the environment's `events`.
void validate_private_attributes(const EventOptions& events, const std::string& path,
                                 Report& report);

// What the options of a source, and of the environment it belongs to, say that its dialect does not
// know. `path` as in Report::add: the source's.
void validate_dialect(const Environment& environment, const Source& source, const std::string& path,
                      Report& report);

// Environments that SDKs could not tell apart: by their key, by the payload filter beside it, or by
// listeners that each has for itself.
void validate_shared_keys(const Options& options, Report& report);

}  // namespace flagstone::config
