#include "upstream/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace flagstone::upstream {
namespace {

// A call's worth. The kernel is not to read ahead by the disk's own setting (some have 8 MiB): it
// counts in a container's memory and cannot be taken back until it has come.
constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

// Closes the descriptor on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<FileError> system_error(int code) {
  const bool missing = code == ENOENT || code == ENOTDIR;
  return std::unexpected(FileError{
      missing ? FileError::Kind::kMissing : FileError::Kind::kUnreadable, std::strerror(code)});
}

std::unexpected<FileError> too_large(std::size_t max_bytes) {
  return std::unexpected(
      FileError{FileError::Kind::kTooLarge, "larger than " + std::to_string(max_bytes) + " bytes"});
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

// A file that is read in pieces is one that nobody is appending to: its size counts.
FileResult read_piece(int file, const FileRequest& request, FileContent content) {
  const std::uint64_t left =
      content.stamp.size - std::min<std::uint64_t>(request.offset, content.stamp.size);
  content.bytes.resize(
      static_cast<std::size_t>(std::min<std::uint64_t>(left, request.piece_bytes)));
  std::size_t filled = 0;
  while (filled < content.bytes.size()) {
    const ssize_t got = ::pread(file, content.bytes.data() + filled,
                                std::min(content.bytes.size() - filled, kReadBytes),
                                static_cast<off_t>(request.offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno);
    if (got == 0) {
      return std::unexpected(FileError{FileError::Kind::kChanged, "it changed while it was read"});
    }
    filled += static_cast<std::size_t>(got);
  }
  content.complete = request.offset + filled == content.stamp.size;
  return content;
}

}  // namespace

FileResult read_file_blocking(const FileRequest& request) {
  // O_NONBLOCK: opening a pipe without a writer would wait for ever.
  const Descriptor file(::open(request.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error(errno);
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_error(errno);
  if (!S_ISREG(status.st_mode)) {
    return std::unexpected(FileError{FileError::Kind::kUnreadable, "not a regular file"});
  }
  FileContent content;
  content.stamp = stamp_of(status);
  if (request.unless == content.stamp) {
    content.unchanged = true;
    return content;
  }
  if (request.continues && *request.continues != content.stamp) {
    return std::unexpected(FileError{FileError::Kind::kChanged, "it changed while it was read"});
  }
  if (content.stamp.size > request.max_bytes) return too_large(request.max_bytes);
  if (request.piece_bytes != 0 && content.stamp.size > request.piece_bytes) {
    return read_piece(file.get(), request, std::move(content));
  }
  // One byte more than it should have, so that a file that grew meanwhile is noticed.
  content.bytes.resize(static_cast<std::size_t>(content.stamp.size) + 1);
  std::size_t filled = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), content.bytes.data() + filled,
                               std::min(content.bytes.size() - filled, kReadBytes));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > request.max_bytes) return too_large(request.max_bytes);
    if (filled == content.bytes.size()) content.bytes.resize(filled * 2);
  }
  content.bytes.resize(filled);
  return content;
}

}  // namespace flagstone::upstream
