#include "evaluation/operators/variable.h"

#include <cstdint>

#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::operators {

bool next_step(std::string_view& path, std::string_view& step) {
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    step = path.substr(0, dot);
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    if (!step.empty()) return true;
  }
  return false;
}

const Value* step_into(const Value& data, std::string_view step) {
  const Value* found = nullptr;
  if (data.is_object()) {
    found = data.member(step);
  } else if (data.is_array()) {
    const std::int64_t index = truncate(parse_number(step).value);
    if (index >= 0 && static_cast<std::uint64_t>(index) < data.items().size()) {
      found = &data.items()[static_cast<std::size_t>(index)];
    }
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

const Value* find_variable(const Value& data, std::string_view path) {
  const Value* at = &data;
  std::string_view step;
  while (at != nullptr && next_step(path, step)) at = step_into(*at, step);
  return at;
}

}  // namespace flagstone::evaluation::operators
