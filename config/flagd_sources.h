// flagd's `--sources`: a JSON array of its SourceConfig, as our sources. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

// What cannot be served as asked is a problem; what can be left out is a warning. Both name
// `origin`, where the text was written, and neither ever quotes `authHeader`, `bearerToken` or a
// header's value.
std::vector<Source> read_flagd_sources(std::string_view json, const Origin& origin,
                                       ProblemList& problems, std::vector<std::string>& warnings);

}  // namespace flagstone::config
