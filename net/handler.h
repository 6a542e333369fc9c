// Who answers requests: the whole contract between net/ and the apis.
//
// Borrowed by the server for its lifetime, called on the server's loop. Must not throw.
#pragma once

#include <span>
#include <string_view>

#include "net/request.h"
#include "net/response.h"

namespace flagstone::net {

// An answer that no api gave: the request was malformed, too large, unrouted or forbidden.
struct Refusal {
  int status = 400;
  std::string_view reason;               // a short sentence, safe to show
  std::span<const HeaderField> headers;  // to be sent along, as Allow with 405
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void handle(const Request& request, Response& response) = 0;
  // Writes the refusal in the manner of the api that the path belongs to. The request is as far
  // known as it was read: the path may be empty, the body always is. Must send `refusal.status`, or
  // what stands for it in a protocol that says everything with status 200 (gRPC).
  virtual void refuse(const Refusal& refusal, const Request& request, Response& response) = 0;
};

// A refusal as one line of text, for paths that belong to no api.
void refuse_as_text(const Refusal& refusal, Response& response);

}  // namespace flagstone::net
