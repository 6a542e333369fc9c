// One HTTP request, complete, as a handler sees it.
//
// A value of views: they are valid during Handler::handle() and not after. Owned by the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "net/address.h"
#include "net/same_bytes.h"

namespace flagstone::net {

// REPORT is how older LaunchDarkly client SDKs send a context.
enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kPatch,
  kDelete,
  kOptions,
  kReport,
  kOther
};
inline constexpr std::size_t kMethodCount = 9;
std::string_view to_string(Method method);

enum class HttpVersion : std::uint8_t { k10, k11, k2 };

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

struct Request {
  // So many bytes behind the body may be read (their content is arbitrary): simdjson asks for them.
  static constexpr std::size_t kBodyPaddingBytes = 64;

  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view path;   // still percent-encoded; "*" for `OPTIONS *`
  std::string_view query;  // without the question mark, still percent-encoded
  std::string_view host;  // of an absolute target, else the Host field; empty when neither was sent
  std::span<const HeaderField> headers;  // names in lower case, in the order sent
  std::string_view body;
  unsigned listener_index = 0;
  ListenerKind listener_kind = ListenerKind::kOtherTcp;
  HttpVersion version = HttpVersion::k11;
  bool over_tls = false;
  // The peer is this machine: a Unix socket, or TCP from a loopback address.
  bool peer_is_local = true;

  // The first field of that name, which is given in lower case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const HeaderField& field : headers) {
      if (same_bytes(field.name, name)) return field.value;
    }
    return std::nullopt;
  }
};

}  // namespace flagstone::net
