// What LaunchDarkly's own server-side SDKs get their data from: streams and polls, of the older
// protocol and of flag delivery v2, so that they run against Flagstone unmodified, whatever becomes
// of LaunchDarkly.
//
// One per serving thread, on its loop. An upstream's refusal is never passed on: where there is
// data, however old, it is served; where there is none, streams wait for it in silence and polls
// are told to come again. Sources: ld-relay relay/relay_routes.go, relay/relay_endpoints.go;
// go-server-sdk v7 internal/datasource, internal/datasourcev2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/document_writer.h"
#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "sidecar/api/launchdarkly_sdk_streams.h"
#include "sidecar/serving_desk.h"
#include "sidecar/sliced_answers.h"

namespace flagstone::sidecar {

class LaunchDarklySdk final : public ServingApi {
 public:
  // `process` is chance(), the same for all serving threads.
  LaunchDarklySdk(net::Loop& loop, ServingDesk& desk, std::uint64_t process);
  static std::uint64_t chance();

  void add_routes(net::Router& router) override;
  void on_published() override;
  void on_short_of_memory() override { streams_.give_up_prepared(); }
  void on_stopping() override { streams_.close_all(); }

  // GET /all, /flags, /sdk/stream: server-sent events.
  void stream_all(const net::Request& request, std::string_view, net::Response& response);
  void stream_flags(const net::Request& request, std::string_view, net::Response& response);
  void stream_transfer(const net::Request& request, std::string_view, net::Response& response);
  // GET /sdk/latest-all, /sdk/flags, /sdk/poll
  void latest_all(const net::Request& request, std::string_view, net::Response& response);
  void all_flags(const net::Request& request, std::string_view, net::Response& response);
  void poll_transfer(const net::Request& request, std::string_view, net::Response& response);
  // GET /sdk/flags/KEY, /sdk/segments/KEY
  void one_flag(const net::Request& request, std::string_view key, net::Response& response);
  void one_segment(const net::Request& request, std::string_view key, net::Response& response);

 private:
  // The environment that the request opens; nullopt: it was refused.
  std::optional<std::size_t> open(const net::Request& request, net::Response& response);
  // As open(), and there is data.
  std::optional<std::size_t> open_with_data(const net::Request& request, net::Response& response);
  void stream(const net::Request& request, SdkAudience audience, net::Response& response);
  void document(const net::Request& request, evaluation::launchdarkly::DocumentForm form,
                net::Response& response);
  void one(const net::Request& request, evaluation::RecordKind kind, std::string_view key,
           net::Response& response);
  void answer_whole(std::size_t environment, evaluation::launchdarkly::DocumentForm form,
                    std::string_view etag, net::Response& response);
  // True, and 304 is sent: the client has what that tag names.
  bool answer_unchanged(const net::Request& request, const std::string& facts,
                        net::Response& response, std::string& etag);
  std::optional<std::uint64_t> basis_of(const net::Request& request, std::size_t environment);
  void answer_when_read(net::Response& response,
                        void (LaunchDarklySdk::*again)(const net::Request&, std::string_view,
                                                       net::Response&),
                        std::string_view parameter);

  ServingDesk& desk_;
  SdkMirror mirror_;
  SlicedAnswers slices_;
  SdkStreams streams_;
  std::string basis_;
};

}  // namespace flagstone::sidecar
