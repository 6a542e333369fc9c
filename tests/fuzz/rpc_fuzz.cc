// Calls of every protocol with any body: no crash, exactly one answer, and no message beyond the
// limit.
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "net/rpc/call.h"
#include "tests/fakes/net/recording_response.h"

namespace {

using namespace flagstone::net;

constexpr std::size_t kMessageBytesMax = 4096;

constexpr std::array<std::string_view, 8> kTypes = {
    "application/grpc",          "application/grpc-web", "application/grpc-web-text",
    "application/json",          "application/proto",    "application/connect+json",
    "application/connect+proto", "application/grpc+json"};
constexpr std::array<std::string_view, 4> kEncodings = {"identity", "gzip", "br", ""};

bool served_once(const Request& request, RpcKind kind, RpcScratch& scratch) {
  RecordingResponse response;
  auto call = RpcCall::begin(kind, request, response, scratch);
  if (!call) return response.sends == 1;
  if (response.sends != 0 || call->message().size() > kMessageBytesMax) return false;
  if (kind == RpcKind::kServerStream) {
    call->fail(RpcCode::kNotFound, call->message());  // any bytes may stand in it
  } else {
    call->reply().append(call->message());
    call->send();
  }
  return response.sends == 1;
}

}  // namespace

// The first byte chooses the kind, the type and the encoding; the next eight are a timeout.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kTimeoutBytes = 8;
  if (size < 1 + kTimeoutBytes) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const unsigned choice = data[0];
  const std::string_view timeout = all.substr(1, kTimeoutBytes);
  const std::string_view body = all.substr(1 + kTimeoutBytes);

  // With exactly the promised padding, for the sanitizer to watch.
  const auto copy = std::make_unique<char[]>(body.size() + Request::kBodyPaddingBytes);
  if (!body.empty()) std::memcpy(copy.get(), body.data(), body.size());
  const std::string_view encoding = kEncodings[choice >> 3 & 3];
  const std::array<HeaderField, 5> headers = {{{"content-type", kTypes[choice & 7]},
                                               {"grpc-encoding", encoding},
                                               {"content-encoding", encoding},
                                               {"connect-content-encoding", encoding},
                                               {"grpc-timeout", timeout}}};
  const bool with_timeout = (choice & 0x40) != 0;
  Request request;
  request.method = Method::kPost;
  request.version = HttpVersion::k2;
  request.headers = std::span(headers).first(with_timeout ? 5U : 4U);
  request.body = {copy.get(), body.size()};

  RpcScratch scratch;
  scratch.message_bytes_max = kMessageBytesMax;
  const RpcKind kind = (choice & 0x20) != 0 ? RpcKind::kServerStream : RpcKind::kUnary;
  if (!served_once(request, kind, scratch)) std::abort();
  if (!served_once(request, kind, scratch)) std::abort();  // the scratch is fit for use again
  return 0;
}
