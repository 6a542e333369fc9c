#include "net/cors.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "net/ascii.h"
#include "net/deferred_response.h"
#include "net/event_stream.h"

namespace flagstone::net {
namespace {

constexpr std::string_view kMethods = "GET, HEAD, POST";
// What OFREP's, gRPC-Web's and Connect's clients want to read beside the body.
constexpr std::string_view kExposed =
    "ETag, Retry-After, Accept-Post, grpc-status, grpc-message, grpc-accept-encoding, "
    "connect-accept-encoding, accept-encoding";
// Two hours: the longest that Chromium believes.
constexpr std::string_view kMaxAgeSeconds = "7200";
constexpr std::string_view kPreflightVary =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

}  // namespace

// Hands on what the next handler says, with our fields added.
class Cors::Answer final : public Response {
 public:
  Answer(Cors& cors, std::string_view allowed, Response& to)
      : cors_(cors), allowed_(allowed), to_(to) {}

  std::string& body() override { return to_.body(); }
  using Response::send;
  void send(int status, std::string_view content_type, std::span<const HeaderField> headers,
            std::span<const HeaderField> trailers) override {
    to_.send(status, content_type, cors_.with_ours(headers, allowed_), trailers);
  }
  std::unique_ptr<EventStream> open_stream(int status, std::string_view content_type,
                                           std::span<const HeaderField> headers) override {
    return to_.open_stream(status, content_type, cors_.with_ours(headers, allowed_));
  }
  std::unique_ptr<DeferredResponse> defer() override;

 private:
  Cors& cors_;
  std::string_view allowed_;
  Response& to_;
};

// An answer that comes later, with our fields added.
class Cors::LaterAnswer final : public DeferredResponse {
 public:
  // What is allowed is asked of the request that is kept: the other's views do not last.
  LaterAnswer(Cors& cors, std::unique_ptr<DeferredResponse> to)
      : to_(std::move(to)), answer_(cors, cors.allowed_origin(to_->request()), to_->response()) {}

  const Request& request() const override { return to_->request(); }
  Response& response() override { return answer_; }
  bool alive() const override { return to_->alive(); }
  void set_on_gone(std::move_only_function<void()> on_gone) override {
    to_->set_on_gone(std::move(on_gone));
  }

 private:
  std::unique_ptr<DeferredResponse> to_;
  Answer answer_;
};

std::unique_ptr<DeferredResponse> Cors::Answer::defer() {
  return std::make_unique<LaterAnswer>(cors_, to_.defer());
}

Cors::Cors(Handler& next, std::vector<std::string> origins)
    : next_(next),
      origins_(std::move(origins)),
      allows_all_(std::ranges::find(origins_, "*") != origins_.end()) {}

std::string_view Cors::allowed_origin(const Request& request) const {
  if (origins_.empty()) return {};
  const auto origin = request.header("origin");
  if (!origin) return {};
  if (allows_all_) return "*";
  const bool listed = std::ranges::any_of(
      origins_, [&](const std::string& allowed) { return equal_ignoring_case(allowed, *origin); });
  return listed ? *origin : std::string_view();
}

std::span<const HeaderField> Cors::with_ours(std::span<const HeaderField> headers,
                                             std::string_view allowed) {
  fields_.assign(headers.begin(), headers.end());
  fields_.push_back({"Access-Control-Allow-Origin", allowed});
  fields_.push_back({"Access-Control-Expose-Headers", kExposed});
  if (!allows_all_) fields_.push_back({"Vary", "Origin"});
  return fields_;
}

void Cors::answer_preflight(const Request& request, std::string_view allowed, Response& response) {
  fields_.assign({{"Access-Control-Allow-Origin", allowed},
                  {"Access-Control-Allow-Methods", kMethods},
                  {"Access-Control-Max-Age", kMaxAgeSeconds},
                  {"Vary", kPreflightVary}});
  // Whatever a page of an allowed origin wants to send: what we do not know we do not read.
  if (const auto asked = request.header("access-control-request-headers")) {
    fields_.push_back({"Access-Control-Allow-Headers", *asked});
  }
  response.send(204, {}, fields_);
}

void Cors::handle(const Request& request, Response& response) {
  const std::string_view allowed = allowed_origin(request);
  if (allowed.empty()) {
    next_.handle(request, response);
    return;
  }
  if (request.method == Method::kOptions && request.header("access-control-request-method")) {
    answer_preflight(request, allowed, response);
    return;
  }
  Answer answer(*this, allowed, response);
  next_.handle(request, answer);
}

void Cors::refuse(const Refusal& refusal, const Request& request, Response& response) {
  const std::string_view allowed = allowed_origin(request);
  if (allowed.empty()) {
    next_.refuse(refusal, request, response);
    return;
  }
  Answer answer(*this, allowed, response);
  next_.refuse(refusal, request, answer);
}

}  // namespace flagstone::net
