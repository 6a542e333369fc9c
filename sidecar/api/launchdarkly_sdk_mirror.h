// Which states of LaunchDarkly's environments this serving thread has had, and what led from one to
// the next: what every stream and poll of LaunchDarkly's SDKs goes by.
//
// One per serving thread, on its loop. It holds the serving state that it looked at last, which is
// the desk's own, until the next one is there: so what changed is found by comparing two snapshots,
// at the cost of what changed, and no old one is kept. Nothing here fails.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cache/serving_state.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_messages.h"
#include "sidecar/api/launchdarkly_sdk_log.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class SdkMirror {
 public:
  // Deletions that are remembered, of one environment; see Book.
  static constexpr std::size_t kDeletionsMax = 10'000;

  // One environment.
  struct Book {
    // Every required source has brought something, of LaunchDarkly's dialect.
    bool has_data = false;
    // It had data, and a reload took it out.
    bool taken_out = false;
    SdkChangeLog log;
    // With which version SDKs were told that something is gone, since all of them were last told
    // everything: they take it back only with a greater one.
    std::map<std::pair<evaluation::RecordKind, std::string>, std::int64_t> deletions;
  };

  // `process` is chance: the same in all threads of a process, another in every process.
  SdkMirror(ServingDesk& desk, std::uint64_t process) : desk_(desk), process_(process) {}
  ~SdkMirror();
  SdkMirror(const SdkMirror&) = delete;
  SdkMirror& operator=(const SdkMirror&) = delete;

  // The desk's state may be another one.
  void catch_up();
  // As of the last catch_up().
  const Book& book(std::size_t environment) const;
  const cache::EnvironmentState& environment(std::size_t index) const {
    return held_->environments[index];
  }
  const std::shared_ptr<const cache::ServingState>& state() const { return held_; }

  // What an SDK presents as `basis`, for the newest state of an environment; and which generation
  // that names. nullopt: another process's, another environment's, or none of ours.
  std::string selector_of(std::size_t environment) const;
  std::optional<std::uint64_t> generation_of(std::size_t environment, std::string_view basis) const;

  std::size_t bytes() const;

 private:
  void compare(Book& book, const cache::EnvironmentState& before,
               const cache::EnvironmentState& after);
  std::string selector_prefix(std::size_t environment) const;

  ServingDesk& desk_;
  const std::uint64_t process_;
  std::shared_ptr<const cache::ServingState> held_;
  std::map<std::size_t, Book> books_;
};

// The environment's flags are LaunchDarkly's, as far as is known.
bool is_launchdarkly(const cache::EnvironmentState& environment);

}  // namespace flagstone::sidecar
