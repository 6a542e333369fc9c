#include "upstream/launchdarkly_event_forwarder.h"

#include <algorithm>
#include <utility>

#include "net/loop.h"
#include "upstream/launchdarkly_endpoints.h"
#include "upstream/random_bytes.h"
#include "upstream/redact.h"

namespace flagstone::upstream {
namespace launchdarkly {

Forwarder::Forwarder(const config::Environment& options, EventForwarderTools tools)
    : tools_(std::move(tools)),
      options_(options.events),
      name_(options.name),
      routes_(tools_.sources, [this] { try_now(); }),
      sender_(tools_.sources.http, tools_.sources.clock, tools_.sources.instance_id),
      flush_timer_(tools_.sources.loop, [this] { seal(); }),
      wait_timer_(tools_.sources.loop, [this] { pump(); }),
      deadline_(tools_.sources.loop,
                [this] {
                  gave_up_ = true;
                  finish_if_done();
                }),
      spool_(tools_.sources.loop, std::move(tools_.disk),
             SpoolOptions{.limit_bytes = options_.spool_limit_bytes,
                          .memory_bytes = tools_.memory_bytes,
                          .batch_bytes = options_.batch_bytes,
                          .fresh_id = [] { return random_bytes(kLogIdBytes); }},
             *this) {
  routes_.set_sources(options.sources);
}

void Forwarder::set_options(const config::Environment& options) {
  options_ = options.events;
  routes_.set_sources(options.sources);
  (void)spool_.run(
      [events = options_](EventSpool& spool) {
        spool.set_options(events.spool_limit_bytes, events.batch_bytes);
      },
      [] {});
  try_now();
}

// What kept events from being sent may be over.
void Forwarder::try_now() {
  routes_.forgive_all();
  pump();
}

void Forwarder::post(PostedEvents events, Done done) {
  SpoolPost post{.kind = events.kind == PostedEvents::Kind::kEvents ? PayloadKind::kEvents
                                                                    : PayloadKind::kDiagnostic,
                 .group = {.source = routes_.source_of(events.source, events.credential),
                           .schema = std::move(events.schema),
                           .tags = std::move(events.tags),
                           .is_unsummarized = events.is_unsummarized},
                 .payload_id = std::move(events.payload_id),
                 .is_gzip = events.is_gzip,
                 .is_own = false,
                 .body = std::move(events.body)};
  auto handed = hand_to_disk(std::move(post), std::move(done));
  if (handed) return;
  ++counts_.posts_refused;
  spool_.later([done = std::move(handed.error())]() mutable { done(PostResult::kFull); });
}

bool Forwarder::add(std::string_view schema, std::string_view tags, std::string events) {
  return hand_to_disk({.kind = PayloadKind::kEvents,
                       .group = {.source = routes_.source_of({}, {}),
                                 .schema = std::string(schema),
                                 .tags = std::string(tags)},
                       .payload_id = {},
                       .is_gzip = false,
                       .is_own = true,
                       .body = std::move(events)},
                      [](PostResult) {})
      .has_value();
}

// The error is `done` again.
std::expected<void, Forwarder::Done> Forwarder::hand_to_disk(SpoolPost post, Done done) {
  if (finishing_ && !post.is_own) return std::unexpected(std::move(done));
  return spool_.take(std::move(post), std::move(done));
}

void Forwarder::on_taken(PostResult result) {
  if (result == PostResult::kFull) return note_full();
  note_room();
}

void Forwarder::note_full() {
  ++counts_.posts_refused;
  last_full_ms_ = now_ms();
  if (std::exchange(full_, true)) return;
  const std::string& problem = spool_.facts().problem;
  say(true, "no room for more events (" + (problem.empty() ? "events.spool_limit" : problem) +
                "): apps are told to try again");
}

void Forwarder::note_room() {
  if (!full_ || now_ms() - last_full_ms_ < kRoomAgainMs) return;
  full_ = false;
  say(false, "there is room for events again");
}

// What there is decides what is to be done.
void Forwarder::on_facts() {
  const SpoolFacts& seen = spool_.facts();
  if (seen.batches == 0) refused_.clear();
  complain_of_drops();
  if (seen.wants_seal && !finishing_) {
    seal();
  } else if (!seen.is_empty && !flush_timer_.running() && !finishing_) {
    flush_timer_.start_once(
        jittered_interval(options_.flush_interval, tools_.sources.random.next()).count());
  }
  pump();
  finish_if_done();
}

void Forwarder::seal() {
  if (seals_ > 0 && !finishing_) return;
  flush_timer_.stop();
  if (spool_.run([](EventSpool& spool) { spool.seal(); }, [this] { --seals_; })) {
    ++seals_;
  } else {
    flush_timer_.start_once(kAgainMs);
  }
}

void Forwarder::pump() {
  wait_timer_.stop();
  if (busy_ || spool_.facts().batches == 0 || gave_up_) return;
  const std::int64_t now = now_ms();
  const std::int64_t wait_until = std::max(routes_.all_wait_until(now).value_or(0), rest_until_ms_);
  if (wait_until > now) return wait_timer_.start_once(wait_until - now);
  Passing passing{.sources = routes_.waiting(now), .behind = refused_.behind()};
  auto batch = std::make_shared<std::optional<OutgoingBatch>>();
  busy_ = spool_.run(
      [batch, passing = std::move(passing)](EventSpool& spool) { *batch = spool.next(passing); },
      [this, batch] {
        busy_ = false;
        if (*batch) return send(std::move(**batch));
        if (spool_.facts().batches == 0) return;
        // They are for who waits, or the disk gives none of them just now.
        rest();
        if (finishing_) gave_up_ = true;
      });
  if (!busy_) rest();
}

void Forwarder::rest() {
  rest_until_ms_ = now_ms() + kAgainMs;
  wait_timer_.start_once(kAgainMs);
}

void Forwarder::send(OutgoingBatch batch) {
  EventDestination* const to = routes_.find(batch.head.group.source);
  if (to == nullptr) return settle(std::move(batch), BatchOutcome::kOffline);
  busy_ = true;
  auto headers = to->headers();
  if (!headers) {
    return failed(batch, {.verdict = SendResult::Verdict::kFailed,
                          .regime = Regime::kOrdinary,
                          .cause = std::move(headers.error()),
                          .retry_after = {},
                          .server_unix_ms = {}});
  }
  ++counts_.requests;
  sender_.send(to->source(), to->key(), std::move(*headers), std::move(batch),
               [this](SendResult result, OutgoingBatch sent_batch) {
                 sent(std::move(result), std::move(sent_batch));
               });
}

void Forwarder::sent(SendResult result, OutgoingBatch batch) {
  if (result.server_unix_ms) {
    vendor_offset_ms_ = *result.server_unix_ms - tools_.sources.clock.unix_ms();
  }
  const bool is_failure = result.verdict == SendResult::Verdict::kFailed ||
                          (result.verdict == SendResult::Verdict::kRefused &&
                           !refused_.is_refused_for_good(batch.name, tools_.sources.clock.now()));
  if (is_failure) return failed(batch, result);
  EventDestination* const to = routes_.find(batch.head.group.source);
  if (to != nullptr && to->note_success()) say(false, "events are sent again");
  switch (result.verdict) {
    case SendResult::Verdict::kAccepted:
      return settle(std::move(batch), BatchOutcome::kSent);
    case SendResult::Verdict::kRefused:
      return settle(std::move(batch), BatchOutcome::kRefused);
    default:
      return settle(std::move(batch), BatchOutcome::kTooLarge);
  }
}

void Forwarder::settle(OutgoingBatch batch, BatchOutcome outcome) {
  refused_.settled(batch.name);
  // Upstream knows the payload's id; where the job cannot be queued it is sent again.
  busy_ = spool_.run(
      [batch = std::move(batch), outcome](EventSpool& spool) { spool.settle(batch, outcome); },
      [this] { busy_ = false; });
  if (!busy_) rest();
}

void Forwarder::failed(const OutgoingBatch& batch, const SendResult& result) {
  ++counts_.send_failures;
  if (result.is_answer && result.regime != Regime::kDenied) {
    refused_.put_behind(batch.name, counts_.requests);
  }
  // A reload may have taken it out meanwhile.
  EventDestination* const to = routes_.find(batch.head.group.source);
  if (to != nullptr) back_off(*to, result);
  if (finishing_ && routes_.all_wait_until(now_ms())) gave_up_ = true;
  put_back();
  finish_if_done();
}

void Forwarder::back_off(EventDestination& to, const SendResult& result) {
  if (!to.note_failure(result)) return;
  say(true, "events cannot be sent to " + to.failing() + "; they are kept and sent again");
}

void Forwarder::put_back() {
  busy_ = spool_.run([](EventSpool& spool) { spool.put_back(); }, [this] { busy_ = false; });
  if (!busy_) rest();
}

void Forwarder::complain_of_drops() {
  std::uint64_t dropped = 0;
  for (const auto reason : {DropReason::kSpoolLimit, DropReason::kTooLarge, DropReason::kDamaged}) {
    dropped += spool_.facts().dropped[static_cast<std::size_t>(reason)];
  }
  if (dropped == drops_told_ || now_ms() - complained_ms_ < kComplainEveryMs) return;
  complained_ms_ = now_ms();
  say(true, std::to_string(dropped - std::exchange(drops_told_, dropped)) +
                " events were dropped: the oldest beyond events.spool_limit, what upstream refused "
                "as malformed or too large, what was damaged");
}

std::int64_t Forwarder::vendor_unix_ms() const {
  return tools_.sources.clock.unix_ms() + vendor_offset_ms_;
}

void Forwarder::finish(std::int64_t limit_ms, std::move_only_function<void()> done) {
  finishing_ = true;
  finished_ = std::move(done);
  deadline_.start_once(limit_ms);
  // One try each, at once.
  rest_until_ms_ = 0;
  routes_.send_now();
  seal();
  if (seals_ == 0) gave_up_ = true;
  finish_if_done();
}

void Forwarder::finish_if_done() {
  if (!finished_) return;
  const bool all_gone =
      seals_ == 0 && !busy_ && spool_.queued() == 0 && spool_.facts().batches == 0;
  if (!all_gone && !gave_up_) return;
  deadline_.stop();
  // Not from inside what called: it may be the disk's answer, and `done` may end us.
  (void)tools_.sources.loop.post([done = std::exchange(finished_, nullptr)]() mutable { done(); });
}

void Forwarder::say(bool is_warning, std::string text) {
  if (tools_.say) tools_.say(is_warning, name_ + ": " + text);
}

EventFacts Forwarder::facts() const {
  const SpoolFacts& spool = spool_.facts();
  EventFacts facts = counts_;
  facts.received = spool.received;
  facts.merged_away = spool.merged_away;
  facts.sent = spool.sent;
  facts.dropped = spool.dropped;
  facts.batches_waiting = spool.batches;
  facts.spool_bytes = spool.disk_bytes;
  facts.memory_bytes = spool.memory_bytes + spool_.queued_bytes();
  if (spool.oldest_ms) facts.oldest_age_ms = now_ms() - *spool.oldest_ms;
  facts.send_problem = routes_.problem();
  return facts;
}

}  // namespace launchdarkly

std::unique_ptr<EventForwarder> make_launchdarkly_event_forwarder(
    const config::Environment& options, EventForwarderTools tools) {
  return std::make_unique<launchdarkly::Forwarder>(options, std::move(tools));
}

}  // namespace flagstone::upstream
