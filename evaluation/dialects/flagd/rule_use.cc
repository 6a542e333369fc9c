#include "evaluation/dialects/flagd/rule_use.h"

#include <algorithm>

#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/operators/variable.h"

namespace flagstone::evaluation::flagd {
namespace {

// `in_body`: inside the rule of an array operator, where the empty path is the element.
bool path_reads_clock(std::string_view path, bool in_body) {
  std::string_view step;
  if (!operators::next_step(path, step)) return !in_body;
  if (step != "$flagd") return false;
  return !operators::next_step(path, step) || step == "timestamp";
}

bool variable_reads_clock(const Value& name, bool in_body) {
  if (name.is_string()) return path_reads_clock(name.as_string(), in_body);
  if (!name.is_array()) return name.is_object();
  if (name.items().empty()) return !in_body;
  const Value& first = name.items()[0];
  return first.is_string() ? path_reads_clock(first.as_string(), in_body) : !first.is_number();
}

void walk(const Value& rule, bool in_body, FoundUse& use) {
  if (rule.is_array()) {
    for (const Value& item : rule.items()) {
      if (item.is_array() || item.is_object()) walk(item, in_body, use);
    }
    return;
  }
  const Member* operation = operation_of(rule);
  if (operation == nullptr) return;
  const Value& arguments = operation->value;
  if (operation->name == "$ref" && arguments.is_string()) {
    use.references.push_back(arguments.as_string());
    return;
  }
  const Op* op = find_operator(operation->name);
  if (op != nullptr && *op == Op::kVar && variable_reads_clock(arguments, in_body)) {
    use.reads_clock = true;
  }
  const bool over_array = op != nullptr && *op >= Op::kFilter && *op <= Op::kSome;
  if (over_array && arguments.is_array()) {
    for (std::size_t i = 0; i < arguments.items().size(); ++i) {
      walk(arguments.items()[i], in_body || i == 1, use);
    }
    return;
  }
  walk(arguments, in_body, use);
}

}  // namespace

FoundUse find_use(const Value& rule) {
  FoundUse use;
  walk(rule, false, use);
  std::sort(use.references.begin(), use.references.end());
  use.references.erase(std::unique(use.references.begin(), use.references.end()),
                       use.references.end());
  return use;
}

}  // namespace flagstone::evaluation::flagd
