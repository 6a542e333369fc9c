// GET /status as LaunchDarkly's relay answers it: how each of LaunchDarkly's environments is, for
// probes and dashboards that were made for the relay. Needs no credential and shows none whole.
//
// One per serving thread, on its loop. Source: ld-relay relay/endpoints_status.go,
// internal/sdks (ObscureKey).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/json_writer.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

// All but the prefix, the hyphens and at most the last five characters, of a short one fewer,
// become asterisks.
std::string obscured_key(std::string_view key);

class LaunchDarklySdkStatus final : public ServingApi {
 public:
  // An environment whose connection is not valid counts as disconnected after that time.
  static constexpr std::int64_t kDisconnectedAfterMs = 60'000;

  // `version` outlives this.
  LaunchDarklySdkStatus(net::Loop&, ServingDesk& desk, std::string_view version)
      : desk_(desk), version_(version) {}

  void add_routes(net::Router& router) override;
  void on_published() override { look(); }

  void status(const net::Request& request, std::string_view, net::Response& response);

 private:
  enum class Connection : std::uint8_t { kInitializing, kValid, kInterrupted };
  struct Seen {
    Connection connection = Connection::kInitializing;
    std::int64_t since_unix_ms = 0;
  };

  static std::string_view name_of(Connection connection);
  static Connection connection_of(const cache::EnvironmentState& environment);
  // Notes what changed, and when.
  void look();
  // True when it is connected.
  bool append_environment(JsonWriter& json, std::size_t index) const;

  ServingDesk& desk_;
  std::string_view version_;
  std::map<std::size_t, Seen> seen_;
};

}  // namespace flagstone::sidecar
