#include "sidecar/environment_feed.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "cache/state_files.h"
#include "sidecar/pins_file.h"
#include "sidecar/selector.h"
#include "upstream/random_bytes.h"
#include "upstream/redact.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kFileScheme = "file:";
constexpr std::string_view kFormerBlob = "former_credentials";
constexpr std::size_t kSaltBytes = 16;

// What people and selectors call a source: flagd names files without their scheme.
cache::EnvironmentOptions cache_options(const config::Environment& options,
                                        std::uint64_t max_document_bytes) {
  cache::EnvironmentOptions made;
  made.name = options.name;
  made.has_bootstrap = !options.bootstrap.empty();
  made.max_document_bytes = max_document_bytes;
  for (const config::Source& source : options.sources) {
    made.sources.push_back({.name = std::string(source_name(source.uri)),
                            .optional = source.optional,
                            .shrink_guard = source.guards_shrinking(),
                            .confirm_shrink = options.confirm_shrink});
  }
  return made;
}

config::Source bootstrap_source(const std::string& path) {
  config::Source source;
  source.uri = std::string(kFileScheme) + path;
  source.path = path;
  return source;
}

}  // namespace

EnvironmentFeed::EnvironmentFeed(config::Environment options, FeedTools tools, FeedHost& host)
    : options_(std::move(options)),
      tools_(std::move(tools)),
      host_(host),
      dialect_(tools_.vendor.make_dialect(options_)),
      cache_(cache_options(options_, tools_.sources.max_document_bytes), *dialect_, tools_.home),
      usage_(tools_.vendor.hands_flags_to_apps ? cache::UsageTotals::Evaluated::kHereOrInApps
                                               : cache::UsageTotals::Evaluated::kHere) {}

EnvironmentFeed::~EnvironmentFeed() = default;

std::expected<void, std::string> EnvironmentFeed::prepare() {
  auto make = [&](const config::Source& options, std::uint16_t layer,
                  bool keeps_state) -> std::expected<std::unique_ptr<SourceSeat>, std::string> {
    auto seat = make_seat(options, layer, keeps_state);
    auto source = tools_.vendor.make_source(options, tools_.sources, *seat);
    if (!source) return std::unexpected(source.error());
    prepared_.push_back(std::move(*source));
    return seat;
  };
  if (!options_.bootstrap.empty()) {
    auto seat = make(bootstrap_source(options_.bootstrap), cache_.bootstrap_layer(), false);
    if (!seat) return std::unexpected(seat.error());
    bootstrap_ = std::move(*seat);
  }
  for (std::size_t i = 0; i < options_.sources.size(); ++i) {
    auto seat = make(options_.sources[i], cache_.source_layer(i), true);
    if (!seat) return std::unexpected(seat.error());
    seats_.push_back(std::move(*seat));
  }
  return {};
}

void EnvironmentFeed::start(const EnvironmentFeed* predecessor) {
  std::size_t next = 0;
  if (predecessor != nullptr) take_over_former_credentials(*predecessor);
  accepted_credentials_ = std::make_unique<AcceptedCredentials>(
      options_.accept, tools_.sources, [this] { host_.feed_credentials_changed(); });
  if (bootstrap_) bootstrap_source_ = std::move(prepared_[next++]);
  silent_seats_ = seats_.size();
  for (auto& seat : seats_) {
    const SourceSeat* same = predecessor ? predecessor->seat_like(*seat) : nullptr;
    if (same != nullptr) {
      seat->start_after(std::move(prepared_[next++]), tools_.sources.loop, *same);
    } else {
      seat->start(std::move(prepared_[next++]), tools_.sources.loop);
    }
  }
  prepared_.clear();
  if (!options_.pins.empty()) {
    pins_ = std::make_unique<PinsFile>(options_.pins, cache_, *this, tools_.sources, tools_.log);
  }
  read_credentials();
  if (!former_loaded_ && keeps_former_credentials()) load_former_credentials();
}

// The seat whose source is the same in everything that decides its records, if it has any.
const SourceSeat* EnvironmentFeed::seat_like(const SourceSeat& other) const {
  const cache::SourceIdentity& wanted = *other.options().identity;
  for (const auto& seat : seats_) {
    const cache::SourceIdentity& mine = *seat->options().identity;
    bool same = mine.dialect == wanted.dialect && mine.uri == wanted.uri &&
                mine.selector == wanted.selector;
    if (same && seat->layer().has_document()) return seat.get();
  }
  return nullptr;
}

void EnvironmentFeed::retire() {
  for (auto& seat : seats_) seat->retire();
  if (bootstrap_) bootstrap_->retire();
  accepted_credentials_->stop();
  bootstrap_source_.reset();
  pins_.reset();
}

bool EnvironmentFeed::about_to_be_read() const {
  return std::any_of(seats_.begin(), seats_.end(),
                     [](const auto& seat) { return seat->about_to_be_read(); });
}

void EnvironmentFeed::retry_refused() {
  for (auto& seat : seats_) seat->retry_refused();
}

void EnvironmentFeed::try_now() {
  for (auto& seat : seats_) seat->try_now();
}

void EnvironmentFeed::fetch_texts_again() {
  cache_.distrust_texts();
  for (auto& seat : seats_) seat->fetch_again();
}

std::unique_ptr<SourceSeat> EnvironmentFeed::make_seat(const config::Source& source,
                                                       std::uint16_t layer, bool keeps_state) {
  SeatOptions seat;
  seat.environment = options_.name;
  seat.uri = upstream::redacted_uri(source.uri);
  seat.layer = layer;
  seat.optional = source.optional;
  if (tools_.vendor.rotation_grace) seat.rotation_grace = tools_.vendor.rotation_grace(source);
  if (tools_.vendor.payload_filter) seat.filter = tools_.vendor.payload_filter(source);
  if (keeps_state) {
    seat.identity = identity_of(std::size_t{layer} - std::size_t{cache_.source_layer(0)}, source);
  }
  return std::make_unique<SourceSeat>(std::move(seat), cache_, *this, tools_.saver,
                                      tools_.sources.clock, tools_.log);
}

cache::SourceIdentity EnvironmentFeed::identity_of(std::size_t index,
                                                   const config::Source& source) const {
  return {.environment = options_.name,
          .index = static_cast<std::uint32_t>(index),
          .dialect = std::string(dialect_->name()),
          .options = std::string(dialect_->options_fingerprint()),
          .uri = std::string(source.location()),
          .selector = source.part(),
          .credential = {}};
}

bool EnvironmentFeed::work(const std::function<bool()>& stop) {
  bool more = bootstrap_ && bootstrap_->work(stop);
  for (auto& seat : seats_) {
    if (stop()) return true;
    more = seat->work(stop) || more;
  }
  return more;
}

cache::EnvironmentState EnvironmentFeed::publishable() const {
  cache::EnvironmentState now;
  now.name = options_.name;
  now.dialect = cache_.dialect().name();
  now.snapshot = cache_.snapshot();
  now.complete = cache_.ready();
  now.optional = options_.optional;
  now.origin = origin();
  now.stale = stale();
  now.last_contact_unix_ms = last_contact_unix_ms();
  for (const auto& seat : seats_) {
    if (seat->last_failure_unix_ms() <= now.last_failure_unix_ms) continue;
    now.last_failure_unix_ms = seat->last_failure_unix_ms();
    now.last_failure_kind = seat->last_failure_kind();
  }
  return now;
}

// Once every source has spoken, or is known to have nothing yet, the bootstrap's turn has come.
void EnvironmentFeed::first_word() {
  if (silent_seats_ > 0) --silent_seats_;
  if (silent_seats_ == 0 && bootstrap_source_) {
    bootstrap_->start(std::move(bootstrap_source_), tools_.sources.loop);
  }
}

void EnvironmentFeed::renew_state() {
  for (auto& seat : seats_) seat->renew_state();
}

std::size_t EnvironmentFeed::accept_held() {
  std::size_t taken = 0;
  for (auto& seat : seats_) {
    if (seat->accept_held()) ++taken;
  }
  return taken;
}

// Other vendors' sources have no grace: their old credential counts no more.
std::vector<FormerCredentials::SourceFacts> EnvironmentFeed::credential_facts() const {
  std::vector<FormerCredentials::SourceFacts> all;
  const auto& grace = tools_.vendor.rotation_grace;
  for (std::size_t i = 0; i < options_.sources.size(); ++i) {
    const config::Source& source = options_.sources[i];
    all.push_back({.identity = cache::identity_hash(identity_of(i, source)),
                   .grace = grace ? grace(source) : std::chrono::milliseconds(0)});
  }
  return all;
}

bool EnvironmentFeed::keeps_former_credentials() const {
  return std::ranges::any_of(credential_facts(),
                             [](const auto& source) { return source.grace.count() > 0; });
}

void EnvironmentFeed::take_over_former_credentials(const EnvironmentFeed& predecessor) {
  const auto mine = credential_facts();
  const auto its = predecessor.credential_facts();
  former_credentials_.take_over(predecessor.former_credentials_, its, mine,
                                tools_.sources.clock.now());
  // Of a source that is new here the state may remember some.
  const bool none_is_new = std::ranges::all_of(mine, [&](const auto& source) {
    return std::ranges::find(its, source.identity, &FormerCredentials::SourceFacts::identity) !=
           its.end();
  });
  former_loaded_ = predecessor.former_loaded_ && none_is_new;
}

// Until it is known an unknown credential may be one of them.
void EnvironmentFeed::load_former_credentials() {
  tools_.saver.load_blob(
      options_.name, std::string(kFormerBlob),
      lifeline_.guard([](EnvironmentFeed& feed, std::optional<std::string> saved) {
        if (saved && !feed.former_credentials_.restore(*saved, feed.credential_facts(),
                                                       feed.tools_.sources.clock)) {
          feed.tools_.log.warn("{}: the kept former credentials are of another version",
                               feed.options_.name);
        }
        feed.former_loaded_ = true;
        feed.save_credentials();
        feed.host_.feed_credentials_changed();
      }));
}

void EnvironmentFeed::save_credentials() {
  if (!former_loaded_) return;
  std::string saved = former_credentials_.save(
      credential_facts(), upstream::random_bytes(kSaltBytes), tools_.sources.clock);
  if (saved.empty()) return;
  tools_.saver.save_blob(options_.name, std::string(kFormerBlob), std::move(saved));
}

void EnvironmentFeed::look_at_credentials(const std::function<void(bool found)>& done) {
  for (const auto& seat : seats_) seat->look_at_credential(done);
  accepted_credentials_->look_now(done);
}

bool EnvironmentFeed::read_credentials() {
  std::vector<std::string> all;
  bool awaits = false;
  const upstream::TimePoint now = tools_.sources.clock.now();
  const auto facts = credential_facts();
  bool rotated = false;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    all.push_back(seats_[i]->source().credential().reveal());
    awaits = awaits || (all.back().empty() && !options_.sources[i].credential.empty());
    rotated = former_credentials_.note(i, all.back(), facts[i].grace, now) || rotated;
  }
  if (rotated) save_credentials();
  const auto is_empty = [](const std::string& credential) { return credential.empty(); };
  std::erase_if(all, is_empty);
  const std::size_t source_credentials = all.size();
  accepted_credentials_->append_to(all);
  awaits = awaits || accepted_credentials_->awaits_some();
  awaits = awaits || (keeps_former_credentials() && !former_loaded_);
  awaits = awaits && tools_.vendor.unknown_credential_is_final;
  std::erase_if(all, is_empty);
  std::vector<std::string> former;
  former_credentials_.append_to(former, now);
  std::vector<FormerCredentials::Hashed> hashed = former_credentials_.hashed(now);
  for (const std::string& problem : accepted_credentials_->new_problems()) {
    tools_.log.warn("{}: accept: {}", options_.name, problem);
  }
  if (all == credentials_ && source_credentials == source_credentials_ && former == former_ &&
      hashed == hashed_ && awaits == awaits_credentials_) {
    return false;
  }
  credentials_ = std::move(all);
  source_credentials_ = source_credentials;
  former_ = std::move(former);
  hashed_ = std::move(hashed);
  awaits_credentials_ = awaits;
  return true;
}

std::optional<std::size_t> EnvironmentFeed::source_of(std::string_view credential) const {
  if (credential.empty()) return std::nullopt;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i]->source().credential().reveal() == credential) return i;
  }
  return former_credentials_.source_of(credential, tools_.sources.clock.now());
}

std::string EnvironmentFeed::filter() const {
  if (!tools_.vendor.payload_filter) return {};
  std::optional<std::string> filter;
  for (const config::Source& source : options_.sources) {
    if (source.is_file()) continue;
    std::string its = tools_.vendor.payload_filter(source);
    if (filter && *filter != its) return {};
    filter = std::move(its);
  }
  return filter.value_or(std::string());
}

std::vector<std::string> EnvironmentFeed::pinned_keys() const {
  return pins_ ? pins_->keys() : std::vector<std::string>();
}

std::vector<cache::SourceIdentity> EnvironmentFeed::state_identities() const {
  std::vector<cache::SourceIdentity> all;
  for (std::size_t i = 0; i < options_.sources.size(); ++i) {
    all.push_back(identity_of(i, options_.sources[i]));
  }
  return all;
}

// The least live of what is served; what upstream confirmed (304) is live, wherever it was kept.
cache::Origin EnvironmentFeed::origin() const {
  cache::Origin served = cache_.origin();
  if (served != cache::Origin::kState) return served;
  bool all_live = std::all_of(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->live() || !seat->layer().has_document();
  });
  return all_live ? cache::Origin::kLive : served;
}

bool EnvironmentFeed::stale() const {
  if (!cache_.snapshot()) return false;
  if (origin() != cache::Origin::kLive) return true;
  std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            tools_.sources.clock.now().time_since_epoch())
                            .count();
  return std::any_of(seats_.begin(), seats_.end(), [&](const auto& seat) {
    return !seat->options().optional && seat->stale(now_ms);
  });
}

// Of the required source that has been silent for longest.
std::int64_t EnvironmentFeed::last_contact_unix_ms() const {
  std::int64_t oldest = 0;
  for (const auto& seat : seats_) {
    std::int64_t last = seat->last_success_unix_ms();
    if (seat->options().optional || last == 0) continue;
    oldest = oldest == 0 ? last : std::min(oldest, last);
  }
  return oldest;
}

}  // namespace flagstone::sidecar
