// A name for this process, for vendors who count their clients.
#pragma once

#include <string>

#include "upstream/clock.h"

namespace flagstone::upstream {

// A random UUID, version 4.
std::string make_instance_id(RandomSource& random);

}  // namespace flagstone::upstream
