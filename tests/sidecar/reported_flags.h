// LaunchDarkly's flags served by OFREP and by flagd's evaluation service of one serving thread, and
// what is reported of them, up to the forwarder. No loop runs, no socket. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/memory_budget.h"
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "net/router.h"
#include "sidecar/api/flagd_evaluation.h"
#include "sidecar/api/ofrep.h"
#include "sidecar/launchdarkly_report_collector.h"
#include "sidecar/serving_desk.h"
#include "tests/fakes/cache/promoted.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::sidecar {

// The forwarder: remembers what went through.
class RecordingForwarder final : public upstream::EventForwarder {
 public:
  void post(upstream::PostedEvents, Done) override { ADD_FAILURE() << "nobody posted"; }
  bool add(std::string_view schema, std::string_view tags, std::string events) override {
    if (is_shut) return false;
    EXPECT_EQ(schema, "4");
    EXPECT_EQ(tags, "");
    arrays.push_back(std::move(events));
    return true;
  }
  std::int64_t vendor_unix_ms() const override { return vendor_time; }
  void set_options(const config::Environment&) override {}
  void try_now() override {}
  void flush() override {}
  void finish(std::int64_t, std::move_only_function<void()>) override {}
  upstream::EventFacts facts() const override { return {}; }

  std::vector<std::string> arrays;
  std::int64_t vendor_time = 0;
  bool is_shut = false;
};

struct FlagText {
  std::string key;
  std::string text;
};

class ReportedFlags {
 public:
  explicit ReportedFlags(const std::vector<FlagText>& flags)
      : dialect_(evaluation::launchdarkly::make_launchdarkly_dialect()),
        environment_({.name = "default",
                      .sources = {{.name = "source",
                                   .optional = false,
                                   .shrink_guard = false,
                                   .confirm_shrink = 3}},
                      .has_bootstrap = false},
                     *dialect_, home_) {
    evaluation::Update update;
    for (const FlagText& flag : flags) {
      evaluation::Record record;
      record.id.key = flag.key;
      record.version = 1;
      record.raw = flag.text;
      update.records.push_back(std::move(record));
    }
    environment_.begin(environment_.source_layer(0), std::move(update))->run();
    state_.environments.push_back({.name = "default", .snapshot = environment_.snapshot()});
    state_.environments[0].complete = true;
    state_.routes.default_environment = 0;
    desk.usage[0] = std::make_unique<cache::UsageCounters>();
    desk.usage[0]->grow(environment_.flag_id_limit());
    desk.state = std::make_shared<const cache::ServingState>(state_);
    fakes::promote_all(*environment_.snapshot());
    reports.add_reporter([this] { ++wakes; });
    desk.reporters[0] = &reports.reporter(0);
    ofrep_.add_routes(router);
    evaluation_.add_routes(router);
  }

  // The evaluation context as JSON.
  net::RecordingResponse ask(std::string_view flag, std::string_view context) {
    return post("/ofrep/v1/evaluate/flags/" + std::string(flag),
                R"({"context":)" + std::string(context) + "}");
  }
  net::RecordingResponse post(std::string_view path, std::string_view body) {
    const net::RpcRequest asked("application/json", body);
    net::RecordingResponse response;
    net::Request request = *asked;
    request.path = path;
    router.handle(request, response);
    EXPECT_EQ(response.sends, 1) << path;
    return response;
  }
  // All that was reported since the last call, as one array; empty: nothing.
  std::string reported() {
    desk.hand_over_reports();
    forwarder.arrays.clear();
    EXPECT_TRUE(reports.flush(forwarder));
    // Events in full, and summaries.
    EXPECT_LE(forwarder.arrays.size(), 2u);
    std::string all = forwarder.arrays.empty() ? std::string() : forwarder.arrays[0];
    if (forwarder.arrays.size() > 1) {
      EXPECT_TRUE(forwarder.arrays[1].starts_with(R"([{"kind":"summary")"));
      all.back() = ',';
      all.append(forwarder.arrays[1], 1);
    }
    return all;
  }

 private:
  // Before what holds entries.
  std::unique_ptr<evaluation::Dialect> dialect_;
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};
  net::Loop loop_;
  cache::ServingState state_;

 public:
  LaunchDarklyReportCollector reports;
  RecordingForwarder forwarder;
  int wakes = 0;
  ServingDesk desk{loop_};
  net::Router router;

 private:
  Ofrep ofrep_{loop_, desk};
  FlagdEvaluation evaluation_{desk};
  cache::Environment environment_;
};

}  // namespace flagstone::sidecar
