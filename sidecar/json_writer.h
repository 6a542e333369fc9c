// Writes JSON member by member, with the commas and quotes right: for status pages, not for
// answers.
//
// Appends to a string it borrows; the caller opens and closes in pairs.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <string>
#include <string_view>

#include "evaluation/json_text.h"

namespace flagstone::sidecar {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
  }
  void close(char bracket) {
    out_ += bracket;
    comma_ = true;
  }
  void name(std::string_view name) {
    separate();
    evaluation::append_json_string(out_, name);
    out_ += ':';
    comma_ = false;
  }
  void text(std::string_view value) {
    separate();
    evaluation::append_json_string(out_, value);
  }
  template <typename Number>
  void number(Number value) {
    separate();
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void member(std::string_view member_name, std::string_view value) {
    name(member_name);
    text(value);
  }
  void member(std::string_view member_name, bool value) {
    name(member_name);
    boolean(value);
  }
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  void member(std::string_view member_name, Number value) {
    name(member_name);
    number(value);
  }
  void boolean(bool value) {
    separate();
    out_ += value ? "true" : "false";
  }
  void null() {
    separate();
    out_ += "null";
  }

 private:
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;
};

}  // namespace flagstone::sidecar
