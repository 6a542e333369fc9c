#include "sidecar/metrics.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "sidecar/keeper.h"

namespace flagstone::sidecar {
namespace {

constexpr double kMsPerSecond = 1e3;
constexpr double kNsPerSecond = 1e9;

// Writes one family after the other: its help and type, then its samples.
class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  template <typename Number>
  void sample(std::string_view labels, Number value) {
    sample_of("", labels, value);
  }
  template <typename Number>
  void sample_of(std::string_view suffix, std::string_view labels, Number value) {
    fmt::format_to(std::back_inserter(out_), "{}{}{}{}{} {}\n", name_, suffix,
                   labels.empty() ? "" : "{", labels, labels.empty() ? "" : "}", value);
  }

 private:
  std::string& out_;
  std::string_view name_;
};

// A label's value: backslash, quote and line break are escaped.
std::string label(std::string_view name, std::string_view value) {
  std::string out = fmt::format("{}=\"", name);
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

std::string labels_of(const Keeper::Place& place, const SourceSeat& seat) {
  return label("environment", place.name) + "," + label("source", seat.options().uri);
}

void append_answers(Exposition& text, const Keeper& keeper) {
  text.family("flagstone_evaluations_total", "counter",
              "Evaluations answered, by api, environment and reason.");
  for (std::size_t api = 0; api < kApiNames.size(); ++api) {
    for (std::size_t place = 0; place < keeper.places().size(); ++place) {
      for (std::size_t reason = 0; reason < evaluation::kReasonCount; ++reason) {
        std::uint64_t sum = 0;
        for (const ServingThread* thread : keeper.threads()) {
          sum += thread->counters().evaluations[api][place][reason].read();
        }
        if (sum == 0) continue;
        text.sample(
            fmt::format("{},{},{}", label("api", kApiNames[api]),
                        label("environment", keeper.places()[place].name),
                        label("reason", reason_name(static_cast<evaluation::Reason>(reason)))),
            sum);
      }
    }
  }
  text.family("flagstone_requests_refused_total", "counter",
              "Requests that never reached an evaluation, by error code.");
  for (std::size_t code = 1; code < evaluation::kErrorCodeCount; ++code) {
    std::uint64_t sum = 0;
    for (const ServingThread* thread : keeper.threads()) {
      sum += thread->counters().refused[code].read();
    }
    text.sample(label("code", error_code_name(static_cast<evaluation::ErrorCode>(code))), sum);
  }
}

// Who does not get in, and who will not before long.
void append_access(Exposition& text, const Keeper& keeper) {
  text.family("flagstone_unauthorized_requests_total", "counter",
              "Requests whose credential opens no environment, by the api they asked.");
  for (std::size_t api = 0; api < kAccessApiNames.size(); ++api) {
    std::uint64_t sum = 0;
    for (const ServingThread* thread : keeper.threads()) {
      sum += thread->counters().unauthorized[api].read();
    }
    text.sample(label("api", kAccessApiNames[api]), sum);
  }
  text.family("flagstone_former_credential_requests_total", "counter",
              "Requests that came with the environment's former credential, in its grace.");
  for (std::size_t place = 0; place < keeper.places().size(); ++place) {
    if (!keeper.places()[place].feed) continue;
    std::uint64_t sum = 0;
    for (const ServingThread* thread : keeper.threads()) {
      sum += thread->counters().former_credential_requests[place].read();
    }
    text.sample(label("environment", keeper.places()[place].name), sum);
  }
}

void append_latency(Exposition& text, const Keeper& keeper) {
  text.family("flagstone_request_duration_seconds", "histogram",
              "Time from the parsed request to its written answer.");
  for (std::size_t api = 0; api < kApiNames.size(); ++api) {
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;
    std::string api_label = label("api", kApiNames[api]);
    for (std::size_t bucket = 0; bucket <= LatencyHistogram::kBoundsNs.size(); ++bucket) {
      for (const ServingThread* thread : keeper.threads()) {
        count += thread->counters().latency[api].bucket(bucket);
      }
      std::string bound =
          bucket < LatencyHistogram::kBoundsNs.size()
              ? fmt::format("{}",
                            static_cast<double>(LatencyHistogram::kBoundsNs[bucket]) / kNsPerSecond)
              : "+Inf";
      text.sample_of("_bucket", api_label + "," + label("le", bound), count);
    }
    for (const ServingThread* thread : keeper.threads()) {
      sum_ns += thread->counters().latency[api].sum_ns();
    }
    text.sample_of("_sum", api_label, static_cast<double>(sum_ns) / kNsPerSecond);
    text.sample_of("_count", api_label, count);
  }
}

void append_environments(Exposition& text, const Keeper& keeper, std::int64_t now_unix_ms) {
  auto each = [&](auto&& write) {
    for (const Keeper::Place& place : keeper.places()) {
      if (place.feed) write(place, label("environment", place.name));
    }
  };
  text.family("flagstone_ready", "gauge", "1 when every required environment can be answered.");
  text.sample("", keeper.missing().empty() ? 1 : 0);
  text.family("flagstone_snapshot_age_seconds", "gauge",
              "Since the last successful contact with upstream.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    std::int64_t last = place.last_contact_unix_ms();
    if (last != 0) text.sample(labels, static_cast<double>(now_unix_ms - last) / kMsPerSecond);
  });
  text.family("flagstone_snapshot_stale", "gauge", "1 while answers are marked as stale.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    text.sample(labels, place.published.stale ? 1 : 0);
  });
  text.family("flagstone_snapshot_origin", "gauge", "1 for where what is served came from.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    std::string_view origin =
        place.published.snapshot ? origin_name(place.published.origin) : "none";
    text.sample(labels + "," + label("origin", origin), 1);
  });
  text.family("flagstone_flags", "gauge", "Flags that can be asked for.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    text.sample(labels, place.published.snapshot ? place.published.snapshot->flag_count() : 0);
  });
  text.family("flagstone_evaluation_events_lost_total", "counter",
              "What was not told to the vendor of evaluations made here, by cause: events, and "
              "counts of unknown flags.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    if (!place.reports) return;
    const ReportFacts facts = place.reports->facts();
    for (std::size_t why = 0; why < facts.lost.size(); ++why) {
      text.sample(labels + "," + label("cause", kReportLossNames[why]), facts.lost[why]);
    }
  });
  text.family("flagstone_quarantined_records", "gauge",
              "Records whose newest text cannot be used.");
  each([&](const Keeper::Place& place, const std::string& labels) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < place.feed->layers().layer_count(); ++i) {
      sum +=
          place.feed->layers().layer(static_cast<std::uint16_t>(i)).records().quarantined_count();
    }
    text.sample(labels, sum);
  });
}

void append_events(Exposition& text, const Keeper& keeper) {
  const auto each = [&](auto&& write) {
    for (const Keeper::Place& place : keeper.places()) {
      if (place.events) write(place.events->facts(), label("environment", place.name));
    }
  };
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                          std::uint64_t upstream::EventFacts::* fact) {
    text.family(name, type, help);
    each([&](const upstream::EventFacts& facts, const std::string& labels) {
      text.sample(labels, facts.*fact);
    });
  };
  family("flagstone_events_received_total", "counter", "Events that apps posted, and our own.",
         &upstream::EventFacts::received);
  family("flagstone_events_merged_total", "counter", "Events that others stand for upstream.",
         &upstream::EventFacts::merged_away);
  family("flagstone_events_sent_total", "counter", "Events that upstream has taken.",
         &upstream::EventFacts::sent);
  text.family("flagstone_events_dropped_total", "counter", "Events that were given up, by reason.");
  each([&](const upstream::EventFacts& facts, const std::string& labels) {
    for (std::size_t i = 0; i < facts.dropped.size(); ++i) {
      text.sample(labels + "," + label("reason", upstream::kDropReasonNames[i]), facts.dropped[i]);
    }
  });
  family("flagstone_event_posts_refused_total", "counter",
         "Posts that found no room; the app was told to try again.",
         &upstream::EventFacts::posts_refused);
  family("flagstone_event_requests_total", "counter",
         "Requests with events sent upstream, tries included.", &upstream::EventFacts::requests);
  family("flagstone_event_send_failures_total", "counter",
         "Requests with events that upstream did not take.", &upstream::EventFacts::send_failures);
  family("flagstone_event_batches_waiting", "gauge", "Batches of events that wait to be sent.",
         &upstream::EventFacts::batches_waiting);
  family("flagstone_event_spool_bytes", "gauge", "Bytes of events on the disk.",
         &upstream::EventFacts::spool_bytes);
  text.family("flagstone_event_oldest_age_seconds", "gauge",
              "How long the oldest event that waits has been here; 0: none waits.");
  each([&](const upstream::EventFacts& facts, const std::string& labels) {
    text.sample(labels, static_cast<double>(facts.oldest_age_ms.value_or(0)) / kMsPerSecond);
  });
}

void append_sources(Exposition& text, const Keeper& keeper) {
  auto each = [&](auto&& write) {
    for (const Keeper::Place& place : keeper.places()) {
      if (!place.feed) continue;
      for (const auto& seat : place.feed->seats()) write(*seat, labels_of(place, *seat));
    }
  };
  text.family("flagstone_source_last_success_timestamp_seconds", "gauge",
              "Wall time of the last successful contact.");
  each([&](const SourceSeat& seat, const std::string& labels) {
    if (seat.last_success_unix_ms() == 0) return;
    text.sample(labels, static_cast<double>(seat.last_success_unix_ms()) / kMsPerSecond);
  });
  text.family("flagstone_source_failures_total", "counter", "Failed contacts, by kind.");
  each([&](const SourceSeat& seat, const std::string& labels) {
    for (std::size_t kind = 0; kind < upstream::kFailureKindCount; ++kind) {
      auto failure = static_cast<upstream::FailureKind>(kind);
      if (seat.failures(failure) == 0) continue;
      text.sample(labels + "," + label("kind", failure_kind_name(failure)), seat.failures(failure));
    }
  });
  text.family("flagstone_updates_total", "counter", "What became of the source's documents.");
  each([&](const SourceSeat& seat, const std::string& labels) {
    const UpdateCounts& counts = seat.updates();
    text.sample(labels + ",result=\"accepted\"", counts.accepted);
    text.sample(labels + ",result=\"unchanged\"", counts.unchanged);
    text.sample(labels + ",result=\"refused\"", counts.refused);
    text.sample(labels + ",result=\"held\"", counts.held);
  });
}

void append_process(Exposition& text, const Keeper& keeper) {
  text.family("flagstone_memory_bytes", "gauge", "Bytes in use, by part.");
  for (std::size_t i = 0; i < cache::kMemoryPartCount; ++i) {
    auto part = static_cast<cache::MemoryPart>(i);
    text.sample(label("part", memory_part_name(part)), keeper.budget().used_bytes(part));
  }
  text.family("flagstone_memory_limit_bytes", "gauge", "The limit over all parts together.");
  text.sample("", keeper.budget().limit_bytes());
  text.family("flagstone_compiled_records", "gauge", "Records that are compiled just now.");
  text.sample("", keeper.room().residency().size());
  text.family("flagstone_promotions_total", "counter",
              "Records compiled when asked for, or with an update.");
  text.sample("", keeper.room().residency().promotions());
  text.family("flagstone_demotions_total", "counter", "Compiled records given up for room.");
  text.sample("", keeper.room().residency().demotions());
  text.family("flagstone_unreadable_texts_total", "counter",
              "Reads of flags' texts from the state that failed or gave damaged bytes.");
  text.sample("", keeper.unreadable_texts());
  text.family("flagstone_connections", "gauge", "Open connections, by listener.");
  for (std::size_t i = 0; i < keeper.listener_names().size(); ++i) {
    std::uint64_t open = 0;
    for (const ServingThread* thread : keeper.threads()) {
      open += thread->server_counters().open_by_listener[i].read();
    }
    text.sample(label("listener", keeper.listener_names()[i]), open);
  }
  text.family("flagstone_streams", "gauge", "Streams of flag changes that are open, by api.");
  const std::pair<std::string_view, Counter ServingCounters::*> streams[] = {
      {"flagd_events", &ServingCounters::event_streams},
      {"flagd_sync", &ServingCounters::sync_streams},
      {"launchdarkly_sdk", &ServingCounters::sdk_streams},
  };
  for (const auto& [api, counter] : streams) {
    std::uint64_t open = 0;
    for (const ServingThread* thread : keeper.threads()) {
      open += (thread->counters().*counter).read();
    }
    text.sample(label("api", api), open);
  }
  auto total = [&](std::string_view name, std::string_view help, auto counter) {
    text.family(name, "counter", help);
    std::uint64_t sum = 0;
    for (const ServingThread* thread : keeper.threads()) {
      sum += (thread->server_counters().*counter).read();
    }
    text.sample("", sum);
  };
  total("flagstone_connections_refused_total", "Connections over the limit.",
        &net::ServerCounters::refused);
  total("flagstone_malformed_requests_total", "Requests that were not HTTP, or too large.",
        &net::ServerCounters::refusals);
  total("flagstone_connection_timeouts_total", "Connections closed by a time limit.",
        &net::ServerCounters::timeouts);
  total("flagstone_http2_floods_total",
        "Connections ended for HTTP/2 resets, control frames or TLS key changes beyond measure.",
        &net::ServerCounters::floods);
  total("flagstone_tls_handshake_failures_total", "TLS handshakes that failed.",
        &net::ServerCounters::tls_failures);
}

void append_tls(Exposition& text, const Keeper& keeper) {
  const TlsFacts& tls = keeper.tls();
  if (tls.expires_unix_seconds == 0) return;
  text.family("flagstone_tls_certificate_expiry_timestamp_seconds", "gauge",
              "Wall time after which clients refuse the certificate.");
  text.sample("", tls.expires_unix_seconds);
  text.family("flagstone_tls_reload_failures_total", "counter",
              "Changes of certificate, key or client CA that could not be used.");
  text.sample("", tls.reload_failures);
}

void append_state(Exposition& text, const Keeper& keeper) {
  const StateFacts state = keeper.state();
  text.family("flagstone_state_writable", "gauge", "1 when the last known state can be written.");
  text.sample("", state.writable ? 1 : 0);
  text.family("flagstone_state_bytes", "gauge", "Bytes in the state directory.");
  text.sample("", state.used_bytes);
  text.family("flagstone_state_writes_total", "counter", "Writes of the state that succeeded.");
  text.sample("", state.writes);
  text.family("flagstone_state_write_failures_total", "counter", "Writes that failed.");
  text.sample("", state.failures);
  text.family("flagstone_state_corrupt_files_total", "counter",
              "Files that failed their checksum.");
  text.sample("", state.corrupt_files);
}

}  // namespace

void append_metrics(std::string& out, const Keeper& keeper, std::int64_t now_unix_ms) {
  Exposition text(out);
  append_answers(text, keeper);
  append_access(text, keeper);
  append_latency(text, keeper);
  append_environments(text, keeper, now_unix_ms);
  append_sources(text, keeper);
  append_events(text, keeper);
  append_process(text, keeper);
  append_tls(text, keeper);
  append_state(text, keeper);
}

}  // namespace flagstone::sidecar
