// What the operator chose about answering, beside the environments. Plain values.
//
// Made from the options by the daemon before the serving threads are; read by all of them, never
// changed.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace flagstone::sidecar {

struct ServingSettings {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  // flagd's `-X`: attributes put over those of every request's context. Strings.
  Pairs static_context;
  // flagd's `-H`: header (lower case) → attribute, put over both.
  Pairs context_from_headers;
  // Typed calls (gRPC) cast string, number and bool into each other instead of TYPE_MISMATCH.
  bool loose_types = false;
  // Longest a stream of ours (EventStream, SyncFlags) lives; zero: for ever.
  std::chrono::milliseconds stream_deadline{0};
  // flagd.sync's deprecated GetMetadata is answered.
  bool sync_metadata = true;
  // How long a bulk answer may hold the loop before others come first.
  std::chrono::microseconds bulk_slice{900};
  // How often streams of LaunchDarkly's SDKs show that they live; the SDKs wait for five minutes.
  std::chrono::milliseconds sdk_heartbeat{180'000};
};

}  // namespace flagstone::sidecar
