#include "config/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flagstone::config {
namespace {

// Closes the descriptor on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected("cannot be read: " + std::string(std::strerror(error)));
}

}  // namespace

std::expected<std::string, std::string> read_regular_file(const std::string& path,
                                                          std::size_t bytes_max) {
  // O_NONBLOCK: opening a pipe without a writer would wait for ever. O_NOCTTY: a terminal named by
  // mistake must not become ours.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    return unreadable(errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return unreadable(errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return std::unexpected("is not a regular file");
  }
  constexpr std::size_t kPieceBytes = 4096;
  std::string text;
  std::size_t filled = 0;
  while (filled < bytes_max) {
    text.resize(std::min(bytes_max, filled + std::max(filled, kPieceBytes)));
    const ssize_t got = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (got == 0) {
      break;
    }
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return unreadable(errno);
    }
  }
  text.resize(filled);
  return text;
}

}  // namespace flagstone::config
