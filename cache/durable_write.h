// The one place that knows in which order to write so that a crash leaves the old or the new, never
// something between: write, fsync, rename, fsync of the folder.
//
// Writer's thread. Everything may fail; then the old file is as it was.
#pragma once

#include <string>
#include <string_view>

#include "cache/file_system.h"

namespace flagstone::cache {

// Temporary files end in this; whoever finds one may remove it.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// Puts `bytes` in the place of folder/name.
FileResult<void> replace_file(FileSystem& files, const std::string& folder, std::string_view name,
                              std::string_view bytes);

// Makes the folder and those above it below `root`, which exists, and syncs what names them.
FileResult<void> make_folders(FileSystem& files, const std::string& root, std::string_view below);

// The whole file, EFBIG when it is larger than `max_bytes`.
FileResult<std::string> read_file(FileSystem& files, const std::string& path,
                                  std::uint64_t max_bytes);

}  // namespace flagstone::cache
