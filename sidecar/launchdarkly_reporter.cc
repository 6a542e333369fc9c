#include "sidecar/launchdarkly_reporter.h"

#include <utility>

#include "evaluation/utf8.h"

namespace flagstone::sidecar {

namespace launchdarkly = evaluation::launchdarkly;
using launchdarkly::Detail;
using launchdarkly::FullEvent;

void LaunchDarklyReporter::report(const evaluation::EvaluationContext& context,
                                  const evaluation::Evaluation& result, bool wrong_type,
                                  evaluation::Moment moment) {
  // A pin decided, and none of the vendor's rules.
  if (result.reason == evaluation::Reason::kStatic) return;
  const Detail* detail = launchdarkly::detail_of(result);
  // Without a valid context SDKs tell of nothing.
  if (detail == nullptr || detail->flag == nullptr ||
      detail->error == launchdarkly::ErrorKind::kUserNotSpecified || !context_.read(context)) {
    return;
  }
  const Counts::Kinds kinds = begin(moment);
  for (const launchdarkly::PrerequisiteEvaluation& prerequisite : detail->prerequisites) {
    report_one(*prerequisite.detail, prerequisite.prerequisite_of, false, kinds);
  }
  report_one(*detail, {}, wrong_type, kinds);
}

void LaunchDarklyReporter::report_unknown(std::string_view key,
                                          const evaluation::EvaluationContext& context,
                                          evaluation::Moment moment) {
  if (!evaluation::is_utf8(key) || !context_.read(context)) return;
  const Counts::Kinds kinds = begin(moment);
  if (!counts_->count({.flag = key, .unknown = true}, kinds, moment.unix_ms)) {
    count_lost(ReportLoss::kUnknownFlags);
  }
}

// The context is told of before the event that it comes with.
LaunchDarklyReporter::Counts::Kinds LaunchDarklyReporter::begin(evaluation::Moment moment) {
  moment_ = moment;
  chance_ = moment.random;
  while (const auto privacy = privacy_.take()) context_.set_privacy(std::move(*privacy));
  Counts::Kinds kinds = 0;
  for (const launchdarkly::IndividualContext& individual : context_.individuals()) {
    kinds |= counts_->kind_bit(individual.kind);
  }
  if (recent_.add(context_.key_hash(), moment.unix_ms)) {
    event_.clear();
    const bool is_told = launchdarkly::append_index_event(event_, moment.unix_ms, context_);
    if (is_told && !send_event()) index_lost_ = true;
  }
  return kinds;
}

void LaunchDarklyReporter::report_one(const Detail& detail, std::string_view prerequisite_of,
                                      bool wrong_type, Counts::Kinds kinds) {
  const launchdarkly::FlagFacts& flag = *detail.flag;
  if (!flag.exclude_from_summaries) {
    const bool has_value = detail.variation_index >= 0 && !wrong_type;
    // Flags are bounded by what the vendor sent: none is too many.
    (void)counts_->count({.flag = flag.key,
                          .version = flag.version,
                          .variation = has_value ? detail.variation_index : -1,
                          .value = has_value ? detail.value_json : "null"},
                         kinds, moment_.unix_ms);
  }
  if ((flag.track_events || detail.is_experiment()) && in_sample(flag.sampling_ratio)) {
    tell_in_full(FullEvent::kFeature, detail, prerequisite_of, wrong_type);
  }
  if (!flag.debug_events_until_unix_ms) return;
  const std::int64_t until = *flag.debug_events_until_unix_ms;
  // Whichever clock is ahead, ours or the vendor's.
  if (until > moment_.unix_ms && until > vendor_unix_ms_.load(std::memory_order_relaxed) &&
      in_sample(flag.sampling_ratio)) {
    tell_in_full(FullEvent::kDebug, detail, prerequisite_of, wrong_type);
  }
}

void LaunchDarklyReporter::tell_in_full(FullEvent event, const Detail& detail,
                                        std::string_view prerequisite_of, bool wrong_type) {
  event_.clear();
  launchdarkly::append_full_event(event_, event, moment_.unix_ms, detail, prerequisite_of,
                                  wrong_type, context_);
  (void)send_event();
}

bool LaunchDarklyReporter::in_sample(std::int64_t ratio) {
  if (ratio == 1) return true;
  if (ratio <= 0) return false;
  // splitmix64: each event of one evaluation has its own chance.
  chance_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = chance_;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return mixed % static_cast<std::uint64_t>(ratio) == 0;
}

// False: it had no room, and might later.
bool LaunchDarklyReporter::send_event() {
  if (event_.size() > kRingBytes / 2) {
    count_lost(ReportLoss::kTooLarge);
    return true;
  }
  const bool is_put = ring_.put(event_);
  if (!is_put) count_lost(ReportLoss::kNoRoom);
  const bool half_full = ring_.used_bytes() >= kRingBytes / 2;
  if (half_full && !std::exchange(woken_, true)) wake_();
  if (!half_full) woken_ = false;
  return is_put;
}

void LaunchDarklyReporter::hand_over() {
  // All are told again; who comes after us knows which of them he has.
  if (std::exchange(index_lost_, false)) recent_ = {};
  if (event_.capacity() > kKeptBytesMax) std::string().swap(event_);
  context_.shrink(kKeptBytesMax);
  bytes_.set(counts_->bytes() + event_.capacity() + context_.bytes());
  if (counts_->empty()) return;
  // Without a free place counting goes on, and the next ping has it.
  if (!full_.give(counts_)) return;
  counts_ = spare_.take();
  if (counts_ == nullptr) counts_ = std::make_unique<Counts>();
}

}  // namespace flagstone::sidecar
