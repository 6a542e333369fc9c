// One source's place in an environment: takes what the source brings, has it taken into its layer
// slice by slice, and keeps the facts that status, metrics and staleness are made of.
//
// Owned by its EnvironmentFeed, on the keeper's thread. Every failure is counted; the log hears of
// a change of state once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/staleness.h"
#include "net/lifeline.h"
#include "sidecar/source_outage.h"
#include "sidecar/state_saver.h"
#include "upstream/clock.h"
#include "upstream/disk_wait.h"
#include "upstream/source.h"

namespace spdlog {
class logger;
}

namespace flagstone::sidecar {

// What a seat asks of the feed it sits in.
class SeatHost {
 public:
  virtual ~SeatHost() = default;
  // Call work() again soon.
  virtual void wants_work() = 0;
  // Something that is published may have changed: a snapshot, origin, staleness, readiness.
  virtual void changed() = 0;
  // The source's own news or its last known state is in, or there is neither: whatever is to be
  // served instead may be. Once per seat.
  virtual void first_word() = 0;
  // The routes by credential are others now.
  virtual void credentials_changed() = 0;
};

struct SeatOptions {
  std::string environment;
  std::string uri;  // For logs and metrics, without secrets.
  // What of the place it wants, if its vendor has payload filters; for people.
  std::string filter;
  std::uint16_t layer = 0;
  bool optional = false;
  // Nullopt: its state is not kept (the bootstrap).
  std::optional<cache::SourceIdentity> identity;
  // How long apps may use a key that was replaced; for the log.
  std::chrono::milliseconds rotation_grace{0};
  // How long a document that is complete waits for the disk.
  upstream::milliseconds disk_patience = upstream::kDiskPatience;
};

// What became of updates so far, a label of the metrics.
struct UpdateCounts {
  std::uint64_t accepted = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t refused = 0;
  std::uint64_t held = 0;
};

class SourceSeat final : public upstream::SourceListener, public StateTarget {
 public:
  enum class Condition : std::uint8_t { kWaiting, kGood, kFailing, kRefused, kHeld };

  SourceSeat(SeatOptions options, cache::Environment& environment, SeatHost& host,
             StateSaver& saver, const upstream::Clock& clock, spdlog::logger& log);
  ~SourceSeat() override;
  SourceSeat(const SourceSeat&) = delete;
  SourceSeat& operator=(const SourceSeat&) = delete;

  // Sits down: the source reports here from now on. It starts once the state was loaded (or the
  // disk took too long): what the source brings is judged against it.
  void start(std::unique_ptr<upstream::Source> source, net::Loop& loop);
  // The same for a reload that goes on with the same source: takes over what `predecessor` has, in
  // place of the state on disk, which may be older.
  void start_after(std::unique_ptr<upstream::Source> source, net::Loop& loop,
                   const SourceSeat& predecessor);
  // The source stops; what it brought stays. For the predecessor of a reload.
  void retire();
  // Asks again for a document that was refused, since there may be room for it now.
  void retry_refused();
  // That, and has the source try at once what it would wait long for: somebody may have mended it.
  void try_now();
  // Asks for the document although nothing of it may have changed.
  void fetch_again();
  // See upstream::Source. A seat that nobody sits on yet has none.
  void look_at_credential(std::function<void(bool found)> done) {
    if (source_) source_->look_at_credential(std::move(done));
  }
  // Takes more of the update in work; true while there is more.
  bool work(const std::function<bool()>& stop);
  // Once a second: an open stream is in contact. And once in a while has the state remember when
  // that last was, for the age that a restart will show.
  void renew_state();
  // `flagstone accept`: takes in what the shrink guard holds. False when nothing is held.
  bool accept_held();

  void on_update(evaluation::Update&& update) override;
  void on_unchanged() override;
  void on_failure(const upstream::SourceFailure& failure) override;
  void on_credential_changed() override;
  void on_degraded(std::string_view message) override;
  void on_way_changed(std::string_view message) override;

  cache::SourceIdentity state_identity() const override;
  std::optional<cache::StateWrite> take_state_write() override;
  void state_write_failed() override;
  void state_write_done(cache::SavedTexts saved) override;

  const SeatOptions& options() const { return options_; }
  const upstream::Source& source() const { return *source_; }
  const cache::Layer& layer() const { return environment_.layer(options_.layer); }
  Condition condition() const { return condition_; }
  std::string_view condition_name() const;
  const std::string& last_error() const { return last_error_; }
  std::int64_t last_success_unix_ms() const;
  // See cache::EnvironmentState.
  std::string_view last_failure_kind() const { return last_failure_kind_; }
  std::int64_t last_failure_unix_ms() const { return last_failure_unix_ms_; }
  std::uint64_t failures(upstream::FailureKind kind) const {
    return failures_[static_cast<std::size_t>(kind)];
  }
  const UpdateCounts& updates() const { return updates_; }
  bool stale(std::int64_t now_ms) const;
  // A file that has not been read yet, while the state of it is already in: it is about to be.
  bool about_to_be_read() const;
  // What it has was fetched, or confirmed by upstream, in this process.
  bool live() const;

 private:
  void sit_down(std::unique_ptr<upstream::Source> source, net::Loop& loop);
  void begin_restoring(cache::RestoredLayer layer);
  void tell_quarantined();
  // `asked_with`: the credential that the state was compared with.
  void state_loaded(const config::Secret& asked_with, std::optional<cache::LoadedState> state);
  void begin_asking();
  void say_first_word();
  void begin(evaluation::Update update);
  void wait_for_spool();
  void give_up_spool();
  void begin_intake();
  void wait_for_disk();
  void finish();
  void accepted(const cache::Accepted& accepted);
  void refused(const cache::Refused& refused);
  void held(const cache::Held& held);
  void restored(const cache::IntakeOutcome& outcome);
  void good_contact();
  void note_failure(std::string_view kind);
  void enter(Condition condition, std::string_view kind, std::string message);
  void warn_of_condition(std::string_view beginning);
  void note_stream_contact();
  bool is_file() const;
  bool is_stream() const;
  // In contact all the time: a good file, an open stream.
  bool follows() const;

  SeatOptions options_;
  cache::Environment& environment_;
  SeatHost& host_;
  StateSaver& saver_;
  const upstream::Clock& clock_;
  spdlog::logger& log_;

  std::unique_ptr<upstream::Source> source_;
  std::unique_ptr<cache::Intake> intake_;
  // The disk has been asked for what the intake needs next.
  bool disk_asked_ = false;
  // The intake takes in what the state had, not what the source brought.
  bool restoring_ = false;
  // A document that the disk is not done with, the how many-th; and how long that may last.
  std::optional<evaluation::Update> beginning_;
  std::uint64_t beginnings_ = 0;
  std::unique_ptr<net::Timer> disk_patience_;
  // What the source brought while the state was being taken in.
  std::optional<evaluation::Update> waiting_;
  bool started_ = false;
  bool had_credential_ = false;
  bool said_first_word_ = false;
  bool heard_ = false;
  // What is in work came by another credential than the one in use.
  bool credential_changes_after_work_ = false;
  // What the state says, or is about to.
  std::int64_t state_contact_unix_ms_ = 0;
  bool confirmed_ = false;
  std::unique_ptr<net::Timer> patience_;
  std::unique_ptr<net::Timer> retry_;

  Condition condition_ = Condition::kWaiting;
  std::string condition_kind_;
  SourceOutage outage_;
  std::set<std::string> quarantined_;
  std::string last_error_;
  std::string_view last_failure_kind_;
  std::int64_t last_failure_unix_ms_ = 0;
  std::int64_t last_success_unix_ms_ = 0;
  std::optional<std::int64_t> last_contact_ms_;
  // A stream that failed and has brought nothing since.
  std::optional<std::int64_t> disconnected_since_ms_;
  bool readable_ = true;
  std::array<std::uint64_t, upstream::kFailureKindCount> failures_{};
  UpdateCounts updates_;
  net::Lifeline<SourceSeat> lifeline_{*this};
};

}  // namespace flagstone::sidecar
