// LaunchDarkly's apis on a serving desk without a daemon: updates go in, requests are answered by
// fakes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
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
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "net/loop.h"
#include "net/router.h"
#include "net/timer.h"
#include "sidecar/api/api.h"
#include "sidecar/routing.h"
#include "sidecar/serving_desk.h"
#include "tests/fakes/net/recording_response.h"

namespace flagstone::sidecar {

// A flag that is off and answers `value`, and a segment of one.
inline std::string ld_flag(std::string_view key, std::int64_t version, std::string_view value) {
  return R"({"key":")" + std::string(key) + R"(","version":)" + std::to_string(version) +
         R"(,"on":false,"offVariation":0,"variations":[)" + std::string(value) +
         R"(],"fallthrough":{"variation":0},"salt":"s"})";
}
inline std::string ld_segment(std::string_view key, std::int64_t version,
                              std::string_view included) {
  return R"({"key":")" + std::string(key) + R"(","version":)" + std::to_string(version) +
         R"(,"included":[")" + std::string(included) + R"("],"salt":"s"})";
}

inline evaluation::Record flag_record(std::string_view key, std::int64_t version,
                                      std::string_view value) {
  return {.id = {.kind = evaluation::kFlagKind, .set_id = {}, .key = std::string(key)},
          .version = version,
          .tombstone = false,
          .raw = ld_flag(key, version, value)};
}
inline evaluation::Record segment_record(std::string_view key, std::int64_t version,
                                         std::string_view included) {
  return {
      .id = {.kind = evaluation::launchdarkly::kSegmentKind, .set_id = {}, .key = std::string(key)},
      .version = version,
      .tombstone = false,
      .raw = ld_segment(key, version, included)};
}
// flag-0, flag-1, …: each with a text of so many bytes for its value.
inline std::vector<evaluation::Record> flag_records(int count, std::size_t value_bytes) {
  std::vector<evaluation::Record> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(
        flag_record("flag-" + std::to_string(i), 1, '"' + std::string(value_bytes, 'x') + '"'));
  }
  return records;
}

inline evaluation::Record deleted_record(evaluation::Record record) {
  record.tombstone = true;
  record.raw.clear();
  return record;
}

// Environments called env-0, env-1 and so on, opened by sdk-key-0, sdk-key-1; the first is of
// several sources. One more, of flagd, is opened by flagd-key.
class LaunchDarklyBench {
 public:
  explicit LaunchDarklyBench(std::size_t environments = 1, std::size_t sources = 1)
      : dialect_(evaluation::launchdarkly::make_launchdarkly_dialect()),
        flagd_(evaluation::flagd::make_flagd_dialect()),
        desk_(std::make_unique<ServingDesk>(loop)) {
    desk_->return_state = [this](std::shared_ptr<const cache::ServingState> state) {
      ++states_returned;
      state.reset();
    };
    for (std::size_t i = 0; i < environments; ++i) add_environment(i == 0 ? sources : 1, *dialect_);
    add_environment(1, *flagd_);
    publish();
  }

  template <typename Api, typename... Arguments>
  Api& serve(Arguments... arguments) {
    auto api = std::make_unique<Api>(loop, *desk_, arguments...);
    Api& served = *api;
    apis_.push_back(std::move(api));
    served.add_routes(router_);
    return served;
  }

  void load(evaluation::Update update, std::size_t source = 0, std::size_t environment = 0) {
    cache::Environment& at = *environments_[environment];
    auto intake = at.begin(at.source_layer(source), std::move(update));
    const cache::IntakeOutcome outcome = intake->run();
    ASSERT_TRUE(std::holds_alternative<cache::Accepted>(outcome));
  }
  // A complete document of that source; what is not in it is gone. Published at once.
  void take(std::vector<evaluation::Record> records, std::size_t source = 0,
            std::size_t environment = 0) {
    evaluation::Update update;
    update.records = std::move(records);
    load(std::move(update), source, environment);
    publish();
  }
  void change(std::vector<evaluation::Record> records, std::size_t source = 0,
              bool in_order = false) {
    evaluation::Update update;
    update.kind = evaluation::UpdateKind::kDelta;
    update.records = std::move(records);
    update.in_order = in_order;
    load(std::move(update), source);
    publish();
  }
  void pin(std::vector<cache::Pin> pins) {
    environments_[0]->set_pins(pins);
    publish();
  }
  // What the keeper does after a change.
  void publish() {
    auto state = std::make_shared<cache::ServingState>();
    for (std::size_t i = 0; i < environments_.size(); ++i) {
      const bool is_flagd = i + 1 == environments_.size();
      cache::Environment& environment = *environments_[i];
      const bool out = taken_out == static_cast<int>(i);
      if (published_[i] != environment.snapshot() || stale != was_stale_ || out) ++generations_[i];
      published_[i] = environment.snapshot();
      state->environments.push_back({.name = "env-" + std::to_string(i),
                                     .dialect = environment.dialect().name(),
                                     .snapshot = out ? nullptr : environment.snapshot(),
                                     .complete = !out && environment.ready(),
                                     .stale = stale,
                                     .last_failure_kind = last_failure.first,
                                     .last_failure_unix_ms = last_failure.second,
                                     .changed_unix_ms = 1'000'000'000'000,
                                     .generation = generations_[i]});
      state->routes.credentials.emplace_back();
      state->routes.filters.emplace_back(i < filters.size() ? filters[i] : "");
      if (!out) {
        const std::string key = is_flagd  ? "flagd-key"
                                : one_key ? "sdk-key-0"
                                          : "sdk-key-" + std::to_string(i);
        state->routes.credentials.back().current = key;
        (void)add_credential(state->routes, key, static_cast<std::uint32_t>(i));
      }
      if (!desk_->usage[i]) desk_->usage[i] = std::make_unique<cache::UsageCounters>();
      desk_->usage[i]->grow(environment.flag_id_limit());
    }
    if (!new_key.empty()) (void)add_credential(state->routes, new_key, 0);
    if (change_routes) change_routes(state->routes);
    state->routes.awaits_credentials = awaits_credentials;
    state->routes.awaited = awaited;
    was_stale_ = stale;
    desk_->state = std::move(state);
    for (auto& api : apis_) api->on_published();
  }
  void stop() {
    desk_->stopping = true;
    for (auto& api : apis_) api->on_stopping();
  }
  void short_of_memory() {
    for (auto& api : apis_) api->on_short_of_memory();
  }

  net::RecordingResponse request(net::Method method, std::string_view target,
                                 std::vector<net::HeaderField> headers, std::string_view body = {},
                                 std::string_view key = "sdk-key-0") {
    const std::size_t mark = target.find('?');
    padded_ = body;
    padded_.append(net::Request::kBodyPaddingBytes, '\0');
    if (!key.empty()) headers.push_back({"authorization", key});
    // A request that is deferred is handled again later.
    target = kept_targets_.emplace_back(target);
    net::Request request;
    request.method = method;
    request.method_text = net::to_string(method);
    request.path = target.substr(0, mark);
    if (mark != target.npos) request.query = target.substr(mark + 1);
    request.headers = kept_headers_.emplace_back(std::move(headers));
    request.body = std::string_view(padded_).substr(0, body.size());
    net::RecordingResponse response;
    response.request = request;
    router_.handle(request, response);
    return response;
  }
  net::RecordingResponse get(std::string_view target, std::vector<net::HeaderField> headers = {},
                             std::string_view key = "sdk-key-0") {
    return request(net::Method::kGet, target, std::move(headers), {}, key);
  }

  net::RecordingResponse post_bulk() {
    return request(net::Method::kPost, "/ofrep/v1/evaluate/flags",
                   {{"content-type", "application/json"}}, R"({"context":{"targetingKey":"u"}})");
  }

  // For what a timer does, at last.
  void turn_slowly_until(const std::function<bool()>& done) {
    net::Timer next(loop, [this] { loop.stop(); });
    next.start_repeating(20, 20);
    while (!done()) loop.run();
  }
  // Turns the loop until `done`, or until nothing more can come of it.
  void turn_until(const std::function<bool()>& done, int turns = 100'000) {
    for (int i = 0; i < turns && !done(); ++i) {
      EXPECT_TRUE(loop.post([this] { loop.stop(); }));
      loop.run();
    }
  }
  void turn(int turns = 3) {
    turn_until([] { return false; }, turns);
  }
  // The whole answer, however many turns it takes.
  std::string text_of(net::RecordingResponse& response) {
    if (response.stream == nullptr) return response.text;
    turn_until([&] { return !response.stream->open; });
    return response.text + response.stream->all();
  }

  ServingDesk& desk() { return *desk_; }
  net::Router& router() { return router_; }
  const cache::Snapshot& snapshot(std::size_t environment = 0) {
    return *environments_[environment]->snapshot();
  }
  cache::MemoryBudget& budget() { return budget_; }
  cache::EntryHome& home() { return home_; }

  net::Loop loop;
  bool stale = false;
  bool awaits_credentials = false;
  // Places of environments that a reload gave LaunchDarkly's dialect, still served by another.
  std::vector<std::uint32_t> awaited;
  // Opens env-0 as well.
  std::string new_key;
  // All of LaunchDarkly's environments have sdk-key-0, and are told apart by their filters.
  bool one_key = false;
  std::vector<std::string> filters;
  std::function<void(cache::Routes&)> change_routes;
  std::pair<std::string_view, std::int64_t> last_failure;
  // The environment that a reload took out; -1: none.
  int taken_out = -1;
  std::size_t states_returned = 0;

 private:
  void add_environment(std::size_t sources, const evaluation::Dialect& dialect) {
    cache::EnvironmentOptions options{.name = "env", .sources = {}, .has_bootstrap = false};
    for (std::size_t i = 0; i < sources; ++i) {
      options.sources.push_back({.name = "source-" + std::to_string(i),
                                 .optional = i > 0,
                                 .shrink_guard = false,
                                 .confirm_shrink = 3});
    }
    environments_.push_back(
        std::make_unique<cache::Environment>(std::move(options), dialect, home_));
    generations_.push_back(0);
    published_.push_back(nullptr);
  }

  std::unique_ptr<evaluation::Dialect> dialect_;
  std::unique_ptr<evaluation::Dialect> flagd_;
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};
  std::vector<std::unique_ptr<cache::Environment>> environments_;
  std::vector<std::uint64_t> generations_;
  std::vector<std::shared_ptr<const cache::Snapshot>> published_;
  bool was_stale_ = false;
  std::string padded_;
  std::list<std::string> kept_targets_;
  std::list<std::vector<net::HeaderField>> kept_headers_;
  std::unique_ptr<ServingDesk> desk_;
  net::Router router_;
  std::vector<std::unique_ptr<ServingApi>> apis_;
};

}  // namespace flagstone::sidecar
