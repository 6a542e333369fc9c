#include "upstream/launchdarkly_batch_name.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace flagstone::upstream::launchdarkly {
namespace {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kBatchSuffix = ".batch";
// Behind them stand the halves' letters.
constexpr std::size_t kOrdinalDigits = 3;

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

BatchName BatchName::of(std::uint64_t log, std::size_t index) {
  std::string digits = std::to_string(index);
  digits.insert(0, kOrdinalDigits - std::min(kOrdinalDigits, digits.size()), '0');
  return {.number = log, .ordinal = std::move(digits)};
}

std::optional<BatchName> BatchName::from_file_name(std::string_view name) {
  if (!name.ends_with(kBatchSuffix)) return std::nullopt;
  name.remove_suffix(kBatchSuffix.size());
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto log = number_of(name.substr(0, dash));
  if (!log) return std::nullopt;
  return BatchName{.number = *log, .ordinal = std::string(name.substr(dash + 1))};
}

std::optional<BatchName> BatchName::whole() const {
  if (ordinal.size() <= kOrdinalDigits) return std::nullopt;
  return BatchName{.number = number, .ordinal = ordinal.substr(0, ordinal.size() - 1)};
}

bool BatchName::has_part(const BatchName& other) const {
  return other.number == number && other.ordinal.starts_with(ordinal);
}

std::string BatchName::file_name() const {
  return std::to_string(number) + '-' + ordinal + std::string(kBatchSuffix);
}

std::string log_file_name(std::uint64_t number) {
  return std::to_string(number) + std::string(kLogSuffix);
}

std::optional<std::uint64_t> log_number_of(std::string_view file_name) {
  if (!file_name.ends_with(kLogSuffix)) return std::nullopt;
  file_name.remove_suffix(kLogSuffix.size());
  return number_of(file_name);
}

}  // namespace flagstone::upstream::launchdarkly
