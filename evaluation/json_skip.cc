#include "evaluation/json_skip.h"

#include <cstdint>
#include <cstring>

#include "evaluation/json_bytes.h"
#include "evaluation/utf8.h"

namespace flagstone::evaluation {
namespace {

class Passer {
 public:
  Passer(const char* at, const char* end, PassedMembers& members)
      : at_(at), end_(end), members_(members) {}

  std::optional<PassedObject> pass() {
    const char* const begin = at_;
    bool first = true;
    // Each round: one member or item up to its value's end, or into the container that begins.
    while (depth_ != 0) {
      skip_space();
      if (at_ == end_) return std::nullopt;
      const bool object = (objects_ & 1) != 0;
      if (*at_ == (object ? '}' : ']')) {
        // After a comma something must follow; behind a value, `first` is not looked at.
        if (!first && expects_more_) return std::nullopt;
        ++at_;
        leave();
        first = false;
        if (!end_value()) return std::nullopt;
        continue;
      }
      if (!first && !expects_more_) return std::nullopt;
      if (object && !member_name()) return std::nullopt;
      const char c = at_ == end_ ? '\0' : *at_;
      if (c == '{' || c == '[') {
        if (depth_ == kQuickDepthMax) return std::nullopt;
        ++at_;
        enter(c == '{');
        first = true;
        continue;
      }
      first = false;
      if (!plain_value(c) || !end_value()) return std::nullopt;
    }
    if (has_wide_bytes_ && !is_utf8({begin, static_cast<std::size_t>(at_ - begin)})) {
      return std::nullopt;
    }
    return PassedObject{at_, lines_, line_start_, readable_};
  }

 private:
  void enter(bool object) {
    objects_ = objects_ << 1 | static_cast<std::uint64_t>(object);
    ++depth_;
  }
  void leave() {
    objects_ >>= 1;
    --depth_;
  }

  // Most tokens stand close together: one comparison tells.
  void skip_space() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') skip_spaces();
  }
  [[gnu::noinline]] void skip_spaces() {
    for (; at_ != end_; ++at_) {
      if (*at_ == '\n') {
        ++lines_;
        line_start_ = at_ + 1;
      } else if (*at_ != ' ' && *at_ != '\t' && *at_ != '\r') {
        return;
      }
    }
  }

  // Behind a value: eats the comma, if one is there. The end of the bytes gives up, except behind
  // the whole object.
  bool end_value() {
    if (depth_ == 0) return true;
    skip_space();
    if (at_ == end_) return false;
    expects_more_ = *at_ == ',';
    at_ += expects_more_;
    return true;
  }

  // Eats a name, its colon and the spaces around that.
  bool member_name() {
    if (*at_ != '"') return false;
    ++at_;
    const char* const begin = at_;
    if (!string()) return false;
    const std::string_view name(begin, static_cast<std::size_t>(at_ - 1 - begin));
    skip_space();
    if (at_ == end_ || *at_ != ':') return false;
    ++at_;
    skip_space();
    return depth_ > kToldDepthMax || at_ == end_ || members_.take({depth_, name, at_});
  }

  bool plain_value(char c) {
    switch (c) {
      case '"':
        ++at_;
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool literal(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) return false;
    if (std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }

  // Behind the opening quote; ends behind the closing one.
  bool string() {
    for (;;) {
      at_ = skip_plain(at_, end_);
      if (at_ == end_) return false;
      const char c = *at_++;
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) >= 0x80) {
        has_wide_bytes_ = true;  // Looked at when the whole object is known.
      } else if (c != '\\' || !escape()) {
        return false;
      }
    }
  }

  bool escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr;
    if (end_ - at_ < 4) return false;
    readable_ = readable_ && (*at_ | 0x20) != 'd';  // U+D800 to U+DFFF are surrogates.
    for (const char* const last = at_ + 4; at_ != last; ++at_) {
      const char letter = static_cast<char>(*at_ | 0x20);
      if (!is_json_digit(*at_) && (letter < 'a' || letter > 'f')) return false;
    }
    return true;
  }

  bool number() {
    constexpr std::ptrdiff_t kBytesThatFitForSure = 18;
    const char* const begin = at_;
    const JsonNumber number = skip_number(at_, end_);
    at_ = number.end;
    readable_ = readable_ && !number.has_exponent && at_ - begin <= kBytesThatFitForSure;
    return number.is_valid;
  }

  const char* at_;
  const char* const end_;
  PassedMembers& members_;
  // One bit for each open container, the innermost lowest: whether it is an object.
  std::uint64_t objects_ = 1;
  std::size_t depth_ = 1;
  bool expects_more_ = false;  // A comma was eaten last.
  bool has_wide_bytes_ = false;
  bool readable_ = true;
  std::size_t lines_ = 0;
  const char* line_start_ = nullptr;
};

}  // namespace

std::optional<PassedObject> pass_object(const char* at, const char* end, PassedMembers& members) {
  return Passer(at, end, members).pass();
}

const char* find_closing_quote(const char* at, const char* end) {
  for (;;) {
    at = skip_plain(at, end);
    if (at == end || *at == '"') return at;
    if (*at++ == '\\' && at != end) ++at;
  }
}

}  // namespace flagstone::evaluation
