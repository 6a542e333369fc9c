#include "evaluation/dialects/flagd/packer.h"

namespace flagstone::evaluation::flagd {

// Rules and values are at most kMaxJsonDepth deep when they are packed, and so is the recursion.
Value Packer::value(const Value& from) {
  switch (from.type()) {
    case Value::Type::kString:
      return Value::string(text(from.as_string()));
    case Value::Type::kArray: {
      const auto items = from.items();
      Value* const copies = make<Value>(items.size());
      for (std::size_t i = 0; i < items.size(); ++i) {
        const Value copy = value(items[i]);
        if (copies != nullptr) copies[i] = copy;
      }
      return copies == nullptr ? Value::null() : Value::array({copies, items.size()});
    }
    case Value::Type::kObject: {
      const auto members = from.members();
      Member* const copies = make<Member>(members.size());
      for (std::size_t i = 0; i < members.size(); ++i) {
        const Member copy{text(members[i].name), value(members[i].value)};
        if (copies != nullptr) copies[i] = copy;
      }
      return copies == nullptr ? Value::null() : Value::object({copies, members.size()});
    }
    default:
      return from;
  }
}

Node Packer::node(const Node& from) {
  Node copy = from;
  if (from.holds_value()) {
    copy.value = value(from.value);
    return copy;
  }
  Node* const copies = make<Node>(from.argument_count);
  for (std::size_t i = 0; i < from.argument_count; ++i) {
    const Node argument = node(from.arguments[i]);
    if (copies != nullptr) copies[i] = argument;
  }
  copy.arguments = copies;
  return copy;
}

}  // namespace flagstone::evaluation::flagd
