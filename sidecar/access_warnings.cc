#include "sidecar/access_warnings.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

#include "cache/state_files.h"
#include "evaluation/content_hash.h"

namespace flagstone::sidecar {
namespace {

// What a request says is printed only where it can do no harm to a log.
std::string plain(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string shown(text.substr(0, kShown));
  for (char& c : shown) {
    if (c <= ' ' || c > '~' || c == '`') c = '?';
  }
  return shown;
}

}  // namespace

std::string end_of_credential(std::string_view credential) {
  constexpr std::size_t kShown = 4;
  constexpr std::size_t kLongEnough = 12;
  if (credential.size() < kLongEnough) return {};
  return plain(credential.substr(credential.size() - kShown));
}

void AccessWarnings::remember_former(const cache::Routes& routes,
                                     const std::vector<std::string>& names) {
  for (const auto& [credential, opened] : routes.by_credential) {
    if (!opened.is_former) continue;
    remember({.digest = evaluation::digest64(credential),
              .hashed = {},
              .environment = names[opened.environment]});
  }
  for (const cache::Routes::Former& former : routes.former) {
    remember({.digest = 0, .hashed = former, .environment = names[former.environment]});
  }
}

void AccessWarnings::remember(Former former) {
  const bool is_known = std::ranges::any_of(former_, [&](const Former& known) {
    return known.digest == former.digest && known.hashed.hash == former.hashed.hash &&
           known.environment == former.environment;
  });
  if (is_known) return;
  if (former_.size() >= kFormerMax) former_.pop_front();
  former_.push_back(std::move(former));
}

const AccessWarnings::Former* AccessWarnings::find_former(std::string_view credential) const {
  const std::uint64_t digest = evaluation::digest64(credential);
  const auto found = std::ranges::find_if(former_, [&](const Former& former) {
    if (former.hashed.hash.empty()) return former.digest == digest;
    return cache::credential_hash(former.hashed.salt, credential) == former.hashed.hash;
  });
  return found == former_.end() ? nullptr : &*found;
}

void AccessWarnings::take(const AccessNote& note, std::string_view environment,
                          std::int64_t now_ms) {
  if (note.kind == AccessNote::Kind::kUnauthorized) return warn_refused(note, now_ms);
  warn_filter(note, environment);
}

void AccessWarnings::warn_refused(const AccessNote& note, std::int64_t now_ms) {
  std::erase_if(refused_,
                [&](const Refused& refused) { return now_ms - refused.last_ms >= kSilenceMs; });
  const std::uint64_t digest = evaluation::digest64(note.credential);
  const auto known = std::ranges::find(refused_, digest, &Refused::digest);
  if (known != refused_.end()) {
    known->last_ms = now_ms;
    return;
  }
  // It is warned of when it comes again after that.
  if (now_ms - warned_ms_ < kPauseMs) return;
  warned_ms_ = now_ms;
  if (refused_.size() >= kCredentialsMax) refused_.pop_front();
  refused_.push_back({.digest = digest, .last_ms = now_ms});
  const std::string_view api = kAccessApiNames[static_cast<std::size_t>(note.api)];
  if (note.credential.empty()) {
    return log_.warn("{}: requests without a credential open no environment; they are refused",
                     api);
  }
  const std::string end = end_of_credential(note.credential);
  const std::string shown = end.empty() ? std::string() : " (…" + end + ")";
  const bool is_nobodys = note.error != RoutingError::kForeignCredential;
  if (const Former* former = is_nobodys ? find_former(note.credential) : nullptr) {
    return log_.warn(
        "{}: an app still comes with the former credential{} of {}, whose grace is over; it is "
        "refused",
        api, shown, former->environment);
  }
  log_.warn("{}: requests with a credential{} that opens no environment here are refused", api,
            shown);
}

void AccessWarnings::warn_filter(const AccessNote& note, std::string_view environment) {
  if (filters_warned_.size() >= kFiltersMax) return;
  if (!filters_warned_.emplace(environment, note.filter).second) return;
  if (note.kind == AccessNote::Kind::kFilteredOnlyServed) {
    return log_.warn(
        "{}: an SDK asks for no payload filter, and every environment of its key has one; it gets "
        "this one's flags, which are fewer than it may want",
        environment);
  }
  if (note.kind == AccessNote::Kind::kFilterRefused && note.filter.empty()) {
    return log_.warn(
        "an SDK asks for no payload filter, and every environment of its key has one; it gets 404 "
        "until one of them has no `filter`");
  }
  if (note.kind == AccessNote::Kind::kFilterRefused) {
    return log_.warn(
        "an SDK asks for the payload filter `{}`, and the environments of its key all have others; "
        "it gets 404 until one of them has that `filter`, or none",
        plain(note.filter));
  }
  log_.warn(
      "{}: an SDK asks for the payload filter `{}`, which no environment of its key has; it gets "
      "all flags of this one",
      environment, plain(note.filter));
}

}  // namespace flagstone::sidecar
