// Memory that one thread's evaluations use over and over, so that the steady state allocates
// nothing.
//
// Owned by one serving thread (or test); reset before each evaluation by evaluate() itself.
#pragma once

#include <string>

#include "evaluation/arena.h"

namespace flagstone::evaluation {

struct Scratch {
  // Intermediate values and strings of one evaluation.
  Arena arena;
  // Merged metadata members, when both the document and the flag have some.
  std::string metadata;
  // An error's details.
  std::string details;
};

}  // namespace flagstone::evaluation
