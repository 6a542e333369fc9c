#include "sidecar/source_seat.h"

#include <spdlog/logger.h>

#include <chrono>
#include <utility>

#include "cache/entry_home.h"
#include "net/timer.h"
#include "sidecar/credential_change.h"
#include "sidecar/update_text.h"

namespace flagstone::sidecar {
namespace {

// A disk that hangs must not keep a source from asking upstream.
constexpr std::int64_t kStatePatienceMs = 2000;
// How much older than the truth the age may be that a restart shows; and while no contact makes it
// younger.
constexpr std::int64_t kRenewStateMs = 60'000;
constexpr std::int64_t kRenewFailingStateMs = 5'000;
// Until a file that did not fit is tried again; polls come again by themselves.
constexpr std::int64_t kRetryRefusedMs = 10'000;
// The same where only the disk was too slow, and nothing is there to answer by.
constexpr std::int64_t kRetrySoonMs = 1'000;
// Quarantined records named in the log at once; /status has more.
constexpr std::size_t kQuarantinedLoggedMax = 10;

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
      log_(log) {}

SourceSeat::~SourceSeat() {
  lifeline_.cut();
  saver_.forget(*this);
  if (source_ && started_) source_->stop();
}

void SourceSeat::start(std::unique_ptr<upstream::Source> source, net::Loop& loop) {
  sit_down(std::move(source), loop);
  if (!options_.identity) {
    begin_asking();
    return;
  }
  patience_->start_once(kStatePatienceMs);
  saver_.load(state_identity(),
              lifeline_.guard([asked_with = source_->credential()](
                                  SourceSeat& seat, std::optional<cache::LoadedState> state) {
                seat.state_loaded(asked_with, std::move(state));
              }));
}

void SourceSeat::sit_down(std::unique_ptr<upstream::Source> source, net::Loop& loop) {
  source_ = std::move(source);
  had_credential_ = !source_->credential().empty();
  retry_ = std::make_unique<net::Timer>(loop, [this] { retry_refused(); });
  disk_patience_ = std::make_unique<net::Timer>(loop, [this] { give_up_spool(); });
  patience_ = std::make_unique<net::Timer>(loop, [this] {
    // First for the state, then for the first look at a file: the disk may hang either time.
    if (!started_) {
      begin_asking();
    } else if (!std::exchange(heard_, true)) {
      say_first_word();
      host_.changed();
    }
  });
}

void SourceSeat::start_after(std::unique_ptr<upstream::Source> source, net::Loop& loop,
                             const SourceSeat& predecessor) {
  sit_down(std::move(source), loop);
  confirmed_ = predecessor.live();
  last_success_unix_ms_ = predecessor.last_success_unix_ms_;
  last_contact_ms_ = predecessor.last_contact_ms_;
  disconnected_since_ms_ = predecessor.disconnected_since_ms_;
  readable_ = predecessor.readable_;
  failures_ = predecessor.failures_;
  last_failure_kind_ = predecessor.last_failure_kind_;
  last_failure_unix_ms_ = predecessor.last_failure_unix_ms_;
  updates_ = predecessor.updates_;
  cache::RestoredLayer copy = predecessor.layer().restored_copy(environment_.home().files);
  if (source_->credential() != predecessor.source_->credential()) {
    // Where the key alone says which environment it is, this may be another one.
    copy.update.cursor.clear();
    credential_changes_after_work_ = true;
  }
  begin_restoring(std::move(copy));
}

void SourceSeat::retire() {
  if (source_ && std::exchange(started_, false)) source_->stop();
  intake_.reset();
  beginning_.reset();
  waiting_.reset();
  saver_.forget(*this);
  if (patience_) patience_->stop();
  if (retry_) retry_->stop();
  if (disk_patience_) disk_patience_->stop();
  // A state that is still being loaded comes too late.
  lifeline_.renew();
}

void SourceSeat::begin_asking() {
  if (!is_file() || !options_.identity) say_first_word();
  if (std::exchange(started_, true)) return;
  patience_->start_once(kStatePatienceMs);
  source_->start();
}

void SourceSeat::say_first_word() {
  if (!std::exchange(said_first_word_, true)) host_.first_word();
}

void SourceSeat::state_loaded(const config::Secret& asked_with,
                              std::optional<cache::LoadedState> state) {
  // What the source itself brought in the meantime is newer than any state.
  bool wanted = state && !layer().has_document() && !intake_ && !beginning_;
  if (wanted) {
    credential_changes_after_work_ =
        !state->credential_matches || asked_with != source_->credential();
    last_success_unix_ms_ = state_contact_unix_ms_ = state->contact_unix_ms;
    begin_restoring(std::move(state->layer));
    return;
  }
  begin_asking();
}

void SourceSeat::begin_restoring(cache::RestoredLayer layer) {
  restoring_ = true;
  intake_ = environment_.begin_restored(options_.layer, std::move(layer));
  host_.wants_work();
}

void SourceSeat::on_update(evaluation::Update&& update) {
  if (intake_ || beginning_) {
    waiting_ = std::move(update);
    return;
  }
  begin(std::move(update));
}

void SourceSeat::begin(evaluation::Update update) {
  // Whoever makes an update's records elsewhere makes them so.
  const auto* spooled = static_cast<const cache::SpooledDocument*>(update.elsewhere.get());
  const bool on_its_way = spooled != nullptr && !spooled->given_up;
  beginning_ = std::move(update);
  if (on_its_way) {
    wait_for_spool();
  } else {
    begin_intake();
  }
}

void SourceSeat::begin_intake() {
  intake_ = environment_.begin(options_.layer, *std::exchange(beginning_, std::nullopt));
  host_.wants_work();
}

// The disk has to be done with what it was given of the document.
void SourceSeat::wait_for_spool() {
  disk_patience_->start_once(options_.disk_patience.count());
  saver_.after_what_is_queued(lifeline_.guard([number = ++beginnings_](SourceSeat& seat) {
    if (!seat.beginning_ || seat.beginnings_ != number) return;
    seat.disk_patience_->stop();
    seat.begin_intake();
  }));
}

void SourceSeat::give_up_spool() {
  if (!beginning_) return;
  auto refused = std::make_shared<cache::SpooledDocument>(
      static_cast<const cache::SpooledDocument&>(*beginning_->elsewhere));
  refused->given_up = true;
  refused->spool = std::make_shared<cache::SpoolFile>();
  refused->spool->problem = {.message = "it did not finish what it was given", .passes = true};
  beginning_->elsewhere = std::move(refused);
  begin_intake();
}

void SourceSeat::wait_for_disk() {
  const cache::Intake::FileRange wanted = intake_->wanted_from_disk();
  cache::TextFiles& files = environment_.home().files;
  files.hold(wanted.file);
  disk_asked_ = true;
  auto go_on = lifeline_.guard([](SourceSeat& seat) {
    seat.disk_asked_ = false;
    seat.host_.wants_work();
  });
  saver_.bring(files.at(wanted.file), wanted.offset, wanted.bytes,
               [go_on, &files, file = wanted.file]() mutable {
                 files.let_go(file);
                 go_on();
               });
}

bool SourceSeat::work(const std::function<bool()>& stop) {
  if (!intake_ || disk_asked_) return false;
  switch (intake_->step(SIZE_MAX, stop)) {
    case cache::Intake::Progress::kMore:
    case cache::Intake::Progress::kRoom:
      return true;
    case cache::Intake::Progress::kDisk:
      wait_for_disk();
      return false;
    case cache::Intake::Progress::kReady:
      break;
  }
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
  } else {
    credential_changes_after_work_ = false;
    if (auto* bad = std::get_if<cache::Refused>(&outcome)) {
      refused(*bad);
    } else {
      held(std::get<cache::Held>(outcome));
    }
  }
  if (waiting_) begin(*std::exchange(waiting_, std::nullopt));
}

void SourceSeat::restored(const cache::IntakeOutcome& outcome) {
  if (auto* good = std::get_if<cache::Accepted>(&outcome)) {
    log_.info("{}: {} of {} from the last known state", options_.environment,
              records_text(good->records), options_.uri);
    for (const cache::QuarantinedRecord& record : layer().quarantined()) {
      quarantined_.insert(record.id.key);
    }
    if (!started_) source_->resume(layer().cursor());
  } else if (auto* bad = std::get_if<cache::Refused>(&outcome)) {
    log_.warn("{}: the last known state of {} cannot be used: {}", options_.environment,
              options_.uri, bad->message);
  }
  if (std::exchange(credential_changes_after_work_, false)) {
    environment_.credential_changed(options_.layer);
  }
  begin_asking();
  host_.changed();
}

void SourceSeat::accepted(const cache::Accepted& accepted) {
  confirmed_ = true;
  heard_ = true;
  ++updates_.accepted;
  good_contact();
  enter(Condition::kGood, {}, {});
  const evaluation::Dialect& dialect = environment_.dialect();
  log_.info("{}: {} from {}: {}", options_.environment, records_text(accepted, dialect),
            options_.uri, changes_text(accepted, dialect));
  tell_quarantined();
  // It was asked for with the key before.
  if (std::exchange(credential_changes_after_work_, false)) {
    environment_.credential_changed(options_.layer);
  }
  source_->settle(upstream::Outcome::kAccepted);
  if (options_.identity) saver_.changed(*this);
  say_first_word();
  host_.changed();
}

// Names the records that came into quarantine and counts those that left it, once each.
void SourceSeat::tell_quarantined() {
  std::set<std::string> now;
  std::size_t logged = 0;
  std::size_t unnamed = 0;
  for (const cache::QuarantinedRecord& record : layer().quarantined()) {
    now.insert(record.id.key);
    if (quarantined_.contains(record.id.key)) continue;
    if (++logged > kQuarantinedLoggedMax) {
      ++unnamed;
      continue;
    }
    log_.warn("{}: `{}` of {} is quarantined{}: {}", options_.environment, record.id.key,
              options_.uri, record.answers ? ", its last good version answers" : "",
              record.message);
  }
  if (unnamed > 0) {
    log_.warn("{}: and {} more of {}; /status names them", options_.environment, unnamed,
              options_.uri);
  }
  for (const std::string& key : quarantined_) {
    if (!now.contains(key) && ++logged <= kQuarantinedLoggedMax) {
      log_.info("{}: `{}` of {} is no longer quarantined", options_.environment, key, options_.uri);
    }
  }
  quarantined_ = std::move(now);
}

void SourceSeat::refused(const cache::Refused& refused) {
  heard_ = true;
  say_first_word();
  const bool is_slowness = refused.kind == cache::Refused::Kind::kDiskTooSlow;
  const bool is_urgent = is_slowness && !layer().has_document();
  if (is_file() && (is_slowness || refused.kind == cache::Refused::Kind::kOverMemory)) {
    retry_->start_once(is_urgent ? kRetrySoonMs : kRetryRefusedMs);
  }
  ++updates_.refused;
  note_failure(cache::refusal_name(refused.kind));
  enter(Condition::kRefused, cache::refusal_name(refused.kind),
        "document refused: " + refused.message + (is_urgent ? "; asked for again soon" : ""));
  source_->settle(is_urgent ? upstream::Outcome::kRefusedForNow : upstream::Outcome::kRefused);
  host_.changed();
}

void SourceSeat::try_now() {
  if (started_) source_->try_now();
  retry_refused();
}

void SourceSeat::retry_refused() {
  if (started_ && condition_ == Condition::kRefused && !intake_ && !beginning_) source_->refresh();
}

void SourceSeat::fetch_again() {
  if (started_) source_->refresh();
}

bool SourceSeat::about_to_be_read() const {
  return options_.identity && is_file() && started_ && !heard_;
}

void SourceSeat::held(const cache::Held& held) {
  heard_ = true;
  say_first_word();
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
  if (!std::exchange(heard_, true)) host_.changed();
  say_first_word();
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
  last_error_ = failure.message;
  note_failure(upstream::failure_kind_name(failure.kind));
  if (is_file() && std::exchange(readable_, false)) {
    // It was good until now; its age counts from here.
    if (layer().has_document() && confirmed_) last_success_unix_ms_ = clock_.unix_ms();
    host_.changed();
  }
  if (is_stream() && !disconnected_since_ms_) {
    note_stream_contact();
    disconnected_since_ms_ = to_ms(clock_.now());
  }
  enter(Condition::kFailing, upstream::failure_kind_name(failure.kind), failure.message);
  if (!std::exchange(heard_, true)) host_.changed();
  say_first_word();
}

// As for a file that was good: the age counts from here. A source that is polled from now on is
// judged by it as well. A stream that never brought anything is stale by its origin.
void SourceSeat::note_stream_contact() {
  if (!is_stream() || !follows()) return;
  last_success_unix_ms_ = clock_.unix_ms();
  last_contact_ms_ = to_ms(clock_.now());
}

void SourceSeat::renew_state() {
  note_stream_contact();
  if (!options_.identity || !confirmed_ || last_success_unix_ms_ <= state_contact_unix_ms_) return;
  const std::int64_t wait =
      condition_ == Condition::kFailing ? kRenewFailingStateMs : kRenewStateMs;
  if (clock_.unix_ms() - state_contact_unix_ms_ < wait) return;
  state_contact_unix_ms_ = last_success_unix_ms_;
  environment_.mark_unsaved(options_.layer);
  saver_.changed(*this);
}

void SourceSeat::on_credential_changed() {
  log_.info("{}: {}", options_.environment,
            credential_change_text(options_.uri, source_->credential(),
                                   std::exchange(had_credential_, true), options_.rotation_grace,
                                   clock_.unix_ms()));
  environment_.credential_changed(options_.layer);
  credential_changes_after_work_ = intake_ || beginning_ || waiting_;
  host_.credentials_changed();
}

void SourceSeat::on_degraded(std::string_view message) {
  log_.warn("{}: {}: {}", options_.environment, options_.uri, message);
}

void SourceSeat::on_way_changed(std::string_view message) {
  log_.info("{}: {}: {}", options_.environment, options_.uri, message);
}

void SourceSeat::good_contact() {
  last_contact_ms_ = to_ms(clock_.now());
  disconnected_since_ms_.reset();
  last_success_unix_ms_ = clock_.unix_ms();
  readable_ = true;
}

// Its host tells of it within a second, as of the age.
void SourceSeat::note_failure(std::string_view kind) {
  last_failure_kind_ = kind;
  last_failure_unix_ms_ = clock_.unix_ms();
}

// Says a change of state once, and that it lasts every ten minutes, however often it is confirmed.
void SourceSeat::enter(Condition condition, std::string_view kind, std::string message) {
  const std::int64_t now_ms = to_ms(clock_.now());
  const bool news = condition != condition_ || kind != condition_kind_;
  const bool was_bad = condition_ != Condition::kGood && condition_ != Condition::kWaiting;
  condition_ = condition;
  condition_kind_ = kind;
  if (condition == Condition::kGood) {
    if (was_bad) {
      log_.info("{}: {} is good again after {}", options_.environment, options_.uri,
                outage_.lasted(now_ms));
    }
    outage_.end();
    last_error_.clear();
    return;
  }
  outage_.note(now_ms, clock_.unix_ms());
  if (!message.empty()) last_error_ = std::move(message);
  if (!news && !outage_.is_to_be_told_again(now_ms)) return;
  outage_.told(now_ms);
  std::string beginning;
  if (!news) {
    beginning = "still " + std::string(condition_name()) + " since " +
                outage_.since(clock_.unix_ms()) + ": ";
  }
  warn_of_condition(beginning);
}

void SourceSeat::warn_of_condition(std::string_view beginning) {
  // A source's own messages begin with its URI.
  const bool named = last_error_.starts_with(options_.uri);
  log_.warn("{}: {}{}{}{}{}", options_.environment, beginning, named ? "" : options_.uri,
            named ? "" : ": ", last_error_,
            layer().has_document() ? "; what it had before goes on answering" : "");
}

cache::SourceIdentity SourceSeat::state_identity() const {
  cache::SourceIdentity identity = *options_.identity;
  identity.credential = source_->credential().reveal();
  return identity;
}

std::optional<cache::StateWrite> SourceSeat::take_state_write() {
  auto write = environment_.take_state_write(options_.layer);
  state_contact_unix_ms_ = last_success_unix_ms();
  if (write) write->contact_unix_ms = state_contact_unix_ms_;
  return write;
}

void SourceSeat::state_write_failed() { environment_.state_write_failed(options_.layer); }

void SourceSeat::state_write_done(cache::SavedTexts saved) {
  environment_.state_write_done(options_.layer, std::move(saved));
}

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

std::int64_t SourceSeat::last_success_unix_ms() const {
  return follows() ? clock_.unix_ms() : last_success_unix_ms_;
}

bool SourceSeat::follows() const {
  if (!heard_ || condition_ != Condition::kGood) return false;
  if (is_stream()) return confirmed_ && !disconnected_since_ms_;
  return is_file() && readable_;
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
  facts.disconnected_since_ms = disconnected_since_ms_;
  return cache::is_stale(facts, now_ms);
}

bool SourceSeat::is_stream() const { return source_->kind() == upstream::SourceKind::kStream; }

bool SourceSeat::is_file() const { return source_->kind() == upstream::SourceKind::kFile; }

}  // namespace flagstone::sidecar
