#include "config/secret.h"

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include "config/regular_file.h"

namespace flagstone::config {
namespace {

constexpr std::size_t kShortestWithEnd = 16;
constexpr std::size_t kEndBytes = 4;

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
  const std::string where = "credential file " + path;
  const auto text = read_regular_file(path, kSecretBytesMax + 1);
  if (!text) {
    return std::unexpected(where + " " + text.error());
  }
  if (text->size() > kSecretBytesMax) {
    return std::unexpected(where + " is longer than 64 KiB");
  }
  return accepted(*text, where);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "" : "(secret)");
}

std::string end_of(const Secret& secret) {
  const std::string& text = secret.reveal();
  if (text.size() < kShortestWithEnd) {
    return {};
  }
  const std::string end = text.substr(text.size() - kEndBytes);
  const bool is_plain = std::ranges::all_of(end, [](char c) { return c > ' ' && c < '\x7f'; });
  return is_plain ? "…" + end : std::string();
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
