// What environment variables and flags say, before it is written over the file's options. Pure.
//
// A layer maps rows of the option table to texts; two are merged with the command line winning, and
// the result is applied once.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/option_table.h"
#include "config/options.h"
#include "config/problem.h"

namespace flagstone::config {

struct Written {
  std::vector<std::string> items;  // One for each time the flag was given.
  Origin origin;
};
using Layer = std::map<const OptionRow*, Written>;

// What the `FLAGSTONE_…` and flagd's `FLAGD_…` variables say, ours going before flagd's;
// `environment` holds "NAME=value". Empty ones count as unset, and so do Kubernetes' service links
// (`FLAGD_PORT=tcp://…`).
Layer read_variables(std::span<const std::string> environment);

// Warnings for `FLAGSTONE_…` and `FLAGD_…` names that no option has; service links,
// `named_by_options` (the values of `credential_env` and the like) and what flagd's client
// libraries read are excepted. Never shows a value.
std::vector<std::string> unknown_variables(std::span<const std::string> environment,
                                           std::span<const std::string> named_by_options);

// `flags` over `variables`; likewise variables over what flagd's file says.
Layer merge(Layer variables, Layer flags);

// Writes the layer over what the file said. flagd's options may add warnings.
void apply(const Layer& layer, Options& options, ProblemList& problems,
           std::vector<std::string>& warnings);

}  // namespace flagstone::config
