// Evaluations of LaunchDarkly's flags on one serving thread, on their way to becoming events.
//
// Counted in a table that the keeper gets at each ping, twice a second; what has to be told in full
// goes as JSON into a ring that the keeper drains. Made and destroyed by the keeper; the members
// say who may call them. Which evaluation makes which event: go-sdk-events v3 (event_processor),
// with the reason always told, as SDKs do for OpenFeature.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/dialects/launchdarkly/wire/evaluation_counts.h"
#include "evaluation/dialects/launchdarkly/wire/event_context.h"
#include "evaluation/dialects/launchdarkly/wire/own_event_writer.h"
#include "evaluation/dialects/launchdarkly/wire/recent_contexts.h"
#include "net/counter.h"
#include "sidecar/byte_ring.h"
#include "sidecar/evaluation_reporter.h"
#include "sidecar/handover.h"

namespace flagstone::sidecar {

class LaunchDarklyReporter final : public EvaluationReporter {
 public:
  static constexpr std::size_t kRingBytes = std::size_t{256} * 1024;
  // What an unusual context leaves behind goes beyond that.
  static constexpr std::size_t kKeptBytesMax = std::size_t{64} * 1024;
  using Counts = evaluation::launchdarkly::EvaluationCounts;
  using Privacy = evaluation::launchdarkly::EventPrivacy;

  // `vendor_unix_ms` is the vendor's clock, as far as it is known; outlives this.
  LaunchDarklyReporter(const std::atomic<std::int64_t>& vendor_unix_ms,
                       std::move_only_function<void()> wake, Privacy privacy)
      : vendor_unix_ms_(vendor_unix_ms),
        wake_(std::move(wake)),
        counts_(std::make_unique<Counts>()) {
    context_.set_privacy(std::move(privacy));
  }

  // The serving thread:
  void report(const evaluation::EvaluationContext& context, const evaluation::Evaluation& result,
              bool wrong_type, evaluation::Moment moment) override;
  void report_unknown(std::string_view key, const evaluation::EvaluationContext& context,
                      evaluation::Moment moment) override;
  void hand_over() override;

  // The keeper:
  // Appends the next event to `out`; false when there is none.
  bool take_event(std::string& out) { return ring_.take(out); }
  // nullptr: nothing was handed over.
  std::unique_ptr<Counts> take_counts() { return full_.take(); }
  // What events keep to themselves from the next evaluation on. False: come again, the thread has
  // not looked at earlier ones yet.
  bool give_privacy(Privacy privacy) {
    auto next = std::make_unique<Privacy>(std::move(privacy));
    return privacy_.give(next);
  }
  // For the thread to use again, emptied.
  void give_back(std::unique_ptr<Counts> counts) { (void)spare_.give(counts); }

  // Any thread.
  std::uint64_t lost(ReportLoss why) const { return lost_[static_cast<std::size_t>(why)].read(); }
  std::size_t bytes() const { return sizeof *this + ring_.capacity() + bytes_.read(); }

 private:
  Counts::Kinds begin(evaluation::Moment moment);
  void report_one(const evaluation::launchdarkly::Detail& detail, std::string_view prerequisite_of,
                  bool wrong_type, Counts::Kinds kinds);
  void tell_in_full(evaluation::launchdarkly::FullEvent event,
                    const evaluation::launchdarkly::Detail& detail,
                    std::string_view prerequisite_of, bool wrong_type);
  bool in_sample(std::int64_t ratio);
  bool send_event();
  void count_lost(ReportLoss why) { lost_[static_cast<std::size_t>(why)].add(1); }

  const std::atomic<std::int64_t>& vendor_unix_ms_;
  std::move_only_function<void()> wake_;
  ByteRing ring_{kRingBytes};
  Handover<Counts> full_;
  Handover<Counts> spare_;
  Handover<Privacy> privacy_;
  std::array<net::Counter, kReportLossNames.size()> lost_;
  net::Counter bytes_;

  // The serving thread's alone.
  std::unique_ptr<Counts> counts_;
  evaluation::launchdarkly::RecentContexts recent_;
  bool index_lost_ = false;  // One of those was not told after all.
  evaluation::launchdarkly::EventContext context_;
  evaluation::Moment moment_;
  std::uint64_t chance_ = 0;
  std::string event_;
  bool woken_ = false;
};

}  // namespace flagstone::sidecar
