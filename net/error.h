// What went wrong at the operating system's door, as a value.
#pragma once

#include <string>

namespace flagstone::net {

struct Error {
  int number = 0;       // errno, or 0 where there is none
  std::string message;  // complete for an operator: what was tried, on what, and why it failed
};

}  // namespace flagstone::net
