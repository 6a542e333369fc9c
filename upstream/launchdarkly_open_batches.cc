#include "upstream/launchdarkly_open_batches.h"

#include <algorithm>
#include <utility>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/launchdarkly/wire/event_list.h"

namespace flagstone::upstream::launchdarkly {
namespace {

namespace wire = evaluation::launchdarkly;

// Tells the payloads of one log from each other. There is one of events for each group.
std::string identity_of(const BatchHead& head, std::string_view text) {
  const EventGroup& group = head.group;
  std::string what = std::to_string(group.source) + '\n' + group.schema + '\n' + group.tags + '\n';
  what += group.is_unsummarized ? 'u' : 's';
  if (head.kind == PayloadKind::kDiagnostic) what += std::to_string(evaluation::digest64(text));
  return what;
}

}  // namespace

std::size_t OpenBatches::merge(PayloadKind kind, const EventGroup& group,
                               const std::string& payload_id, std::string_view text,
                               std::int64_t now_ms) {
  if (kind == PayloadKind::kEvents) {
    return batch_of(group)
        .add(wire::EventList::known_good(text), contexts_[group.source], now_ms)
        .merged_away;
  }
  const auto diagnostic = wire::read_diagnostic(text);
  if (!diagnostic) return 0;
  if (diagnostic->is_init) {
    // Equal processes say the same: one of them is enough.
    std::string what = std::to_string(group.source) + '/' + diagnostic->what;
    if (inits_.knows(what, now_ms)) return 1;
    inits_.remember(std::move(what), now_ms);
  }
  diagnostics_.push_back({.group = group, .payload_id = payload_id, .text = std::string(text)});
  return 0;
}

wire::EventBatch& OpenBatches::batch_of(const EventGroup& group) {
  const auto found =
      std::ranges::find_if(events_, [&](const Group& open) { return open.group == group; });
  if (found != events_.end()) return found->events;
  return events_.emplace_back(Group{.group = group, .events = {}}).events;
}

std::vector<OpenBatches::Payload> OpenBatches::take(const std::string& log_id) {
  std::vector<Payload> payloads;
  for (const Group& open : std::exchange(events_, {})) {
    if (open.events.empty()) continue;
    payloads.push_back({.head = {.kind = PayloadKind::kEvents,
                                 .group = open.group,
                                 .payload_id = {},
                                 .events = open.events.events(),
                                 .summaries = open.events.summaries()},
                        .json = open.events.json()});
  }
  for (Diagnostic& diagnostic : std::exchange(diagnostics_, {})) {
    payloads.push_back({.head = {.kind = PayloadKind::kDiagnostic,
                                 .group = diagnostic.group,
                                 .payload_id = std::move(diagnostic.payload_id),
                                 .events = 1},
                        .json = std::move(diagnostic.text)});
  }
  for (auto& [head, json] : payloads) {
    // By what it is, and not by how many came before it: a replay knows less of what was told.
    if (head.payload_id.empty()) head.payload_id = payload_id_of(log_id, identity_of(head, json));
    head.siblings = static_cast<std::uint32_t>(payloads.size());
  }
  return payloads;
}

bool OpenBatches::empty() const {
  return diagnostics_.empty() &&
         std::ranges::all_of(events_, [](const Group& open) { return open.events.empty(); });
}

std::uint64_t OpenBatches::bytes() const {
  std::uint64_t sum = 0;
  for (const Group& open : events_) sum += open.events.bytes();
  for (const Diagnostic& diagnostic : diagnostics_) sum += diagnostic.text.size();
  return sum;
}

bool OpenBatches::is_full(std::uint64_t batch_bytes) const {
  return events_.size() >= kGroupsMax || diagnostics_.size() >= kDiagnosticsMax ||
         std::ranges::any_of(events_,
                             [&](const Group& open) { return open.events.bytes() >= batch_bytes; });
}

}  // namespace flagstone::upstream::launchdarkly
