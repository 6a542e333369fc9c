// Cross-origin requests of web pages (https://fetch.spec.whatwg.org/#http-cors-protocol): answers
// preflights and lets pages of the listed origins read our answers.
//
// A handler before a handler, which it borrows; one per loop, behind the host guard. Requests
// without an Origin, and those of other origins, pass untouched: whether the latter are answered is
// the host guard's matter. Cookies and other credentials are never allowed.
#pragma once

#include <span>
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
  class Answer;
  class LaterAnswer;

  // What Access-Control-Allow-Origin answers to this request; empty: nothing is to be said.
  std::string_view allowed_origin(const Request& request) const;
  void answer_preflight(const Request& request, std::string_view allowed, Response& response);
  // The fields given and ours behind them; valid until the next call.
  std::span<const HeaderField> with_ours(std::span<const HeaderField> headers,
                                         std::string_view allowed);

  Handler& next_;
  std::vector<std::string> origins_;
  bool allows_all_ = false;
  std::vector<HeaderField> fields_;  // kept for its memory
};

}  // namespace flagstone::net
