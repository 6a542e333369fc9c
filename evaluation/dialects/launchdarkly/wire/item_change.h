// FDv1's changes of one flag or segment: the data of `patch` and `delete` events. Pure functions.
//
// Its members come in any order. The errors say why an event is none: the stream cannot be trusted
// then. Nothing, without an error: it is about a kind that we do not know.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/record.h"

namespace flagstone::evaluation::launchdarkly {

// {"path": "/flags/KEY", "data": {…}}
std::expected<std::optional<Record>, std::string> read_patch(std::string_view text);
// {"path": "/flags/KEY", "version": 7}
std::expected<std::optional<Record>, std::string> read_delete(std::string_view text);

}  // namespace flagstone::evaluation::launchdarkly
