// Cross-origin requests of web pages (https://fetch.spec.whatwg.org/#http-cors-protocol): answers
// preflights and lets pages of the listed origins read our answers.
//
// A handler before a handler, which it borrows; one per loop. Requests without an Origin, and those
// of other origins, pass untouched: whether the latter are answered is the host guard's matter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/handler.h"

namespace flagstone::net {

class Cors final : public Handler {
 public:
  // Origins as browsers send them, `scheme://host[:port]`; `*` stands for all.
  Cors(Handler& next, std::vector<std::string> origins);

  void handle(const Request& request, Response& response) override;
  void refuse(const Refusal& refusal, const Request& request, Response& response) override;

 private:
  bool allows(std::string_view origin) const;

  Handler& next_;
  std::vector<std::string> origins_;
};

}  // namespace flagstone::net
