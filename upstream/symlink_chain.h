// Which names in which folders decide what a path leads to: the file's own, and every symlink on
// the way to it. A ConfigMap's `flags.json` is a symlink over `..data`, a symlink that is swapped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flagstone::upstream {

struct NameInFolder {
  std::string folder;  // Absolute, itself without symlinks.
  std::string name;
  bool operator==(const NameInFolder&) const = default;
};

// In the order of the way. Where the way ends early, the last one is the name that is missing (in a
// folder that exists). Looks at the file system, on the calling thread. Never empty for a
// non-empty path; a chain of more than 40 symlinks ends there.
std::vector<NameInFolder> symlink_chain(std::string_view path);

}  // namespace flagstone::upstream
