// Reads the configuration file: YAML (JSON is YAML), at most 1 MiB, no aliases, no duplicates, no
// unknown keys. Every problem is collected with its line. flagd's own file is known by its keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/layer.h"
#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

inline constexpr std::size_t kConfigBytesMax = 1024 * 1024;

// Writes what `text` says over `options`. `file_name` names places and its folder is what relative
// paths in the text are relative to. Pure.
void read_config_text(std::string_view text, const std::string& file_name, Options& options,
                      ProblemList& problems);

// The same with the file's bytes; that it cannot be read is a problem too. A file of flagd's
// switches flagd mode on, and what it says comes back as a layer, to be merged below variables and
// flags; for a file of ours the layer is empty.
Layer read_config_file(const std::string& file_name, Options& options, ProblemList& problems,
                       std::vector<std::string>& warnings);

}  // namespace flagstone::config
