#include "sidecar/source_seat.h"

#include <spdlog/logger.h>

#include <chrono>
#include <utility>

#include "net/timer.h"

namespace flagstone::sidecar {
namespace {

// A disk that hangs must not keep a source from asking upstream.
constexpr std::int64_t kStatePatienceMs = 2000;
// How much older than the truth the age may be that a restart shows.
constexpr std::int64_t kRenewStateMs = 60'000;

std::int64_t to_ms(upstream::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

cache::SourceKind staleness_kind(upstream::SourceKind kind) {
  switch (kind) {
    case upstream::SourceKind::kFile:
      return cache::SourceKind::kFile;
    case upstream::SourceKind::kPoll:
      return cache::SourceKind::kPoll;
    case upstream::SourceKind::kStream:
      return cache::SourceKind::kStream;
  }
  return cache::SourceKind::kPoll;
}

}  // namespace

SourceSeat::SourceSeat(SeatOptions options, cache::Environment& environment, SeatHost& host,
                       StateSaver& saver, const upstream::Clock& clock, spdlog::logger& log)
    : options_(std::move(options)),
      environment_(environment),
      host_(host),
      saver_(saver),
      clock_(clock),
      log_(log),
      self_(std::make_shared<SourceSeat*>(this)) {}

SourceSeat::~SourceSeat() {
  *self_ = nullptr;
  saver_.forget(*this);
  if (source_ && started_) source_->stop();
}

void SourceSeat::start(std::unique_ptr<upstream::Source> source, net::Loop& loop) {
  source_ = std::move(source);
  if (is_file() || !options_.identity) {
    started_ = true;
    source_->start();
    return;
  }
  patience_ = std::make_unique<net::Timer>(loop, [this] { begin_asking(); });
  patience_->start_once(kStatePatienceMs);
  load_state();
}

void SourceSeat::begin_asking() {
  say_first_word();
  if (std::exchange(started_, true)) return;
  source_->start();
}

void SourceSeat::say_first_word() {
  if (!std::exchange(said_first_word_, true)) host_.first_word();
}

void SourceSeat::load_state() {
  asked_for_state_ = true;
  saver_.load(state_identity(), [self = self_](std::optional<cache::LoadedState> state) {
    if (*self != nullptr) (*self)->state_loaded(std::move(state));
  });
}

void SourceSeat::state_loaded(std::optional<cache::LoadedState> state) {
  // What the source itself brought in the meantime is newer than any state.
  bool wanted = state && !layer().has_document() && !intake_;
  if (wanted) {
    forgive_after_restoring_ = !state->credential_matches;
    last_success_unix_ms_ = state->saved_at_unix_ms;
    restoring_ = true;
    intake_ = environment_.begin_restored(options_.layer, std::move(state->layer));
    host_.wants_work();
    return;
  }
  begin_asking();
}

void SourceSeat::on_update(evaluation::Update&& update, const upstream::DocumentInfo&) {
  if (intake_) {
    waiting_ = std::move(update);
    return;
  }
  begin(std::move(update));
}

void SourceSeat::begin(evaluation::Update update) {
  intake_ = environment_.begin(options_.layer, std::move(update));
  host_.wants_work();
}

bool SourceSeat::work(const std::function<bool()>& stop) {
  if (!intake_) return false;
  if (!intake_->step(SIZE_MAX, stop)) return true;
  finish();
  return intake_ != nullptr;
}

void SourceSeat::finish() {
  cache::IntakeOutcome outcome = intake_->finish();
  intake_.reset();
  if (std::exchange(restoring_, false)) {
    restored(outcome);
  } else if (auto* good = std::get_if<cache::Accepted>(&outcome)) {
    accepted(*good);
  } else if (auto* bad = std::get_if<cache::Refused>(&outcome)) {
    refused(*bad);
  } else {
    held(std::get<cache::Held>(outcome));
  }
  if (waiting_) begin(*std::exchange(waiting_, std::nullopt));
}

void SourceSeat::restored(const cache::IntakeOutcome& outcome) {
  if (auto* good = std::get_if<cache::Accepted>(&outcome)) {
    log_.info("{}: {} records of {} from the last known state", options_.environment, good->records,
              options_.uri);
    if (!started_) source_->resume(layer().cursor());
  } else if (auto* bad = std::get_if<cache::Refused>(&outcome)) {
    log_.warn("{}: the last known state of {} cannot be used: {}", options_.environment,
              options_.uri, bad->message);
  }
  if (std::exchange(forgive_after_restoring_, false)) {
    environment_.forgive_shrink_once(options_.layer);
  }
  begin_asking();
  host_.changed();
}

void SourceSeat::accepted(const cache::Accepted& accepted) {
  confirmed_ = true;
  ++updates_.accepted;
  good_contact();
  enter(Condition::kGood, {}, {});
  log_.info("{}: {} records from {}: {} added, {} changed, {} removed", options_.environment,
            accepted.records, options_.uri, accepted.added, accepted.changed, accepted.removed);
  if (accepted.quarantined != quarantined_) {
    quarantined_ = accepted.quarantined;
    for (const cache::QuarantinedRecord& record : layer().quarantined()) {
      log_.warn("{}: `{}` of {} is quarantined{}: {}", options_.environment, record.id.key,
                options_.uri, record.answers ? ", its last good version answers" : "",
                record.message);
    }
  }
  source_->settle(upstream::Outcome::kAccepted);
  if (options_.identity) saver_.changed(*this);
  say_first_word();
  host_.changed();
}

void SourceSeat::refused(const cache::Refused& refused) {
  ++updates_.refused;
  enter(Condition::kRefused, cache::refusal_name(refused.kind),
        "document refused: " + refused.message);
  source_->settle(upstream::Outcome::kRefused);
  host_.changed();
}

void SourceSeat::held(const cache::Held& held) {
  ++updates_.held;
  // It answered; only what it says is not believed yet.
  good_contact();
  enter(Condition::kHeld, {},
        "document held by the shrink guard: it drops " +
            std::to_string(held.document.records_dropped) + " of " +
            std::to_string(held.document.records_before) + " records; taken in when it came " +
            std::to_string(held.document.times_needed) +
            " times in a row, or by `flagstone accept " + options_.environment + "`");
  source_->settle(upstream::Outcome::kHeld);
  host_.changed();
}

bool SourceSeat::accept_held() {
  auto accepted_now = environment_.accept_held(options_.layer);
  if (!accepted_now) return false;
  ++updates_.accepted;
  enter(Condition::kGood, {}, {});
  log_.info("{}: the held document of {} was accepted by hand: {} removed", options_.environment,
            options_.uri, accepted_now->removed);
  if (options_.identity) saver_.changed(*this);
  host_.changed();
  source_->refresh();
  return true;
}

void SourceSeat::on_unchanged() {
  ++updates_.unchanged;
  good_contact();
  // 304 confirms what came from the state.
  if (!std::exchange(confirmed_, true)) host_.changed();
  if (condition_ != Condition::kGood) {
    enter(Condition::kGood, {}, {});
    host_.changed();
  }
}

void SourceSeat::on_failure(const upstream::SourceFailure& failure) {
  ++failures_[static_cast<std::size_t>(failure.kind)];
  ++failures_in_a_row_;
  last_error_ = failure.message;
  if (is_file() && std::exchange(readable_, false)) {
    // It was good until now; its age counts from here.
    if (layer().has_document() && confirmed_) last_success_unix_ms_ = clock_.unix_ms();
    host_.changed();
  }
  enter(Condition::kFailing, upstream::failure_kind_name(failure.kind), failure.message);
  if (is_file() && options_.identity && !asked_for_state_ && !layer().has_document()) load_state();
}

void SourceSeat::renew_state() {
  bool in_contact = confirmed_ && last_success_unix_ms_ > state_renewed_unix_ms_;
  if (!options_.identity || !in_contact ||
      clock_.unix_ms() - state_renewed_unix_ms_ < kRenewStateMs) {
    return;
  }
  state_renewed_unix_ms_ = last_success_unix_ms_;
  environment_.mark_unsaved(options_.layer);
  saver_.changed(*this);
}

void SourceSeat::on_credential_changed() {
  log_.info("{}: the credential of {} is another one", options_.environment, options_.uri);
  environment_.forgive_shrink_once(options_.layer);
  host_.credentials_changed();
}

void SourceSeat::on_degraded(std::string_view message) {
  log_.warn("{}: {}: {}", options_.environment, options_.uri, message);
}

void SourceSeat::good_contact() {
  last_contact_ms_ = to_ms(clock_.now());
  last_success_unix_ms_ = clock_.unix_ms();
  readable_ = true;
}

// Says a change of state once, however often it is confirmed.
void SourceSeat::enter(Condition condition, std::string_view kind, std::string message) {
  bool news = condition != condition_ || kind != condition_kind_;
  bool was_bad = condition_ != Condition::kGood && condition_ != Condition::kWaiting;
  condition_ = condition;
  condition_kind_ = kind;
  if (condition == Condition::kGood) {
    if (news && was_bad) {
      log_.info("{}: {} is good again after {} failures", options_.environment, options_.uri,
                failures_in_a_row_);
    }
    failures_in_a_row_ = 0;
    last_error_.clear();
    return;
  }
  if (!message.empty()) last_error_ = std::move(message);
  if (news) {
    log_.warn("{}: {}: {}{}", options_.environment, options_.uri, last_error_,
              layer().has_document() ? "; what it had before goes on answering" : "");
  }
}

cache::SourceIdentity SourceSeat::state_identity() const {
  cache::SourceIdentity identity = *options_.identity;
  identity.credential = source_->credential().reveal();
  return identity;
}

std::optional<cache::StateWrite> SourceSeat::take_state_write() {
  state_renewed_unix_ms_ = clock_.unix_ms();
  return environment_.take_state_write(options_.layer);
}

void SourceSeat::state_write_failed() { environment_.state_write_failed(options_.layer); }

std::string_view SourceSeat::condition_name() const {
  switch (condition_) {
    case Condition::kWaiting:
      return "waiting";
    case Condition::kGood:
      return "good";
    case Condition::kFailing:
      return "failing";
    case Condition::kRefused:
      return "refused";
    case Condition::kHeld:
      return "held";
  }
  return "waiting";
}

bool SourceSeat::live() const {
  return layer().has_document() && (confirmed_ || layer().origin() == cache::Origin::kLive);
}

bool SourceSeat::stale(std::int64_t now_ms) const {
  cache::SourceFacts facts;
  facts.kind = staleness_kind(source_->kind());
  facts.origin = live() ? cache::Origin::kLive : cache::Origin::kState;
  facts.interval_ms = source_->interval().count();
  facts.last_contact_ms = last_contact_ms_;
  facts.readable = readable_;
  return cache::is_stale(facts, now_ms);
}

bool SourceSeat::is_file() const { return source_->kind() == upstream::SourceKind::kFile; }

}  // namespace flagstone::sidecar
