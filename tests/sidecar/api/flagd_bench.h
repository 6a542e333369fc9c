// flagd's apis on a serving desk without a daemon: documents go in, calls are answered by fakes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "net/loop.h"
#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/serving_desk.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::sidecar {

// What came over a stream: messages, and how it ended.
struct Heard {
  std::vector<std::string> messages;
  std::string end;  // Connect's end-of-stream message; empty while it is open.
};

inline Heard hear(std::string_view bytes) {
  Heard heard;
  while (bytes.size() >= 5) {
    std::size_t size = 0;
    for (const char byte : bytes.substr(1, 4)) size = size << 8 | static_cast<unsigned char>(byte);
    const bool is_end = (bytes[0] & 2) != 0;
    std::string message(bytes.substr(5, size));
    if (is_end) {
      heard.end = std::move(message);
    } else {
      heard.messages.push_back(std::move(message));
    }
    bytes.remove_prefix(5 + size);
  }
  EXPECT_TRUE(bytes.empty());
  return heard;
}

// One environment of several sources, called a.json, b.json and so on.
class FlagdBench {
 public:
  using Record = std::shared_ptr<net::RecordingEventStream::Record>;

  explicit FlagdBench(std::size_t sources = 1)
      : dialect_(evaluation::flagd::make_flagd_dialect()),
        desk_(std::make_unique<ServingDesk>(loop)) {
    cache::EnvironmentOptions options{.name = "default", .sources = {}, .has_bootstrap = false};
    for (std::size_t i = 0; i < sources; ++i) {
      std::string name(1, static_cast<char>('a' + i));
      options.sources.push_back(
          {.name = name + ".json", .optional = false, .shrink_guard = false, .confirm_shrink = 3});
    }
    environment_ = std::make_unique<cache::Environment>(std::move(options), *dialect_, home_);
    publish();
  }

  template <typename Api>
  void serve() {
    apis_.push_back(std::make_unique<Api>(loop, *desk_));
    apis_.back()->add_routes(router_);
  }

  // The source's new document. Published at once.
  void take(std::string_view document, std::size_t source = 0) {
    load(document, source);
    publish();
  }
  void load(std::string_view document, std::size_t source = 0) {
    auto update =
        evaluation::flagd::decode_document(document, evaluation::flagd::DocumentFormat::kJson);
    ASSERT_TRUE(update) << to_string(update.error());
    auto intake = environment_->begin(environment_->source_layer(source), std::move(*update));
    ASSERT_TRUE(std::holds_alternative<cache::Accepted>(intake->run()));
  }
  void pin(std::string key, std::string value_json) {
    environment_->set_pins({{.key = std::move(key), .value_json = std::move(value_json)}});
    publish();
  }
  // What the keeper does after a change.
  void publish() {
    auto state = std::make_shared<cache::ServingState>();
    state->environments.push_back({.name = "default",
                                   .snapshot = environment_->snapshot(),
                                   .complete = environment_->ready(),
                                   .changed_unix_ms = changed_unix_ms,
                                   .generation = ++generation_});
    state->routes.default_environment = 0;
    if (!desk_->usage[0]) desk_->usage[0] = std::make_unique<cache::UsageCounters>();
    desk_->usage[0]->grow(environment_->flag_id_limit());
    desk_->state = std::move(state);
    for (auto& api : apis_) api->on_published();
  }
  // A reload took the environment out of the configuration.
  void take_environment_out() {
    auto state = std::make_shared<cache::ServingState>();
    state->environments.push_back({.name = "default", .snapshot = nullptr, .optional = true});
    desk_->state = std::move(state);
    for (auto& api : apis_) api->on_published();
  }
  void stop() {
    desk_->stopping = true;
    for (auto& api : apis_) api->on_stopping();
  }

  // Calls by Connect over HTTP/1.1. A codec is "json" or "proto".
  net::RecordingResponse call(std::string_view path, std::string_view message,
                              std::string_view selector = {}, std::string_view codec = "json",
                              bool stream = false) {
    const std::string type =
        (stream ? "application/connect+" : "application/") + std::string(codec);
    const std::string body = stream ? net::rpc_frame(message) : std::string(message);
    net::RpcRequest request(type, body);
    request.over(net::HttpVersion::k11);
    if (!selector.empty()) request.with("flagd-selector", selector);
    net::Request routed = *request;
    routed.path = path;
    net::RecordingResponse response;
    router_.handle(routed, response);
    return response;
  }
  net::RecordingResponse open(std::string_view path, std::string_view selector = {},
                              std::string_view message = "{}", std::string_view codec = "json") {
    return call(path, message, selector, codec, true);
  }
  // As OFREP is asked.
  net::RecordingResponse post(std::string_view path, std::string_view json) {
    net::RpcRequest request("application/json", json);
    request.over(net::HttpVersion::k11);
    net::Request routed = *request;
    routed.path = path;
    net::RecordingResponse response;
    router_.handle(routed, response);
    return response;
  }
  net::RecordingResponse get(std::string_view path, std::vector<net::HeaderField> headers = {}) {
    net::Request request;
    request.method = net::Method::kGet;
    request.method_text = "GET";
    request.path = path;
    request.headers = headers;
    net::RecordingResponse response;
    router_.handle(request, response);
    return response;
  }

  ServingDesk& desk() { return *desk_; }
  const cache::Snapshot& snapshot() { return *environment_->snapshot(); }

  net::Loop loop;
  std::int64_t changed_unix_ms = 1'000'000'000'000;

 private:
  std::unique_ptr<evaluation::Dialect> dialect_;
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};
  std::unique_ptr<cache::Environment> environment_;
  std::uint64_t generation_ = 0;
  std::unique_ptr<ServingDesk> desk_;
  net::Router router_;
  std::vector<std::unique_ptr<ServingApi>> apis_;
};

// A flag whose variant is `value`.
inline std::string one_flag(std::string_view value, std::string_view more = "") {
  return R"({"state":"ENABLED","variants":{"v":)" + std::string(value) +
         R"(},"defaultVariant":"v")" + std::string(more) + "}";
}

}  // namespace flagstone::sidecar
