#include "upstream/transports/kubernetes_watch.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "upstream/failure_of_status.h"

namespace flagstone::upstream {
namespace {

// Of an answer that is no success, its status object is worth reading and fits.
constexpr std::size_t kStatusBytesMax = 16 * 1024;
// A buffer that once held a large event is given back.
constexpr std::size_t kBufferKeptBytes = 64 * 1024;
constexpr milliseconds kAtOnce{1};  // Never zero: the loop has other things to do, too.

bool is_too_old(const KubernetesStatus& status) { return status.code == 410; }

}  // namespace

KubernetesWatch::KubernetesWatch(net::Loop& loop, HttpClient& http, const Clock& clock,
                                 RandomSource& random, KubernetesWatchOptions options,
                                 MakeHeaders make_headers, DocumentSink& sink)
    : timer_(loop, [this] { ask_next(); }),
      http_(http),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      make_headers_(std::move(make_headers)),
      sink_(sink),
      backoff_(options_.backoff) {}

void KubernetesWatch::start() {
  assert(!running_);
  running_ = true;
  next_ = Request::kList;
  timer_.start_once(0);
}

void KubernetesWatch::stop() {
  running_ = false;
  timer_.stop();
  abandon_request();
}

void KubernetesWatch::refresh() {
  if (!running_) return;
  if (in_work_ || delivering_) {
    list_again_ = true;
    return;
  }
  abandon_request();
  ask_after(Request::kList, kAtOnce);
}

void KubernetesWatch::credential_changed() {
  backoff_.forgive();
  if (running_ && failing_) timer_.start_once(kAtOnce.count());
}

// Requests.

void KubernetesWatch::ask_next() {
  if (in_work_) {
    list_again_ = true;  // The wait after a held document ended meanwhile.
  } else if (next_ == Request::kList) {
    list();
  } else {
    watch();
  }
}

void KubernetesWatch::list() {
  HttpLimits limits;
  limits.whole = options_.list_timeout;
  limits.body_bytes = options_.object_bytes_max;
  ask(Request::kList, {}, limits);
}

void KubernetesWatch::watch() {
  using std::chrono::ceil;
  using std::chrono::seconds;
  const milliseconds timeout =
      between(options_.watch_shortest, options_.watch_longest, random_.next());
  HttpLimits limits;
  limits.idle = milliseconds(0);
  limits.whole = timeout + options_.watch_overtime;
  limits.body_bytes = 0;  // Each event is measured instead.
  ask(Request::kWatch,
      "&watch=1&allowWatchBookmarks=true&resourceVersion=" + version_ +
          "&timeoutSeconds=" + std::to_string(ceil<seconds>(timeout).count()),
      limits);
}

void KubernetesWatch::ask(Request what, const std::string& query, const HttpLimits& limits) {
  abandon_request();
  timer_.stop();
  failing_ = false;
  status_ = 0;
  retry_after_.reset();
  saw_event_ = false;
  asking_ = what;
  auto headers = make_headers_();
  if (!headers) return fail(FailureKind::kCredential, headers.error());
  headers->push_back({"Accept", "application/json"});
  HttpRequest request{.url = options_.server + "/apis/" + options_.api + "/namespaces/" +
                             options_.name_space + "/" + options_.resource +
                             "?fieldSelector=metadata.name%3D" + options_.name + query,
                      .unix_socket = {},
                      .headers = std::move(*headers),
                      .limits = limits};
  request.limits.redirects = 0;  // An API server sends nobody anywhere.
  request.ca_file = options_.ca_file;
  request.keep_alive = options_.keep_alive;
  request.unacknowledged = options_.unacknowledged;
  exchange_ = http_.start(std::move(request), *this);
}

void KubernetesWatch::ask_after(Request what, milliseconds delay) {
  next_ = what;
  timer_.start_once(delay.count());
}

void KubernetesWatch::abandon_request() {
  asking_ = Request::kNone;
  exchange_.reset();
  ended_.reset();
  body_ = {};
  searched_ = 0;
}

bool KubernetesWatch::on_head(const HttpHead& head) {
  status_ = head.status;
  retry_after_ = parse_retry_after(head.find("retry-after"), clock_.unix_ms());
  if (status_ == 200 && asking_ == Request::kWatch) {
    watch_began_ = clock_.now();
    if (!std::exchange(just_listed_, false)) contact();
  }
  return true;
}

bool KubernetesWatch::on_body(std::string_view piece) {
  if (status_ != 200) {
    body_ += piece.substr(0, kStatusBytesMax - std::min(kStatusBytesMax, body_.size()));
    return body_.size() < kStatusBytesMax;
  }
  body_ += piece;
  if (asking_ == Request::kWatch) read_events();
  return asking_ != Request::kNone;
}

void KubernetesWatch::on_end(const std::optional<HttpError>& error) {
  // The exchange lives until the next request: we are inside its call.
  if (asking_ == Request::kNone) return;
  if (in_work_) {
    ended_.emplace(error);
  } else {
    finish(error);
  }
}

void KubernetesWatch::finish(const std::optional<HttpError>& error) {
  const Request asked = std::exchange(asking_, Request::kNone);
  if (error) return fail(error->kind, error->message);
  if (status_ != 200) {
    if (asked == Request::kWatch && status_ == 410) return too_old();
    return refused_by_status();
  }
  if (asked == Request::kList) return take_list();
  if (!body_.empty()) return fail(FailureKind::kTruncated, "the watch was cut inside an event");
  watch_ended();
}

void KubernetesWatch::refused_by_status() {
  version_.clear();  // It may be what the server objects to.
  KubernetesStatus status = read_kubernetes_status(body_);
  status.code = status_;
  fail(failure_of_http_status(status_), status_text(status));
}

// What they bring.

void KubernetesWatch::take_list() {
  const std::string text = std::exchange(body_, {});
  auto list = read_kubernetes_list(text, options_.name, options_.document_path);
  if (!list) return fail(FailureKind::kMalformed, "the list: " + list.error());
  version_ = std::move(list->resource_version);
  just_listed_ = true;
  backoff_.succeeded(clock_.now());
  if (list->object) {
    deliver(*list->object);
  } else {
    missing("there is no ");
  }
  if (!in_work_) proceed();
}

void KubernetesWatch::read_events() {
  while (asking_ == Request::kWatch && !in_work_) {
    const std::size_t end = body_.find('\n', searched_);
    if (end == std::string::npos) {
      searched_ = body_.size();
      break;
    }
    const std::string line = take_line(end);
    if (!line.empty()) take_event(line);
    if (!in_work_) list_when_wanted();
  }
  if (asking_ != Request::kWatch || body_.size() <= options_.object_bytes_max) return;
  // Whatever it is, it cannot be passed over: what follows it would be without its change.
  version_.clear();
  if (in_work_) {
    list_again_ = true;
    return abandon_request();
  }
  holds_ = false;
  abandon_request();
  fail(FailureKind::kTooLarge,
       "an event of more than " + std::to_string(options_.object_bytes_max) + " bytes");
}

// Most often the line is all there is, and is not copied.
std::string KubernetesWatch::take_line(std::size_t end) {
  std::string line;
  if (end + 1 == body_.size()) {
    line = std::exchange(body_, {});
  } else {
    line = body_.substr(0, end + 1);
    body_.erase(0, end + 1);
    if (body_.capacity() > kBufferKeptBytes && body_.size() < kBufferKeptBytes) {
      body_.shrink_to_fit();
    }
  }
  searched_ = 0;
  line.pop_back();
  return line;
}

void KubernetesWatch::take_event(std::string_view line) {
  const auto event = read_kubernetes_event(line, options_.document_path);
  if (!event) {
    version_.clear();
    abandon_request();
    return fail(FailureKind::kMalformed, "a watch event: " + event.error());
  }
  using Type = KubernetesEvent::Type;
  if (event->type == Type::kError) return take_error_event(event->status);
  if (event->type == Type::kOther) return;
  saw_event_ = true;
  too_old_in_a_row_ = 0;
  if (event->type != Type::kBookmark && event->object.name != options_.name) return;
  version_ = event->object.resource_version;
  if (event->type == Type::kBookmark) {
    contact();
  } else if (event->type == Type::kDeleted) {
    missing("somebody deleted ");
  } else {
    deliver(event->object);
  }
}

void KubernetesWatch::take_error_event(const KubernetesStatus& status) {
  abandon_request();
  if (is_too_old(status)) return too_old();
  version_.clear();
  fail(failure_of_http_status(status.code), "the watch ended with " + status_text(status));
}

void KubernetesWatch::deliver(const KubernetesObject& object) {
  holds_ = false;
  if (!object.document) {
    std::string path;
    for (const std::string& name : options_.document_path) path += (path.empty() ? "" : ".") + name;
    return malformed(place() + " has no " + path);
  }
  sink_.on_begin("application/json");
  auto eaten = sink_.on_piece(*object.document);
  if (!eaten) return malformed(std::move(eaten.error()));
  in_work_ = delivering_ = true;  // Before the call: the sink may lead to settle() at once.
  auto arrival = sink_.on_complete({.etag = version_, .last_modified = {}});
  delivering_ = false;
  if (arrival && *arrival == Arrival::kInWork) {
    if (in_work_ && asking_ == Request::kWatch) exchange_->set_paused(true);
    return;
  }
  in_work_ = false;
  if (!arrival) return malformed(std::move(arrival.error()));
  holds_ = true;
  sink_.on_unchanged();
}

// Not the connection's fault: the watch goes on, and brings the next version.
void KubernetesWatch::malformed(std::string cause) {
  sink_.on_failure(FailureKind::kMalformed, std::move(cause), milliseconds(0));
}

void KubernetesWatch::missing(std::string_view how) {
  holds_ = false;
  sink_.on_failure(FailureKind::kNotFound, std::string(how) + place(), milliseconds(0));
}

void KubernetesWatch::settle(Outcome outcome) {
  assert(in_work_);
  in_work_ = false;
  holds_ = outcome == Outcome::kAccepted;
  held_ = outcome == Outcome::kHeld;
  if (!delivering_) proceed();
}

// After a document, accepted or not.
void KubernetesWatch::proceed() {
  if (!running_) return;
  if (asking_ == Request::kNone) {
    if (!list_again_) watch();
    return list_when_wanted();
  }
  list_when_wanted();
  read_events();
  if (in_work_ || asking_ != Request::kWatch) return;
  if (ended_) return finish(*std::exchange(ended_, std::nullopt));
  exchange_->set_paused(false);
}

// A held document is fetched again beside the watch, which may bring a better one before that.
void KubernetesWatch::list_when_wanted() {
  const bool held = std::exchange(held_, false);
  if (std::exchange(list_again_, false)) {
    refresh();
  } else if (held) {
    ask_after(Request::kList, jittered_interval(options_.held, random_.next()));
  }
}

// Their ends.

void KubernetesWatch::watch_ended() {
  const bool brief = !saw_event_ && clock_.now() - watch_began_ < options_.watch_brief;
  too_old_in_a_row_ = 0;
  milliseconds wait = kAtOnce;
  if (brief) {
    wait = std::max(wait, backoff_.failed(Regime::kOrdinary, clock_.now(), random_.next()));
  }
  ask_after(holds_ ? Request::kWatch : Request::kList, wait);
}

void KubernetesWatch::too_old() {
  version_.clear();
  milliseconds wait = kAtOnce;
  if (++too_old_in_a_row_ > 1) {
    wait = std::max(wait, backoff_.failed(Regime::kOrdinary, clock_.now(), random_.next()));
  }
  ask_after(Request::kList, wait);
}

void KubernetesWatch::contact() {
  backoff_.succeeded(clock_.now());
  if (holds_) sink_.on_unchanged();
}

void KubernetesWatch::fail(FailureKind kind, std::string cause) {
  asking_ = Request::kNone;
  const Regime regime = kind == FailureKind::kUnauthorized ? Regime::kDenied : Regime::kOrdinary;
  const milliseconds wait =
      std::max(backoff_.failed(regime, clock_.now(), random_.next(), retry_after_), kAtOnce);
  failing_ = true;
  just_listed_ = false;
  // What is not held is judged again; what is, is only followed again.
  ask_after(holds_ && !version_.empty() ? Request::kWatch : Request::kList, wait);
  sink_.on_failure(kind, std::move(cause), wait);
}

// Their words.

std::string KubernetesWatch::place() const {
  return options_.resource + " `" + options_.name + "` in namespace `" + options_.name_space + "`";
}

std::string KubernetesWatch::status_text(const KubernetesStatus& status) const {
  std::string text = "status " + std::to_string(status.code);
  if (!status.message.empty()) text += " (" + status.message + ")";
  if (status.code == 401)
    return text + ": the API server does not take the service account's token";
  if (status.code == 403) {
    return text + ": the pod's service account may not list and watch " + options_.resource +
           " in namespace `" + options_.name_space + "`; k8s/rbac has the Role it needs";
  }
  if (status.code == 404) {
    return text + ": the cluster has no " + options_.resource + " of " + options_.api +
           "; is their CustomResourceDefinition installed?";
  }
  return text;
}

}  // namespace flagstone::upstream
