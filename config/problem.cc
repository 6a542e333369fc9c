#include "config/problem.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace flagstone::config {
namespace {

// Of "flagstone.yaml:12"; 0: of no file, or of all of it.
std::uint32_t line_of(const Problem& problem) {
  const std::string_view where = problem.where;
  const std::string_view text = where.substr(where.rfind(':') + 1);
  std::uint32_t line = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), line);
  return error == std::errc() && rest == text.data() + text.size() ? line : 0;
}

}  // namespace

std::string to_string(const Problem& problem) {
  return problem.where.empty() ? problem.message : problem.where + ": " + problem.message;
}

void sort_by_line(ProblemList& problems) {
  std::ranges::stable_sort(problems, {}, line_of);
  const auto [repeated, end] =
      std::ranges::unique(problems, [](const Problem& a, const Problem& b) {
        return a.where == b.where && a.message == b.message;
      });
  problems.erase(repeated, end);
}

}  // namespace flagstone::config
