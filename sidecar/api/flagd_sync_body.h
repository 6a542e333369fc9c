// What everybody who asks for one selection of one snapshot's flags is sent: the document, framed
// once.
//
// Immutable but for the JSON form, which is made when somebody asks; one serving thread. It holds
// nothing of the snapshot. Making one is a walk over the flags and costs a few milliseconds for ten
// thousand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cache/snapshot.h"
#include "evaluation/content_hash.h"
#include "net/rpc/call.h"
#include "sidecar/selector.h"
#include "sidecar/serving_settings.h"

namespace flagstone::sidecar {

class FlagdSyncBody {
 public:
  // A document larger than this is not served: nobody takes one.
  static constexpr std::size_t kDocumentBytesMax = std::size_t{64} * 1024 * 1024;

  // nullptr when the document would be larger than that (and kDocumentBytesMax), or some flag's
  // text cannot be read: what is missing would look deleted.
  static std::shared_ptr<FlagdSyncBody> make(const cache::Snapshot& snapshot,
                                             const Selector& selector,
                                             std::string_view sync_context_json,
                                             std::size_t bytes_max);

  std::string_view document() const { return document_; }
  const evaluation::Digest128& digest() const { return digest_; }
  // A SyncFlagsResponse.
  const std::shared_ptr<const net::RpcSharedMessage>& message(net::RpcCodec codec);

 private:
  FlagdSyncBody() = default;

  std::shared_ptr<const net::RpcSharedMessage> proto_;
  std::shared_ptr<const net::RpcSharedMessage> json_;
  std::string_view document_;  // Within proto_.
  std::string context_json_;
  evaluation::Digest128 digest_;
};

// The static context as a JSON object.
std::string sync_context_json(const ServingSettings& settings);

}  // namespace flagstone::sidecar
