// The real disk. Any thread; no state of its own.
#pragma once

#include "cache/file_system.h"

namespace flagstone::cache {

class PosixFileSystem final : public FileSystem {
 public:
  FileResult<int> open_for_reading(const std::string& path) override;
  FileResult<int> create(const std::string& path) override;
  FileResult<int> open_for_writing(const std::string& path) override;
  void close(int descriptor) override;
  FileResult<std::unique_ptr<const ReadableFile>> share(int descriptor) override;
  FileResult<int> create_unnamed(const std::string& folder) override;
  FileResult<std::size_t> read_at(int descriptor, std::span<char> to,
                                  std::uint64_t offset) override;
  FileResult<void> write_at(int descriptor, std::string_view bytes, std::uint64_t offset) override;
  FileResult<std::uint64_t> size(int descriptor) override;
  FileResult<void> truncate(int descriptor, std::uint64_t size_bytes) override;
  FileResult<void> sync(int descriptor) override;
  FileResult<void> rename(const std::string& from, const std::string& to) override;
  FileResult<void> unlink(const std::string& path) override;
  FileResult<void> remove_folder(const std::string& path) override;
  FileResult<void> make_folder(const std::string& path) override;
  FileResult<std::vector<FolderItem>> list(const std::string& path) override;
  FileResult<void> sync_folder(const std::string& path) override;
  FileResult<int> lock(const std::string& path) override;
  FileResult<std::uint64_t> free_bytes(const std::string& path) override;
  FileResult<bool> is_memory(const std::string& path) override;
};

}  // namespace flagstone::cache
