#include "config/pins.h"

#include "config/json_text.h"
#include "config/yaml_tree.h"

namespace flagstone::config {

std::expected<std::vector<Pin>, ProblemList> parse_pins(std::string_view text,
                                                        std::string_view file_name) {
  ProblemList problems;
  const YamlNode root = parse_yaml(text, file_name, problems);
  if (problems.empty() && root.kind != YamlNode::Kind::kMap && root.kind != YamlNode::Kind::kNull) {
    problems.push_back({.where = std::string(file_name) + ":" + std::to_string(root.line),
                        .message = "pins must be a map like `{\"flag-key\": value}`, not " +
                                   std::string(kind_name(root))});
  }
  std::vector<Pin> pins;
  for (const YamlEntry& entry : root.entries) {
    const std::string where = std::string(file_name) + ":" + std::to_string(entry.line);
    if (entry.key.empty()) {
      problems.push_back({.where = where, .message = "a flag's key is empty"});
    } else if (entry.value.kind == YamlNode::Kind::kNull) {
      problems.push_back({.where = where,
                          .message = "`" + entry.key +
                                     "` has no value, a flag needs true, false, "
                                     "a number, a text or an object"});
    }
    std::string json;
    if (const auto problem = append_json(entry.value, json)) {
      problems.push_back({.where = std::string(file_name) + ":" + std::to_string(problem->line),
                          .message = "`" + entry.key + "`: " + problem->message});
    }
    pins.push_back({.key = entry.key, .json = std::move(json)});
  }
  if (!problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return pins;
}

}  // namespace flagstone::config
