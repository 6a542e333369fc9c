#include "cache/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace flagstone::cache {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
// From linux/magic.h, which not every libc's headers come with.
constexpr long kTmpfsMagic = 0x01021994;
constexpr long kRamfsMagic = 0x858458f6;
// What is brought along for a reader that goes through a file in order.
constexpr std::uint64_t kReadAheadBytes = std::uint64_t{128} * 1024;

std::unexpected<FileError> failed(const char* call, const std::string& path) {
  return std::unexpected(FileError{.code = errno, .where = std::string(call) + " " + path});
}

std::unexpected<FileError> failed(const char* call, int descriptor) {
  return failed(call, "descriptor " + std::to_string(descriptor));
}

// Calls again as long as a signal came in between.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// The kernel would read ahead as far as the disk's setting says, some disks' 8 MiB. Such pages
// count in a container's memory and cannot be taken back until they have come, so that two readers
// of a slow disk are enough for a kill by the kernel.
int without_readahead(int descriptor) {
  if (descriptor >= 0) (void)::posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM);
  return descriptor;
}

FileResult<int> open_file(const std::string& path, int flags) {
  const int descriptor = uninterrupted(
      [&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kFileMode); });
  if (descriptor < 0) return failed("open", path);
  return without_readahead(descriptor);
}

class PosixReadableFile final : public ReadableFile {
 public:
  explicit PosixReadableFile(int descriptor) : descriptor_(descriptor) {}
  ~PosixReadableFile() override { ::close(descriptor_); }
  PosixReadableFile(const PosixReadableFile&) = delete;
  PosixReadableFile& operator=(const PosixReadableFile&) = delete;

  ReadOutcome read(std::span<char> to, std::uint64_t offset) const override {
    bring_neighbours(offset);
    return read_with(to, offset, 0);
  }
  ReadOutcome read_at_once(std::span<char> to, std::uint64_t offset) const override {
    return read_with(to, offset, RWF_NOWAIT);
  }

 private:
  ReadOutcome read_with(std::span<char> to, std::uint64_t offset, int flags) const {
    while (!to.empty()) {
      const iovec piece{.iov_base = to.data(), .iov_len = to.size()};
      const ssize_t n = uninterrupted(
          [&] { return ::preadv2(descriptor_, &piece, 1, static_cast<off_t>(offset), flags); });
      if (n < 0 && errno == EAGAIN) return ReadOutcome::kWouldWait;
      // A file system that cannot say whether it would wait keeps its files in memory, as tmpfs.
      if (n < 0 && flags != 0 && (errno == EOPNOTSUPP || errno == EINVAL)) {
        flags = 0;
        continue;
      }
      if (n <= 0) return ReadOutcome::kFailed;
      to = to.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return ReadOutcome::kDone;
  }

  // Who reads right behind what was read last will go on so; who reads anywhere gets no more than
  // he asks for. Threads that race here ask for something twice or not at all, which costs nothing.
  void bring_neighbours(std::uint64_t offset) const {
    const std::uint64_t before = last_read_.exchange(offset, std::memory_order_relaxed);
    const bool in_order = offset > before && offset - before < kReadAheadBytes;
    const std::uint64_t asked = asked_until_.load(std::memory_order_relaxed);
    const bool is_there = offset < asked && asked - offset <= kReadAheadBytes;
    if (!in_order || is_there) return;
    asked_until_.store(offset + kReadAheadBytes, std::memory_order_relaxed);
    (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), off_t{kReadAheadBytes},
                          POSIX_FADV_WILLNEED);
  }

  const int descriptor_;
  mutable std::atomic<std::uint64_t> last_read_{UINT64_MAX};
  mutable std::atomic<std::uint64_t> asked_until_{0};
};

}  // namespace

FileResult<std::unique_ptr<const ReadableFile>> PosixFileSystem::share(int descriptor) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return failed("duplicate", descriptor);
  return std::make_unique<PosixReadableFile>(copy);
}

FileResult<int> PosixFileSystem::create_unnamed(const std::string& folder) {
  const int descriptor = uninterrupted(
      [&] { return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode); });
  if (descriptor >= 0) return without_readahead(descriptor);
  // Not every file system has files without a name; one whose name goes at once is as good.
  std::string path = folder + "/spool-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named < 0) return failed("create a file in", folder);
  ::unlink(path.c_str());
  return without_readahead(named);
}

FileResult<int> PosixFileSystem::open_for_reading(const std::string& path) {
  return open_file(path, O_RDONLY);
}

FileResult<int> PosixFileSystem::create(const std::string& path) {
  // Read as well: texts are read where they were written.
  return open_file(path, O_RDWR | O_CREAT | O_TRUNC);
}

FileResult<int> PosixFileSystem::open_for_writing(const std::string& path) {
  return open_file(path, O_RDWR | O_CREAT);
}

void PosixFileSystem::close(int descriptor) { ::close(descriptor); }

FileResult<std::size_t> PosixFileSystem::read_at(int descriptor, std::span<char> to,
                                                 std::uint64_t offset) {
  std::size_t got = 0;
  while (got < to.size()) {
    const ssize_t n = uninterrupted([&] {
      return ::pread(descriptor, to.data() + got, to.size() - got,
                     static_cast<off_t>(offset + got));
    });
    if (n < 0) return failed("read", descriptor);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

FileResult<void> PosixFileSystem::write_at(int descriptor, std::string_view bytes,
                                           std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] {
      return ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (n < 0) return failed("write", descriptor);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

FileResult<std::uint64_t> PosixFileSystem::size(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return failed("stat", descriptor);
  return static_cast<std::uint64_t>(status.st_size);
}

FileResult<void> PosixFileSystem::truncate(int descriptor, std::uint64_t size_bytes) {
  if (uninterrupted([&] { return ::ftruncate(descriptor, static_cast<off_t>(size_bytes)); }) != 0) {
    return failed("truncate", descriptor);
  }
  return {};
}

FileResult<void> PosixFileSystem::sync(int descriptor) {
  if (uninterrupted([&] { return ::fsync(descriptor); }) != 0) return failed("fsync", descriptor);
  return {};
}

FileResult<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename to", to);
  return {};
}

FileResult<void> PosixFileSystem::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed("unlink", path);
  return {};
}

FileResult<void> PosixFileSystem::remove_folder(const std::string& path) {
  if (::rmdir(path.c_str()) != 0) return failed("rmdir", path);
  return {};
}

FileResult<void> PosixFileSystem::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolderMode) != 0) return failed("mkdir", path);
  return {};
}

FileResult<std::vector<FolderItem>> PosixFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, void (*)(DIR*)> folder(::opendir(path.c_str()),
                                                    [](DIR* d) { ::closedir(d); });
  if (!folder) return failed("list", path);
  std::vector<FolderItem> items;
  errno = 0;
  while (const dirent* item = ::readdir(folder.get())) {
    FolderItem found{.name = item->d_name, .is_folder = false, .size_bytes = 0};
    struct stat status{};
    const bool special = found.name == "." || found.name == "..";
    if (!special &&
        ::fstatat(::dirfd(folder.get()), item->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      found.is_folder = S_ISDIR(status.st_mode);
      found.size_bytes = found.is_folder ? 0 : static_cast<std::uint64_t>(status.st_size);
      items.push_back(std::move(found));
    }
    errno = 0;
  }
  if (errno != 0) return failed("list", path);
  return items;
}

FileResult<void> PosixFileSystem::sync_folder(const std::string& path) {
  const int descriptor =
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) return failed("open", path);
  const OpenFile folder(*this, descriptor);
  return sync(descriptor);
}

FileResult<int> PosixFileSystem::lock(const std::string& path) {
  FileResult<int> descriptor = open_file(path, O_RDWR | O_CREAT);
  if (!descriptor) return descriptor;
  if (uninterrupted([&] { return ::flock(*descriptor, LOCK_EX | LOCK_NB); }) != 0) {
    const auto error = failed("lock", path);
    close(*descriptor);
    return error;
  }
  return descriptor;
}

FileResult<std::uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return failed("statvfs", path);
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

FileResult<bool> PosixFileSystem::is_memory(const std::string& path) {
  struct statfs status{};
  if (::statfs(path.c_str(), &status) != 0) return failed("statfs", path);
  const auto type = static_cast<long>(status.f_type);
  return type == kTmpfsMagic || type == kRamfsMagic;
}

}  // namespace flagstone::cache
