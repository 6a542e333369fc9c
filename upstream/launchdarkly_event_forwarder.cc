#include "upstream/launchdarkly_event_forwarder.h"

#include <algorithm>
#include <utility>

#include "evaluation/content_hash.h"
#include "upstream/launchdarkly_places.h"
#include "upstream/random_bytes.h"
#include "upstream/redact.h"

namespace flagstone::upstream {
namespace launchdarkly {
namespace {

// Where it is and where its events go: no two of an environment's have the same.
std::uint64_t id_of(const config::Source& source) {
  const HttpBase base = events_base(source);
  std::string what = base.url + base.unix_socket;
  for (const std::string* part : {&source.uri, &source.launchdarkly.filter}) {
    what += '\n';
    what += *part;
  }
  return evaluation::digest64(what);
}

}  // namespace

struct Forwarder::Disk final : ShrinkableEvents {
  Disk(std::shared_ptr<EventFolder> in, SpoolOptions options)
      : folder(std::move(in)), spool(*folder, std::move(options)) {}

  void shrink(std::uint64_t bytes) override { spool.shrink(bytes); }

  std::shared_ptr<EventFolder> folder;
  EventSpool spool;
  bool is_announced = false;  // To the folder; the writer's alone.
};

Forwarder::Forwarder(const config::Environment& options, EventForwarderTools tools)
    : tools_(std::move(tools)),
      options_(options.events),
      name_(options.name),
      disk_(std::make_shared<Disk>(
          tools_.disk->folder(),
          SpoolOptions{.limit_bytes = options_.spool_limit_bytes,
                       .memory_bytes = tools_.memory_bytes,
                       .batch_bytes = options_.batch_bytes,
                       .fresh_id = [] { return random_bytes(kLogIdBytes); }})),
      self_(std::make_shared<Forwarder*>(this)),
      sender_(tools_.sources.http, tools_.sources.clock, tools_.sources.instance_id),
      flush_timer_(tools_.sources.loop, [this] { seal(); }),
      wait_timer_(tools_.sources.loop, [this] { pump(); }),
      deadline_(tools_.sources.loop, [this] {
        gave_up_ = true;
        finish_if_done();
      }) {
  use(options);
  // A queue that is full at the start is none of ours; the first post opens the spool then.
  (void)on_disk([now = now_ms()](EventSpool& spool) { spool.open(now); }, [] {});
}

Forwarder::~Forwarder() { *self_ = nullptr; }

std::int64_t Forwarder::now_ms() const { return tools_.sources.loop.now_ms(); }

void Forwarder::use(const config::Environment& options) {
  options_ = options.events;
  destinations_.clear();
  for (const config::Source& source : options.sources) {
    if (!takes_events(source)) continue;
    const std::uint64_t id = id_of(source);
    auto& added = destinations_.emplace_back(std::make_unique<Destination>());
    added->source = source;
    added->id = id;
    added->credential = std::make_unique<Credential>(tools_.sources.loop, tools_.sources.files,
                                                     source.credential, tools_.sources.variables,
                                                     [this, id] { credential_changed(id); });
    added->known = added->credential->secret().reveal();
    added->credential->start();
    added->headers = std::make_unique<ConfiguredHeaders>(source.headers, tools_.sources,
                                                         [this] { try_again(); });
    added->headers->start();
  }
}

void Forwarder::set_options(const config::Environment& options) {
  use(options);
  (void)on_disk(
      [events = options_](EventSpool& spool) {
        spool.set_options(events.spool_limit_bytes, events.batch_bytes);
      },
      [] {});
  try_again();
}

// What kept events from being sent may be over.
void Forwarder::try_again() {
  for (const auto& destination : destinations_) {
    destination->backoff.credential_changed();
    destination->wait_until_ms = 0;
  }
  pump();
}

void Forwarder::credential_changed(std::uint64_t source) {
  Destination& changed = *destination(source);
  std::string now = changed.credential->secret().reveal();
  former_.emplace_back(std::exchange(changed.known, std::move(now)), source);
  if (former_.size() > kFormerMax) former_.erase(former_.begin());
  try_again();
}

// Whose events they are that come with this credential: by default the first source's.
std::uint64_t Forwarder::source_of(const std::string& credential) const {
  for (const auto& destination : destinations_) {
    if (destination->known == credential) return destination->id;
  }
  for (const auto& [former, source] : former_) {
    if (former == credential) return source;
  }
  return destinations_.empty() ? 0 : destinations_.front()->id;
}

// Where it is gone, or is another by now, the only one there is; of several none is guessed.
Forwarder::Destination* Forwarder::destination(std::uint64_t source) const {
  const auto found =
      std::ranges::find_if(destinations_, [&](const auto& d) { return d->id == source; });
  if (found != destinations_.end()) return found->get();
  return destinations_.size() == 1 ? destinations_.front().get() : nullptr;
}

void Forwarder::post(PostedEvents events, Done done) {
  SpoolPost post{.kind = events.kind == PostedEvents::Kind::kEvents ? PayloadKind::kEvents
                                                                    : PayloadKind::kDiagnostic,
                 .group = {.source = source_of(events.credential),
                           .schema = std::move(events.schema),
                           .tags = std::move(events.tags),
                           .is_unsummarized = events.is_unsummarized},
                 .payload_id = std::move(events.payload_id),
                 .is_gzip = events.is_gzip,
                 .is_own = false,
                 .body = std::move(events.body)};
  // Shared by the way through the disk and the refusal here.
  auto shared = std::make_shared<Done>(std::move(done));
  if (hand_to_disk(std::move(post), [shared](PostResult result) { (*shared)(result); })) return;
  ++counts_.posts_refused;
  (void)tools_.sources.loop.post([shared, self = self_] {
    if (*self != nullptr) (*shared)(PostResult::kFull);
  });
}

bool Forwarder::add(std::string_view schema, std::string_view tags, std::string events) {
  return hand_to_disk(
      {.kind = PayloadKind::kEvents,
       .group = {.source = source_of({}), .schema = std::string(schema), .tags = std::string(tags)},
       .payload_id = {},
       .is_gzip = false,
       .is_own = true,
       .body = std::move(events)},
      [](PostResult) {});
}

bool Forwarder::hand_to_disk(SpoolPost post, Done done) {
  const std::size_t bytes = post.body.size();
  if (finishing_ && !post.is_own) return false;
  const std::size_t bytes_max = std::min<std::size_t>(kQueuedBytesMax, tools_.memory_bytes);
  if (queued_ >= kQueuedMax) return false;
  if (queued_ > 0 && queued_bytes_ + bytes > bytes_max) return false;
  auto result = std::make_shared<PostResult>(PostResult::kFull);
  const bool queued =
      on_disk([post = std::move(post), result, now = now_ms()](
                  EventSpool& spool) mutable { *result = spool.take(std::move(post), now); },
              [this, result, bytes, done = std::move(done)]() mutable {
                --queued_;
                queued_bytes_ -= bytes;
                note_room(*result == PostResult::kFull);
                done(*result);
              });
  if (!queued) return false;
  ++queued_;
  queued_bytes_ += bytes;
  return true;
}

void Forwarder::note_room(bool is_full) {
  if (is_full) {
    ++counts_.posts_refused;
    last_full_ms_ = now_ms();
    if (std::exchange(full_, true)) return;
    say(true, "no room for more events (" +
                  (spool_.problem.empty() ? "events.spool_limit" : spool_.problem) +
                  "): apps are told to try again");
  } else if (full_ && now_ms() - last_full_ms_ >= kRoomAgainMs) {
    full_ = false;
    say(false, "there is room for events again");
  }
}

bool Forwarder::on_disk(std::move_only_function<void(EventSpool&)> job,
                        std::move_only_function<void()> then) {
  // `then` stays on this side: it is destroyed here whatever happens.
  auto after = std::make_shared<std::move_only_function<void()>>(std::move(then));
  return tools_.disk->submit([disk = disk_, job = std::move(job), after, self = self_,
                              &loop = tools_.sources.loop]() mutable {
    if (!std::exchange(disk->is_announced, true)) disk->folder->set_shrinkable(disk);
    job(disk->spool);
    SpoolFacts seen = disk->spool.facts();
    (void)loop.post([after = std::move(after), self, seen = std::move(seen)] {
      if (*self == nullptr) return;
      (*self)->spool_ = seen;
      (*after)();
      if (*self != nullptr) (*self)->take_facts(seen);
    });
  });
}

// What there is decides what is to be done.
void Forwarder::take_facts(const SpoolFacts& seen) {
  if (seen.batches == 0) {
    refused_since_.clear();
    behind_.clear();
  }
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
  if (on_disk([](EventSpool& spool) { spool.seal(); }, [this] { --seals_; })) {
    ++seals_;
  } else {
    flush_timer_.start_once(kAgainMs);
  }
}

// The earliest end of waiting where each destination waits.
std::optional<std::int64_t> Forwarder::all_wait_until() const {
  std::optional<std::int64_t> earliest;
  for (const auto& destination : destinations_) {
    if (destination->wait_until_ms <= now_ms()) return std::nullopt;
    earliest = std::min(earliest.value_or(destination->wait_until_ms), destination->wait_until_ms);
  }
  return earliest;
}

void Forwarder::pump() {
  wait_timer_.stop();
  if (busy_ || spool_.batches == 0 || gave_up_) return;
  const std::int64_t now = now_ms();
  const std::int64_t wait_until = std::max(all_wait_until().value_or(0), rest_until_ms_);
  if (wait_until > now) return wait_timer_.start_once(wait_until - now);
  Passing passing{.sources = {}, .behind = behind_};
  for (const auto& destination : destinations_) {
    if (destination->wait_until_ms > now) passing.sources.insert(destination->id);
  }
  auto batch = std::make_shared<std::optional<OutgoingBatch>>();
  busy_ = on_disk(
      [batch, passing = std::move(passing)](EventSpool& spool) { *batch = spool.next(passing); },
      [this, batch] {
        busy_ = false;
        if (*batch) return send(std::move(**batch));
        if (spool_.batches == 0) return;
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
  Destination* const to = destination(batch.head.group.source);
  if (to == nullptr) return settle(std::move(batch), BatchOutcome::kOffline);
  busy_ = true;
  const config::Secret& key = to->credential->secret();
  std::vector<HttpHeader> headers;
  const auto have_headers = to->headers->append_to(headers);
  if (key.empty() || !have_headers) {
    const std::string problem =
        key.empty() ? "there is no SDK key: " + to->credential->problem() : have_headers.error();
    return failed(std::move(batch), {.verdict = SendResult::Verdict::kFailed,
                                     .regime = Regime::kOrdinary,
                                     .cause = problem,
                                     .retry_after = {},
                                     .server_unix_ms = {}});
  }
  ++counts_.requests;
  // The sender only borrows the batch for the call.
  auto shared = std::make_shared<OutgoingBatch>(std::move(batch));
  sender_.send(to->source, key, std::move(headers), *shared,
               [this, shared](SendResult result) { sent(std::move(*shared), std::move(result)); });
}

void Forwarder::sent(OutgoingBatch batch, SendResult result) {
  if (result.server_unix_ms) {
    vendor_offset_ms_ = *result.server_unix_ms - tools_.sources.clock.unix_ms();
  }
  const bool is_failure =
      result.verdict == SendResult::Verdict::kFailed ||
      (result.verdict == SendResult::Verdict::kRefused && !is_refused_for_good(batch.name));
  if (is_failure) return failed(std::move(batch), result);
  if (Destination* const to = destination(batch.head.group.source)) {
    to->backoff.succeeded(tools_.sources.clock.now());
    if (!std::exchange(to->failing, {}).empty()) say(false, "events are sent again");
  }
  switch (result.verdict) {
    case SendResult::Verdict::kAccepted:
      return settle(std::move(batch), BatchOutcome::kSent);
    case SendResult::Verdict::kRefused:
      return settle(std::move(batch), BatchOutcome::kRefused);
    default:
      return settle(std::move(batch), BatchOutcome::kTooLarge);
  }
}

// Halves were refused when their whole was.
bool Forwarder::is_refused_for_good(const BatchName& name) {
  const TimePoint now = tools_.sources.clock.now();
  for (std::optional<BatchName> whole = name; whole; whole = whole->whole()) {
    const auto found = refused_since_.find(*whole);
    if (found != refused_since_.end()) return now - found->second >= kRefusalPatience;
  }
  if (refused_since_.size() >= kRefusedMax) refused_since_.erase(refused_since_.begin());
  refused_since_.emplace(name, now);
  return false;
}

void Forwarder::settle(OutgoingBatch batch, BatchOutcome outcome) {
  behind_.erase(batch.name);
  auto shared = std::make_shared<OutgoingBatch>(std::move(batch));
  // Upstream knows the payload's id; where the job cannot be queued it is sent again.
  busy_ = on_disk([shared, outcome](EventSpool& spool) { spool.settle(*shared, outcome); },
                  [this] { busy_ = false; });
  if (!busy_) rest();
}

void Forwarder::failed(OutgoingBatch batch, const SendResult& result) {
  ++counts_.send_failures;
  const bool denied = result.regime == Regime::kDenied;
  if (result.is_answer && !denied) {
    if (behind_.size() >= kRefusedMax) behind_.erase(behind_.begin());
    behind_[batch.name] = counts_.requests;
  }
  // A reload may have taken it out meanwhile.
  if (Destination* const to = destination(batch.head.group.source)) {
    const milliseconds wait =
        std::max(to->backoff.failed(result.regime, tools_.sources.clock.now(),
                                    tools_.sources.random.next(), result.retry_after),
                 milliseconds(1));
    to->wait_until_ms = now_ms() + wait.count();
    const bool is_news = to->failing.empty() || denied != to->denied;
    to->failing = result.cause;
    to->denied = denied;
    if (is_news) {
      say(true, "events cannot be sent to " + redacted_uri(events_base(to->source).url) + ": " +
                    result.cause + "; they are kept and sent again");
    }
  }
  if (finishing_ && all_wait_until()) gave_up_ = true;
  busy_ = on_disk([](EventSpool& spool) { spool.put_back(); }, [this] { busy_ = false; });
  if (!busy_) rest();
  finish_if_done();
}

void Forwarder::complain_of_drops() {
  const std::uint64_t dropped = spool_.dropped[static_cast<std::size_t>(DropReason::kSpoolLimit)] +
                                spool_.dropped[static_cast<std::size_t>(DropReason::kTooLarge)] +
                                spool_.dropped[static_cast<std::size_t>(DropReason::kDamaged)];
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
  for (const auto& destination : destinations_) destination->wait_until_ms = 0;
  seal();
  if (seals_ == 0) gave_up_ = true;
  finish_if_done();
}

void Forwarder::finish_if_done() {
  if (!finished_) return;
  const bool all_gone = seals_ == 0 && !busy_ && queued_ == 0 && spool_.batches == 0;
  if (!all_gone && !gave_up_) return;
  deadline_.stop();
  // Not from inside what called: it may be the disk's answer, and `done` may end us.
  (void)tools_.sources.loop.post([done = std::exchange(finished_, nullptr)]() mutable { done(); });
}

void Forwarder::say(bool is_warning, std::string text) {
  if (tools_.say) tools_.say(is_warning, name_ + ": " + text);
}

EventFacts Forwarder::facts() const {
  EventFacts facts = counts_;
  facts.received = spool_.received;
  facts.merged_away = spool_.merged_away;
  facts.sent = spool_.sent;
  facts.dropped = spool_.dropped;
  facts.batches_waiting = spool_.batches;
  facts.spool_bytes = spool_.disk_bytes;
  facts.memory_bytes = spool_.memory_bytes + queued_bytes_;
  return facts;
}

}  // namespace launchdarkly

std::unique_ptr<EventForwarder> make_launchdarkly_event_forwarder(
    const config::Environment& options, EventForwarderTools tools) {
  return std::make_unique<launchdarkly::Forwarder>(options, std::move(tools));
}

std::string_view drop_reason_name(DropReason reason) {
  switch (reason) {
    case DropReason::kSpoolLimit:
      return "spool_limit";
    case DropReason::kTooLarge:
      return "too_large";
    case DropReason::kRefused:
      return "refused";
    case DropReason::kOffline:
      return "offline";
    case DropReason::kDamaged:
      return "damaged";
  }
  return "unknown";
}

}  // namespace flagstone::upstream
