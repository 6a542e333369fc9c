// evalx: all flags, evaluated for one context, as LaunchDarkly's relay answers those who hold an
// SDK key.
//
// One per serving thread, on its loop. One pass over the flags; many go out in slices. Apps and
// browsers, which see only the flags meant for them, are a matter of who calls evaluate(). Source:
// ld-relay relay/relay_endpoints.go.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/evalx_writer.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"
#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/serving_desk.h"
#include "sidecar/sliced_answers.h"

namespace flagstone::sidecar {

class LaunchDarklySdkEvalx final : public ServingApi {
 public:
  LaunchDarklySdkEvalx(net::Loop& loop, ServingDesk& desk) : desk_(desk), slices_(loop, desk) {}

  void add_routes(net::Router& router) override;

  // GET /sdk/evalx/contexts/BASE64URL, /sdk/evalx/users/BASE64URL
  void get(const net::Request& request, std::string_view encoded, net::Response& response);
  // REPORT /sdk/evalx/context, /sdk/evalx/user
  void report(const net::Request& request, std::string_view, net::Response& response);

 private:
  void evaluate(std::size_t environment, evaluation::launchdarkly::EvalxCaller caller,
                std::string_view context_json, const net::Request& request,
                net::Response& response);

  ServingDesk& desk_;
  SlicedAnswers slices_;
  evaluation::launchdarkly::SdkContextReader contexts_;
};

}  // namespace flagstone::sidecar
