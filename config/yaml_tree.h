// A small YAML or JSON document as a tree that knows its lines. Pure; used for what operators
// write: the configuration, pins, flagd's `--sources`.
//
// Refused, with the line: what is not YAML, aliases, duplicate keys, keys that are not plain text,
// a second document, more than 1 MiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.h"

namespace flagstone::config {

inline constexpr std::size_t kYamlBytesMax = 1024 * 1024;

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::uint32_t line = 0;            // From 1.
  bool quoted = false;               // "1" is text, 1 is a number.
  std::string text = {};             // Of a scalar.
  std::vector<YamlNode> items = {};  // Of a list.
  std::vector<YamlEntry> entries;    // Of a map, in the document's order.

  const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  std::uint32_t line = 0;  // Where the key stands.
  YamlNode value;
};

// "a map", "a list", "text", "nothing": for messages.
std::string_view kind_name(const YamlNode& node);

// The document, as far as it could be read; what was refused is added to `problems`, its place
// made of `file_name` and the line. An empty text is a null node.
YamlNode parse_yaml(std::string_view text, std::string_view file_name, ProblemList& problems);

}  // namespace flagstone::config
