#include "tests/bench/target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>

namespace flagstone::bench {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

std::unexpected<std::string> failed(std::string_view target) {
  return std::unexpected(std::string(target) + ": " + strerror(errno));
}

std::expected<int, std::string> connect_socket(std::string_view target, int family,
                                               const sockaddr* address, socklen_t size) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(target);
  // Connecting blocks, which loopback makes short; only what comes after must not.
  if (connect(fd, address, size) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
    const auto error = failed(target);
    close(fd);
    return error;
  }
  return fd;
}

std::expected<int, std::string> connect_unix(std::string_view target) {
  const std::string path(target.substr(kUnixPrefix.size()));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::unexpected(path + ": path too long");
  path.copy(address.sun_path, path.size());
  return connect_socket(target, AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

std::expected<int, std::string> connect_tcp(std::string_view target) {
  const auto colon = target.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t port = 0;
  if (colon != std::string_view::npos)
    std::from_chars(target.data() + colon + 1, target.data() + target.size(), port);
  address.sin_port = htons(port);
  if (port == 0 ||
      inet_pton(AF_INET, std::string(target.substr(0, colon)).c_str(), &address.sin_addr) != 1)
    return std::unexpected(std::string(target) + ": expected IPV4:PORT or unix:PATH");
  auto fd = connect_socket(target, AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int on = 1;
  if (fd) setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

std::expected<int, std::string> connect_to(std::string_view target) {
  return target.starts_with(kUnixPrefix) ? connect_unix(target) : connect_tcp(target);
}

}  // namespace flagstone::bench
