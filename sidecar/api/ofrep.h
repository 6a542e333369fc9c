// OFREP 0.3.0, the OpenFeature Remote Evaluation Protocol: single and bulk evaluation, change
// events.
//
// One per serving thread, on its loop. Source: open-feature/protocol service/openapi.yaml; where
// that is silent, what flagd answers (flagd: service/flag-evaluation/ofrep). An answer allocates
// nothing in the steady state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "evaluation/content_hash.h"
#include "net/handler.h"
#include "net/router.h"
#include "sidecar/api/api.h"
#include "sidecar/api/ofrep_bulk.h"
#include "sidecar/api/ofrep_events.h"
#include "sidecar/context_additions.h"
#include "sidecar/selector.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class Ofrep final : public ServingApi {
 public:
  Ofrep(net::Loop& loop, ServingDesk& desk);

  void add_routes(net::Router& router) override;

  // POST /ofrep/v1/evaluate/flags/{key}
  void evaluate_one(const net::Request& request, std::string_view key, net::Response& response);
  // POST /ofrep/v1/evaluate/flags
  void evaluate_all(const net::Request& request, std::string_view, net::Response& response);
  // GET /ofrep/v1/sse and /ofrep/v1/sse/{channel}
  void open_events(const net::Request& request, std::string_view channel, net::Response& response);
  void refuse(const net::Refusal& refusal, const net::Request& request, net::Response& response);

  void on_published() override { events_.on_published(); }
  void on_stopping() override { events_.close_all(); }

 private:
  // What every request needs before it can be answered.
  struct Asked {
    const cache::ServingState* state = nullptr;
    const cache::EnvironmentState* environment = nullptr;
    std::size_t index = 0;
    Selector selector;
  };
  // What the bulk ETag needs to know of a snapshot's selected flags, remembered because a walk over
  // all of them costs more than many answers.
  struct Selection {
    std::size_t environment = 0;
    std::uint64_t generation = 0;
    std::string selector;
    std::uint64_t content_hash = 0;
    bool varies = false;
  };

  // Nullopt when the request was refused; the answer is then already sent.
  std::optional<Asked> find_out(const net::Request& request, std::string_view key,
                                net::Response& response);
  std::optional<evaluation::EvaluationContext> read_context(const net::Request& request,
                                                            std::string_view key,
                                                            net::Response& response);
  void send_error(int status, evaluation::ErrorCode code, std::string_view key,
                  std::string_view details, net::Response& response);
  void send_not_ready(std::string_view key, net::Response& response);
  const Selection& selection_of(const Asked& asked, std::string_view selector);
  void send_all(const Asked& asked, const evaluation::EvaluationContext& context,
                const net::Request& request, std::span<const net::HeaderField> headers,
                net::Response& response);
  void answer_late(std::string_view key, net::Response& response);

  ServingDesk& desk_;
  ContextAdditions additions_;
  OfrepEvents events_;
  OfrepBulk bulk_;
  Selection selection_;
  evaluation::ContentHash bulk_hash_;
};

}  // namespace flagstone::sidecar
