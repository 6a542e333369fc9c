// What is not sealed yet: events merged as they come, a batch for each group, and diagnostics.
//
// A member of the spool, on the writer's thread. In memory alone, since the log has the bodies;
// nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/dialects/launchdarkly/wire/event_batch.h"
#include "upstream/launchdarkly_event_files.h"
#include "upstream/launchdarkly_recent_texts.h"

namespace flagstone::upstream::launchdarkly {

class OpenBatches {
 public:
  // Combinations of schema, tags and source that are open at once.
  static constexpr std::size_t kGroupsMax = 16;
  static constexpr std::size_t kDiagnosticsMax = 16;
  // An SDK's configuration is told of once in this time.
  static constexpr std::int64_t kInitWindowMs = 60 * 60 * 1000;
  static constexpr std::size_t kInitsMax = 64;

  // A body that was looked into. Returns how many of its events add nothing to what is there.
  std::size_t merge(PayloadKind kind, const EventGroup& group, const std::string& payload_id,
                    std::string_view text, std::int64_t now_ms);

  // What it comes to, and nothing is open any more. Ids and heads follow from the log's id and from
  // what each payload is, so that the same log leads to the same ones.
  struct Payload {
    BatchHead head;
    std::string json;
  };
  std::vector<Payload> take(const std::string& log_id);
  // REQUIRES: empty(). Groups that nothing is left of are closed.
  void close_groups() { events_.clear(); }

  bool empty() const;
  std::uint64_t bytes() const;
  // So many, or one of so many bytes, that they have to be sealed.
  bool is_full(std::uint64_t batch_bytes) const;

 private:
  struct Group {
    EventGroup group;
    evaluation::launchdarkly::EventBatch events;
  };
  struct Diagnostic {
    EventGroup group;
    std::string payload_id;  // Empty: it follows from the log.
    std::string text;
  };

  evaluation::launchdarkly::EventBatch& batch_of(const EventGroup& group);

  std::vector<Group> events_;  // In the order they were opened.
  std::vector<Diagnostic> diagnostics_;
  // By source: each is told of its own.
  std::map<std::uint64_t, evaluation::launchdarkly::IndexWindow> contexts_;
  RecentTexts inits_{kInitWindowMs, kInitsMax};
};

}  // namespace flagstone::upstream::launchdarkly
