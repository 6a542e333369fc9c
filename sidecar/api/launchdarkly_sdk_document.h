// Writes a whole environment in one of the forms that LaunchDarkly's SDKs ask for, in slices.
//
// A value that walks one snapshot, which its owner holds; a serving loop. What may fail: a text
// that the disk has to bring first, or will not give.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cache/record_reader.h"
#include "cache/snapshot.h"
#include "evaluation/dialects/launchdarkly/wire/document_writer.h"
#include "sidecar/api/launchdarkly_sdk_deltas.h"

namespace flagstone::sidecar {

enum class SdkWritten : std::uint8_t {
  kAll,
  kSlice,
  kNeedsDisk,  // The reader has something waiting(); go on when it is there.
  kFailed,     // A text cannot be read: what is written is incomplete for good.
};

class SdkDocument {
 public:
  using Clock = std::chrono::steady_clock;

  SdkDocument(evaluation::launchdarkly::DocumentForm form, SdkTarget target)
      : writer_(form), target_(std::move(target)) {}

  // Appends what comes next, until `bytes_max` are exceeded or that time has come. REQUIRES: the
  // same snapshot each time; not after kAll.
  SdkWritten write(const cache::Snapshot& snapshot, cache::RecordReader& reader,
                   std::size_t bytes_max, Clock::time_point until, std::string& out);

  // What all of it takes, but for line breaks within texts: a walk that reads no text.
  static std::size_t bytes_of(const cache::Snapshot& snapshot,
                              evaluation::launchdarkly::DocumentForm form);

 private:
  enum class Part : std::uint8_t { kBegin, kFlags, kSegments, kEnd };

  const cache::Entry* next(const cache::Snapshot& snapshot, evaluation::RecordKind segment);
  void look_ahead(const cache::Snapshot& snapshot, const cache::RecordReader& reader,
                  evaluation::RecordKind segment);

  evaluation::launchdarkly::DocumentWriter writer_;
  SdkTarget target_;
  Part part_ = Part::kBegin;
  cache::Snapshot::Walk walk_;
};

}  // namespace flagstone::sidecar
