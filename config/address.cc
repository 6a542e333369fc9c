#include "config/address.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace flagstone::config {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTls = "tls:";
constexpr unsigned kPortMax = 65535;

bool is_port(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && rest == end && port <= kPortMax;
}

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

// "::1", with or without a zone: "fe80::1%eth0".
bool is_ipv6(std::string_view text) {
  const std::string_view number = text.substr(0, text.find('%'));
  const std::string_view zone = text.substr(number.size());
  const auto is_number_char = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
  };
  return number.contains(':') && std::ranges::all_of(number, is_number_char) &&
         (zone.empty() || std::ranges::all_of(zone.substr(1), is_name_char));
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2));
  }
  return !host.empty() && std::ranges::all_of(host, is_name_char);
}

std::optional<std::string> unix_problem(std::string_view path) {
  if (path.empty()) {
    return "`unix:` needs a path, like `unix:/run/flagstone/flagstone.sock`";
  }
  if (path.size() > kSocketPathBytesMax) {
    return "the socket's path is longer than " + std::to_string(kSocketPathBytesMax) +
           " bytes, which the system does not allow";
  }
  return std::nullopt;
}

std::optional<std::string> tcp_problem(const std::string& prefix, std::string_view address) {
  const std::string text(address);
  if (address.starts_with('/')) {
    return "`" + text + "` is a path, write `unix:" + text + "`";
  }
  if (!address.empty() && is_port(address)) {
    return "`" + prefix + text + "` has no host, write `" + prefix + "127.0.0.1:" + text + "`";
  }
  if (address.contains("//")) {
    return "`" + text + "` is a URL, write only its `HOST:PORT`";
  }
  const std::string shape = "is not an address, write `" + prefix + "HOST:PORT` or `unix:PATH`";
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || !is_port(address.substr(colon + 1))) {
    return "`" + prefix + text + "` " + shape;
  }
  const std::string_view host = address.substr(0, colon);
  if (host.empty()) {
    return "`" + prefix + text + "` has no host, write `" + prefix + "127.0.0.1" + text +
           "`, or `" + prefix + "0.0.0.0" + text + "` for all interfaces";
  }
  if (!host.starts_with('[') && host.contains(':')) {
    return "`" + prefix + text + "` has an IPv6 host without brackets, write `" + prefix +
           "[ADDRESS]:PORT`";
  }
  if (!is_host(host)) {
    return "`" + prefix + text + "` " + shape;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> address_problem(std::string_view address) {
  if (address.starts_with(kUnix)) {
    return unix_problem(address.substr(kUnix.size()));
  }
  if (!is_tls_address(address)) {
    return tcp_problem({}, address);
  }
  const std::string_view inner = endpoint_of(address);
  if (inner.starts_with(kUnix)) {
    return "there is no TLS on Unix sockets, write `" + std::string(inner) + "`";
  }
  return tcp_problem(std::string(kTls), inner);
}

bool is_tls_address(std::string_view address) { return address.starts_with(kTls); }

std::string_view endpoint_of(std::string_view address) {
  return is_tls_address(address) ? address.substr(kTls.size()) : address;
}

std::string tcp_address(std::string_view host, std::uint32_t port) {
  const bool needs_brackets = host.contains(':') && !host.starts_with('[');
  return (needs_brackets ? "[" + std::string(host) + "]" : std::string(host)) + ":" +
         std::to_string(port);
}

std::string reachable_address(std::string_view address) {
  if (is_tls_address(address)) {
    return std::string(kTls) + reachable_address(endpoint_of(address));
  }
  for (const auto& [wildcard, loopback] :
       {std::pair<std::string_view, std::string_view>{"0.0.0.0:", "127.0.0.1:"},
        std::pair<std::string_view, std::string_view>{"[::]:", "[::1]:"}}) {
    if (address.starts_with(wildcard)) {
      return std::string(loopback) + std::string(address.substr(wildcard.size()));
    }
  }
  return std::string(address);
}

}  // namespace flagstone::config
