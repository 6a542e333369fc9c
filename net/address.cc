#include "net/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace flagstone::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_ipv6(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_loopback_host(const std::string& host) {
  if (host == "localhost") return true;
  in_addr four;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six;
  if (inet_pton(AF_INET6, host.c_str(), &six) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return six.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&six);
}

// A name that could be in DNS, or a numeric IPv4 address.
bool is_host_name(std::string_view host) {
  constexpr std::size_t kHostBytesMax = 253;
  if (host.empty() || host.size() > kHostBytesMax) return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::unexpected<std::string> refuse(std::string_view text, std::string_view why) {
  // Not by `+`: optimised without LTO, GCC 12 warns of an overlap there that cannot be.
  std::string message = "'";
  message.append(text).append("' is no address to listen on: ").append(why);
  return std::unexpected(std::move(message));
}

}  // namespace

std::expected<Address, std::string> Address::parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    Address address;
    const std::string_view path = text.substr(5);
    if (path.empty()) return refuse(text, "the path is missing; write unix:/path/to/socket");
    if (path.find('\0') != std::string_view::npos) return refuse(text, "the path contains a NUL");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return refuse(text, "the path is longer than the 107 bytes that Unix sockets allow");
    }
    address.kind_ = ListenerKind::kUnix;
    address.text_ = path;
    return address;
  }
  return parse_tcp(text);
}

std::expected<Address, std::string> Address::parse_tcp(std::string_view written) {
  constexpr std::string_view kTls = "tls:";
  Address address;
  address.tls_ = written.starts_with(kTls);
  const std::string_view text = address.tls_ ? written.substr(kTls.size()) : written;
  if (address.tls_ && text.starts_with("unix:")) {
    return refuse(written, "there is no TLS on Unix sockets; write " + std::string(text));
  }
  const std::size_t colon = text.rfind(':');
  if (text.starts_with(':')) {
    const std::string tls = address.tls_ ? "tls:" : "";
    const std::string port(text);
    return refuse(written, "it names no host; write " + tls + "127.0.0.1" + port +
                               " for this machine only, or " + tls + "0.0.0.0" + port +
                               " for every interface");
  }
  const bool bracketed = text.starts_with('[');
  if (bracketed && text.find(']') == std::string_view::npos) {
    return refuse(written, "write an IPv6 address as [::1]:PORT");
  }
  if (colon == std::string_view::npos || (bracketed && colon < text.rfind(']'))) {
    return refuse(written, "the port is missing; write HOST:PORT or unix:PATH");
  }
  std::string_view host = text.substr(0, colon);
  if (bracketed) {
    if (!host.ends_with(']')) return refuse(written, "write an IPv6 address as [::1]:PORT");
    address.text_ = host.substr(1, host.size() - 2);
    if (!is_ipv6(address.text_))
      return refuse(written, "what stands in brackets is no IPv6 address");
  } else {
    if (host.find(':') != std::string_view::npos) {
      return refuse(written, "write an IPv6 address in brackets, as [::1]:PORT");
    }
    if (!is_host_name(host)) return refuse(written, "the host is no name and no IPv4 address");
    address.text_ = host;
  }
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return refuse(written, "the port is no number from 0 to 65535");
  address.port_ = *port;
  address.kind_ =
      is_loopback_host(address.text_) ? ListenerKind::kLoopbackTcp : ListenerKind::kOtherTcp;
  return address;
}

Address Address::with_port(std::uint16_t port) const {
  Address copy = *this;
  copy.port_ = port;
  return copy;
}

std::string Address::to_string() const {
  if (is_unix()) return "unix:" + text_;
  const bool brackets = text_.find(':') != std::string::npos;
  std::string text = tls_ ? "tls:" : "";
  text.append(brackets ? "[" + text_ + "]" : text_).append(":").append(std::to_string(port_));
  return text;
}

}  // namespace flagstone::net
