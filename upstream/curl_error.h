// What a CURLcode means for us. Pure.
#pragma once

#include <string_view>

#include "upstream/http_client.h"

namespace flagstone::upstream {

// `code` is a CURLcode, `detail` what curl wrote into its error buffer (may be empty); `answered`:
// the answer's head was complete; `system_error`: the last errno of a socket, zero when none.
HttpError curl_error(int code, std::string_view detail, bool answered, int system_error);

}  // namespace flagstone::upstream
