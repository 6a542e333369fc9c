// What people ask of a running Flagstone: /status and /usage, as JSON.
//
// Pure functions of the keeper's facts, on its thread. Nothing secret is in them: URIs are
// redacted, credentials do not appear.
#pragma once

#include <cstdint>
#include <string>

namespace flagstone::sidecar {

class Keeper;

void append_status(std::string& out, const Keeper& keeper, std::int64_t now_unix_ms);
// Per environment: flags by how often they were asked for here, those never asked for, and keys
// asked for that do not exist. Where LaunchDarkly's SDKs ever fetched the flags, as far as the kept
// counts reach back, nobody can tell which were never asked for: `never_asked_unknown` says so
// instead.
void append_usage(std::string& out, const Keeper& keeper);

}  // namespace flagstone::sidecar
