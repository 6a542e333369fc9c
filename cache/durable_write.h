// The one place that knows in which order to write so that a crash leaves the old or the new, never
// something between: write, fsync, rename, fsync of the folder.
//
// Writer's thread. Everything may fail; then the old file is as it was.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cache/file_system.h"

namespace flagstone::cache {

// Temporary files end in this; whoever finds one may remove it.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// Puts `bytes` in the place of folder/name. Syncs the folder last, and with it the names of files
// that were made there before.
FileResult<void> replace_file(FileSystem& files, const std::string& folder, std::string_view name,
                              std::string_view bytes);

// REQUIRES: an absolute path. Makes the folder and those above it, as far as they are missing, and
// syncs what names them.
FileResult<void> make_folders(FileSystem& files, const std::string& path);

// The whole file; EFBIG when it is larger than `max_bytes`.
FileResult<std::string> read_file(FileSystem& files, const std::string& path,
                                  std::uint64_t max_bytes);

// Writes a new file piece by piece, in large calls, and syncs it at the end. Its name is durable
// once the folder is synced.
class FileAppender {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

  static FileResult<FileAppender> create(FileSystem& files, const std::string& path);
  // Where to append the next bytes; call flush_if_full() in between.
  std::string& buffer() { return buffer_; }
  FileResult<void> flush_if_full();
  // All bytes are on the disk when it returns: how many.
  FileResult<std::uint64_t> finish();
  // For reading it from any thread.
  FileResult<std::unique_ptr<const ReadableFile>> share() {
    return files_->share(file_.descriptor());
  }

 private:
  FileAppender(FileSystem& files, int descriptor) : files_(&files), file_(files, descriptor) {}
  FileResult<void> flush();

  FileSystem* files_;
  OpenFile file_;
  std::string buffer_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace flagstone::cache
