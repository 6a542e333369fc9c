#include "sidecar/status.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "sidecar/commands/commands.h"
#include "sidecar/json_writer.h"
#include "sidecar/keeper.h"

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;
// Flags never asked for that /usage lists; it says how many there are.
constexpr std::size_t kNeverAskedListedMax = 10'000;

void write_held(JsonWriter& json, const std::optional<cache::HeldDocument>& held) {
  json.name("held");
  if (!held) {
    json.null();
    return;
  }
  json.open('{');
  json.member("records_before", held->records_before);
  json.member("records_dropped", held->records_dropped);
  json.member("times_seen", held->times_seen);
  json.member("times_needed", held->times_needed);
  json.close('}');
}

std::string_view kind_of(const SourceSeat& seat) {
  switch (seat.source().kind()) {
    case upstream::SourceKind::kFile:
      return "file";
    case upstream::SourceKind::kPoll:
      return "poll";
    case upstream::SourceKind::kStream:
      return "stream";
  }
  return "poll";
}

void write_source(JsonWriter& json, const SourceSeat& seat) {
  json.open('{');
  json.member("uri", seat.options().uri);
  json.member("kind", kind_of(seat));
  const auto text_or_null = [&json](std::string_view name, std::string_view text) {
    json.name(name);
    text.empty() ? json.null() : json.text(text);
  };
  text_or_null("protocol", seat.source().protocol_name());
  text_or_null("filter", seat.options().filter);
  json.member("state", seat.condition_name());
  json.member("optional", seat.options().optional);
  json.member("records", seat.layer().records().size());
  json.member("last_success_unix", seat.last_success_unix_ms() / kMsPerSecond);
  text_or_null("last_error", seat.last_error().empty() ? seat.source().trouble()
                                                       : std::string_view(seat.last_error()));
  json.name("failures"), json.open('{');
  for (std::size_t kind = 0; kind < upstream::kFailureKindCount; ++kind) {
    auto failure = static_cast<upstream::FailureKind>(kind);
    if (seat.failures(failure) == 0) continue;
    json.name(failure_kind_name(failure)), json.number(seat.failures(failure));
  }
  json.close('}');
  write_held(json, seat.layer().held());
  json.close('}');
}

void write_quarantined(JsonWriter& json, const EnvironmentFeed& feed) {
  json.name("quarantined"), json.open('[');
  for (std::size_t i = 0; i < feed.layers().layer_count(); ++i) {
    const cache::Layer& layer = feed.layers().layer(static_cast<std::uint16_t>(i));
    for (const cache::QuarantinedRecord& record : layer.quarantined()) {
      json.open('{');
      json.name("kind");
      for (const evaluation::KindName& kind : feed.dialect().kinds()) {
        if (kind.kind == record.id.kind) json.text(kind.name);
      }
      json.member("set_id", record.id.set_id);
      json.member("key", record.id.key);
      json.member("source", layer.options().name);
      json.member("error", record.message);
      json.member("last_good_answers", record.answers);
      json.close('}');
    }
  }
  json.close(']');
}

// What waits to be sent to the vendor.
void write_events(JsonWriter& json, const upstream::EventForwarder* events) {
  json.name("events");
  if (events == nullptr) return json.null();
  const upstream::EventFacts facts = events->facts();
  json.open('{');
  json.member("batches_waiting", facts.batches_waiting);
  json.member("spool_bytes", facts.spool_bytes);
  json.member("memory_bytes", facts.memory_bytes);
  json.name("oldest_age_seconds");
  facts.oldest_age_ms ? json.number(*facts.oldest_age_ms / kMsPerSecond) : json.null();
  json.name("last_error");
  facts.send_problem.empty() ? json.null() : json.text(facts.send_problem);
  json.close('}');
}

void write_environment(JsonWriter& json, const Keeper::Place& place, std::int64_t now_unix_ms) {
  const std::int64_t last_contact_unix_ms = place.last_contact_unix_ms();
  json.name(place.name), json.open('{');
  json.member("dialect", place.feed->options().dialect);
  json.name("origin");
  json.text(place.published.snapshot ? origin_name(place.published.origin) : "none");
  json.member("stale", place.published.stale);
  json.name("age_seconds");
  if (last_contact_unix_ms == 0) {
    json.null();
  } else {
    json.number(std::max<std::int64_t>(0, now_unix_ms - last_contact_unix_ms) / kMsPerSecond);
  }
  json.name("flags");
  json.number(place.published.snapshot ? place.published.snapshot->flag_count() : 0);
  write_quarantined(json, *place.feed);
  json.name("pinned"), json.open('[');
  for (const std::string& key : place.feed->pinned_keys()) json.text(key);
  json.close(']');
  json.name("bootstrap");
  place.feed->bootstrap() ? write_source(json, *place.feed->bootstrap()) : json.null();
  json.name("sources"), json.open('[');
  for (const auto& seat : place.feed->seats()) write_source(json, *seat);
  json.close(']');
  write_events(json, place.events.get());
  json.close('}');
}

void write_memory(JsonWriter& json, const cache::MemoryBudget& budget) {
  json.name("memory"), json.open('{');
  json.member("limit_bytes", budget.limit_bytes());
  json.member("used_bytes", budget.used_bytes());
  json.name("parts"), json.open('{');
  for (std::size_t i = 0; i < cache::kMemoryPartCount; ++i) {
    auto part = static_cast<cache::MemoryPart>(i);
    json.name(memory_part_name(part)), json.number(budget.used_bytes(part));
  }
  json.close('}');
  json.close('}');
}

void write_state(JsonWriter& json, const StateFacts& state) {
  json.name("state"), json.open('{');
  json.name("dir");
  state.folder.empty() ? json.null() : json.text(state.folder);
  json.member("writable", state.writable);
  json.member("bytes", state.used_bytes);
  json.member("writes", state.writes);
  json.member("failures", state.failures);
  json.name("problem");
  state.problem.empty() ? json.null() : json.text(state.problem);
  json.close('}');
}

void write_asked(JsonWriter& json, const cache::Usage& usage) {
  json.member("count", usage.count);
  json.member("first_asked_unix", usage.first_asked_unix_ms / kMsPerSecond);
  json.member("last_asked_unix", usage.last_asked_unix_ms / kMsPerSecond);
}

void write_never_asked(JsonWriter& json, const std::vector<const cache::Entry*>& never) {
  json.member("never_asked_count", never.size());
  json.name("never_asked"), json.open('[');
  for (std::size_t i = 0; i < std::min(never.size(), kNeverAskedListedMax); ++i) {
    json.text(never[i]->key());
  }
  json.close(']');
}

void write_usage(JsonWriter& json, const Keeper& keeper, std::size_t index) {
  const Keeper::Place& place = keeper.places()[index];
  const cache::UsageTotals& totals = (place.predecessor ? place.predecessor : place.feed)->usage();
  std::vector<const cache::Entry*> asked;
  std::vector<const cache::Entry*> never;
  if (const cache::Snapshot* snapshot = place.published.snapshot.get()) {
    cache::Snapshot::Walk walk(cache::FlagFilter{.set_id = {}, .source = {}, .one_per_key = false});
    while (const cache::Entry* flag = snapshot->next_flag(walk)) {
      (totals.of(flag->flag_id()).count > 0 ? asked : never).push_back(flag);
    }
  }
  auto by_count = [&](const cache::Entry* a, const cache::Entry* b) {
    return totals.of(a->flag_id()).count > totals.of(b->flag_id()).count;
  };
  std::stable_sort(asked.begin(), asked.end(), by_count);
  json.name(place.name), json.open('{');
  json.name("flags"), json.open('[');
  for (const cache::Entry* flag : asked) {
    json.open('{');
    json.member("key", flag->key());
    if (!flag->set_id().empty()) json.member("set_id", flag->set_id());
    write_asked(json, totals.of(flag->flag_id()));
    json.close('}');
  }
  json.close(']');
  // Apps with LaunchDarkly's SDKs get all flags and evaluate them there, so that a flag they ask
  // for every second is one that nobody asks for here.
  if (keeper.is_evaluated_in_apps(index)) {
    json.member("never_asked_unknown",
                std::string_view("apps fetch these flags by LaunchDarkly's SDKs and evaluate them "
                                 "themselves; what they ask for is not seen here"));
  } else {
    write_never_asked(json, never);
  }
  json.name("unknown_keys"), json.open('[');
  for (const auto& [key, usage] : totals.unknown()) {
    json.open('{');
    json.member("key", key);
    write_asked(json, usage);
    json.close('}');
  }
  json.close(']');
  json.member("unknown_keys_dropped", totals.unknown_dropped());
  json.close('}');
}

}  // namespace

void append_status(std::string& out, const Keeper& keeper, std::int64_t now_unix_ms) {
  JsonWriter json(out);
  json.open('{');
  json.member("version", version());
  std::vector<std::string> missing = keeper.missing();
  json.member("ready", missing.empty());
  json.name("missing"), json.open('[');
  for (const std::string& line : missing) json.text(line);
  json.close(']');
  json.name("environments"), json.open('{');
  for (const Keeper::Place& place : keeper.places()) {
    if (place.feed) write_environment(json, place, now_unix_ms);
  }
  json.close('}');
  write_memory(json, keeper.budget());
  write_state(json, keeper.state());
  json.close('}');
  out += '\n';
}

void append_usage(std::string& out, const Keeper& keeper) {
  JsonWriter json(out);
  json.open('{');
  json.name("environments"), json.open('{');
  for (std::size_t i = 0; i < keeper.places().size(); ++i) {
    if (keeper.places()[i].feed) write_usage(json, keeper, i);
  }
  json.close('}');
  json.close('}');
  out += '\n';
}

}  // namespace flagstone::sidecar
