// The blocking lookup that the resolver runs on threads of its own.
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "net/resolver.h"

namespace flagstone::net {

std::expected<std::vector<std::string>, Error> look_up_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // else every address comes once per kind of socket
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (problem != 0) {
    const std::string why = problem == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(problem);
    return std::unexpected(Error{0, "cannot resolve " + host + ": " + why});
  }
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    if (std::ranges::find(addresses, text.data()) == addresses.end()) {
      addresses.emplace_back(text.data());
    }
  }
  ::freeaddrinfo(found);
  if (addresses.empty())
    return std::unexpected(Error{0, "cannot resolve " + host + ": no address"});
  return addresses;
}

}  // namespace flagstone::net
