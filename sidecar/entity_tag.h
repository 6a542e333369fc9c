// What lets a poller ask whether something changed: entity tags and dates of HTTP.
//
// Pure values and functions. Source: RFC 9110, 8.8 and 13.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/content_hash.h"

namespace flagstone::sidecar {

// A strong entity tag: 32 hexadecimal digits in quotes.
class EntityTag {
 public:
  explicit EntityTag(const evaluation::Digest128& digest);

  std::string_view text() const { return {text_.data(), text_.size()}; }
  // Whether If-None-Match, a list of (possibly weak) tags or `*`, names it. Compared weakly.
  bool matches(std::string_view if_none_match) const;

 private:
  std::array<char, 34> text_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t unix_seconds);
// Of that form only, which everybody sends.
std::optional<std::int64_t> read_http_date(std::string_view text);

}  // namespace flagstone::sidecar
