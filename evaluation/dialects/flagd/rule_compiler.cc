#include "evaluation/dialects/flagd/rule_compiler.h"

#include <algorithm>
#include <optional>

namespace flagstone::evaluation::flagd {
namespace {

Node fail(std::string_view reason) { return Node::holding(Op::kFail, Value::string(reason)); }

Node variable(const Value& path) {
  const std::string_view text = path.as_string();
  const bool plain = text.find('.') == std::string_view::npos && text != "$flagd";
  return Node::holding(plain ? Op::kAttribute : Op::kVariable, path);
}

class RuleCompiler {
 public:
  explicit RuleCompiler(Arena& arena) : arena_(arena) {}

  Node compile(const Value& rule) {
    if (++depth_ > kRuleDepthMax) {
      --depth_;
      return fail("the rule is nested deeper than 512 levels");
    }
    const Node node = rule.is_array()    ? array(rule)
                      : rule.is_object() ? object(rule)
                                         : literal(rule);
    --depth_;
    return node;
  }

 private:
  static Node literal(const Value& value) { return Node::holding(Op::kLiteral, value); }

  // A value inside the current one that is what it says, without a closer look.
  bool is_plain(const Value& value) const {
    return !value.is_array() && !value.is_object() && depth_ < kRuleDepthMax;
  }

  Node array(const Value& rule) {
    // Most arrays in rules are lists of constants.
    const auto plain = [this](const Value& item) { return is_plain(item); };
    if (std::ranges::all_of(rule.items(), plain)) return literal(rule);
    const Node node = list(Op::kArray, rule.items());
    for (std::size_t i = 0; i < node.size; ++i) {
      // Some operations come out as literals too, but not as the ones written.
      const bool operation = operation_of(rule.items()[i]) != nullptr;
      if (operation || node.arguments[i].op != Op::kLiteral) return node;
    }
    return literal(rule);
  }

  Node object(const Value& rule) {
    const Member* operation = operation_of(rule);
    if (operation == nullptr) return literal(rule);
    const Value& arguments = operation->value;
    if (operation->name == "$ref" && arguments.is_string()) {
      return Node::holding(Op::kReference, arguments);
    }
    const Op* op = find_operator(operation->name);
    if (op == nullptr) return fail(unknown_operator(operation->name));
    switch (*op) {
      case Op::kAnd:
      case Op::kOr:
      case Op::kIf:
        if (!arguments.is_array()) return fail("and, or and if need a list of arguments");
        return list(*op, arguments.items());
      case Op::kFilter:
      case Op::kMap:
      case Op::kReduce:
      case Op::kAll:
      case Op::kNone:
      case Op::kSome:
        return over_array(*op, arguments);
      case Op::kVar: {
        const bool only = arguments.is_array() && arguments.items().size() == 1;
        const Value& name = only ? arguments.items()[0] : arguments;
        if (name.is_string() && !name.as_string().empty()) return variable(name);
        break;
      }
      case Op::kFractional:
        if (const auto entries = constant_entries(arguments)) return rollout(arguments, *entries);
        break;
      default:
        break;
    }
    if (arguments.is_array()) return list(*op, arguments.items());
    Node node = list(*op, {&arguments, 1});
    node.has_list = false;
    return node;
  }

  Node list(Op op, std::span<const Value> items) {
    const auto nodes = arena_.make_array<Node>(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      nodes[i] = is_plain(items[i]) ? literal(items[i]) : compile(items[i]);
    }
    return with_arguments(op, nodes);
  }

  static Node with_arguments(Op op, std::span<const Node> nodes) {
    Node node;
    node.op = op;
    node.has_list = true;
    node.size = static_cast<std::uint32_t>(nodes.size());
    node.arguments = nodes.data();
    return node;
  }

  // The entries of a fractional behind what may be there to bucket by, when all are constants that
  // fractional takes.
  std::optional<std::span<const operators::WeightedValue>> constant_entries(
      const Value& arguments) {
    if (!arguments.is_array() || arguments.items().empty()) return std::nullopt;
    auto items = arguments.items();
    if (!items[0].is_array()) items = items.subspan(1);
    if (items.empty()) return std::nullopt;
    const auto entries = arena_.make_array<operators::WeightedValue>(items.size());
    std::int64_t sum = 0;
    // One level further in, inside the entry.
    const auto plain = [this](const Value& item) {
      return is_plain(item) && depth_ + 1 < kRuleDepthMax;
    };
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!items[i].is_array() || !std::ranges::all_of(items[i].items(), plain)) {
        return std::nullopt;
      }
      const auto entry = operators::read_entry(items[i]);
      if (!entry) return std::nullopt;
      entries[i] = *entry;
      sum += entry->weight;
    }
    if (sum > operators::kWeightSumMax) return std::nullopt;
    return entries;
  }

  Node rollout(const Value& arguments, std::span<const operators::WeightedValue> entries) {
    const bool given = arguments.items().size() != entries.size();
    Rollout& rollout = arena_.make_array<Rollout>(1)[0];
    rollout.bucket_by = given ? compile(arguments.items()[0]) : literal(Value::null());
    rollout.entries = entries;
    Node node;
    node.op = Op::kRollout;
    node.rollout = &rollout;
    return node;
  }

  // JsonLogic's operators over arrays want two or three arguments. With fewer, `map` and its like
  // give something empty, `all` and its like fail.
  Node over_array(Op op, const Value& arguments) {
    constexpr std::string_view kTooFew = "an array operator has too few arguments";
    if (!arguments.is_array()) return fail("an array operator needs a list of arguments");
    const auto items = arguments.items();
    if (op == Op::kReduce && items.size() < 3) return literal(Value::number(0));
    if (items.size() < 2) {
      if (op == Op::kFilter || op == Op::kMap) return literal(Value::array({}));
      if (items.empty()) return fail(kTooFew);
    }
    const auto nodes = arena_.make_array<Node>(op == Op::kReduce ? 3 : 2);
    nodes[0] = subject(items[0]);
    // The rules of filter, all, none and some are solved against the data before they are compiled.
    const bool as_written = op != Op::kMap && op != Op::kReduce;
    if (items.size() < 2) {
      nodes[1] = fail(kTooFew);
    } else if (op == Op::kReduce && !items[1].is_object()) {
      nodes[1] = fail("reduce needs a rule");
    } else {
      nodes[1] = as_written ? literal(items[1]) : compile(items[1]);
    }
    if (op == Op::kReduce) {
      nodes[2] = items[2].is_object() ? compile(items[2]) : literal(items[2]);
    }
    return with_arguments(op, nodes);
  }

  // A literal array is taken as written, without evaluating its elements.
  Node subject(const Value& value) {
    if (value.is_array()) return literal(value);
    return value.is_object() ? compile(value) : literal(Value::null());
  }

  std::string_view unknown_operator(std::string_view name) {
    constexpr std::size_t kNameBytesShown = 64;
    constexpr std::string_view kBefore = "unknown operator \"";
    if (name.size() > kNameBytesShown) {
      std::size_t cut = kNameBytesShown;
      while ((static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
      name = name.substr(0, cut);
    }
    char* text = static_cast<char*>(arena_.allocate(kBefore.size() + name.size() + 1, 1));
    char* at = std::copy(kBefore.begin(), kBefore.end(), text);
    at = std::copy(name.begin(), name.end(), at);
    *at++ = '"';
    return {text, static_cast<std::size_t>(at - text)};
  }

  Arena& arena_;
  std::size_t depth_ = 0;
};

}  // namespace

const Member* operation_of(const Value& rule) {
  if (!rule.is_object() || rule.members().empty()) return nullptr;
  const auto members = rule.members();
  for (const Member& member : members.first(members.size() - 1)) {
    if (member.name != members.back().name) return nullptr;
  }
  return &members.back();
}

Node compile_rule(const Value& rule, Arena& arena) { return RuleCompiler(arena).compile(rule); }

}  // namespace flagstone::evaluation::flagd
