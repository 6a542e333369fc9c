#include "upstream/random_bytes.h"

#include <sys/random.h>

#include <cassert>
#include <cerrno>

namespace flagstone::upstream {
namespace {

constexpr std::size_t kWholeBytesMax = 256;

}  // namespace

std::string random_bytes(std::size_t count) {
  assert(count <= kWholeBytesMax);
  std::string bytes(count, '\0');
  // Cannot fail for so few bytes once the system has booted; interrupted before that it can be.
  while (getrandom(bytes.data(), bytes.size(), 0) < 0 && errno == EINTR) {
  }
  return bytes;
}

}  // namespace flagstone::upstream
