// Writes a whole environment in one of the forms that LaunchDarkly's SDKs ask for, in slices.
//
// A value that walks one snapshot, which its owner holds; a serving loop. What may fail: a text
// that the disk has to bring first, or will not give.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "cache/record_reader.h"
#include "cache/snapshot.h"
#include "evaluation/dialects/launchdarkly/wire/document_writer.h"
#include "sidecar/api/launchdarkly_sdk_deltas.h"
#include "sidecar/serving_desk.h"
#include "sidecar/sliced_answers.h"

namespace flagstone::sidecar {

class SdkDocument {
 public:
  using Clock = std::chrono::steady_clock;

  SdkDocument(evaluation::launchdarkly::DocumentForm form, SdkTarget target)
      : writer_(form), target_(std::move(target)) {}

  // Appends what comes next, until `bytes_max` are exceeded or that time has come. REQUIRES: the
  // same snapshot each time; not after kAll.
  SliceWritten write(const cache::Snapshot& snapshot, cache::RecordReader& reader,
                     std::size_t bytes_max, Clock::time_point until, std::string& out);

  // What all of it takes, but for line breaks within texts: a walk that reads no text.
  static std::size_t bytes_of(const cache::Snapshot& snapshot,
                              evaluation::launchdarkly::DocumentForm form);

 private:
  enum class Part : std::uint8_t { kBegin, kFlags, kSegments, kEnd };

  const cache::Entry* next(const cache::Snapshot& snapshot);
  void look_ahead(const cache::Snapshot& snapshot, const cache::RecordReader& reader);

  evaluation::launchdarkly::DocumentWriter writer_;
  SdkTarget target_;
  Part part_ = Part::kBegin;
  cache::Snapshot::Walk walk_;
};

// The same as an answer.
class SdkDocumentText final : public SlicedText {
 public:
  SdkDocumentText(ServingDesk& desk, std::size_t environment, SdkDocument document)
      : desk_(desk), environment_(environment), document_(std::move(document)) {}
  SliceWritten write(const cache::ServingState& state, std::size_t bytes_max,
                     std::string& out) override;
  std::unique_ptr<SlicedText> keep() override {
    return std::make_unique<SdkDocumentText>(std::move(*this));
  }

 private:
  ServingDesk& desk_;
  std::size_t environment_;
  SdkDocument document_;
};

}  // namespace flagstone::sidecar
