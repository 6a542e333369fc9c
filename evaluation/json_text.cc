#include "evaluation/json_text.h"

#include <array>
#include <cstdint>

namespace flagstone::evaluation {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::uint32_t hex_value(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four) {
    const auto digit = static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    value = value << 4 | digit;
  }
  return value;
}

bool is_high_surrogate(std::uint32_t code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low_surrogate(std::uint32_t code) { return code >= 0xDC00 && code < 0xE000; }

// Appends the \u escape whose digits begin at `at`; returns how many bytes of the text it took.
std::size_t append_unicode_escape(std::string& out, std::string_view text, std::size_t at) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const std::uint32_t first = hex_value(text.substr(at, 4));
  if (is_high_surrogate(first) && text.substr(at + 4, 2) == "\\u" && at + 10 <= text.size()) {
    const std::uint32_t second = hex_value(text.substr(at + 6, 4));
    if (is_low_surrogate(second)) {
      append_utf8(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
      return 10;
    }
  }
  append_utf8(out, is_high_surrogate(first) || is_low_surrogate(first) ? kReplacement : first);
  return 4;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out.push_back('\\');
    switch (c) {
      case '"':
      case '\\':
        out.push_back(static_cast<char>(c));
        break;
      case '\n':
        out.push_back('n');
        break;
      case '\r':
        out.push_back('r');
        break;
      case '\t':
        out.push_back('t');
        break;
      case '\b':
        out.push_back('b');
        break;
      case '\f':
        out.push_back('f');
        break;
      default:
        constexpr std::string_view kDigits = "0123456789abcdef";
        out.append("u00");
        out.push_back(kDigits[c >> 4]);
        out.push_back(kDigits[c & 15]);
    }
  }
  out.append(text, copied);
  out.push_back('"');
}

void append_minified(std::string& out, std::string_view json) {
  std::size_t copied = 0;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (c == '"') {
      for (++i; json[i] != '"'; ++i) i += json[i] == '\\';
      ++i;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      out.append(json, copied, i - copied);
      copied = ++i;
    } else {
      ++i;
    }
  }
  out.append(json, copied);
}

void append_unescaped(std::string& out, std::string_view between_quotes) {
  for (std::size_t i = 0; i < between_quotes.size();) {
    if (between_quotes[i] != '\\') {
      const std::size_t next = between_quotes.find('\\', i);
      out.append(between_quotes, i, next - i);
      i = next == std::string_view::npos ? between_quotes.size() : next;
      continue;
    }
    const char escape = between_quotes[i + 1];
    i += 2;
    if (escape == 'u') {
      i += append_unicode_escape(out, between_quotes, i);
      continue;
    }
    constexpr std::string_view kFrom = "bfnrt";
    constexpr std::string_view kTo = "\b\f\n\r\t";
    const std::size_t which = kFrom.find(escape);
    out.push_back(which == std::string_view::npos ? escape : kTo[which]);
  }
}

}  // namespace flagstone::evaluation
