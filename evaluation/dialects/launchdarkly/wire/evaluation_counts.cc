#include "evaluation/dialects/launchdarkly/wire/evaluation_counts.h"

#include <algorithm>
#include <bit>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/launchdarkly/wire/json_integer.h"
#include "evaluation/json_text.h"
#include "evaluation/same_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::size_t kSlotsAtFirst = 64;

std::uint64_t hash_of(const Counted& counted) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
  const std::uint64_t rest = static_cast<std::uint64_t>(counted.version) * 31 +
                             static_cast<std::uint64_t>(counted.variation + 2);
  return digest64(counted.flag) ^ (counted.unknown ? 0 : rest * kMix);
}

}  // namespace

EvaluationCounts::Kinds EvaluationCounts::kind_bit(std::string_view kind) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (same_text(kinds_[i], kind)) return Kinds{1} << i;
  }
  if (kinds_.size() == kKindsMax || kind.size() > kKindBytesMax) return 0;
  kinds_.emplace_back(kind);
  return Kinds{1} << (kinds_.size() - 1);
}

bool EvaluationCounts::add(const Counted& counted, Kinds kinds, std::uint64_t count,
                           std::int64_t first_unix_ms, std::int64_t last_unix_ms) {
  Counter* counter = find_or_make(counted);
  if (counter == nullptr) return false;
  counter->count += count;
  counter->kinds |= kinds;
  if (first_unix_ms_ == 0 || first_unix_ms < first_unix_ms_) first_unix_ms_ = first_unix_ms;
  last_unix_ms_ = std::max(last_unix_ms_, last_unix_ms);
  return true;
}

EvaluationCounts::Counter* EvaluationCounts::find_or_make(const Counted& counted) {
  if (counters_.size() * 2 >= slots_.size()) grow();
  const std::uint64_t hash = hash_of(counted);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    Counter& known = counters_[slots_[at] - 1];
    if (known.hash != hash || known.unknown != counted.unknown) continue;
    const bool same_result = counted.unknown || (known.version == counted.version &&
                                                 known.variation == counted.variation);
    if (same_result && same_text(view(known.flag), counted.flag)) return &known;
  }
  if (counted.unknown) {
    if (unknown_count_ == kUnknownMax || counted.flag.size() > kUnknownKeyBytesMax) return nullptr;
    ++unknown_count_;
  }
  counters_.push_back({.hash = hash,
                       .count = 0,
                       .kinds = 0,
                       .version = counted.version,
                       .variation = counted.variation,
                       .unknown = counted.unknown,
                       .flag = keep(counted.flag),
                       .value = keep(counted.value)});
  slots_[at] = static_cast<std::uint32_t>(counters_.size());
  return &counters_.back();
}

void EvaluationCounts::grow() {
  const std::size_t size = std::max(kSlotsAtFirst, slots_.size() * 2);
  slots_.assign(size, 0);
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    std::size_t at = counters_[i].hash & (size - 1);
    while (slots_[at] != 0) at = (at + 1) & (size - 1);
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

EvaluationCounts::Text EvaluationCounts::keep(std::string_view text) {
  const Text kept{texts_.size(), text.size()};
  texts_ += text;
  return kept;
}

std::uint64_t EvaluationCounts::merge(
    const EvaluationCounts& other,
    const std::function<bool(std::string_view flag)>& admit_unknown) {
  std::uint64_t left_out = 0;
  Kinds mine[kKindsMax];
  for (std::size_t i = 0; i < other.kinds_.size(); ++i) mine[i] = kind_bit(other.kinds_[i]);
  for (const Counter& counter : other.counters_) {
    Kinds kinds = 0;
    for (Kinds left = counter.kinds; left != 0; left &= left - 1) {
      kinds |= mine[std::countr_zero(left)];
    }
    const bool added = (!counter.unknown || admit_unknown(other.view(counter.flag))) &&
                       add({.flag = other.view(counter.flag),
                            .unknown = counter.unknown,
                            .version = counter.version,
                            .variation = counter.variation,
                            .value = other.view(counter.value)},
                           kinds, counter.count, other.first_unix_ms_, other.last_unix_ms_);
    if (!added) left_out += counter.count;
  }
  return left_out;
}

void EvaluationCounts::clear() {
  if (texts_.capacity() > kKeptBytesMax) std::string().swap(texts_);
  if (counters_.capacity() * sizeof(Counter) > kKeptBytesMax) {
    counters_ = decltype(counters_)();
    slots_ = decltype(slots_)();
  }
  texts_.clear();
  counters_.clear();
  std::ranges::fill(slots_, 0);
  // Kinds that come again cost nothing; invented ones must not be in the way for good.
  if (kinds_.size() > kKindsMax / 2) kinds_.clear();
  unknown_count_ = 0;
  first_unix_ms_ = 0;
  last_unix_ms_ = 0;
}

std::size_t EvaluationCounts::bytes() const {
  return counters_.capacity() * sizeof(Counter) + slots_.capacity() * sizeof(slots_[0]) +
         texts_.capacity() + kinds_.capacity() * (sizeof(std::string) + kKindBytesMax);
}

std::vector<std::string> EvaluationCounts::summaries(std::size_t bytes_max) const {
  // Those of one flag beside each other, in the order they came.
  std::vector<std::uint32_t> order(counters_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::ranges::stable_sort(order, {}, [this](std::uint32_t i) { return view(counters_[i].flag); });
  std::vector<std::string> events;
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from + 1;
    const std::string_view flag = view(counters_[order[from]].flag);
    while (to < order.size() && view(counters_[order[to]].flag) == flag) ++to;
    if (events.empty() || events.back().size() >= bytes_max) {
      if (!events.empty()) events.back() += "}}";
      events.push_back(begin_summary());
    } else {
      events.back() += ',';
    }
    append_flag(events.back(), std::span(order).subspan(from, to - from));
    from = to;
  }
  if (!events.empty()) events.back() += "}}";
  return events;
}

std::string EvaluationCounts::begin_summary() const {
  std::string out = R"({"kind":"summary","startDate":)";
  append_integer(out, first_unix_ms_);
  out += R"(,"endDate":)";
  append_integer(out, last_unix_ms_);
  out += R"(,"features":{)";
  return out;
}

void EvaluationCounts::append_flag(std::string& out,
                                   std::span<const std::uint32_t> counters) const {
  append_json_string(out, view(counters_[counters[0]].flag));
  out += R"(:{"default":null,"counters":[)";
  Kinds kinds = 0;
  for (const std::uint32_t i : counters) {
    const Counter& counter = counters_[i];
    kinds |= counter.kinds;
    out += i == counters[0] ? "{" : ",{";
    if (counter.variation >= 0) {
      out += R"("variation":)";
      append_integer(out, counter.variation);
      out += ',';
    }
    if (counter.unknown) {
      out += R"("unknown":true)";
    } else {
      out += R"("version":)";
      append_integer(out, counter.version);
    }
    out += R"(,"value":)";
    out += view(counter.value);
    out += R"(,"count":)";
    append_integer(out, counter.count);
    out += '}';
  }
  out += R"(],"contextKinds":[)";
  for (std::size_t bit = 0; bit < kinds_.size(); ++bit) {
    if ((kinds >> bit & 1) == 0) continue;
    if (out.back() != '[') out += ',';
    append_json_string(out, kinds_[bit]);
  }
  out += "]}";
}

}  // namespace flagstone::evaluation::launchdarkly
