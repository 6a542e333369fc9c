// Steps over the bytes of JSON tokens, for those that read or pass over whole texts.
//
// Pure; no allocation. Nothing at or behind `end` is read.
#pragma once

#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace flagstone::evaluation {

inline bool is_json_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

#ifdef __SSE2__
// One bit for each of the 16 bytes that is no printable ASCII, or a quote or a backslash.
inline unsigned odd_bytes(const char* at) {
  __m128i bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  // Signed, so that bytes from 0x80 on are less than a space too.
  const __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                                   _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
  return static_cast<unsigned>(_mm_movemask_epi8(odd));
}
#endif

// Skips the bytes of a string that need no look: printable ASCII except quote and backslash.
inline const char* skip_plain(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    if (const unsigned found = odd_bytes(at); found != 0) return at + std::countr_zero(found);
  }
#endif
  for (; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
  }
  return at;
}

inline const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_json_digit(*at)) ++at;
  return at;
}

// The commonest of numbers: where an integer ends that has no sign, no fraction, no exponent and at
// most 18 digits; nullptr when it is anything else.
inline const char* skip_short_integer(const char* at, const char* end) {
  constexpr std::ptrdiff_t kDigitsMax = 18;
  const char* const begin = at;
  if (at == end || *at < '1' || *at > '9') return nullptr;
  at = skip_digits(at, end);
  if (at == end || at - begin > kDigitsMax || *at == '.' || (*at | 0x20) == 'e') return nullptr;
  return at;
}

struct JsonNumber {
  const char* end = nullptr;  // Where it ends, or stops being a number.
  bool is_valid = false;
  bool has_fraction = false;
  bool has_exponent = false;
};

inline JsonNumber skip_number(const char* at, const char* end) {
  JsonNumber number;
  const auto take_digits = [&] {
    const char* const from = at;
    at = skip_digits(at, end);
    return at != from;
  };
  at += at != end && *at == '-';
  bool valid = true;
  if (at != end && *at == '0') {
    ++at;
  } else {
    valid = take_digits();
  }
  if (valid && at != end && *at == '.') {
    ++at;
    number.has_fraction = true;
    valid = take_digits();
  }
  if (valid && at != end && (*at | 0x20) == 'e') {
    ++at;
    number.has_exponent = true;
    at += at != end && (*at == '+' || *at == '-');
    valid = take_digits();
  }
  number.is_valid = valid;
  number.end = at;
  return number;
}

}  // namespace flagstone::evaluation
