// flagd.sync.v1.FlagSyncService and GET /v1/flags: flags as a document, for providers that evaluate
// by themselves, for flagd, and for other daemons of this kind.
//
// One per serving thread, on its loop. Sources: flagd-schemas protobuf/flagd/sync/v1/sync.proto;
// flagd flagd/pkg/service/flag-sync. What the document looks like:
// evaluation/dialects/flagd/wire/document_writer.h.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/router.h"
#include "net/rpc/call.h"
#include "net/timer.h"
#include "sidecar/api/api.h"
#include "sidecar/api/flagd_sync_body.h"
#include "sidecar/api/flagd_sync_streams.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class FlagdSync final : public ServingApi {
 public:
  // How long a body that nobody listens to is kept for the next who asks.
  static constexpr std::int64_t kIdleBodyMs = 10'000;

  FlagdSync(net::Loop& loop, ServingDesk& desk);

  void add_routes(net::Router& router) override;
  void on_published() override;
  void on_short_of_memory() override;
  void on_stopping() override;

  // POST /flagd.sync.v1.FlagSyncService/…
  void sync_flags(const net::Request& request, std::string_view, net::Response& response);
  void fetch_all_flags(const net::Request& request, std::string_view, net::Response& response);
  void get_metadata(const net::Request& request, std::string_view, net::Response& response);
  // GET /v1/flags
  void get_flags(const net::Request& request, std::string_view, net::Response& response);
  void refuse(const net::Refusal& refusal, const net::Request& request, net::Response& response);

 private:
  // Whose flags somebody asks for. The selector's value is a view into what he sent.
  struct Asked {
    std::size_t index = 0;
    const cache::EnvironmentState* environment = nullptr;
    Selector selector;
  };
  // Why he gets none, in the manner of both protocols.
  struct Refused {
    net::RpcCode code = net::RpcCode::kUnknown;
    int status = 500;
    std::string message;
  };

  std::expected<Asked, Refused> find_out(const net::Request& request,
                                         std::string_view body_selector) const;
  // The body that is kept or made; nullptr when it would be too large. REQUIRES: complete.
  std::shared_ptr<FlagdSyncBody> body_for(const Asked& asked);
  std::uint64_t identity_of(const Asked& asked);
  // The selector in the call's message; nullopt when that is none, and the refusal is sent.
  std::optional<std::string_view> selector_of(net::RpcCall& call);
  void count_bytes();

  // In the body of `GET /v1/flags`'s answers.
  static void refuse_http(const Refused& refused, net::Response& response);

  net::Loop& loop_;
  ServingDesk& desk_;
  FlagdSyncStreams::BodyBytes bytes_;
  FlagdSyncStreams streams_;
  std::string context_json_;

  // Of the last selection that was asked for, since a selector's costs a walk.
  struct Identity {
    std::size_t environment = 0;
    std::uint64_t generation = 0;
    Selector::Kind kind = Selector::Kind::kEverything;
    std::string selector_value;
    std::uint64_t identity = 0;
    bool known = false;
  };
  Identity identity_;
  // A body that was asked for and that no stream has.
  struct IdleBody {
    std::size_t environment = 0;
    std::uint64_t identity = 0;
    Selector::Kind kind = Selector::Kind::kEverything;
    std::string selector_value;
    std::shared_ptr<FlagdSyncBody> body;
  };
  IdleBody idle_body_;
  net::Timer idle_body_timer_;
};

}  // namespace flagstone::sidecar
