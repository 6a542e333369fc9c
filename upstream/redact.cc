#include "upstream/redact.h"

#include <array>
#include <cstddef>

namespace flagstone::upstream {
namespace {

constexpr std::size_t kShortestHiddenBytes = 4;

void append_printable(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

// `a=1&b` becomes `a=***&b`: a value may be a token, a name is worth reading.
void append_query(std::string& out, std::string_view query) {
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    append_printable(out, pair.substr(0, equals));
    if (equals != std::string_view::npos) out += "=***";
    if (end == std::string_view::npos) return;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

}  // namespace

std::string redacted_uri(std::string_view uri) {
  std::string out;
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) {
    append_printable(out, uri);  // A file's path; '?' and '#' are ordinary in it.
    return out;
  }
  append_printable(out, uri.substr(0, scheme + 3));
  uri.remove_prefix(scheme + 3);
  uri = uri.substr(0, uri.find('#'));
  const std::size_t query = uri.find('?');
  std::string_view place = uri.substr(0, query);
  const std::size_t at = place.substr(0, place.find('/')).rfind('@');
  if (at != std::string_view::npos) place.remove_prefix(at + 1);
  append_printable(out, place);
  if (query != std::string_view::npos) {
    out += '?';
    append_query(out, uri.substr(query + 1));
  }
  return out;
}

std::string without_secret(std::string text, std::string_view secret) {
  if (secret.size() < kShortestHiddenBytes) return text;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3) {
    text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace flagstone::upstream
