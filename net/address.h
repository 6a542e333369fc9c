// Where to listen, as the operator writes it: `unix:PATH`, `HOST:PORT`, `[::1]:8016`, and
// `tls:HOST:PORT` for TLS there.
//
// A value. Parsing looks nothing up and touches no file.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace flagstone::net {

// What kind of peer can reach a listener; the host guard and the apis ask for it. Loopback is
// 127.0.0.0/8, ::1 and `localhost`.
enum class ListenerKind : std::uint8_t { kLoopbackTcp, kOtherTcp, kUnix };

class Address {
 public:
  // The error is a complete sentence for the operator.
  static std::expected<Address, std::string> parse(std::string_view text);

  bool is_tls() const { return tls_; }  // TCP only
  bool is_unix() const { return kind() == ListenerKind::kUnix; }
  ListenerKind kind() const { return kind_; }

  const std::string& path() const { return text_; }  // Unix sockets only
  const std::string& host() const { return text_; }  // TCP only; IPv6 without brackets
  std::uint16_t port() const { return port_; }       // TCP only; 0 asks the system for one
  Address with_port(std::uint16_t port) const;
  std::string to_string() const;  // what parse() reads

  bool operator==(const Address&) const = default;

 private:
  static std::expected<Address, std::string> parse_tcp(std::string_view written);

  ListenerKind kind_ = ListenerKind::kOtherTcp;
  bool tls_ = false;
  std::uint16_t port_ = 0;
  std::string text_;
};

}  // namespace flagstone::net
