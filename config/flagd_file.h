// flagd's own configuration file: its options by their names, nothing of ours but `bind`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/layer.h"
#include "config/problem.h"
#include "config/yaml_tree.h"

namespace flagstone::config {

// Whose the file is, by its top-level keys. An empty one is ours.
enum class FileKind : std::uint8_t { kOwn, kFlagd, kMixed };
// kMixed is a problem, which names a key of each kind.
FileKind file_kind(const YamlNode& root, const std::string& file_name, ProblemList& problems);

// What the file says, to be merged below variables and flags. As in flagd, names do not tell upper
// from lower case, unknown ones are ignored (here with a warning), and paths are seen from the
// working directory.
Layer read_flagd_file(const YamlNode& root, const std::string& file_name, ProblemList& problems,
                      std::vector<std::string>& warnings);

}  // namespace flagstone::config
