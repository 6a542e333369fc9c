#include "sidecar/tls_files.h"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include "config/problem.h"
#include "sidecar/commands/commands.h"

namespace flagstone::sidecar {
namespace {

net::TlsFiles names_of(const config::TlsOptions& options) {
  return {.certificate = options.certificate_file,
          .key = options.key_file,
          .client_ca = options.client_ca_file};
}

// Certificates and keys are small; a device or a log named by mistake is not read to its end.
std::expected<std::string, std::string> read_whole(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string text(WatchedText::kBytesMax + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.fail() && !in.eof())) {
    return std::unexpected(errno == 0 ? "cannot be read" : std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > WatchedText::kBytesMax) return std::unexpected("it is larger than 1 MiB");
  return text;
}

}  // namespace

std::expected<TlsCredentials, TlsProblem> load_tls(const config::TlsOptions& options,
                                                   const std::string& listener) {
  net::TlsTexts texts;
  for (const auto& [what, path, text] :
       {std::tuple("certificate", options.certificate_file, &texts.certificate),
        std::tuple("key", options.key_file, &texts.key),
        std::tuple("client CA", options.client_ca_file, &texts.client_ca)}) {
    if (path.empty()) continue;
    auto read = read_whole(path);
    if (!read) {
      return std::unexpected(
          TlsProblem{kExitUnavailable, fmt::format("TLS {} {}: {}; {} cannot serve without", what,
                                                   path, read.error(), listener)});
    }
    *text = std::move(*read);
  }
  auto made = net::TlsCredentials::make(texts, names_of(options));
  if (!made) return std::unexpected(TlsProblem{config::kExitContent, made.error().message});
  return *made;
}

TlsFiles::TlsFiles(net::Loop& loop, upstream::FileReader& files, const config::TlsOptions& options,
                   TlsFacts& facts, OnCredentials on_credentials, spdlog::logger& log)
    : loop_(loop),
      files_(files),
      names_(names_of(options)),
      facts_(facts),
      on_credentials_(std::move(on_credentials)),
      log_(log),
      client_ca_known_(options.client_ca_file.empty()),
      settle_(loop, [this] { judge(); }),
      watches_{follow(names_.certificate, texts_.certificate, certificate_known_),
               follow(names_.key, texts_.key, key_known_),
               names_.client_ca.empty()
                   ? nullptr
                   : follow(names_.client_ca, texts_.client_ca, client_ca_known_)} {}

std::unique_ptr<WatchedText> TlsFiles::follow(const std::string& path, std::string& text,
                                              bool& known) {
  return std::make_unique<WatchedText>(
      loop_, files_, path,
      [this, &text, &known](const std::string& now) {
        text = now;
        known = true;
        settle_.start_once(kSettleMs);
      },
      [this, path](const std::string& cause) {
        ++facts_.reload_failures;
        log_.warn("TLS file {}: {}; the certificate in use stays", path, cause);
      });
}

void TlsFiles::judge() {
  if (!certificate_known_ || !key_known_ || !client_ca_known_) return;
  auto made = net::TlsCredentials::make(texts_, names_);
  if (!made) {
    refuse(made.error().message);
    return;
  }
  last_problem_.clear();
  facts_.expires_unix_seconds = (*made)->expires_unix_seconds();
  on_credentials_(*made);
  log_.info("TLS certificate {} is the one for new connections", names_.certificate);
}

void TlsFiles::refuse(const std::string& why) {
  ++facts_.reload_failures;
  if (why == std::exchange(last_problem_, why)) return;
  log_.warn("{}; the certificate in use stays", why);
}

}  // namespace flagstone::sidecar
