#include "net/address.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

TEST(Address, ReadsWhatOperatorsWrite) {
  struct Row {
    std::string text;
    ListenerKind kind;
    std::string where;
    int port;
  };
  const Row rows[] = {
      {"unix:/run/f.sock", ListenerKind::kUnix, "/run/f.sock", 0},
      {"unix:relative.sock", ListenerKind::kUnix, "relative.sock", 0},
      {"unix:" + std::string(107, 'a'), ListenerKind::kUnix, std::string(107, 'a'), 0},
      {"127.0.0.1:8016", ListenerKind::kLoopbackTcp, "127.0.0.1", 8016},
      {"127.9.9.9:1", ListenerKind::kLoopbackTcp, "127.9.9.9", 1},
      {"localhost:0", ListenerKind::kLoopbackTcp, "localhost", 0},
      {"[::1]:8016", ListenerKind::kLoopbackTcp, "::1", 8016},
      {"[::ffff:127.0.0.1]:1", ListenerKind::kLoopbackTcp, "::ffff:127.0.0.1", 1},
      {"0.0.0.0:65535", ListenerKind::kOtherTcp, "0.0.0.0", 65535},
      {"[::]:80", ListenerKind::kOtherTcp, "::", 80},
      {"example.com:80", ListenerKind::kOtherTcp, "example.com", 80},
      {"127.example.com:80", ListenerKind::kOtherTcp, "127.example.com", 80},
      {"tls:0.0.0.0:8443", ListenerKind::kOtherTcp, "0.0.0.0", 8443},
      {"tls:localhost:0", ListenerKind::kLoopbackTcp, "localhost", 0},
      {"tls:[::1]:8443", ListenerKind::kLoopbackTcp, "::1", 8443},
  };
  for (const Row& row : rows) {
    const auto address = Address::parse(row.text);
    ASSERT_TRUE(address) << row.text << ": " << address.error();
    EXPECT_EQ(address->kind(), row.kind) << row.text;
    EXPECT_EQ(address->is_unix() ? address->path() : address->host(), row.where) << row.text;
    EXPECT_EQ(address->port(), row.port) << row.text;
    EXPECT_EQ(address->to_string(), row.text);
    EXPECT_EQ(address->is_tls(), row.text.starts_with("tls:"));
    EXPECT_EQ(address->with_port(7).is_tls(), address->is_tls());
  }
}

TEST(Address, RefusesWithAReason) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "port is missing"},
      {":8016", "write 127.0.0.1:8016"},
      {"8016", "port is missing"},
      {"localhost", "port is missing"},
      {"localhost:", "port is no number"},
      {"localhost:http", "port is no number"},
      {"localhost:65536", "port is no number"},
      {"localhost:-1", "port is no number"},
      {"localhost:80 ", "port is no number"},
      {"tls:", "port is missing"},
      {"tls:8443", "port is missing"},
      {"tls::8443", "write tls:127.0.0.1:8443"},
      {"tls:tls:localhost:8443", "in brackets"},
      {"tls:unix:/run/f.sock", "no TLS on Unix sockets; write unix:/run/f.sock"},
      {"::1:8016", "it names no host"},
      {"fe80::1:8016", "in brackets"},
      {"[::1]", "port is missing"},
      {"[::1:8016", "write an IPv6"},
      {"[localhost]:80", "no IPv6 address"},
      {"[127.0.0.1]:80", "no IPv6 address"},
      {"*:80", "no name"},
      {"http://a:80", "in brackets"},
      {"a b:80", "no name"},
      {"unix:", "path is missing"},
      {"unix:" + std::string(108, 'a'), "107 bytes"},
      {std::string("unix:/a\0b", 8), "NUL"},
  };
  for (const auto& [text, reason] : rows) {
    const auto address = Address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().find(reason), std::string::npos) << address.error();
  }
}

}  // namespace
}  // namespace flagstone::net
