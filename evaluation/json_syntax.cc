#include "evaluation/json_syntax.h"

#include <array>

namespace flagstone::evaluation {
namespace {

// Bytes of a string that need no look: printable ASCII except quote and backslash.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

JsonSyntax::Event JsonSyntax::next(const char*& at, const char* end) {
  const char* from = at;
  piece_ = at;
  Event event = failed_ ? Event::kError : step(at, end);
  offset_ += static_cast<std::size_t>(at - from);
  return event;
}

JsonSyntax::Event JsonSyntax::step(const char*& at, const char* end) {
  switch (token_) {
    case Token::kNone:
      return between_tokens(at, end);
    case Token::kString:
    case Token::kEscape:
    case Token::kHex:
    case Token::kUtf8:
      return in_string(at, end);
    case Token::kLiteral:
      return in_literal(at, end);
    case Token::kScalarBegun:
      if (scalar_ == 'n' || scalar_ == 't' || scalar_ == 'f') {
        token_ = Token::kLiteral;
        literal_left_ = scalar_ == 'n' ? "null" : scalar_ == 't' ? "true" : "false";
        return in_literal(at, end);
      }
      ++at;
      token_ = scalar_ == '-' ? Token::kMinus : scalar_ == '0' ? Token::kZero : Token::kInteger;
      return in_number(at, end);
    default:
      return in_number(at, end);
  }
}

void JsonSyntax::skip_space(const char*& at, const char* end) {
  for (; at != end; ++at) {
    if (*at == '\n') {
      ++line_;
      line_start_ = offset_ + static_cast<std::size_t>(at - piece_) + 1;
    } else if (*at != ' ' && *at != '\t' && *at != '\r') {
      return;
    }
  }
}

JsonSyntax::Event JsonSyntax::between_tokens(const char*& at, const char* end) {
  for (;;) {
    skip_space(at, end);
    if (at == end) return Event::kMore;
    const char c = *at;
    // Colons and commas lead on within the same call: nobody needs to hear of them.
    if (place_ == Place::kColon) {
      if (c != ':') return fail("expected ':'");
      place_ = Place::kValue;
      ++at;
    } else if (place_ == Place::kCommaOrEnd && c == ',') {
      place_ = in_object() ? Place::kKey : Place::kValue;
      ++at;
    } else {
      return punctuation(at, c);
    }
  }
}

JsonSyntax::Event JsonSyntax::punctuation(const char*& at, char c) {
  switch (place_) {
    case Place::kFirstKeyOrEnd:
    case Place::kKey:
      if (c == '"') {
        ++at;
        token_ = Token::kString;
        string_is_key_ = true;
        has_escape_ = false;
        return Event::kBeginString;
      }
      if (c == '}' && place_ == Place::kFirstKeyOrEnd) return ++at, pop();
      return fail(place_ == Place::kKey ? "expected a name in quotes"
                                        : "expected a name in quotes or '}'");
    case Place::kFirstItemOrEnd:
      if (c == ']') return ++at, pop();
      return begin_value(at, c);
    case Place::kValue:
      return begin_value(at, c);
    case Place::kCommaOrEnd:
      if (c == (in_object() ? '}' : ']')) return ++at, pop();
      return fail(in_object() ? "expected ',' or '}'" : "expected ',' or ']'");
    case Place::kColon:
    case Place::kDone:
      break;
  }
  return fail("unexpected text after the end");
}

JsonSyntax::Event JsonSyntax::begin_value(const char*& at, char c) {
  switch (c) {
    case '{':
      ++at;
      push(true);
      return Event::kBeginObject;
    case '[':
      ++at;
      push(false);
      return Event::kBeginArray;
    case '"':
      ++at;
      token_ = Token::kString;
      string_is_key_ = false;
      has_escape_ = false;
      return Event::kBeginString;
    case 'n':
    case 't':
    case 'f':
    case '-':
      break;
    default:
      if (c == '\xEF' && offset_ == 0 && at == piece_) return fail("byte order mark");
      if (!is_digit(c)) return fail("expected a value");
  }
  token_ = Token::kScalarBegun;
  scalar_ = c;
  return Event::kBeginScalar;
}

JsonSyntax::Event JsonSyntax::in_string(const char*& at, const char* end) {
  while (at != end) {
    const auto c = static_cast<unsigned char>(*at);
    switch (token_) {
      case Token::kEscape:
        if (std::string_view("\"\\/bfnrtu").find(*at) == std::string_view::npos) {
          return fail("unknown escape in a string");
        }
        hex_left_ = 4;
        token_ = c == 'u' ? Token::kHex : Token::kString;
        ++at;
        break;
      case Token::kHex:
        if (!is_hex_digit(*at)) return fail("expected four hexadecimal digits after \\u");
        if (--hex_left_ == 0) token_ = Token::kString;
        ++at;
        break;
      case Token::kUtf8:
        if (c < utf8_low_ || c > utf8_high_) return fail("invalid UTF-8");
        utf8_low_ = 0x80;
        utf8_high_ = 0xBF;
        if (--utf8_left_ == 0) token_ = Token::kString;
        ++at;
        break;
      default:
        while (at != end && kPlain[static_cast<unsigned char>(*at)]) ++at;
        if (at == end) return Event::kMore;
        if (*at == '"') {
          ++at;
          token_ = Token::kNone;
          place_ = string_is_key_ ? Place::kColon : depth_ == 0 ? Place::kDone : Place::kCommaOrEnd;
          return Event::kEndString;
        }
        if (*at == '\\') {
          has_escape_ = true;
          token_ = Token::kEscape;
        } else if (static_cast<unsigned char>(*at) < 0x20) {
          return fail("control character in a string");
        } else if (!begin_utf8(static_cast<unsigned char>(*at))) {
          return fail("invalid UTF-8");
        }
        ++at;
    }
  }
  return Event::kMore;
}

bool JsonSyntax::begin_utf8(unsigned char lead) {
  if (lead < 0xC2 || lead > 0xF4) return false;
  token_ = Token::kUtf8;
  utf8_left_ = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  // The second byte's range shuts out overlong forms, surrogates and what lies past U+10FFFF.
  utf8_low_ = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  utf8_high_ = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return true;
}

JsonSyntax::Event JsonSyntax::in_number(const char*& at, const char* end) {
  for (; at != end; ++at) {
    const char c = *at;
    const bool exponent = c == 'e' || c == 'E';
    switch (token_) {
      case Token::kMinus:
        if (!is_digit(c)) return fail("expected a digit after '-'");
        token_ = c == '0' ? Token::kZero : Token::kInteger;
        break;
      case Token::kZero:
      case Token::kInteger:
        if (c == '.') {
          token_ = Token::kPoint;
        } else if (exponent) {
          token_ = Token::kExponent;
        } else if (!is_digit(c)) {
          return end_scalar();
        } else if (token_ == Token::kZero) {
          return fail("a number has a leading zero");
        }
        break;
      case Token::kPoint:
        if (!is_digit(c)) return fail("expected a digit after '.'");
        token_ = Token::kFraction;
        break;
      case Token::kFraction:
        if (exponent) {
          token_ = Token::kExponent;
        } else if (!is_digit(c)) {
          return end_scalar();
        }
        break;
      case Token::kExponent:
        if (c == '+' || c == '-') {
          token_ = Token::kExponentSign;
          break;
        }
        [[fallthrough]];
      case Token::kExponentSign:
        if (!is_digit(c)) return fail("expected a digit in the exponent");
        token_ = Token::kExponentDigits;
        break;
      default:
        if (!is_digit(c)) return end_scalar();
    }
  }
  return Event::kMore;
}

JsonSyntax::Event JsonSyntax::in_literal(const char*& at, const char* end) {
  for (; at != end && !literal_left_.empty(); ++at) {
    if (*at != literal_left_.front()) return fail("expected a value");
    literal_left_.remove_prefix(1);
  }
  return literal_left_.empty() ? end_scalar() : Event::kMore;
}

JsonSyntax::Event JsonSyntax::end_scalar() {
  token_ = Token::kNone;
  place_ = depth_ == 0 ? Place::kDone : Place::kCommaOrEnd;
  return Event::kEndScalar;
}

void JsonSyntax::pass(const char* at, const PassedObject& passed) {
  if (passed.lines != 0) {
    line_ += passed.lines;
    line_start_ = offset_ + static_cast<std::size_t>(passed.line_start - at);
  }
  offset_ += static_cast<std::size_t>(passed.end - at);
  pop();
}

bool JsonSyntax::finish() {
  if (failed_) return false;
  if (token_ == Token::kZero || token_ == Token::kInteger || token_ == Token::kFraction ||
      token_ == Token::kExponentDigits) {
    end_scalar();
  }
  if (token_ == Token::kNone && place_ == Place::kDone) return true;
  fail("the text ends too early");
  return false;
}

void JsonSyntax::push(bool object) {
  objects_.push_back(object);
  ++depth_;
  place_ = object ? Place::kFirstKeyOrEnd : Place::kFirstItemOrEnd;
}

JsonSyntax::Event JsonSyntax::pop() {
  const bool object = objects_.back();
  objects_.pop_back();
  --depth_;
  place_ = depth_ == 0 ? Place::kDone : Place::kCommaOrEnd;
  return object ? Event::kEndObject : Event::kEndArray;
}

JsonSyntax::Event JsonSyntax::fail(std::string_view message) {
  message_ = message;
  failed_ = true;
  return Event::kError;
}

bool JsonSyntax::in_object() const { return !objects_.empty() && objects_.back(); }

std::expected<void, JsonPlace> check_json(std::string_view text, std::size_t depth_max) {
  JsonSyntax syntax;
  const char* at = text.data();
  const char* end = at + text.size();
  for (;;) {
    JsonSyntax::Event event = syntax.next(at, end);
    if (event == JsonSyntax::Event::kMore) break;
    if (event == JsonSyntax::Event::kError) {
      return std::unexpected(JsonPlace{syntax.message(), syntax.offset()});
    }
    if (syntax.depth() > depth_max) {
      return std::unexpected(JsonPlace{"nested too deep", syntax.offset()});
    }
  }
  if (!syntax.finish()) return std::unexpected(JsonPlace{syntax.message(), syntax.offset()});
  return {};
}

}  // namespace flagstone::evaluation
