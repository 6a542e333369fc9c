// Where a SyncFlags source's URI leads. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace flagstone::upstream {

struct SyncPlace {
  std::string url;          // Without the method's path.
  std::string unix_socket;  // Empty: the URL's host.
  bool operator==(const SyncPlace&) const = default;
};

// Whether it is one of: `grpc://HOST:PORT`, `grpcs://HOST:PORT`, `dns:HOST:PORT`,
// `dns:///HOST:PORT`, `unix:PATH`, `unix:///PATH`, `uds:PATH`, `grpc+unix://%2FPATH`.
bool is_sync_uri(std::string_view uri);
// A missing port is flagd's own (8015), over TLS 443. The error says what is wrong, and quotes
// nothing. REQUIRES: is_sync_uri().
std::expected<SyncPlace, std::string> sync_place(std::string_view uri);

}  // namespace flagstone::upstream
