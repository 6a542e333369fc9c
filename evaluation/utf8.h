// Whether bytes are UTF-8: what comes from URLs and headers must be, before it stands in JSON.
//
// Pure; any thread.
#pragma once

#include <string_view>

namespace flagstone::evaluation {

bool is_utf8(std::string_view bytes);

}  // namespace flagstone::evaluation
