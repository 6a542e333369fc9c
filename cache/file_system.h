// Every call to the disk that the state makes, so that a test can be a full disk, a broken one, or
// one whose power went.
//
// Used on the writer's thread; calls may block for as long as the disk likes. Everything may fail,
// with the errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/readable_file.h"

namespace flagstone::cache {

struct FileError {
  int code = 0;       // errno
  std::string where;  // "write /var/lib/flagstone/default/0-ab/3.base"
};
// "write /var/…: No space left on device"
std::string describe(const FileError& error);

template <typename T>
using FileResult = std::expected<T, FileError>;

struct FolderItem {
  std::string name;
  bool is_folder = false;
  std::uint64_t size_bytes = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Descriptors are owned by the caller; see OpenFile. Files are made 0600, folders 0700; symbolic
  // links are not followed.
  virtual FileResult<int> open_for_reading(const std::string& path) = 0;
  virtual FileResult<int> create(const std::string& path) = 0;            // emptied if it exists
  virtual FileResult<int> open_for_writing(const std::string& path) = 0;  // kept if it exists
  virtual void close(int descriptor) = 0;

  // The same file for reading from any thread; the descriptor may be closed.
  virtual FileResult<std::unique_ptr<const ReadableFile>> share(int descriptor) = 0;
  // A file without a name, for reading and writing, that is gone when it is closed.
  virtual FileResult<int> create_unnamed(const std::string& folder) = 0;

  // Fewer bytes than asked for only at the file's end.
  virtual FileResult<std::size_t> read_at(int descriptor, std::span<char> to,
                                          std::uint64_t offset) = 0;
  // All bytes or an error.
  virtual FileResult<void> write_at(int descriptor, std::string_view bytes,
                                    std::uint64_t offset) = 0;
  virtual FileResult<std::uint64_t> size(int descriptor) = 0;
  virtual FileResult<void> truncate(int descriptor, std::uint64_t size_bytes) = 0;
  virtual FileResult<void> sync(int descriptor) = 0;

  virtual FileResult<void> rename(const std::string& from, const std::string& to) = 0;
  virtual FileResult<void> unlink(const std::string& path) = 0;
  virtual FileResult<void> remove_folder(const std::string& path) = 0;  // an empty one
  virtual FileResult<void> make_folder(const std::string& path) = 0;    // EEXIST is an error too
  virtual FileResult<std::vector<FolderItem>> list(const std::string& path) = 0;
  virtual FileResult<void> sync_folder(const std::string& path) = 0;

  // Locks the file as long as the descriptor stays open; EWOULDBLOCK when another process has it.
  virtual FileResult<int> lock(const std::string& path) = 0;
  virtual FileResult<std::uint64_t> free_bytes(const std::string& path) = 0;
  virtual FileResult<bool> is_memory(const std::string& path) = 0;  // tmpfs, ramfs
};

// A descriptor that closes itself.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(FileSystem& files, int descriptor) : files_(&files), descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  int descriptor() const { return descriptor_; }
  bool is_open() const { return files_ != nullptr; }

 private:
  FileSystem* files_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace flagstone::cache
