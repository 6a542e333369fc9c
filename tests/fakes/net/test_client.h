// A blocking client on a plain socket, used from a thread beside the server's loop.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "net/address.h"

namespace flagstone::net {

class TestClient {
 public:
  static constexpr int kPatienceMs = 20000;  // a hang is a failure, not an endless test

  explicit TestClient(const Address& address, int receive_bytes = 0) {
    socket_ = ::socket(address.is_unix() ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    if (address.is_unix()) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::copy(address.path().begin(), address.path().end(), name.sun_path);
      connected = ::connect(socket_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(address.port());
      name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      connected = ::connect(socket_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
    }
  }
  TestClient(TestClient&& other) noexcept
      : connected(other.connected),
        received(std::move(other.received)),
        socket_(std::exchange(other.socket_, -1)) {}
  ~TestClient() { close(); }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  // As a peer that crashed.
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void end_writing() { ::shutdown(socket_, SHUT_WR); }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  // False at the end of the connection, its reset, or the end of patience.
  bool read_more() {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) return false;
    char bytes[65536];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    received.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  bool read_until(std::string_view text) {
    while (received.find(text) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  std::string read_to_end() {
    while (read_more()) {
    }
    return received;
  }
  std::string ask(std::string_view request, std::string_view until) {
    received.clear();
    if (!write(request) || !read_until(until)) return "(" + received + ")";
    return received;
  }

  bool connected = false;
  std::string received;

 private:
  int socket_ = -1;
};

}  // namespace flagstone::net
