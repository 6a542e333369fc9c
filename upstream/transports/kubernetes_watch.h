// Follows one resource on a Kubernetes API server: lists it, then watches it from there on.
//
// Knows no vendor: which resource, and where in it the document stands, it is told. Owned by a
// source, on the keeper's loop. One request at a time. While a document is in work the watch is
// paused, so that what changes meanwhile waits at the server. A watch that ends, as the server ends
// every one after a while, is followed by the next from the same resourceVersion, silently; where
// that is too old (410), by a list.
//
// A resource that is deleted, or never was, is a failure and takes nothing away.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/timer.h"
#include "upstream/backoff.h"
#include "upstream/document_sink.h"
#include "upstream/http_client.h"
#include "upstream/transports/kubernetes_objects.h"
#include "upstream/transports/transport.h"

namespace flagstone::upstream {

struct KubernetesWatchOptions {
  std::string server;    // "https://10.0.0.1:443", without a slash at its end.
  std::string ca_file;   // The cluster's own roots; empty: the client's.
  std::string api;       // "GROUP/VERSION"
  std::string resource;  // The plural, as it stands in URLs and Roles.
  std::string name_space;
  std::string name;
  std::vector<std::string> document_path;  // Members from the resource to its document.
  // One resource with everything in it, annotations and managed fields too: larger ones are
  // refused.
  std::uint64_t object_bytes_max = 64 * 1024 * 1024;
  milliseconds list_timeout{30'000};
  // How long a watch is asked for, anything between the two, so that pods do not ask in step.
  milliseconds watch_shortest{300'000};
  milliseconds watch_longest{600'000};
  milliseconds watch_overtime{30'000};  // After which one that does not end is ended.
  milliseconds held{30'000};            // Until a document is fetched again that was held.
  // A watch that ends sooner and brought nothing is not followed by the next at once.
  milliseconds watch_brief{1'000};
  // A dead server on a silent connection is noticed by these.
  milliseconds keep_alive{20'000};
  milliseconds unacknowledged{60'000};
  BackoffOptions backoff;
};

class KubernetesWatch final : public Transport, private HttpReceiver {
 public:
  // The request's own headers, asked for before each request; the error is why there are none.
  using MakeHeaders = std::function<std::expected<std::vector<HttpHeader>, std::string>()>;

  KubernetesWatch(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
                  KubernetesWatchOptions options, MakeHeaders make_headers, DocumentSink& sink);
  KubernetesWatch(const KubernetesWatch&) = delete;
  KubernetesWatch& operator=(const KubernetesWatch&) = delete;

  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;
  // Asks at once when it waits after a failure. A watch under way goes on: the server asked for the
  // token when it began.
  void credential_changed();

 private:
  enum class Request : std::uint8_t { kNone, kList, kWatch };

  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view piece) override;
  void on_end(const std::optional<HttpError>& error) override;

  void ask_next();
  void list();
  void watch();
  void ask(Request what, const std::string& query, const HttpLimits& limits);
  void ask_after(Request what, milliseconds delay);
  void abandon_request();
  void finish(const std::optional<HttpError>& error);
  void refused_by_status();

  void take_list();
  void read_events();
  std::string take_line(std::size_t end);
  void take_event(std::string_view line);
  void take_error_event(const KubernetesStatus& status);
  void deliver(const KubernetesObject& object);
  void malformed(std::string cause);
  void missing(std::string_view how);
  void proceed();
  void list_when_wanted();
  void watch_ended();
  void too_old();
  void contact();
  void fail(FailureKind kind, std::string cause);

  std::string status_text(const KubernetesStatus& status) const;
  std::string place() const;

  net::Timer timer_;
  HttpClient& http_;
  const Clock& clock_;
  RandomSource& random_;
  KubernetesWatchOptions options_;
  MakeHeaders make_headers_;
  DocumentSink& sink_;
  Backoff backoff_;

  bool running_ = false;
  Request next_ = Request::kList;  // What the timer will ask.
  bool failing_ = false;           // The timer waits after a failure.

  // What is known of the resource.
  std::string version_;       // Newest resourceVersion seen; empty: list first.
  bool holds_ = false;        // The resource's newest document is the one accepted last.
  bool just_listed_ = false;  // The list was contact enough; the watch's head is none.
  int too_old_in_a_row_ = 0;

  // The document in work.
  bool in_work_ = false;
  bool delivering_ = false;  // The sink's call is on the stack.
  bool held_ = false;        // The last one was, by the shrink guard.
  bool list_again_ = false;  // Something while it was in work asks for a list.

  // The request under way.
  Request asking_ = Request::kNone;
  int status_ = 0;
  std::optional<milliseconds> retry_after_;
  std::string body_;          // A list, a status, or what is not yet a whole event.
  std::size_t searched_ = 0;  // No line ends before that.
  TimePoint watch_began_;
  bool saw_event_ = false;
  // The watch ended while a document was in work: how.
  std::optional<std::optional<HttpError>> ended_;
  std::unique_ptr<HttpExchange> exchange_;
};

}  // namespace flagstone::upstream
