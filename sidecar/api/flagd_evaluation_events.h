// EventStream of flagd.evaluation.v1, v2 and of the old schema.v1: tells RPC providers that flags
// changed, and which.
//
// One per serving thread, on its loop. A flag counts as changed when its own text did, the metadata
// of its document, its source, or an evaluator that its text refers to, directly or not. Source:
// flagd flagd/pkg/service/flag-evaluation/{eventing,flag_evaluator_v1}.go,
// core/pkg/notifications/notifications.go.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/flag_difference.h"
#include "sidecar/flag_streams.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class FlagdEventStreams final : public FlagStreams {
 public:
  // Lists of what readers who lag behind last saw, of one selection and in bytes of all. Beyond it
  // the one who lags most hears that every flag has changed.
  static constexpr std::size_t kEarlierListsMax = 4;
  static constexpr std::size_t kEarlierBytesMax = std::size_t{16} * 1024 * 1024;

  FlagdEventStreams(net::Loop& loop, ServingDesk& desk, std::int64_t keep_alive_ms = kKeepAliveMs);

 private:
  // By codec.
  using Messages = std::array<Message, 2>;

  struct EventAudience final : Audience {
    std::uint64_t identity = 0;
    FlagList list;
    // What subscribers who were told an earlier version saw.
    std::map<Version, FlagList> earlier;
    // From a version to the current one; made when the first one needs it.
    std::map<Version, Messages> changes;
  };

  static Messages make_messages(std::string_view type, std::string_view data_json);

  std::unique_ptr<Audience> make_audience() override;
  void refresh(Audience& audience, const cache::EnvironmentState& environment) override;
  News news_since(Audience& audience, Version told, net::RpcCodec codec) override;
  void settle() override;
  Message keep_alive(net::RpcCodec codec) override;
  std::string_view farewell(net::RpcCodec codec) override;
  void limit_earlier();

  const Messages ready_;
  const Messages keep_alive_;
  const Messages shutdown_;
};

class FlagdEvaluationEvents final : public ServingApi {
 public:
  FlagdEvaluationEvents(net::Loop& loop, ServingDesk& desk);

  void add_routes(net::Router& router) override;
  void on_published() override { streams_.on_published(); }
  void on_stopping() override { streams_.close_all(); }

  // POST /flagd.evaluation.v1.Service/EventStream and its like.
  void event_stream(const net::Request& request, std::string_view, net::Response& response);

 private:
  net::Loop& loop_;
  ServingDesk& desk_;
  FlagdEventStreams streams_;
};

}  // namespace flagstone::sidecar
