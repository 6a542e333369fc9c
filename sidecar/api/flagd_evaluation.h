// flagd's evaluation services: flagd.evaluation.v1, flagd.evaluation.v2 and the deprecated
// schema.v1, over gRPC, gRPC-Web and Connect. What is asked once and answered once; streams of
// events are another api.
//
// One per serving thread, on its loop. Source: open-feature/flagd-schemas protobuf/…; where that is
// silent, what flagd answers (flagd/pkg/service/flag-evaluation). An answer allocates nothing in
// the steady state.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/dialects/flagd/wire/evaluation_answer.h"
#include "evaluation/dialects/flagd/wire/evaluation_request.h"
#include "net/handler.h"
#include "net/router.h"
#include "net/rpc/call.h"
#include "sidecar/answer_metadata.h"
#include "sidecar/api/api.h"
#include "sidecar/context_additions.h"
#include "sidecar/selector.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class FlagdEvaluation final : public ServingApi {
 public:
  explicit FlagdEvaluation(ServingDesk& desk);

  void add_routes(net::Router& router) override;

 private:
  using ServiceVersion = evaluation::flagd::ServiceVersion;
  // What every call needs before it can be answered.
  struct Asked {
    const cache::EnvironmentState* environment = nullptr;
    std::size_t index = 0;
    Selector selector;
    ServiceVersion version = ServiceVersion::kV1;
  };

  // One row of the table of methods in flagd_evaluation.cc.
  template <std::size_t row>
  void resolve_row(const net::Request& request, std::string_view, net::Response& response);
  template <std::size_t row>
  void resolve_all_row(const net::Request& request, std::string_view, net::Response& response);
  template <std::size_t... rows>
  void add_methods(net::Router& router, std::index_sequence<rows...>);
  template <std::size_t... rows>
  void add_bulk_methods(net::Router& router, std::index_sequence<rows...>);

  void resolve(ServiceVersion version, evaluation::flagd::AskedType type,
               const net::Request& request, net::Response& response);
  void resolve_all(ServiceVersion version, const net::Request& request, net::Response& response);
  void refuse(const net::Refusal& refusal, const net::Request& request, net::Response& response);

  // Nullopt when the call was refused; the answer is then already sent.
  std::optional<Asked> find_out(ServiceVersion version, const net::Request& request,
                                net::RpcCall& call);
  // The error that was answered, kNone: none.
  evaluation::ErrorCode answer(const Asked& asked, const evaluation::Evaluation& result,
                               evaluation::flagd::AskedType type, std::int64_t now_unix_ms,
                               net::RpcCall& call);
  // False: some texts are unread (or, with none named, cannot be read at all), and there is no
  // answer.
  bool append_all(const Asked& asked, const evaluation::EvaluationContext& context,
                  std::vector<cache::TextPlace>& unread, net::RpcCall& call);
  evaluation::EvaluationContext with_additions(const Asked& asked,
                                               const evaluation::EvaluationContext& context,
                                               const net::Request& request);
  std::string_view metadata_of(std::string_view members, const AddedMetadata& added);

  void fail(net::RpcCall& call, evaluation::ErrorCode code, std::string_view details = {});
  void refuse_request(net::RpcCall& call, evaluation::ErrorCode code, std::string_view why);

  ServingDesk& desk_;
  ContextAdditions additions_;
  evaluation::flagd::EvaluationRequestReader requests_;
  evaluation::flagd::EvaluationAnswerWriter answers_;
  std::string metadata_;  // As JSON, of the answer being written.
  std::string cast_;      // A value that was cast.
  std::string message_;   // Of a failure.
};

}  // namespace flagstone::sidecar
