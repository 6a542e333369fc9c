// Walks a JSON text that is known to be valid, giving each value's own spelling.
//
// A view, one thread, no allocation. REQUIRES: valid JSON (see json_reader.h); on anything else the
// behaviour is undefined. Used where a value's spelling must survive (`1` and `1.0`), which no
// parser's tree keeps.
#pragma once

#include <cassert>
#include <cstddef>
#include <string_view>

#include "evaluation/json_skip.h"

namespace flagstone::evaluation {

class JsonCursor {
 public:
  // `text` begins with an object or an array, spaces before it allowed.
  explicit JsonCursor(std::string_view text) : text_(text) {
    skip_space();
    assert(text_[at_] == '{' || text_[at_] == '[');
    ++at_;
  }

  // The next member; false at the end. `key` is what stands between the quotes, still escaped.
  bool next(std::string_view& key, std::string_view& value) {
    skip_space();
    if (text_[at_] == ',') {
      ++at_;
      skip_space();
    }
    if (text_[at_] == '}') return false;
    const std::string_view quoted = take_value();
    key = quoted.substr(1, quoted.size() - 2);
    skip_space();
    assert(text_[at_] == ':');
    ++at_;
    skip_space();
    value = take_value();
    return true;
  }
  // An array's next item; false at the end.
  bool next_item(std::string_view& value) {
    skip_space();
    if (text_[at_] == ',') {
      ++at_;
      skip_space();
    }
    if (text_[at_] == ']') return false;
    value = take_value();
    return true;
  }

 private:
  void skip_space() {
    while (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r') {
      ++at_;
    }
  }
  void skip_string() {
    const char* const end = text_.data() + text_.size();
    const char* const quote = find_closing_quote(text_.data() + at_ + 1, end);
    at_ = static_cast<std::size_t>(quote - text_.data()) + 1;
  }
  std::string_view take_value() {
    const std::size_t from = at_;
    if (text_[at_] == '"') {
      skip_string();
      return text_.substr(from, at_ - from);
    }
    if (text_[at_] != '{' && text_[at_] != '[') {
      at_ = text_.find_first_of(" \t\r\n,}]", at_);
      return text_.substr(from, at_ - from);
    }
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      depth += c == '{' || c == '[';
      depth -= c == '}' || c == ']';
      ++at_;
    } while (depth != 0);
    return text_.substr(from, at_ - from);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace flagstone::evaluation
