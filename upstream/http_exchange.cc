#include "upstream/http_exchange.h"

#include <cassert>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "upstream/http_engine.h"

namespace flagstone::upstream {
namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

// Begins in the loop's next turn, so that no call of the receiver comes from inside start(), and so
// that it may be started inside a receiver's call, where curl takes no new request.
RedirectingExchange::RedirectingExchange(HttpEngine& engine, HttpRequest request,
                                         HttpReceiver& receiver)
    : engine_(engine),
      request_(std::move(request)),
      receiver_(receiver),
      url_(HttpUrl::parse(request_.url)),
      begin_(engine.loop(), [this] { resolve(); }) {
  begin_.start_once(0);
}

RedirectingExchange::~RedirectingExchange() {
  if (hop_ != nullptr) engine_.retire(std::move(hop_));
}

void RedirectingExchange::resolve() {
  if (!url_) return end(HttpError{FailureKind::kProtocol, "not an http or https URL"});
  if (!request_.unix_socket.empty()) return connect({});
  if (request_.proxy.empty()) {
    proxy_ = engine_.proxies().select(url_->scheme, url_->host);
  } else if (const auto url = parse_proxy_url(request_.proxy)) {
    proxy_ = HttpProxy{url->url, url->host, url->port};
  } else {
    return end(HttpError{FailureKind::kProtocol, "the proxy's URI cannot be read"});
  }
  const std::string& host = proxy_ ? proxy_->host : url_->host;
  query_ = engine_.resolver().resolve(host, [this](auto answer) {
    if (!answer) {
      end(HttpError{FailureKind::kResolve, answer.error().message});
    } else {
      connect(std::move(answer->addresses));
    }
  });
}

void RedirectingExchange::connect(std::vector<std::string> addresses) {
  HttpHopRequest hop{.url = *url_,
                     .unix_socket = request_.unix_socket,
                     .headers = request_.headers,
                     .limits = request_.limits,
                     .proxy = proxy_,
                     .addresses = std::move(addresses),
                     .body = request_.body,
                     .http2 = request_.http2,
                     .ca_file = request_.ca_file,
                     .client_certificate_file = request_.client_certificate_file,
                     .client_key_file = request_.client_key_file,
                     .keep_alive = request_.keep_alive,
                     .unacknowledged = request_.unacknowledged};
  hop_ = std::make_unique<HttpHop>(engine_, std::move(hop), *this);
  hop_->set_paused(paused_);
  hop_->start();
}

void RedirectingExchange::set_paused(bool paused) {
  paused_ = paused;
  if (hop_ != nullptr) hop_->set_paused(paused);
}

bool RedirectingExchange::on_hop_head(const HttpHead& head) {
  const std::string_view location = head.find("location");
  if (!is_redirect(head.status) || request_.body) return receiver_.on_head(head);
  location_ = std::string(location);
  return false;  // A redirect's body is for people.
}

bool RedirectingExchange::on_hop_body(std::string_view piece) { return receiver_.on_body(piece); }

void RedirectingExchange::on_hop_trailers(const std::vector<HttpHeader>& trailers) {
  if (!location_) receiver_.on_trailers(trailers);
}

void RedirectingExchange::on_hop_end(std::optional<HttpError> error) {
  const HttpEngine::Busy busy(engine_);
  engine_.retire(std::move(hop_));
  if (error || !location_) return end(error);
  if (auto refused = move_to(*std::exchange(location_, std::nullopt))) return end(refused);
  begin_.start_once(0);
}

std::optional<HttpError> RedirectingExchange::move_to(std::string_view location) {
  const auto refuse = [](std::string why) {
    return HttpError{FailureKind::kRedirect, "redirected " + std::move(why)};
  };
  if (++redirects_ > request_.limits.redirects) {
    return refuse("more than " + std::to_string(request_.limits.redirects) + " times");
  }
  const auto next = location.empty() ? std::nullopt : url_->follow(location);
  if (!next) return refuse("without a usable target");
  if (url_->scheme == "https" && next->scheme == "http") return refuse("from https to http");
  // A Unix socket stands for its one host; its answers cannot send us into the network.
  if (!request_.unix_socket.empty() && next->host != url_->host) return refuse("off its socket");
  if (!url_->shares_secrets_with(*next)) {
    std::erase_if(request_.headers, [](const HttpHeader& header) { return header.secret; });
    request_.client_certificate_file.clear();
    request_.client_key_file.clear();
  }
  url_ = next;
  return std::nullopt;
}

void RedirectingExchange::end(const std::optional<HttpError>& error) {
  if (!error || !proxy_) return receiver_.on_end(error);
  // What failed may be the proxy, whose address is nobody's that the message would name else. Its
  // user and password stay out.
  const std::string proxy = proxy_->host + ":" + std::to_string(proxy_->port);
  receiver_.on_end(HttpError{error->kind, error->message + " (through the proxy " + proxy + ")"});
}

}  // namespace flagstone::upstream
