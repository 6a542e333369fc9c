#include "evaluation/dialects/flagd/packer.h"

namespace flagstone::evaluation::flagd {

std::string_view Packer::known_or_new(std::string_view from) {
  if (known_count_ > known_.size()) return text(from);
  for (std::size_t i = known_count_; i-- > 0;) {
    if (same_text(known_[i].text, from)) return known_[i].packed;
  }
  return text(from);
}

// Rules and values are at most kJsonDepthMax deep when they are packed, and so is the recursion.
Value Packer::value(const Value& from) {
  switch (from.type()) {
    case Value::Type::kString:
      return Value::string(known_or_new(from.as_string()));
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
  if (from.holds_value()) return Node::holding(from.op, value(from.value()));
  Node copy = from;
  if (from.op == Op::kRollout) {
    copy.rollout = rollout(*from.rollout);
    return copy;
  }
  Node* const copies = make<Node>(from.size);
  for (std::size_t i = 0; i < from.size; ++i) {
    const Node argument = node(from.arguments[i]);
    if (copies != nullptr) copies[i] = argument;
  }
  copy.arguments = copies;
  return copy;
}

const Rollout* Packer::rollout(const Rollout& from) {
  Rollout* const copy = make<Rollout>(1);
  const Node bucket_by = node(from.bucket_by);
  auto* const entries = make<operators::WeightedValue>(from.entries.size());
  for (std::size_t i = 0; i < from.entries.size(); ++i) {
    const Value copied = value(from.entries[i].value);
    if (entries != nullptr) entries[i] = {copied, from.entries[i].weight};
  }
  if (copy != nullptr) *copy = {bucket_by, {entries, from.entries.size()}};
  return copy;
}

}  // namespace flagstone::evaluation::flagd
