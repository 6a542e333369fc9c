#include "config/nearest_name.h"

#include <algorithm>
#include <vector>

namespace flagstone::config {
namespace {

// Longer names are nobody's typing error, and the comparison is quadratic.
constexpr std::size_t kComparedCharsMax = 64;
constexpr std::size_t kPrefixCharsMin = 3;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: two back (for swaps), one back, and the one being made.
  std::vector<std::size_t> two_back(b.size() + 1);
  std::vector<std::size_t> back(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    back[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, back[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
    two_back.swap(back);
    back.swap(row);
  }
  return back[b.size()];
}

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
  if (name.empty() || name.size() > kComparedCharsMax) {
    return {};
  }
  // One error in three characters still looks like the word that was meant.
  std::size_t nearest_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = candidate;
    }
  }
  if (nearest.empty() && name.size() >= kPrefixCharsMin) {
    // Not a slip but the beginning of a longer name: `credential` for `credential_file`.
    const auto longer = std::ranges::find_if(
        known, [&](std::string_view candidate) { return candidate.starts_with(name); });
    nearest = longer == known.end() ? std::string_view() : *longer;
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
  const std::string_view nearest = nearest_name(name, known);
  return nearest.empty() ? std::string() : ", did you mean `" + std::string(nearest) + "`?";
}

}  // namespace flagstone::config
