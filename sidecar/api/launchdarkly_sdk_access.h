// Whose data a request of LaunchDarkly's SDKs is for, and how it is refused.
//
// Functions over the desk's serving state; a serving loop. Source: ld-relay internal/middleware.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "net/request.h"
#include "net/response.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

// The environment that the request's SDK key opens. nullopt: it was refused, or is handled again.
// Only the keys that are configured open one, each its own, and only one of LaunchDarkly's; of
// several of one key it is the one whose payload filter the request names (`?filter=`).
std::optional<std::size_t> open_sdk_environment(ServingDesk& desk, const net::Request& request,
                                                net::Response& response);

// {"message": …}; with 503 it says when to come again.
void refuse_sdk(net::Response& response, int status, std::string_view message);

inline constexpr std::string_view kSdkNoData =
    "not all sources of this environment have answered yet, and there is no last known state";

}  // namespace flagstone::sidecar
