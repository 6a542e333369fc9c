#include "net/rpc/call.h"
#include "net/rpc/framing.h"

namespace flagstone::net {

std::shared_ptr<const RpcSharedMessage> RpcSharedMessage::make(std::string_view message) {
  std::string framed;
  framed.reserve(kFramePrefixBytes + message.size());
  append_frame(message, framed);
  auto shared = std::make_shared<RpcSharedMessage>();
  shared->framed_ = std::make_shared<const std::string>(std::move(framed));
  return shared;
}

std::string_view RpcSharedMessage::message() const {
  return std::string_view(*framed_).substr(kFramePrefixBytes);
}

}  // namespace flagstone::net
