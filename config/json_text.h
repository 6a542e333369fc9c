// A YAML tree as JSON text, scalars typed as YAML 1.2's core schema says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/yaml_tree.h"

namespace flagstone::config {

// Why a node has no JSON: `.inf`, `.nan`, text that is not UTF-8.
struct JsonTextProblem {
  std::uint32_t line = 0;
  std::string message;
};

// Appends the node to `json`. Numbers keep their spelling where JSON allows it (`1.0`, `1e3`, 64
// bits and more); what only YAML writes (`0x1F`, `+1`, `.5`) becomes the number JSON has for it.
std::optional<JsonTextProblem> append_json(const YamlNode& node, std::string& json);

// A JSON string with its quotes; false when the text is not UTF-8.
bool append_json_string(std::string_view text, std::string& json);

}  // namespace flagstone::config
