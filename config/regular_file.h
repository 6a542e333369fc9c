// Reads a small file whole, and nothing but a regular file.
//
// Blocks on the disk alone: never on a pipe nobody writes to, a terminal or a device, so that a
// wrong path is an error and not a process that hangs. Not for a serving thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace flagstone::config {

// At most `bytes_max` bytes from the file's beginning; ask for one more than is allowed to notice
// a longer file. The error is what follows the file's name in a sentence: "is not a regular file",
// "cannot be read: Permission denied".
std::expected<std::string, std::string> read_regular_file(const std::string& path,
                                                          std::size_t bytes_max);

}  // namespace flagstone::config
