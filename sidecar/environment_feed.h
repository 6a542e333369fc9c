// One environment on the keeper: its sources' seats, its layers, what is published of it.
//
// Owned by the keeper, on its thread. Nothing that fails in here ends anything: what was served
// before goes on being served.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/serving_state.h"
#include "cache/usage.h"
#include "config/options.h"
#include "net/lifeline.h"
#include "sidecar/accepted_credentials.h"
#include "sidecar/former_credentials.h"
#include "sidecar/source_seat.h"
#include "sidecar/vendors.h"

namespace flagstone::sidecar {

class PinsFile;

// What every feed borrows from the keeper; all of it outlives the feeds.
struct FeedTools {
  const Vendor& vendor;
  upstream::SourceEnvironment sources;
  cache::EntryHome& home;
  StateSaver& saver;
  spdlog::logger& log;
};

// Calls from a feed, on the keeper's thread.
class FeedHost {
 public:
  virtual ~FeedHost() = default;
  virtual void feed_wants_work() = 0;
  virtual void feed_changed() = 0;
  virtual void feed_credentials_changed() = 0;
};

class EnvironmentFeed final : public SeatHost {
 public:
  EnvironmentFeed(config::Environment options, FeedTools tools, FeedHost& host);
  ~EnvironmentFeed() override;
  EnvironmentFeed(const EnvironmentFeed&) = delete;
  EnvironmentFeed& operator=(const EnvironmentFeed&) = delete;

  // Makes the sources. The error says what is wrong with the options.
  std::expected<void, std::string> prepare();
  // Starts them. Where `predecessor` (or nullptr) has the same source, goes on with what it has.
  void start(const EnvironmentFeed* predecessor);
  // Stops the sources and the pins; what was published stays. For the predecessor of a reload.
  void retire();
  // A file is just being read, and what the state has of it is better not published before.
  bool about_to_be_read() const;
  // See Keeper.
  void retry_refused();
  void try_now();
  // Some text could not be read back: the sources bring all of theirs anew.
  void fetch_texts_again();

  // Takes in more of what has come, until `stop` says so; true while there is more.
  bool work(const std::function<bool()>& stop);
  // What is to be published now (the keeper counts its generations).
  cache::EnvironmentState publishable() const;
  bool ready() const { return cache_.ready(); }
  // See SourceSeat::renew_state.
  void renew_state();
  // `flagstone accept`: how many sources' held documents were taken in.
  std::size_t accept_held();
  // Credentials that mean this environment: the sources' own, and then those of `accept:`.
  const std::vector<std::string>& credentials() const { return credentials_; }
  std::size_t source_credentials() const { return source_credentials_; }
  // The payload filter that all of its network's sources have; empty: none, or not the same.
  std::string filter() const;
  // Those its sources had until lately, which mean it as long as they are nobody else's now.
  const std::vector<std::string>& former_credentials() const { return former_; }
  // The same of an earlier process.
  const std::vector<FormerCredentials::Hashed>& hashed_credentials() const { return hashed_; }
  // Whose it is, or was until lately, by its place among the options' sources.
  std::optional<std::size_t> source_of(std::string_view credential) const;
  // Gathers all of them; true when they are others now.
  bool read_credentials();
  // Looks at the files of all of them now. `done` runs for each file, or is dropped.
  void look_at_credentials(const std::function<void(bool found)>& done);
  // Has the state remember them for the time after a restart.
  void save_credentials();
  // Some credential is configured and could not be read so far, and the vendor's apps give up for
  // good where theirs is unknown.
  bool awaits_credentials() const { return awaits_credentials_; }

  const config::Environment& options() const { return options_; }
  const evaluation::Dialect& dialect() const { return *dialect_; }
  const std::vector<std::unique_ptr<SourceSeat>>& seats() const { return seats_; }
  // Nullptr when there is none, or its turn has not come.
  const SourceSeat* bootstrap() const { return bootstrap_source_ ? nullptr : bootstrap_.get(); }
  const cache::Environment& layers() const { return cache_; }
  cache::Environment& layers() { return cache_; }
  cache::UsageTotals& usage() { return usage_; }
  const cache::UsageTotals& usage() const { return usage_; }
  std::vector<std::string> pinned_keys() const;
  std::vector<cache::SourceIdentity> state_identities() const;

  // Before the feed is destroyed: snapshots that are still held evaluate with it.
  std::unique_ptr<evaluation::Dialect> give_up_dialect() { return std::move(dialect_); }
  // A reload's successor goes on counting; by name, since flags get new numbers there.
  void hand_usage_to(EnvironmentFeed& successor) const {
    successor.usage_.restore(usage_.serialise(cache_.snapshot().get()));
  }

  void wants_work() override { host_.feed_wants_work(); }
  void changed() override { host_.feed_changed(); }
  void first_word() override;
  void credentials_changed() override { host_.feed_credentials_changed(); }

 private:
  std::unique_ptr<SourceSeat> make_seat(const config::Source& source, std::uint16_t layer,
                                        bool keeps_state);
  cache::SourceIdentity identity_of(std::size_t index, const config::Source& source) const;
  const SourceSeat* seat_like(const SourceSeat& other) const;
  std::vector<FormerCredentials::SourceFacts> credential_facts() const;
  bool keeps_former_credentials() const;
  void take_over_former_credentials(const EnvironmentFeed& predecessor);
  void load_former_credentials();
  cache::Origin origin() const;
  bool stale() const;
  std::int64_t last_contact_unix_ms() const;

  config::Environment options_;
  FeedTools tools_;
  FeedHost& host_;
  std::unique_ptr<evaluation::Dialect> dialect_;
  cache::Environment cache_;
  cache::UsageTotals usage_;
  std::vector<std::unique_ptr<SourceSeat>> seats_;
  std::unique_ptr<SourceSeat> bootstrap_;
  // Between prepare() and start().
  std::vector<std::unique_ptr<upstream::Source>> prepared_;
  std::vector<std::string> credentials_;
  std::size_t source_credentials_ = 0;
  std::vector<std::string> former_;
  std::vector<FormerCredentials::Hashed> hashed_;
  bool awaits_credentials_ = false;
  std::unique_ptr<AcceptedCredentials> accepted_credentials_;
  FormerCredentials former_credentials_;
  // What an earlier process knew of them is in.
  bool former_loaded_ = false;
  // The bootstrap's source until it is needed: the last known state is newer.
  std::unique_ptr<upstream::Source> bootstrap_source_;
  std::size_t silent_seats_ = 0;
  std::unique_ptr<PinsFile> pins_;
  net::Lifeline<EnvironmentFeed> lifeline_{*this};
};

}  // namespace flagstone::sidecar
