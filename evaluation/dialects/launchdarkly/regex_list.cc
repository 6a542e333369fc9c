#include "evaluation/dialects/launchdarkly/regex_list.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace flagstone::evaluation::launchdarkly {
namespace {

// What RE2 may use for one expression, its program and its states together.
constexpr std::size_t kRegexBytesMax = std::size_t{128} << 10;

// The parsed pattern, two programs, and the states of ordinary searches: what RE2 has is not to be
// asked, what it may have at most is known.
std::size_t bytes_of(const re2::RE2& regex) {
  constexpr std::size_t kBytesPerInstruction = 256;
  std::size_t bytes = RegexList::kFixedBytes + regex.pattern().size() * 2;
  if (regex.ok()) bytes += static_cast<std::size_t>(regex.ProgramSize()) * kBytesPerInstruction;
  return std::min(kRegexBytesMax, bytes);
}

}  // namespace

RegexList::RegexList() = default;
RegexList::~RegexList() = default;
RegexList::RegexList(RegexList&&) noexcept = default;
RegexList& RegexList::operator=(RegexList&&) noexcept = default;

const re2::RE2* RegexList::add(std::string_view pattern) {
  if (is_full()) return nullptr;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(static_cast<std::int64_t>(kRegexBytesMax));
  auto regex =
      std::make_unique<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  const std::size_t bytes = bytes_of(*regex);
  spent_bytes_ += bytes;
  if (!regex->ok() || spent_bytes_ > kBytesMax) return nullptr;
  bytes_ += bytes;
  list_.push_back(std::move(regex));
  return list_.back().get();
}

}  // namespace flagstone::evaluation::launchdarkly
