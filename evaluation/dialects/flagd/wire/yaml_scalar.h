// What a YAML scalar is in JSON: YAML's core types for plain ones, strings for all others.
//
// A pure function.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace flagstone::evaluation::flagd {

// `tag` as yaml-cpp gives it: `?` for plain scalars, `!` for quoted ones, else the tag written. The
// error is for people: infinities have no JSON, and tags other than the core schema's are unknown.
std::expected<std::string, std::string> yaml_scalar_to_json(std::string_view value,
                                                            std::string_view tag);

}  // namespace flagstone::evaluation::flagd
