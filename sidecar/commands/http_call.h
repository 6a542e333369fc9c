// One blocking HTTP request to a running Flagstone, for the commands that talk to one.
//
// A function, no state. Used by the short-lived commands only, never by the daemon.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace flagstone::sidecar {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// How long a command waits for the daemon beside it.
inline constexpr long kCommandTimeoutMs = 3000;

struct HttpCall {
  const std::string* body = nullptr;  // Makes it a POST of JSON. Must outlive the call.
  std::string_view bearer = {};       // Sent as `Authorization: Bearer …` when not empty.
};

// `address` as in `listen:` ("unix:PATH" or "HOST:PORT"). The error names the address and what to
// look at.
std::expected<HttpAnswer, std::string> http_call(std::string_view address, std::string_view path,
                                                 const HttpCall& call);

}  // namespace flagstone::sidecar
