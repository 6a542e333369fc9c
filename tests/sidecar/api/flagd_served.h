// One flagd document, or another vendor's records, served by one api of a serving thread, without a
// loop or a socket. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "net/router.h"
#include "sidecar/serving_desk.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::sidecar {

class FlagdServed {
 public:
  explicit FlagdServed(std::string_view document)
      : FlagdServed(evaluation::flagd::make_flagd_dialect({}), decoded(document)) {}
  FlagdServed(std::unique_ptr<evaluation::Dialect> dialect, evaluation::Update update)
      : dialect_(std::move(dialect)),
        environment_({.name = "default",
                      .sources = {{.name = "flags.json",
                                   .optional = false,
                                   .shrink_guard = false,
                                   .confirm_shrink = 3}},
                      .has_bootstrap = false},
                     *dialect_, home_) {
    environment_.begin(environment_.source_layer(0), std::move(update))->run();
    state.environments.push_back({.name = "default", .snapshot = environment_.snapshot()});
    state.environments[0].complete = true;
    state.routes.default_environment = 0;
    desk.usage[0] = std::make_unique<cache::UsageCounters>();
    desk.usage[0]->grow(environment_.flag_id_limit());
    publish();
  }
  // After changes to `state`.
  void publish() { desk.state = std::make_shared<const cache::ServingState>(state); }

  net::RecordingResponse ask(std::string_view path, const net::RpcRequest& asked) {
    net::RecordingResponse response;
    net::Request request = *asked;
    request.path = path;
    router.handle(request, response);
    EXPECT_EQ(response.sends, 1) << path;
    return response;
  }
  net::RecordingResponse ask_json(std::string_view path, std::string_view body) {
    return ask(path, net::RpcRequest("application/json", body));
  }

 private:
  static evaluation::Update decoded(std::string_view document) {
    auto update =
        evaluation::flagd::decode_document(document, evaluation::flagd::DocumentFormat::kJson);
    EXPECT_TRUE(update);
    return update ? std::move(*update) : evaluation::Update();
  }

  // Before what holds entries.
  std::unique_ptr<evaluation::Dialect> dialect_;
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};

 public:
  net::Loop loop;
  cache::ServingState state;
  ServingDesk desk{loop};
  net::Router router;

 private:
  cache::Environment environment_;
};

}  // namespace flagstone::sidecar
