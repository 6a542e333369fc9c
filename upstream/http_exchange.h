// An exchange as the client makes it: hop by hop, each resolved, limited and given only the headers
// that it may see.
//
// Inside upstream's HTTP client only; owned by whoever called HttpClient::start().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/resolver.h"
#include "net/timer.h"
#include "upstream/http_client.h"
#include "upstream/http_hop.h"
#include "upstream/http_url.h"

namespace flagstone::upstream {

class HttpEngine;

class RedirectingExchange final : public HttpExchange, public HttpHop::Listener {
 public:
  RedirectingExchange(HttpEngine& engine, HttpRequest request, HttpReceiver& receiver);
  ~RedirectingExchange() override;

  void set_paused(bool paused) override;

  bool on_hop_head(const HttpHead& head) override;
  bool on_hop_body(std::string_view piece) override;
  void on_hop_trailers(const std::vector<HttpHeader>& trailers) override;
  void on_hop_end(std::optional<HttpError> error) override;

 private:
  void resolve();
  void connect(std::vector<std::string> addresses);
  std::optional<HttpError> move_to(std::string_view location);
  // The last thing done in any function: the receiver may destroy this exchange.
  void end(const std::optional<HttpError>& error);

  HttpEngine& engine_;
  HttpRequest request_;
  HttpReceiver& receiver_;
  std::optional<HttpUrl> url_;  // Of the hop under way.
  std::optional<HttpProxy> proxy_;
  int redirects_ = 0;
  bool paused_ = false;
  std::optional<std::string> location_;  // Where the hop under way sends us.
  net::Timer begin_;
  std::unique_ptr<net::Resolver::Query> query_;
  std::unique_ptr<HttpHop> hop_;
};

}  // namespace flagstone::upstream
