// A handler that remembers what it was asked and answers by simple rules.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/deferred_response.h"
#include "net/event_stream.h"
#include "net/handler.h"

namespace flagstone::net {

// GET answers "<method> <path>", POST echoes its body. Paths with a meaning:
//   /empty 204, /unchanged 304, /large `large_bytes` bytes, /stream an event stream kept in
//   `streams`, /later… an answer deferred, kept in `deferrals`, as above once it is run again.
class RecordingHandler final : public Handler {
 public:
  struct Seen {
    std::string method, path, query, host, body;
    std::vector<std::pair<std::string, std::string>> headers;
    unsigned listener_index = 0;
    ListenerKind kind = ListenerKind::kOtherTcp;
  };

  void handle(const Request& request, Response& response) override {
    remember(request);
    if (before_answer) before_answer(request);
    if (request.path == "/empty") return response.send(204, {});
    if (request.path == "/unchanged") return response.send(304, {}, {{"ETag", "\"1\""}});
    if (request.path == "/stream") {
      response.body() = "data: hello\n\n";
      streams.push_back(response.open_stream(200, "text/event-stream"));
      return;
    }
    if (request.path.starts_with("/later") && defers) {
      response.body() = "to be forgotten";
      deferrals.push_back(response.defer());
      return;
    }
    if (request.path == "/large") {
      response.body().assign(large_bytes, 'x');
    } else if (request.method == Method::kPost) {
      response.body().append(request.body);
    } else {
      response.body().append(request.method_text).append(" ").append(request.path);
    }
    response.send(200, "text/plain");
  }

  void refuse(const Refusal& refusal, const Request& request, Response& response) override {
    refusals.push_back({refusal.status, std::string(request.path)});
    refuse_as_text(refusal, response);
  }

  // From the top, as an api does that can answer now. The deferral is kept, spent.
  void run_again(std::size_t at) {
    defers = false;
    handle(deferrals.at(at)->request(), deferrals.at(at)->response());
    defers = true;
  }

  bool defers = true;
  bool remembers = true;  // off where allocations are counted
  std::size_t large_bytes = 0;
  std::function<void(const Request&)> before_answer;
  std::vector<Seen> seen;
  std::vector<std::pair<int, std::string>> refusals;
  std::vector<std::unique_ptr<EventStream>> streams;
  std::vector<std::unique_ptr<DeferredResponse>> deferrals;

 private:
  void remember(const Request& request) {
    if (!remembers) return;
    Seen one;
    one.method = request.method_text;
    one.path = request.path;
    one.query = request.query;
    one.host = request.host;
    one.body = request.body;
    one.listener_index = request.listener_index;
    one.kind = request.listener_kind;
    for (const auto& [name, value] : request.headers) one.headers.emplace_back(name, value);
    seen.push_back(std::move(one));
  }
};

}  // namespace flagstone::net
