#include "evaluation/operators/strings.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "evaluation/operators/coercion.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::operators {
namespace {

// Unicode's white space past ASCII, as UTF-8.
constexpr std::array<std::string_view, 19> kWideSpaces = {
    "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
    "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::size_t space_at_front(std::string_view text) {
  if (is_ascii_space(text.front())) return 1;
  if (is_ascii(text.front())) return 0;
  for (const std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::size_t space_at_back(std::string_view text) {
  if (is_ascii_space(text.back())) return 1;
  if (is_ascii(text.back())) return 0;
  for (const std::string_view space : kWideSpaces) {
    if (text.ends_with(space)) return space.size();
  }
  return 0;
}

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Where the code point of that number begins; the text's size past the last.
std::size_t offset_of(std::string_view text, std::int64_t code_point) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins_code_point(text[at]) && code_point-- == 0) return at;
  }
  return at;
}

// Both strings, or nothing to compare.
bool two_strings(const Value& arguments) {
  return arguments.is_array() && arguments.items().size() == 2 &&
         arguments.items()[0].is_string() && arguments.items()[1].is_string();
}

}  // namespace

std::string_view trim_space(std::string_view text) {
  std::size_t size = 0;
  while (!text.empty() && (size = space_at_front(text)) != 0) text.remove_prefix(size);
  while (!text.empty() && (size = space_at_back(text)) != 0) text.remove_suffix(size);
  return text;
}

Outcome concatenate(const Value& arguments, Arena& arena) {
  if (arguments.is_string()) return arguments;
  if (!arguments.is_array()) return failure("cat needs a string or a list of arguments");
  const auto items = arguments.items();
  const auto texts = arena.make_array<std::string_view>(items.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto text = text_of(items[i], arena);
    if (!text) return std::unexpected(text.error());
    texts[i] = *text;
    size += text->size();
    if (size > kStringBytesMax) return failure("cat makes a string of more than 1 MiB");
  }
  if (items.size() == 1) return Value::string(texts[0]);
  if (size == 0) return Value::string("");
  char* const joined = static_cast<char*>(arena.allocate(size, 1));
  char* at = joined;
  for (const std::string_view text : texts) at = std::copy(text.begin(), text.end(), at);
  return Value::string(trim_space({joined, size}));
}

Outcome substring(const Value& arguments, Arena& arena) {
  if (!arguments.is_array() || arguments.items().size() < 2) {
    return failure("substr needs a string and a start");
  }
  const auto items = arguments.items();
  const auto text = text_of(items[0], arena);
  if (!text) return std::unexpected(text.error());
  const auto start = arithmetic_number(items[1]);
  if (!start) return std::unexpected(start.error());
  const auto size =
      static_cast<std::int64_t>(std::count_if(text->begin(), text->end(), begins_code_point));

  std::int64_t from = truncate(*start);
  if (from < 0) from += size;
  if (from < 0 || from > size) return Value::string(*text);
  std::int64_t to = size;
  if (items.size() == 3) {
    const auto given = arithmetic_number(items[2]);
    if (!given) return std::unexpected(given.error());
    const std::int64_t length = truncate(*given);
    to = length < 0 ? size + length : length > size - from ? size : from + length;
  }
  if (to < from) return failure("substr ends before it starts");
  const std::size_t begin = offset_of(*text, from);
  return Value::string(text->substr(begin, offset_of(*text, to) - begin));
}

Outcome starts_with(const Value& arguments, Arena&) {
  if (!two_strings(arguments)) return Value::null();
  const auto items = arguments.items();
  return Value::boolean(items[0].as_string().starts_with(items[1].as_string()));
}

Outcome ends_with(const Value& arguments, Arena&) {
  if (!two_strings(arguments)) return Value::null();
  const auto items = arguments.items();
  return Value::boolean(items[0].as_string().ends_with(items[1].as_string()));
}

}  // namespace flagstone::evaluation::operators
