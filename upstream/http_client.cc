#include "upstream/http_client.h"

#include <algorithm>
#include <utility>

#include "upstream/http_engine.h"
#include "upstream/http_exchange.h"

namespace flagstone::upstream {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view HttpHead::find(std::string_view name) const {
  const auto found = std::find_if(headers.rbegin(), headers.rend(),
                                  [&](const HttpHeader& header) { return header.name == name; });
  return found == headers.rend() ? std::string_view() : std::string_view(found->value);
}

HttpClient::HttpClient(net::Loop& loop, net::Resolver& resolver, Options options)
    : engine_(std::make_unique<HttpEngine>(loop, resolver, std::move(options))) {}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpExchange> HttpClient::start(HttpRequest request, HttpReceiver& receiver) {
  return std::make_unique<RedirectingExchange>(*engine_, std::move(request), receiver);
}

}  // namespace flagstone::upstream
