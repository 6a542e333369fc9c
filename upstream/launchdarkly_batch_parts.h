// What a sealed batch is made into when it can neither go nor stay as it is: two halves, or its
// summaries alone.
//
// Pure functions on a batch's head and payload, which is gzip. Nothing fails: a payload that cannot
// be unpacked counts as one without events.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "upstream/launchdarkly_event_files.h"

namespace flagstone::upstream::launchdarkly {

struct BatchPart {
  BatchHead head;
  std::string payload;  // gzip
};

// With payload ids that follow from the whole's. Nullopt where there is nothing to halve: a single
// event, or no list of events.
std::optional<std::pair<BatchPart, BatchPart>> halves_of(const BatchHead& whole,
                                                         std::string_view payload);

struct SummariesAlone {
  BatchPart part;  // Without events where the batch had no summaries.
  std::size_t left_out = 0;
};
SummariesAlone summaries_of(const BatchHead& whole, std::string_view payload);

}  // namespace flagstone::upstream::launchdarkly
