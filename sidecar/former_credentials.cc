#include "sidecar/former_credentials.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cache/byte_codec.h"
#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

using cache::ByteReader;
using std::chrono::milliseconds;

// entry = identity salt hash end; the blob in the state has its checksum around all of them.
constexpr std::uint32_t kFormat = 1;
// More than that no one rotates in an hour; each costs a hash for every unknown credential.
constexpr std::size_t kEntriesMax = 16;

struct Entry {
  std::string_view identity;
  std::string_view salt;
  std::string_view hash;
  std::int64_t until_unix_ms = 0;
};

void append_entry(std::string& saved, const Entry& entry) {
  cache::append_text(saved, entry.identity);
  cache::append_text(saved, entry.salt);
  cache::append_text(saved, entry.hash);
  cache::append_signed(saved, entry.until_unix_ms);
}

std::optional<std::vector<Entry>> read_entries(std::string_view saved) {
  ByteReader reader(saved);
  if (reader.number<std::uint32_t>() != kFormat) return std::nullopt;
  std::vector<Entry> entries(std::min<std::size_t>(reader.number<std::uint32_t>(), kEntriesMax));
  for (Entry& entry : entries) {
    entry.identity = reader.text();
    entry.salt = reader.text();
    entry.hash = reader.text();
    entry.until_unix_ms = reader.signed_number();
  }
  if (!reader.complete()) return std::nullopt;
  return entries;
}

}  // namespace

bool FormerCredentials::note(std::size_t source, const std::string& credential, milliseconds grace,
                             upstream::TimePoint now) {
  std::erase_if(former_, [&](const Former& former) { return former.until <= now; });
  std::erase_if(earlier_, [&](const Earlier& earlier) { return earlier.until <= now; });
  if (current_.size() <= source) current_.resize(source + 1);
  if (credential.empty() || credential == current_[source]) return false;
  std::string before = std::exchange(current_[source], credential);
  // One that came back is no former one any more.
  std::erase_if(former_, [&](const Former& former) {
    return former.credential == credential || former.credential == before;
  });
  if (before.empty() || grace.count() == 0) return true;
  former_.push_back({.source = source, .credential = std::move(before), .until = now + grace});
  return true;
}

void FormerCredentials::append_to(std::vector<std::string>& all, upstream::TimePoint now) const {
  for (const Former& former : former_) {
    if (former.until > now && std::ranges::find(all, former.credential) == all.end()) {
      all.push_back(former.credential);
    }
  }
}

std::vector<FormerCredentials::Hashed> FormerCredentials::hashed(upstream::TimePoint now) const {
  std::vector<Hashed> all;
  for (const Earlier& earlier : earlier_) {
    if (earlier.until > now) all.push_back(earlier.hashed);
  }
  return all;
}

std::optional<std::size_t> FormerCredentials::source_of(std::string_view credential,
                                                        upstream::TimePoint now) const {
  for (const Former& former : former_) {
    if (former.until > now && former.credential == credential) return former.source;
  }
  for (const Earlier& earlier : earlier_) {
    if (earlier.until <= now) continue;
    const auto& [salt, hash] = earlier.hashed;
    if (cache::credential_hash(salt, credential) == hash) return earlier.source;
  }
  return std::nullopt;
}

void FormerCredentials::take_over(const FormerCredentials& predecessor,
                                  const std::vector<SourceFacts>& its_sources,
                                  const std::vector<SourceFacts>& sources,
                                  upstream::TimePoint now) {
  // An environment has no source twice.
  std::vector<std::optional<std::size_t>> mine(its_sources.size());
  for (std::size_t i = 0; i < its_sources.size(); ++i) {
    const auto at = std::ranges::find(sources, its_sources[i].identity, &SourceFacts::identity);
    if (at != sources.end()) mine[i] = static_cast<std::size_t>(at - sources.begin());
  }
  current_.resize(sources.size());
  for (std::size_t i = 0; i < predecessor.current_.size(); ++i) {
    if (mine[i]) current_[*mine[i]] = predecessor.current_[i];
  }
  const auto take = [&](const auto& its, auto& here) {
    for (auto one : its) {
      if (!mine[one.source]) continue;
      one.source = *mine[one.source];
      one.until = std::min(one.until, now + sources[one.source].grace);
      if (one.until > now) here.push_back(std::move(one));
    }
  };
  take(predecessor.former_, former_);
  take(predecessor.earlier_, earlier_);
}

bool FormerCredentials::knows(std::size_t source, const Hashed& hashed) const {
  return std::ranges::any_of(earlier_,
                             [&](const Earlier& earlier) {
                               return earlier.source == source && earlier.hashed == hashed;
                             }) ||
         std::ranges::any_of(former_, [&](const Former& former) {
           return former.source == source &&
                  cache::credential_hash(hashed.salt, former.credential) == hashed.hash;
         });
}

std::string FormerCredentials::save(const std::vector<SourceFacts>& sources, std::string_view salt,
                                    const upstream::Clock& clock) const {
  const upstream::TimePoint now = clock.now();
  const std::int64_t unix_ms = clock.unix_ms();
  std::vector<std::string> entries;
  const auto add = [&](std::size_t source, std::string_view its_salt, std::string_view hash,
                       upstream::TimePoint until) {
    if (source >= sources.size() || until <= now) return;
    const auto left = std::chrono::duration_cast<milliseconds>(until - now);
    append_entry(entries.emplace_back(), {.identity = sources[source].identity,
                                          .salt = its_salt,
                                          .hash = hash,
                                          .until_unix_ms = unix_ms + left.count()});
  };
  for (const Earlier& earlier : earlier_) {
    add(earlier.source, earlier.hashed.salt, earlier.hashed.hash, earlier.until);
  }
  for (const Former& former : former_) {
    add(former.source, salt, cache::credential_hash(salt, former.credential), former.until);
  }
  for (std::size_t i = 0; i < current_.size() && i < sources.size(); ++i) {
    if (current_[i].empty()) continue;
    add(i, salt, cache::credential_hash(salt, current_[i]), now + sources[i].grace);
  }
  if (entries.empty()) return {};
  // The newest, if they are too many.
  const std::size_t kept = std::min(entries.size(), kEntriesMax);
  std::string saved;
  cache::append_number(saved, kFormat);
  cache::append_number(saved, static_cast<std::uint32_t>(kept));
  for (std::size_t i = entries.size() - kept; i < entries.size(); ++i) saved += entries[i];
  return saved;
}

bool FormerCredentials::restore(std::string_view saved, const std::vector<SourceFacts>& sources,
                                const upstream::Clock& clock) {
  const auto entries = read_entries(saved);
  if (!entries) return false;
  const std::int64_t unix_ms = clock.unix_ms();
  for (const Entry& entry : *entries) {
    for (std::size_t i = 0; i < sources.size() && i < current_.size(); ++i) {
      if (sources[i].identity != entry.identity) continue;
      // A clock that was set back must not keep it for longer.
      const milliseconds left =
          std::min(milliseconds(entry.until_unix_ms - unix_ms), sources[i].grace);
      const bool is_current =
          !current_[i].empty() && cache::credential_hash(entry.salt, current_[i]) == entry.hash;
      Hashed hashed{.salt = std::string(entry.salt), .hash = std::string(entry.hash)};
      if (left.count() <= 0 || is_current || knows(i, hashed)) continue;
      earlier_.push_back({.source = i, .hashed = std::move(hashed), .until = clock.now() + left});
    }
  }
  return true;
}

}  // namespace flagstone::sidecar
