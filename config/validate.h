// What single values cannot tell: whether the options as a whole can be run with. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

// Below this not even the listeners' buffers and an empty index fit.
inline constexpr std::uint64_t kMemoryLimitBytesMin = 4 * kMiB;
inline constexpr std::uint64_t kStateLimitBytesMin = 1 * kMiB;
inline constexpr std::uint32_t kServingThreadsMax = 64;
inline constexpr std::uint32_t kConnectionsMax = 1'000'000;
inline constexpr std::uint32_t kConfirmShrinkMax = 100;
inline constexpr Milliseconds kFlushIntervalMin{100};
inline constexpr Milliseconds kFlushIntervalMax = std::chrono::hours(1);
// The upstream's own limit on a payload is not far beyond that.
inline constexpr std::uint64_t kEventBatchBytesMin = 4 * kKiB;
inline constexpr std::uint64_t kEventBatchBytesMax = 8 * kMiB;
inline constexpr std::uint64_t kEventSpoolBytesMin = 1 * kMiB;
inline constexpr std::uint64_t kRequestLimitBytesMin = 1 * kKiB;
inline constexpr std::uint64_t kRequestHeaderLimitBytesMax = 16 * kMiB;
inline constexpr std::uint64_t kRequestBodyLimitBytesMax = 1024 * kMiB;
inline constexpr std::uint64_t kDocumentBytesMin = 1 * kKiB;
inline constexpr std::uint64_t kSizeBytesMax = 1024 * 1024 * kMiB;
inline constexpr std::size_t kEnvironmentNameBytesMax = 63;
inline constexpr Milliseconds kIntervalMin{100};
inline constexpr Milliseconds kIntervalMax = std::chrono::hours(24);
inline constexpr Milliseconds kTimeoutMin{100};
inline constexpr Milliseconds kTimeoutMax = std::chrono::minutes(10);
inline constexpr Milliseconds kStreamDeadlineMax = std::chrono::hours(24 * 365);
inline constexpr Milliseconds kShutdownPhaseMax = std::chrono::hours(1);

inline constexpr std::array<std::string_view, 2> kDialects = {"flagd", "launchdarkly"};

// Every problem there is, each with its place and its remedy; empty: fine.
ProblemList validate(const Options& options,
                     std::span<const std::string_view> dialects = kDialects);

// The variables that secrets are to come from and that hold none: a file may come later, a variable
// cannot. Names that validate() refuses are left to it.
ProblemList validate_variables(const Options& options, const Variables& variables);

// What changed and only takes effect after a restart, by the key in the file ("admin", "state.dir",
// "environments.*.listen") or, where there is none, by the flag ("--port"). Everything else can be
// taken over while running. By value: the table's rows give out fields to write to.
std::vector<std::string> needs_restart(Options running, Options wanted);

}  // namespace flagstone::config
