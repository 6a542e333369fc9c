// A strict JSON checker that takes its text in pieces and tells what it passes: the ground under
// the document scanner, and the one that knows where a text is wrong.
//
// One thread, owned by whoever reads. No recursion; one bit of memory per level of nesting, and the
// caller decides how deep is too deep. Checks the grammar of RFC 8259 and UTF-8; a byte order mark
// is an error. Escaped lone surrogates are grammar, so they pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/json_skip.h"

namespace flagstone::evaluation {

class JsonSyntax {
 public:
  enum class Event : std::uint8_t {
    kMore,         // All bytes given were eaten.
    kError,        // See message(); the offending byte is not eaten.
    kBeginObject,  // `{` was eaten; depth() counts it already.
    kEndObject,    // `}` was eaten; depth() no longer counts it.
    kBeginArray,
    kEndArray,
    kBeginString,  // The opening quote was eaten; is_key() tells which kind of string.
    kEndString,    // The closing quote was eaten; is_key() still tells.
    kBeginScalar,  // The next byte begins a number or literal: scalar() tells which.
    kEndScalar,    // Its last byte was eaten.
  };

  // Eats bytes from `at` until something happened.
  Event next(const char*& at, const char* end);
  // The rest of the object begun last was eaten elsewhere. REQUIRES: next() said kBeginObject, and
  // `passed` is what pass_object() made of the bytes from `at` on.
  void pass(const char* at, const PassedObject& passed);
  // Nothing follows: whether the text was one whole value. A number at the end needs this to end.
  bool finish();

  std::size_t depth() const { return depth_; }
  bool is_key() const { return string_is_key_; }
  // First byte of the scalar begun last: `n`, `t`, `f`, `-` or a digit.
  char scalar() const { return scalar_; }
  // True when the string begun last had an escape.
  bool has_escape() const { return has_escape_; }
  // Static text.
  std::string_view message() const { return message_; }
  // The line of the next byte, from 1, and how many bytes of it were eaten before the piece now in
  // next() began plus what was eaten of the piece.
  std::size_t line() const { return line_; }
  // Bytes eaten in all, and where the current line began.
  std::size_t offset() const { return offset_; }
  std::size_t line_start() const { return line_start_; }

 private:
  enum class Place : std::uint8_t {
    kValue,
    kFirstItemOrEnd,
    kFirstKeyOrEnd,
    kKey,
    kColon,
    kCommaOrEnd,
    kDone,
  };
  enum class Token : std::uint8_t {
    kNone,
    kScalarBegun,
    kString,
    kEscape,
    kHex,
    kUtf8,
    kMinus,
    kZero,
    kInteger,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
    kLiteral,
  };

  Event step(const char*& at, const char* end);
  Event between_tokens(const char*& at, const char* end);
  Event punctuation(const char*& at, char c);
  Event begin_value(const char*& at, char c);
  Event in_string(const char*& at, const char* end);
  Event in_number(const char*& at, const char* end);
  Event in_literal(const char*& at, const char* end);
  bool begin_utf8(unsigned char lead);
  void skip_space(const char*& at, const char* end);
  void push(bool object);
  Event pop();
  Event fail(std::string_view message);
  Event end_scalar();
  bool in_object() const;

  Place place_ = Place::kValue;
  Token token_ = Token::kNone;
  std::uint8_t hex_left_ = 0;
  std::uint8_t utf8_left_ = 0;
  std::uint8_t utf8_low_ = 0;
  std::uint8_t utf8_high_ = 0;
  std::string_view literal_left_;
  bool string_is_key_ = false;
  bool has_escape_ = false;
  bool failed_ = false;
  char scalar_ = 0;
  std::size_t depth_ = 0;
  std::vector<bool> objects_;
  std::string_view message_;
  std::size_t offset_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  const char* piece_ = nullptr;
};

struct JsonPlace {
  std::string_view message;
  std::size_t byte_offset = 0;
};
// Checks a whole text, nested at most `depth_max` levels.
std::expected<void, JsonPlace> check_json(std::string_view text, std::size_t depth_max);

}  // namespace flagstone::evaluation
