#include "config/secret.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <ostream>

namespace flagstone::config {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::expected<Secret, std::string> accepted(std::string_view text, const std::string& where) {
  const std::string_view secret = trimmed(text);
  if (secret.empty()) {
    return std::unexpected(where + " is empty");
  }
  // A line end or NUL inside would end the request header that the secret is written to.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(secret, is_control)) {
    return std::unexpected(where + " must hold one line of text");
  }
  return Secret(std::string(secret));
}

std::expected<Secret, std::string> read_secret_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxSecretBytes + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    if (file.gcount() == static_cast<std::streamsize>(text.size())) {
      return std::unexpected("credential file " + path + " is longer than 64 KiB");
    }
    const int error = errno;
    return std::unexpected("cannot read credential file " + path +
                           (error == 0 ? std::string() : ": " + std::string(strerror(error))));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return accepted(text, "credential file " + path);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "" : "(secret)");
}

std::optional<std::string> process_variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::expected<Secret, std::string> read_secret(const SecretSource& source,
                                               const Variables& variables) {
  if (!source.file.empty()) {
    return read_secret_file(source.file);
  }
  if (!source.variable.empty()) {
    const std::optional<std::string> value = variables(source.variable);
    if (!value) {
      return std::unexpected("credential variable " + source.variable + " is not set");
    }
    return accepted(*value, "credential variable " + source.variable);
  }
  return source.text;
}

}  // namespace flagstone::config
