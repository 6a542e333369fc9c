#include "net/rpc/problem.h"

#include <array>
#include <cstddef>

namespace flagstone::net {
namespace {

using enum RpcCode;

struct Row {
  RpcCode grpc;
  RpcCode connect;
  std::string_view text;
};

// In the order of the problems.
constexpr std::array<Row, 13> kRows = {{
    {kInternal, kInvalidArgument, "the request's message is cut"},
    {kUnimplemented, kUnimplemented, "the request holds no message"},
    {kUnimplemented, kUnimplemented, "the request holds more than one message"},
    {kResourceExhausted, kResourceExhausted, "the request's message is too large"},
    {kInternal, kInvalidArgument, "the request's message has unknown flags"},
    {kUnimplemented, kUnimplemented, "only gzip and identity are understood"},
    {kInternal, kInternal, "the request's message is marked as compressed, but not said how"},
    {kInternal, kInvalidArgument, "the request's message is not proper gzip"},
    {kInternal, kInvalidArgument, "the request is not proper base64"},
    {kInvalidArgument, kInvalidArgument, "an empty request is not JSON: send {} at least"},
    {kInternal, kInvalidArgument, "the timeout is malformed"},
    {kDeadlineExceeded, kDeadlineExceeded, "the timeout was over before the call began"},
    {kInvalidArgument, kInvalidArgument, "Connect-Protocol-Version has to be 1"},
}};

}  // namespace

RpcProblemText describe(RpcProblem problem, RpcProtocol protocol) {
  const Row& row = kRows[static_cast<std::size_t>(problem)];
  return {is_connect(protocol) ? row.connect : row.grpc, row.text};
}

}  // namespace flagstone::net
