#include "net/cors.h"

namespace flagstone::net {

Cors::Cors(Handler& next, std::vector<std::string> origins)
    : next_(next), origins_(std::move(origins)) {}

bool Cors::allows(std::string_view origin) const {
  for (const std::string& allowed : origins_) {
    if (allowed == "*" || allowed == origin) return true;
  }
  return false;
}

void Cors::handle(const Request& request, Response& response) { next_.handle(request, response); }

void Cors::refuse(const Refusal& refusal, const Request& request, Response& response) {
  next_.refuse(refusal, request, response);
}

}  // namespace flagstone::net
