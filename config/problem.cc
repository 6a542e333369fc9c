#include "config/problem.h"

namespace flagstone::config {

std::string to_string(const Problem& problem) {
  return problem.where.empty() ? problem.message : problem.where + ": " + problem.message;
}

}  // namespace flagstone::config
