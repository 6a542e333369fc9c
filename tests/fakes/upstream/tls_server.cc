#include "tests/fakes/upstream/tls_server.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace flagstone::fakes {
namespace {

// The port in s_server's `ACCEPT 0.0.0.0:12345`, the first line it says.
int announced_port(FILE* output) {
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), output) != nullptr) {
    const std::string text = line.data();
    if (!text.starts_with("ACCEPT")) continue;
    return std::atoi(text.substr(text.rfind(':') + 1).c_str());
  }
  return 0;
}

}  // namespace

bool TlsServer::available() { return std::system("openssl version >/dev/null 2>&1") == 0; }

TlsServer::TlsServer(const TemporaryFolder& folder, const std::string& alternative_name,
                     const std::string& options)
    : certificate_(folder.path("certificate.pem")) {
  const std::string key = folder.path("key.pem");
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=flagstone-test -addext subjectAltName=" +
      alternative_name + " -keyout " + key + " -out " + certificate_ + " >/dev/null 2>&1";
  if (std::system(make.c_str()) != 0) std::abort();
  const std::string serve = "cd " + folder.path() +
                            " && exec openssl s_server -accept 127.0.0.1:0 -key " + key +
                            " -cert " + certificate_ + " " + options + " 2>&1";
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl("/bin/sh", "sh", "-c", serve.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  FILE* output = ::fdopen(ends[0], "r");
  port_ = announced_port(output);
  // Left open: s_server dies of what it cannot print.
  if (port_ == 0) std::abort();
}

TlsServer::~TlsServer() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

}  // namespace flagstone::fakes
