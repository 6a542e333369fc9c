#include "sidecar/api/launchdarkly_sdk_mirror.h"

#include <charconv>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kDialect = "launchdarkly";

bool has_data(const cache::EnvironmentState& environment) {
  // What is missing must not look deleted.
  return environment.snapshot != nullptr && environment.complete && is_launchdarkly(environment);
}

std::optional<SdkContent> content_of(const cache::Entry* entry) {
  if (entry == nullptr) return std::nullopt;
  return SdkContent{.version = entry->version(), .text_hash = entry->text_hash()};
}

std::int64_t above(std::int64_t version) {
  return version == std::numeric_limits<std::int64_t>::max() ? version : version + 1;
}

// An SDK that compares versions, and has what was there before, would not take the change.
bool is_refused(const SdkChange& change, SdkMirror::Book& book) {
  const auto name = std::pair(change.kind, change.key);
  if (!change.after) {
    if (book.deletions.size() >= SdkMirror::kDeletionsMax) return true;
    book.deletions[name] = change.version;
    return change.version <= change.before->version;
  }
  if (change.before) return change.after->version <= change.before->version;
  const auto deleted = book.deletions.find(name);
  if (deleted == book.deletions.end()) return false;
  const bool refused = change.after->version <= deleted->second;
  book.deletions.erase(deleted);
  return refused;
}

}  // namespace

bool is_launchdarkly(const cache::EnvironmentState& environment) {
  if (environment.snapshot != nullptr) return environment.snapshot->dialect().name() == kDialect;
  return environment.dialect.empty() || environment.dialect == kDialect;
}

SdkMirror::~SdkMirror() {
  if (held_) desk_.give_back(std::move(held_));
}

void SdkMirror::catch_up() {
  if (held_ == desk_.state) return;
  const std::shared_ptr<const cache::ServingState>& state = desk_.state;
  for (std::size_t i = 0; i < state->environments.size(); ++i) {
    const cache::EnvironmentState& after = state->environments[i];
    Book& book = books_[i];
    if (!has_data(after)) {
      book.taken_out = book.taken_out || (book.has_data && !after.snapshot);
      book.has_data = false;
      continue;
    }
    if (!book.has_data) {
      book = {};
      book.has_data = true;
      book.log.begin(after.generation);
      continue;
    }
    const cache::EnvironmentState& before = held_->environments[i];
    if (before.snapshot != after.snapshot) compare(book, before, after);
  }
  std::shared_ptr<const cache::ServingState> replaced = std::exchange(held_, state);
  // Snapshots are destroyed by the keeper.
  if (replaced) desk_.give_back(std::move(replaced));
}

void SdkMirror::compare(Book& book, const cache::EnvironmentState& before,
                        const cache::EnvironmentState& after) {
  const cache::Snapshot& old = *before.snapshot;
  const cache::Snapshot& now = *after.snapshot;
  std::vector<SdkChange> changes;
  bool needs_put = false;
  now.for_each_difference(old, [&](const cache::Entry* was, const cache::Entry* is) {
    const cache::Entry& any = was != nullptr ? *was : *is;
    SdkChange change{.kind = any.kind(),
                     .key = std::string(any.key()),
                     // What is in quarantine is served as it last was good.
                     .before = content_of(was == nullptr ? nullptr : was->answering()),
                     .after = content_of(is == nullptr ? nullptr : is->answering())};
    if (change.before == change.after) return;
    change.version = change.after ? change.after->version : above(change.before->version);
    // A pin's version is no version of LaunchDarkly's.
    const bool pinned = (was != nullptr && was->layer() + 1U == old.layers().size()) ||
                        (is != nullptr && is->layer() + 1U == now.layers().size());
    needs_put = is_refused(change, book) || pinned || needs_put;
    changes.push_back(std::move(change));
  });
  if (changes.empty()) return;
  // Who is told everything knows nothing of what was.
  if (needs_put) book.deletions.clear();
  book.log.add(after.generation, std::move(changes), needs_put);
  if (book.log.size() == 0) book.deletions.clear();
}

const SdkMirror::Book& SdkMirror::book(std::size_t environment) const {
  return books_.at(environment);
}

std::string SdkMirror::selector_prefix(std::size_t environment) const {
  return fmt::format("{:016x}-{}-", process_, environment);
}

std::string SdkMirror::selector_of(std::size_t environment) const {
  return selector_prefix(environment) + std::to_string(book(environment).log.newest());
}

std::optional<std::uint64_t> SdkMirror::generation_of(std::size_t environment,
                                                      std::string_view basis) const {
  const std::string prefix = selector_prefix(environment);
  if (!basis.starts_with(prefix)) return std::nullopt;
  basis.remove_prefix(prefix.size());
  std::uint64_t generation = 0;
  const auto [end, error] = std::from_chars(basis.data(), basis.data() + basis.size(), generation);
  if (error != std::errc() || end != basis.data() + basis.size()) return std::nullopt;
  return generation;
}

std::size_t SdkMirror::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [index, book] : books_) {
    bytes += sizeof(Book) + book.log.bytes();
    constexpr std::size_t kDeletionBytes = 128;  // With a key of some 30 bytes.
    bytes += book.deletions.size() * kDeletionBytes;
  }
  return bytes;
}

}  // namespace flagstone::sidecar
