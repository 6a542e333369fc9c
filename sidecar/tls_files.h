// The certificate, key and client CA of listeners with TLS: read at start, followed from then on.
//
// load_tls() is for the main thread before any loop runs. TlsFiles is the daemon's, on the keeper's
// thread. New files that cannot be used leave the credentials as they are, with one warning per
// change and a count; certificate and key are written one after the other, so they are judged only
// when both have stood still for a moment.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "config/options.h"
#include "net/timer.h"
#include "net/tls_credentials.h"
#include "sidecar/watched_text.h"

namespace spdlog {
class logger;
}

namespace flagstone::sidecar {

// For metrics and status.
struct TlsFacts {
  std::uint64_t reload_failures = 0;
  std::int64_t expires_unix_seconds = 0;  // 0: no listener speaks TLS
};

struct TlsProblem {
  int exit_code = 0;
  std::string message;  // with the file and the remedy
};

using TlsCredentials = std::shared_ptr<const net::TlsCredentials>;

// REQUIRES: certificate and key are named. `listener` is the address that wants them, for the
// message.
std::expected<TlsCredentials, TlsProblem> load_tls(const config::TlsOptions& options,
                                                   const std::string& listener);

class TlsFiles {
 public:
  static constexpr std::int64_t kSettleMs = 300;

  // Told with the credentials that replace those in use.
  using OnCredentials = std::function<void(const TlsCredentials& credentials)>;

  // `facts` outlives this object and is kept current.
  TlsFiles(net::Loop& loop, upstream::FileReader& files, const config::TlsOptions& options,
           TlsFacts& facts, OnCredentials on_credentials, spdlog::logger& log);
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

 private:
  std::unique_ptr<WatchedText> follow(const std::string& path, std::string& text, bool& known);
  void judge();
  void refuse(const std::string& why);

  net::Loop& loop_;
  upstream::FileReader& files_;
  net::TlsFiles names_;
  net::TlsTexts texts_;
  TlsFacts& facts_;
  OnCredentials on_credentials_;
  spdlog::logger& log_;
  bool certificate_known_ = false;
  bool key_known_ = false;
  bool client_ca_known_ = false;
  std::string last_problem_;
  net::Timer settle_;
  std::array<std::unique_ptr<WatchedText>, 3> watches_;  // last: they call back into the others
};

}  // namespace flagstone::sidecar
