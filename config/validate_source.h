// The checks of one source, and how a check reports. Pure; part of validate().
#pragma once

#include <string>
#include <string_view>

#include "config/options.h"
#include "config/problem.h"
#include "config/values.h"

namespace flagstone::config {

// Adds problems with the place where the value was written.
class Report {
 public:
  Report(const Origins& origins, ProblemList& problems) : origins_(origins), problems_(problems) {}

  // `path` as in Origins: "environments.default.sources[0].uri".
  void add(const std::string& path, std::string message);

  // Refuses a value outside [least, most], naming it by the last part of its path.
  template <typename T>
  void range(const std::string& path, T value, T least, T most) {
    if (value >= least && value <= most) {
      return;
    }
    T limit = value < least ? least : most;
    add(path, "`" + path.substr(path.find_last_of('.') + 1) + "` is " + format_field(&value) +
                  (value < least ? ", it must be at least " : ", it must be at most ") +
                  format_field(&limit));
  }

 private:
  const Origins& origins_;
  ProblemList& problems_;
};

void validate_source(const Source& source, const std::string& path, Report& report);

// RFC 9110's token.
bool is_header_name(std::string_view name);

bool is_variable_name(std::string_view name);

// The name of an environment variable; empty is fine.
void validate_variable_name(std::string_view name, const std::string& path, Report& report);

}  // namespace flagstone::config
