#include "sidecar/launchdarkly_reports.h"

#include <utility>

#include "evaluation/content_hash.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kSchema = "4";

// As X-LaunchDarkly-Tags has them; a map is in the order that is asked for.
std::string tags_header(const std::map<std::string, std::string>& tags) {
  std::string header;
  for (const auto& [name, value] : tags) {
    if (!header.empty()) header += ' ';
    header.append(name).append("/").append(value);
  }
  return header;
}

}  // namespace

LaunchDarklyReports::LaunchDarklyReports(const std::map<std::string, std::string>& tags)
    : tags_(tags_header(tags)) {}

void LaunchDarklyReports::add_reporter(std::move_only_function<void()> wake) {
  reporters_.push_back(std::make_unique<LaunchDarklyReporter>(vendor_unix_ms_, std::move(wake)));
}

void LaunchDarklyReports::drain(upstream::EventForwarder& events, std::int64_t now_ms) {
  vendor_unix_ms_.store(events.vendor_unix_ms(), std::memory_order_relaxed);
  if (now_ms - unknown_since_ms_ >= kUnknownWindowMs) {
    unknown_since_ms_ = now_ms;
    unknown_names_.clear();
  }
  for (const auto& reporter : reporters_) collect(*reporter);
  if (now_ms - handed_on_ms_ < kHandOnMs && waiting_.size() < kHandOnBytes) return;
  handed_on_ms_ = now_ms;
  (void)hand_on(events);
}

bool LaunchDarklyReports::flush(upstream::EventForwarder& events) {
  for (const auto& reporter : reporters_) collect(*reporter);
  return hand_on(events);
}

void LaunchDarklyReports::collect(LaunchDarklyReporter& reporter) {
  while (waiting_.size() < kWaitingBytesMax) {
    const std::size_t before = waiting_.size();
    if (before > 0) waiting_ += ',';
    if (!reporter.take_event(waiting_)) {
      waiting_.resize(before);
      break;
    }
  }
  while (auto counted = reporter.take_counts()) {
    unknown_lost_ +=
        counts_.merge(*counted, [this](std::string_view name) { return admit_unknown(name); });
    counted->clear();
    reporter.give_back(std::move(counted));
  }
}

bool LaunchDarklyReports::admit_unknown(std::string_view name) {
  const std::uint64_t hash = evaluation::digest64(name);
  if (unknown_names_.contains(hash)) return true;
  if (unknown_names_.size() >= kUnknownNamesMax) return false;
  unknown_names_.insert(hash);
  return true;
}

// False: the door is shut, and what is there stays.
bool LaunchDarklyReports::hand_on(upstream::EventForwarder& events) {
  if (waiting_.empty() && counts_.empty()) return true;
  std::string array = "[" + waiting_;
  if (!counts_.empty()) {
    if (!waiting_.empty()) array += ',';
    counts_.append_summary(array);
  }
  array += ']';
  if (!events.add(kSchema, tags_, std::move(array))) return false;
  if (waiting_.capacity() > kHandOnBytes) std::string().swap(waiting_);
  waiting_.clear();
  counts_.clear();
  return true;
}

ReportFacts LaunchDarklyReports::facts() const {
  ReportFacts facts;
  facts.bytes = sizeof *this + waiting_.capacity() + counts_.bytes();
  for (const auto& reporter : reporters_) {
    facts.bytes += reporter->bytes();
    for (std::size_t why = 0; why < facts.lost.size(); ++why) {
      facts.lost[why] += reporter->lost(static_cast<ReportLoss>(why));
    }
  }
  facts.lost[static_cast<std::size_t>(ReportLoss::kUnknownFlags)] += unknown_lost_;
  return facts;
}

std::unique_ptr<EvaluationReports> make_launchdarkly_reports(
    const config::Environment& environment) {
  const auto& sources = environment.sources;
  return std::make_unique<LaunchDarklyReports>(
      sources.empty() ? std::map<std::string, std::string>() : sources.front().launchdarkly.tags);
}

}  // namespace flagstone::sidecar
