#include "upstream/launchdarkly_batch_parts.h"

#include "evaluation/dialects/launchdarkly/wire/event_list.h"
#include "net/gzip.h"
#include "net/rpc/gzip.h"

namespace flagstone::upstream::launchdarkly {
namespace {

namespace wire = evaluation::launchdarkly;

// What a batch's events may unpack to: one payload and the body that came last.
constexpr std::size_t kUnpackedBytesMax = std::size_t{256} * 1024 * 1024;

std::string unpack(std::string_view payload) {
  std::string text;
  net::Gunzip gunzip;
  if (gunzip.run(payload, kUnpackedBytesMax, text) != net::Gunzip::Result::kDone) return "[]";
  return text;
}

BatchPart half_of(const BatchHead& whole, std::string_view letter, const std::string& events) {
  BatchPart half{.head = whole, .payload = net::gzip(events)};
  half.head.payload_id = payload_id_of(whole.payload_id, letter);
  half.head.events = wire::count_events(events);
  half.head.summaries = wire::only_summaries(events).kept;
  return half;
}

}  // namespace

std::optional<std::pair<BatchPart, BatchPart>> halves_of(const BatchHead& whole,
                                                         std::string_view payload) {
  if (whole.kind != PayloadKind::kEvents) return std::nullopt;
  const wire::Halves halves = wire::halve_events(unpack(payload));
  if (halves.second.empty()) return std::nullopt;
  return std::pair{half_of(whole, "a", halves.first), half_of(whole, "b", halves.second)};
}

SummariesAlone summaries_of(const BatchHead& whole, std::string_view payload) {
  if (whole.kind != PayloadKind::kEvents) {
    return {.part = {}, .left_out = static_cast<std::size_t>(whole.events)};
  }
  const wire::Summaries summaries = wire::only_summaries(unpack(payload));
  SummariesAlone alone{.part = {.head = whole, .payload = net::gzip(summaries.json)},
                       .left_out = summaries.left_out};
  alone.part.head.events = summaries.kept;
  alone.part.head.summaries = summaries.kept;
  return alone;
}

}  // namespace flagstone::upstream::launchdarkly
