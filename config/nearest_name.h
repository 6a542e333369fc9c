// "Did you mean …?": the known name nearest to a mistyped one. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace flagstone::config {

// Insertions, deletions, replacements and swaps of neighbours from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, empty when none is near enough to be what was meant.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

// ", did you mean `interval`?", or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace flagstone::config
