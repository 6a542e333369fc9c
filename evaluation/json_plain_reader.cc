#include "evaluation/json_plain_reader.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "evaluation/json_bytes.h"
#include "evaluation/json_skip.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation {
namespace {

// Recursion goes no deeper.
constexpr std::size_t kPlainDepthMax = 32;
constexpr std::ptrdiff_t kDigitsThatFitForSure = 18;

// What the letter behind a backslash stands for; 0 for `u` and for what is no escape.
char unescaped(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

// Of digits that fit.
std::int64_t integer(const char* at, const char* end) {
  std::int64_t sum = 0;
  for (; at != end; ++at) sum = sum * 10 + (*at - '0');
  return sum;
}

}  // namespace

JsonPlainReader::JsonPlainReader(std::size_t depth_max)
    : depth_max_(std::min(depth_max, kPlainDepthMax)) {}

std::optional<Value> JsonPlainReader::read(std::string_view text, Arena& arena) {
  while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
  // With a bracket at the end no other token reaches it, and the bytes need no count.
  if (text.empty() || (text.back() != '}' && text.back() != ']')) return std::nullopt;
  end_ = text.data() + text.size();
  arena_ = &arena;
  depth_ = 0;
  has_wide_bytes_ = false;
  items_.clear();
  members_.clear();
  if (other_value(skip_space(text.data())) != end_) return std::nullopt;
  if (has_wide_bytes_ && !is_utf8(text)) return std::nullopt;
  return value_;
}

// Most tokens stand close together: one comparison tells.
inline const char* JsonPlainReader::skip_space(const char* at) {
  if (static_cast<unsigned char>(*at) > ' ') return at;
  while (is_json_space(*at)) ++at;
  return at;
}

// Behind the opening quote.
inline const char* JsonPlainReader::string(const char* at) {
  const char* const closing = skip_plain(at, end_);
  if (closing == end_ || *closing != '"') return odd_string(at, closing);
  string_ = {at, static_cast<std::size_t>(closing - at)};
  return closing + 1;
}

// Strings, which most values are, without a call.
inline const char* JsonPlainReader::value(const char* at) {
  if (*at != '"') return other_value(at);
  at = string(at + 1);
  value_ = Value::string(string_);
  return at;
}

const char* JsonPlainReader::other_value(const char* at) {
  switch (*at) {
    case '{':
      return object(at + 1);
    case '[':
      return array(at + 1);
    case 't':
      return literal(at, "true", Value::boolean(true));
    case 'f':
      return literal(at, "false", Value::boolean(false));
    case 'n':
      return literal(at, "null", Value::null());
    default:
      return number(at);
  }
}

const char* JsonPlainReader::object(const char* at) {
  if (++depth_ > depth_max_) return nullptr;
  const std::size_t first = members_.size();
  at = skip_space(at);
  bool done = *at == '}';
  if (done) ++at;
  while (!done) {
    if (*at != '"') return nullptr;
    at = string(at + 1);
    if (at == nullptr) return nullptr;
    const std::string_view name = string_;
    at = skip_space(at);
    if (*at != ':') return nullptr;
    at = value(skip_space(at + 1));
    if (at == nullptr) return nullptr;
    members_.push_back({name, value_});
    at = skip_space(at);
    done = *at == '}';
    if (!done && *at != ',') return nullptr;
    at = done ? at + 1 : skip_space(at + 1);
  }
  const auto kept = arena_->copy(std::span<const Member>(members_).subspan(first));
  members_.resize(first);
  value_ = Value::object(kept);
  return end_container(at);
}

const char* JsonPlainReader::array(const char* at) {
  if (++depth_ > depth_max_) return nullptr;
  const std::size_t first = items_.size();
  at = skip_space(at);
  bool done = *at == ']';
  if (done) ++at;
  while (!done) {
    at = value(at);
    if (at == nullptr) return nullptr;
    items_.push_back(value_);
    at = skip_space(at);
    done = *at == ']';
    if (!done && *at != ',') return nullptr;
    at = done ? at + 1 : skip_space(at + 1);
  }
  const auto kept = arena_->copy(std::span<const Value>(items_).subspan(first));
  items_.resize(first);
  value_ = Value::array(kept);
  return end_container(at);
}

// The last byte may end the outermost container only.
inline const char* JsonPlainReader::end_container(const char* at) {
  --depth_;
  return at == end_ && depth_ != 0 ? nullptr : at;
}

// The string that begins behind its opening quote at `begin`; `at` is its first byte that is not
// plain.
const char* JsonPlainReader::odd_string(const char* begin, const char* at) {
  const char* const closing = find_closing_quote(at, end_);
  if (closing == end_) return nullptr;
  const auto size = static_cast<std::size_t>(closing - begin);
  char* const text = static_cast<char*>(arena_->allocate(size, 1));
  char* out = std::copy(begin, at, text);
  while (at != closing) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x20) return nullptr;
    if (byte != '\\') {
      has_wide_bytes_ = has_wide_bytes_ || byte >= 0x80;  // Looked at in the whole text.
      *out++ = *at++;
      continue;
    }
    const char plain = unescaped(at[1]);
    if (plain == '\0') return nullptr;
    *out++ = plain;
    at += 2;
  }
  string_ = {text, static_cast<std::size_t>(out - text)};
  return closing + 1;
}

const char* JsonPlainReader::number(const char* at) {
  if (const char* const end = skip_short_integer(at, end_); end != nullptr) {
    value_ = Value::integer(integer(at, end));
    return end;
  }
  const JsonNumber number = skip_number(at, end_);
  if (!number.is_valid) return nullptr;
  if (number.has_fraction || number.has_exponent) {
    double parsed = 0;
    const auto [end, error] = std::from_chars(at, number.end, parsed);
    if (error != std::errc() || end != number.end) return nullptr;
    value_ = Value::number(parsed);
    return number.end;
  }
  const bool negative = *at == '-';
  at += negative;
  // What -0 is, a double or an integer, the thorough way decides.
  if (number.end - at > kDigitsThatFitForSure || (negative && *at == '0')) return nullptr;
  const std::int64_t parsed = integer(at, number.end);
  value_ = Value::integer(negative ? -parsed : parsed);
  return number.end;
}

const char* JsonPlainReader::literal(const char* at, std::string_view text, Value meaning) {
  if (!std::string_view(at, static_cast<std::size_t>(end_ - at)).starts_with(text)) return nullptr;
  value_ = meaning;
  return at + text.size();
}

}  // namespace flagstone::evaluation
