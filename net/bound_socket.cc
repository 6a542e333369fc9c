#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "net/listener.h"

namespace flagstone::net {
namespace {

constexpr int kBacklog = 1024;  // truncated to net.core.somaxconn

// Peers that vanished are noticed within a minute. Accepted sockets inherit all of these on Linux.
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;
// Probes do not run while bytes are on their way; such a peer would be noticed only after a quarter
// of an hour of sending them again.
constexpr int kUnacknowledgedMs = 60'000;

Error failed(const Address& address, int error) {
  return {error, "cannot listen on " + address.to_string() + ": " + std::strerror(error)};
}

Error failed(const Address& address, const std::string& why) {
  return {0, "cannot listen on " + address.to_string() + ": " + why};
}

void set_option(int descriptor, int level, int option, int value) {
  ::setsockopt(descriptor, level, option, &value, sizeof value);
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

std::expected<AddressList, Error> look_up(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  const std::string host = address.host() == "localhost" ? "127.0.0.1" : address.host();
  addrinfo* found = nullptr;
  const int problem =
      ::getaddrinfo(host.c_str(), std::to_string(address.port()).c_str(), &hints, &found);
  if (problem != 0) return std::unexpected(failed(address, std::string(::gai_strerror(problem))));
  return AddressList(found, &::freeaddrinfo);
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  if (name.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&name)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
}

sockaddr_un unix_name(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), name.sun_path);
  return name;
}

// Whether somebody answers at the path, lock or no lock.
bool is_served(const std::string& path) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const sockaddr_un name = unix_name(path);
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof name);
  const bool served = result == 0 || errno == EAGAIN;  // EAGAIN: its backlog is full
  ::close(probe);
  return served;
}

}  // namespace

std::size_t affordable_connections(std::size_t wanted, std::size_t reserved) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t all = limit.rlim_cur;
  return std::max<std::size_t>(1, std::min(wanted, all > reserved ? all - reserved : 0));
}

std::expected<BoundSocket, Error> BoundSocket::bind(const Address& address) {
  BoundSocket socket(address);
  const std::expected<void, Error> result =
      address.is_unix() ? socket.bind_unix() : socket.bind_tcp();
  if (!result) return std::unexpected(result.error());
  return socket;
}

std::expected<void, Error> BoundSocket::bind_tcp() {
  auto addresses = look_up(address_);
  if (!addresses) return std::unexpected(addresses.error());
  const addrinfo& first = **addresses;
  descriptor_ = ::socket(first.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor_ < 0) return std::unexpected(failed(address_, errno));
  // Connections of a former process in TIME_WAIT must not keep the port; a living listener still
  // does.
  set_option(descriptor_, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set_option(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set_option(descriptor_, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set_option(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMs);
  if (::bind(descriptor_, first.ai_addr, first.ai_addrlen) != 0 ||
      ::listen(descriptor_, kBacklog) != 0) {
    return std::unexpected(failed(address_, errno));
  }
  address_ = address_.with_port(bound_port(descriptor_));
  return {};
}

std::expected<void, Error> BoundSocket::bind_unix() {
  const std::string& path = address_.path();
  const std::string lock_path = path + ".lock";
  lock_descriptor_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_descriptor_ < 0) {
    return std::unexpected(
        failed(address_, "lock file " + lock_path + ": " + std::strerror(errno)));
  }
  if (::flock(lock_descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(failed(address_, errno));
    return std::unexpected(failed(address_, "another process serves " + path));
  }
  struct stat old{};
  if (::lstat(path.c_str(), &old) == 0) {
    if (!S_ISSOCK(old.st_mode)) return std::unexpected(failed(address_, "a file is in the way"));
    if (is_served(path)) {
      return std::unexpected(failed(address_, "another process serves " + path));
    }
    if (::unlink(path.c_str()) != 0) return std::unexpected(failed(address_, errno));
  }
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor_ < 0) return std::unexpected(failed(address_, errno));
  const sockaddr_un name = unix_name(path);
  if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return std::unexpected(failed(address_, errno));
  }
  struct stat ours{};
  if (::lstat(path.c_str(), &ours) == 0) {
    device_ = ours.st_dev;
    inode_ = ours.st_ino;
  }
  // Nobody can connect before listen(), so the mode is right from a client's first sight.
  if (::chmod(path.c_str(), kUnixSocketMode) != 0 || ::listen(descriptor_, kBacklog) != 0) {
    return std::unexpected(failed(address_, errno));
  }
  return {};
}

BoundSocket::BoundSocket(BoundSocket&& other) noexcept
    : address_(std::move(other.address_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      lock_descriptor_(std::exchange(other.lock_descriptor_, -1)),
      device_(std::exchange(other.device_, 0)),
      inode_(std::exchange(other.inode_, 0)) {}

BoundSocket::~BoundSocket() {
  if (inode_ != 0) {
    struct stat now{};
    const bool ours = ::lstat(address_.path().c_str(), &now) == 0 && now.st_dev == device_ &&
                      now.st_ino == inode_;
    if (ours) ::unlink(address_.path().c_str());
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  if (lock_descriptor_ >= 0) ::close(lock_descriptor_);
}

}  // namespace flagstone::net
