// The pools that values, attributes, keys and operators are drawn from. JSON texts, all of them.
#pragma once

#include <string>
#include <string_view>

#include "tests/oracle/random_json.h"

namespace flagstone::oracle {

// A kind of context, without its quotes; may be empty, which means user.
std::string_view draw_kind(Draw& draw);
// A context's key, without its quotes.
std::string_view draw_key(Draw& draw);
// What a clause or rollout may name as its attribute: references, plain names, nonsense.
std::string_view draw_attribute(Draw& draw);
std::string_view draw_operator(Draw& draw);
// One that is likely to have what the operator compares.
std::string_view draw_attribute_for(std::string_view op, Draw& draw);
// A value of the kind that the operator compares, or now and then of any.
std::string draw_value_for(std::string_view op, Draw& draw);
std::string draw_value(Draw& draw);
// Whole, mostly small.
std::string draw_integer(Draw& draw);

}  // namespace flagstone::oracle
