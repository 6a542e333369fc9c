// LaunchDarkly's own hosts, as opposed to another relay's: the one list of them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace flagstone::config {

bool is_launchdarklys_own(std::string_view uri);

// The same place's host that flags are polled from, where `uri` names one of the vendor's others
// (`stream.`); empty: it names none.
std::string launchdarkly_sdk_instead(std::string_view uri);

// LaunchDarkly's URI for something else than flags: with `label` in the place of `sdk`. Any other
// URI is its own answer.
std::string launchdarkly_sibling(std::string_view uri, std::string_view label);

}  // namespace flagstone::config
