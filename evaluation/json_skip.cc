#include "evaluation/json_skip.h"

#include <cstdint>
#include <cstring>

#include "evaluation/json_bytes.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation {
namespace {

// The place is handed from function to function, so that it stays in a register; nullptr gives up.
class Passer {
 public:
  Passer(const char* end, PassedMembers& members) : end_(end), members_(members) {}

  // `begin`: behind the opening brace.
  std::optional<PassedObject> pass(const char* const begin) {
    const char* at = begin;
    bool just_opened = true;
    // Each round: one member or item with the ends behind it, or into the container that begins.
    while (depth_ != 0) {
      at = skip_space(at);
      if (at == end_) return std::nullopt;
      if (!just_opened || *at != closing_bracket()) {
        if (in_object()) at = member_name(at);
        if (at == nullptr || at == end_) return std::nullopt;
        if (*at == '{' || *at == '[') {
          if (depth_ == kQuickDepthMax) return std::nullopt;
          enter(*at == '{');
          ++at;
          just_opened = true;
          continue;
        }
        at = plain_value(at);
      }
      at = end_values(at);
      if (at == nullptr) return std::nullopt;
      just_opened = false;
    }
    if (has_wide_bytes_ && !is_utf8({begin, static_cast<std::size_t>(at - begin)})) {
      return std::nullopt;
    }
    return PassedObject{at, lines_, line_start_, readable_};
  }

 private:
  bool in_object() const { return (objects_ & 1) != 0; }
  char closing_bracket() const { return in_object() ? '}' : ']'; }
  void enter(bool object) {
    objects_ = objects_ << 1 | static_cast<std::uint64_t>(object);
    ++depth_;
  }
  void leave() {
    objects_ >>= 1;
    --depth_;
  }

  // Most tokens stand close together: one comparison tells.
  const char* skip_space(const char* at) {
    return at == end_ || static_cast<unsigned char>(*at) > ' ' ? at : skip_spaces(at);
  }
  [[gnu::noinline]] const char* skip_spaces(const char* at) {
    for (; at != end_ && is_json_space(*at); ++at) {
      if (*at != '\n') continue;
      ++lines_;
      line_start_ = at + 1;
    }
    return at;
  }

  // Behind a value: eats the ends of containers that follow, and the comma behind them. The end of
  // the bytes gives up, except behind the whole object.
  const char* end_values(const char* at) {
    if (at == nullptr) return nullptr;
    for (;;) {
      at = skip_space(at);
      if (at == end_) return nullptr;
      if (*at == ',') return at + 1;
      if (*at != closing_bracket()) return nullptr;
      ++at;
      leave();
      if (depth_ == 0) return at;
    }
  }

  // Eats a name, its colon and the spaces around that.
  const char* member_name(const char* at) {
    if (*at != '"') return nullptr;
    const char* const begin = ++at;
    at = string(at);
    if (at == nullptr) return nullptr;
    const std::string_view name(begin, static_cast<std::size_t>(at - 1 - begin));
    at = skip_space(at);
    if (at == end_ || *at != ':') return nullptr;
    at = skip_space(at + 1);
    const bool told = depth_ <= kToldDepthMax && at != end_;
    return !told || members_.take({depth_, name, at}) ? at : nullptr;
  }

  const char* plain_value(const char* at) {
    switch (*at) {
      case '"':
        return string(at + 1);
      case 't':
        return literal(at, "true");
      case 'f':
        return literal(at, "false");
      case 'n':
        return literal(at, "null");
      default:
        return number(at);
    }
  }

  const char* literal(const char* at, std::string_view text) const {
    const std::string_view rest(at, static_cast<std::size_t>(end_ - at));
    return rest.starts_with(text) ? at + text.size() : nullptr;
  }

  // Behind the opening quote; ends behind the closing one.
  const char* string(const char* at) {
    at = skip_plain(at, end_);
    return at != end_ && *at == '"' ? at + 1 : odd_string(at);
  }
  [[gnu::noinline]] const char* odd_string(const char* at) {
    for (;;) {
      at = skip_plain(at, end_);
      if (at == end_) return nullptr;
      const char c = *at++;
      if (c == '"') return at;
      if (static_cast<unsigned char>(c) >= 0x80) {
        has_wide_bytes_ = true;  // Looked at when the whole object is known.
        continue;
      }
      at = c == '\\' ? escape(at) : nullptr;
      if (at == nullptr) return nullptr;
    }
  }

  // Behind the backslash.
  const char* escape(const char* at) {
    if (at == end_) return nullptr;
    const char c = *at++;
    if (c != 'u') return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr ? at : nullptr;
    if (end_ - at < 4) return nullptr;
    readable_ = readable_ && (*at | 0x20) != 'd';  // U+D800 to U+DFFF are surrogates.
    for (const char* const last = at + 4; at != last; ++at) {
      const char letter = static_cast<char>(*at | 0x20);
      if (!is_json_digit(*at) && (letter < 'a' || letter > 'f')) return nullptr;
    }
    return at;
  }

  const char* number(const char* at) {
    const char* const end = skip_short_integer(at, end_);
    return end != nullptr ? end : odd_number(at);
  }
  [[gnu::noinline]] const char* odd_number(const char* at) {
    constexpr std::ptrdiff_t kBytesThatFitForSure = 18;
    const JsonNumber number = skip_number(at, end_);
    readable_ = readable_ && !number.has_exponent && number.end - at <= kBytesThatFitForSure;
    return number.is_valid ? number.end : nullptr;
  }

  const char* const end_;
  PassedMembers& members_;
  // One bit for each open container, the innermost lowest: whether it is an object.
  std::uint64_t objects_ = 1;
  std::size_t depth_ = 1;
  bool has_wide_bytes_ = false;
  bool readable_ = true;
  std::size_t lines_ = 0;
  const char* line_start_ = nullptr;
};

}  // namespace

std::optional<PassedObject> pass_object(const char* at, const char* end, PassedMembers& members) {
  return Passer(end, members).pass(at);
}

const char* find_closing_quote(const char* at, const char* end) {
  for (;;) {
    at = skip_plain(at, end);
    if (at == end || *at == '"') return at;
    if (*at++ == '\\' && at != end) ++at;
  }
}

}  // namespace flagstone::evaluation
