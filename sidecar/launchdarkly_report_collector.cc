#include "sidecar/launchdarkly_report_collector.h"

#include <utility>

#include "evaluation/content_hash.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kSchema = "4";
// Those of the environment's source.
constexpr std::string_view kTags;

}  // namespace

LaunchDarklyReporter::Privacy privacy_of(const config::EventOptions& options) {
  return {.all_attributes = options.all_attributes_private,
          .attributes = options.private_attributes,
          .omits_anonymous = options.omit_anonymous_contexts};
}

void LaunchDarklyReportCollector::set_options(const config::Environment& options) {
  LaunchDarklyReporter::Privacy privacy = privacy_of(options.events);
  if (privacy == privacy_) return;
  privacy_ = std::move(privacy);
  for (Reporting& reporting : reporters_) reporting.has_privacy = false;
  give_privacy();
}

void LaunchDarklyReportCollector::give_privacy() {
  for (Reporting& reporting : reporters_) {
    if (!reporting.has_privacy) reporting.has_privacy = reporting.reporter->give_privacy(privacy_);
  }
}

void LaunchDarklyReportCollector::add_reporter(std::move_only_function<void()> wake) {
  reporters_.push_back({.reporter = std::make_unique<LaunchDarklyReporter>(
                            vendor_unix_ms_, std::move(wake), privacy_)});
}

void LaunchDarklyReportCollector::drain(upstream::EventForwarder& events, std::int64_t now_ms) {
  vendor_unix_ms_.store(events.vendor_unix_ms(), std::memory_order_relaxed);
  give_privacy();
  if (now_ms - unknown_since_ms_ >= kUnknownWindowMs) {
    unknown_since_ms_ = now_ms;
    unknown_names_.clear();
  }
  // Counts come when threads hand them over, and go on at once: until then a kill loses them.
  bool counted = false;
  for (const Reporting& reporting : reporters_) {
    counted = collect(*reporting.reporter) || counted;
  }
  if (!counted && now_ms - handed_on_ms_ < kHandOnMs && waiting_.size() < kHandOnBytes) return;
  handed_on_ms_ = now_ms;
  (void)hand_on(events);
}

bool LaunchDarklyReportCollector::flush(upstream::EventForwarder& events) {
  for (const Reporting& reporting : reporters_) (void)collect(*reporting.reporter);
  return hand_on(events);
}

bool LaunchDarklyReportCollector::collect(LaunchDarklyReporter& reporter) {
  while (waiting_.size() < kWaitingBytesMax) {
    const std::size_t before = waiting_.size();
    if (before > 0) waiting_ += ',';
    if (!reporter.take_event(waiting_)) {
      waiting_.resize(before);
      break;
    }
  }
  bool any = false;
  while (auto counted = reporter.take_counts()) {
    any = true;
    unknown_lost_ +=
        counts_.merge(*counted, [this](std::string_view name) { return admit_unknown(name); });
    counted->clear();
    reporter.give_back(std::move(counted));
  }
  return any;
}

bool LaunchDarklyReportCollector::admit_unknown(std::string_view name) {
  const std::uint64_t hash = evaluation::digest64(name);
  if (unknown_names_.contains(hash)) return true;
  if (unknown_names_.size() >= kUnknownNamesMax) return false;
  unknown_names_.insert(hash);
  return true;
}

void LaunchDarklyReportCollector::pack() {
  // Each by itself, so that what the spool refuses of the one takes nothing of the other with it.
  if (!waiting_.empty()) arrays_.push_back("[" + waiting_ + "]");
  if (waiting_.capacity() > kHandOnBytes) std::string().swap(waiting_);
  waiting_.clear();
  if (counts_.empty()) return;
  std::string array = "[";
  for (const std::string& summary : counts_.summaries(kArrayBytes)) {
    if (array.size() > kArrayBytes) {
      array += ']';
      arrays_.push_back(std::move(array));
      array.assign(1, '[');
    }
    if (array.size() > 1) array += ',';
    array += summary;
  }
  counts_.clear();
  arrays_.push_back(std::move(array) + "]");
}

// False: the forwarder takes nothing, and what is there stays.
bool LaunchDarklyReportCollector::hand_on(upstream::EventForwarder& events) {
  do {
    for (; !arrays_.empty(); arrays_.pop_front()) {
      if (!events.add(kSchema, kTags, arrays_.front())) return false;
    }
    if (!waiting_.empty() || !counts_.empty()) pack();
  } while (!arrays_.empty());
  return true;
}

ReportFacts LaunchDarklyReportCollector::facts() const {
  ReportFacts facts;
  facts.bytes = sizeof *this + waiting_.capacity() + counts_.bytes();
  for (const std::string& array : arrays_) facts.bytes += array.capacity();
  for (const Reporting& reporting : reporters_) {
    facts.bytes += reporting.reporter->bytes();
    for (std::size_t why = 0; why < facts.lost.size(); ++why) {
      facts.lost[why] += reporting.reporter->lost(static_cast<ReportLoss>(why));
    }
  }
  facts.lost[static_cast<std::size_t>(ReportLoss::kUnknownFlags)] += unknown_lost_;
  return facts;
}

}  // namespace flagstone::sidecar
