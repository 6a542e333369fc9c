// What serving threads reported of LaunchDarkly's flags, on the keeper, until it goes through the
// door for events: their counts merged into one summary a second, and the full events as they are.
//
// One per environment, owned by the keeper and on its thread, but that reporters read the vendor's
// clock. While the door is shut, counts go on being merged and events wait, at most
// kWaitingBytesMax of them; then the rings fill, and what has no room there is counted as lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "config/options.h"
#include "evaluation/dialects/launchdarkly/wire/evaluation_counts.h"
#include "sidecar/evaluation_reporter.h"
#include "sidecar/launchdarkly_reporter.h"

namespace flagstone::sidecar {

class LaunchDarklyReports final : public EvaluationReports {
 public:
  static constexpr std::int64_t kHandOnMs = 1000;
  static constexpr std::size_t kHandOnBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kWaitingBytesMax = std::size_t{1024} * 1024;
  // Different names without a flag that are told of per minute: beyond that somebody invents them.
  static constexpr std::size_t kUnknownNamesMax = 1000;
  static constexpr std::int64_t kUnknownWindowMs = 60'000;

  // The tags are those of the environment's source.
  explicit LaunchDarklyReports(const std::map<std::string, std::string>& tags);

  void add_reporter(std::move_only_function<void()> wake) override;
  LaunchDarklyReporter& reporter(std::size_t index) override { return *reporters_[index]; }
  void drain(upstream::EventForwarder& events, std::int64_t now_ms) override;
  bool flush(upstream::EventForwarder& events) override;
  ReportFacts facts() const override;

 private:
  using Counts = evaluation::launchdarkly::EvaluationCounts;

  void collect(LaunchDarklyReporter& reporter);
  bool admit_unknown(std::string_view name);
  bool hand_on(upstream::EventForwarder& events);

  std::string tags_;
  std::atomic<std::int64_t> vendor_unix_ms_{0};
  std::vector<std::unique_ptr<LaunchDarklyReporter>> reporters_;
  std::string waiting_;  // Events with commas between.
  Counts counts_;
  std::unordered_set<std::uint64_t> unknown_names_;  // By hash.
  std::int64_t unknown_since_ms_ = 0;
  std::uint64_t unknown_lost_ = 0;
  std::int64_t handed_on_ms_ = 0;
};

// For the table of vendors.
std::unique_ptr<EvaluationReports> make_launchdarkly_reports(
    const config::Environment& environment);

}  // namespace flagstone::sidecar
