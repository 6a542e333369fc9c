// A request's target (RFC 9112, 3.2) and Host, taken apart. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "net/request.h"

namespace flagstone::net {

struct Http1Target {
  std::string_view path;
  std::string_view query;
  std::string_view authority;  // of an absolute target, else empty
};

// Origin form, absolute form with http or https, and `*` for OPTIONS; nothing else.
std::optional<Http1Target> parse_http1_target(std::string_view target, Method method);

// Only what a name, a numeric address and a port are made of: no user, no comma, no space. Escapes
// belong to names (RFC 3986): gRPC's C core calls the host of a Unix socket by its escaped path.
bool is_host_text(std::string_view host);

}  // namespace flagstone::net
