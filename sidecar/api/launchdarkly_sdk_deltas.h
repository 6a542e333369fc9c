// Writes what changed in an environment for who knows an earlier state of it.
//
// Functions over a mirror's book and the snapshot that it is of; a serving loop. What may fail: a
// text that the disk has to bring first or will not give; and what changed may be so much that the
// whole is told in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cache/record_reader.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_messages.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"

namespace flagstone::sidecar {

// Who listens: to /all, to /flags, to flag delivery v2 over a stream, or asks by a poll.
enum class SdkAudience : std::uint8_t { kAll, kFlagsOnly, kTransfer, kPolledTransfer };

// More than that is told as a whole.
inline constexpr std::size_t kSdkDeltaChangesMax = 1000;
inline constexpr std::size_t kSdkDeltaBytesMax = std::size_t{4} << 20;

enum class SdkDelta : std::uint8_t {
  kWritten,    // Perhaps of no bytes: nothing that is of interest to that audience.
  kNeedsFull,  // Nothing is written; everything has to be told.
  kNeedsDisk,  // Nothing is written; the reader has something waiting().
  kFailed,     // Nothing is written; a text cannot be read.
};

// What the newest payload of an environment is called in flag delivery v2. Owns its texts.
struct SdkTarget {
  SdkTarget(const SdkMirror& mirror, std::size_t environment);
  evaluation::launchdarkly::TransferTarget view() const {
    return {.payload_id = payload_id, .state = state, .version = version};
  }

  std::string payload_id;
  std::string state;
  std::int64_t version = 0;
};

// From the state of `told` to the newest.
SdkDelta append_sdk_delta(const SdkMirror& mirror, std::size_t environment, std::uint64_t told,
                          SdkAudience audience, const cache::RecordReader& reader,
                          std::string& out);

}  // namespace flagstone::sidecar
