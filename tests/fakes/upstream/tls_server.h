// A TLS server made of the openssl command, with a certificate made for the occasion.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::fakes {

class TlsServer {
 public:
  // Whether there is an openssl command to make it of.
  static bool available();

  // Self-signed for `alternative_name` ("IP:127.0.0.1"). `options` are s_server's; without them it
  // answers every request with a page of its own.
  TlsServer(const TemporaryFolder& folder, const std::string& alternative_name,
            const std::string& options = "-www");
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::string certificate() const { return certificate_; }

 private:
  std::string certificate_;
  pid_t process_ = -1;
  int port_ = 0;
};

}  // namespace flagstone::fakes
