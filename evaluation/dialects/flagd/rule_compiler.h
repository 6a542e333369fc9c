// Turns a JsonLogic rule, a tree of Values, into Nodes.
//
// A pure function: nodes and whatever they need go into the arena, literals still point into the
// rule. Never fails: what JsonLogic refuses becomes a node that fails when it is evaluated, because
// a rule may never get there.
#pragma once

#include "evaluation/arena.h"
#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

// Rules out of data are compiled while evaluating; more nesting than this fails.
inline constexpr std::size_t kRuleDepthMax = 512;

Node compile_rule(const Value& rule, Arena& arena);

// The object's only member, when it has one name alone: then it is an operation. Of duplicates the
// last counts, as in every object here. Else nullptr.
const Member* operation_of(const Value& rule);

}  // namespace flagstone::evaluation::flagd
