// What serving threads reported of LaunchDarkly's flags, on the keeper, until the forwarder takes
// it: their counts merged into one summary at each ping, twice a second, and the full events as
// they are.
//
// One per environment, owned by the keeper and on its thread, but that reporters read the vendor's
// clock. While the forwarder takes nothing (its queue to the disk is full), counts go on being
// merged and events wait, at most kWaitingBytesMax of them; then the rings fill, and what has no
// room there is counted as lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/options.h"
#include "evaluation/dialects/launchdarkly/wire/evaluation_counts.h"
#include "sidecar/evaluation_reporter.h"
#include "sidecar/launchdarkly_reporter.h"

namespace flagstone::sidecar {

LaunchDarklyReporter::Privacy privacy_of(const config::EventOptions& options);

class LaunchDarklyReportCollector final : public ReportCollector {
 public:
  // Events without counts wait for so long, or until there are so many.
  static constexpr std::int64_t kHandOnMs = 1000;
  static constexpr std::size_t kHandOnBytes = std::size_t{256} * 1024;
  static constexpr std::size_t kWaitingBytesMax = std::size_t{1024} * 1024;
  // Different names without a flag that are told of per minute: beyond that somebody invents them.
  static constexpr std::size_t kUnknownNamesMax = 1000;
  static constexpr std::int64_t kUnknownWindowMs = 60'000;

  // Of one body for the forwarder. Its queue is kQueuedBytesMax (launchdarkly_spool_on_disk.h), or
  // an eighth of the memory limit where that is less.
  static constexpr std::size_t kArrayBytes = std::size_t{1024} * 1024;

  explicit LaunchDarklyReportCollector(LaunchDarklyReporter::Privacy privacy = {})
      : privacy_(std::move(privacy)) {}

  void set_options(const config::Environment& options) override;
  void add_reporter(std::move_only_function<void()> wake) override;
  LaunchDarklyReporter& reporter(std::size_t index) override { return *reporters_[index].reporter; }
  void drain(upstream::EventForwarder& events, std::int64_t now_ms) override;
  bool flush(upstream::EventForwarder& events) override;
  ReportFacts facts() const override;

 private:
  using Counts = evaluation::launchdarkly::EvaluationCounts;

  struct Reporting {
    std::unique_ptr<LaunchDarklyReporter> reporter;
    bool has_privacy = true;  // The last there is.
  };

  void give_privacy();
  // True when there were counts.
  bool collect(LaunchDarklyReporter& reporter);
  bool admit_unknown(std::string_view name);
  void pack();
  bool hand_on(upstream::EventForwarder& events);

  std::atomic<std::int64_t> vendor_unix_ms_{0};
  LaunchDarklyReporter::Privacy privacy_;
  std::vector<Reporting> reporters_;
  std::string waiting_;  // Events with commas between.
  Counts counts_;
  std::deque<std::string> arrays_;                   // Either, packed for the forwarder.
  std::unordered_set<std::uint64_t> unknown_names_;  // By hash.
  std::int64_t unknown_since_ms_ = 0;
  std::uint64_t unknown_lost_ = 0;
  std::int64_t handed_on_ms_ = 0;
};

}  // namespace flagstone::sidecar
