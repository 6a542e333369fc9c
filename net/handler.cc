#include "net/handler.h"

#include <array>
#include <string>

namespace flagstone::net {

void refuse_as_text(const Refusal& refusal, Response& response) {
  response.body().append(refusal.reason).push_back('\n');
  response.send(refusal.status, "text/plain; charset=utf-8", refusal.headers);
}

std::string_view to_string(Method method) {
  static constexpr std::array<std::string_view, kMethodCount> kNames = {
      "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT", "(other)"};
  return kNames[static_cast<std::size_t>(method)];
}

}  // namespace flagstone::net
