#include "config/json_text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace flagstone::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Length of the digits at the front.
std::size_t digits(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// The parts of a decimal number in YAML's core schema:
// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
struct Decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::string_view exponent;  // With its `e` and sign.
};
std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  if (text.starts_with('-') || text.starts_with('+')) {
    decimal.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  decimal.whole = text.substr(0, digits(text));
  text.remove_prefix(decimal.whole.size());
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimal.fraction = text.substr(0, digits(text));
    text.remove_prefix(decimal.fraction.size());
  }
  if (decimal.whole.empty() && decimal.fraction.empty()) {
    return std::nullopt;
  }
  if (!text.empty()) {
    if (text.front() != 'e' && text.front() != 'E') {
      return std::nullopt;
    }
    decimal.exponent = text;
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) {
      text.remove_prefix(1);
    }
    if (text.empty() || digits(text) != text.size()) {
      return std::nullopt;
    }
  }
  return decimal;
}

// JSON has no `+1`, `01`, `.5` and `1.`; everything else keeps its spelling.
void append_decimal(const Decimal& decimal, std::string& json) {
  std::string_view whole = decimal.whole;
  while (whole.size() > 1 && whole.front() == '0') {
    whole.remove_prefix(1);
  }
  json += decimal.negative ? "-" : "";
  json += whole.empty() ? std::string_view("0") : whole;
  if (!decimal.fraction.empty()) {
    json += '.';
    json += decimal.fraction;
  }
  json += decimal.exponent;
}

// `0x1F` and `0o17`, up to 64 bits.
std::optional<std::uint64_t> parse_based(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
  if (base == 0 || text.size() == 2) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + 2, end, number, base);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

bool is_not_finite(std::string_view text) {
  constexpr std::string_view kSpellings[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF",
                                             "-.inf", "-.Inf", "-.INF", ".nan",  ".NaN",  ".NAN"};
  return std::ranges::find(kSpellings, text) != std::end(kSpellings);
}

std::optional<JsonTextProblem> append_plain(const YamlNode& node, std::string& json) {
  const std::string_view text = node.text;
  if (text == "true" || text == "True" || text == "TRUE") {
    json += "true";
  } else if (text == "false" || text == "False" || text == "FALSE") {
    json += "false";
  } else if (const auto based = parse_based(text)) {
    json += std::to_string(*based);
  } else if (const auto decimal = parse_decimal(text)) {
    append_decimal(*decimal, json);
  } else if (is_not_finite(text)) {
    return JsonTextProblem{node.line, "`" + node.text + "` is no number that JSON can hold"};
  } else if (!append_json_string(text, json)) {
    return JsonTextProblem{node.line, "the text is not UTF-8"};
  }
  return std::nullopt;
}

std::optional<JsonTextProblem> append_map(const YamlNode& node, std::string& json) {
  json += '{';
  for (const YamlEntry& entry : node.entries) {
    json += &entry == &node.entries.front() ? "" : ",";
    if (!append_json_string(entry.key, json)) {
      return JsonTextProblem{entry.line, "the key is not UTF-8"};
    }
    json += ':';
    if (auto problem = append_json(entry.value, json)) {
      return problem;
    }
  }
  json += '}';
  return std::nullopt;
}

std::optional<JsonTextProblem> append_list(const YamlNode& node, std::string& json) {
  json += '[';
  for (const YamlNode& item : node.items) {
    json += &item == &node.items.front() ? "" : ",";
    if (auto problem = append_json(item, json)) {
      return problem;
    }
  }
  json += ']';
  return std::nullopt;
}

// Bytes of the UTF-8 sequence at the front, 0 when there is none: overlong forms, surrogates and
// what lies beyond U+10FFFF included.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const unsigned char second = byte(1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

}  // namespace

bool append_json_string(std::string_view text, std::string& json) {
  constexpr std::string_view kHex = "0123456789abcdef";
  json += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) {
      return false;
    }
    const unsigned char c = static_cast<unsigned char>(text.front());
    if (c == '"' || c == '\\') {
      json += '\\';
      json += text.front();
    } else if (c < 0x20) {
      json += "\\u00";
      json += kHex[c >> 4];
      json += kHex[c & 0xF];
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  json += '"';
  return true;
}

std::optional<JsonTextProblem> append_json(const YamlNode& node, std::string& json) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      json += "null";
      return std::nullopt;
    case YamlNode::Kind::kScalar:
      if (!node.quoted) {
        return append_plain(node, json);
      }
      if (!append_json_string(node.text, json)) {
        return JsonTextProblem{node.line, "the text is not UTF-8"};
      }
      return std::nullopt;
    case YamlNode::Kind::kList:
      return append_list(node, json);
    case YamlNode::Kind::kMap:
      break;
  }
  return append_map(node, json);
}

}  // namespace flagstone::config
