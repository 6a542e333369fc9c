// What is wrong with a configuration, where, and what to do about it. A pure value.
#pragma once

#include <string>
#include <vector>

namespace flagstone::config {

// sysexits.h: EX_USAGE and EX_DATAERR.
inline constexpr int kExitUsage = 64;
inline constexpr int kExitContent = 65;

struct Problem {
  std::string where;    // "flagstone.yaml:12", "--listen", a variable's name, or empty.
  std::string message;  // What and the remedy, without the place.
  // What a file says is content; what the command line or a variable says is usage.
  int exit_code = kExitContent;
};

// "flagstone.yaml:12: unknown key `intervall`, did you mean `interval`?"
std::string to_string(const Problem& problem);

// Collected, not thrown: an operator wants to see all of them at once.
using ProblemList = std::vector<Problem>;

// In the order of the file's lines, without repetitions; those without a line come first.
void sort_by_line(ProblemList& problems);

}  // namespace flagstone::config
