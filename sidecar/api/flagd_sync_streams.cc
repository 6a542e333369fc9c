#include "sidecar/api/flagd_sync_streams.h"

#include <utility>

#include "sidecar/selected_flags.h"

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kDialect = "flagd";

}  // namespace

void FlagdSyncStreams::BodyBytes::track(const Message& message) {
  for (const auto& framed : framed_) {
    if (!framed.owner_before(message->framed()) && !message->framed().owner_before(framed)) return;
  }
  framed_.emplace_back(message->framed());
}

std::size_t FlagdSyncStreams::BodyBytes::sum() {
  std::erase_if(framed_, [](const auto& framed) { return framed.expired(); });
  std::size_t bytes = 0;
  for (const auto& framed : framed_) {
    if (const auto alive = framed.lock()) bytes += alive->capacity();
  }
  return bytes;
}

FlagdSyncStreams::FlagdSyncStreams(net::Loop& loop, ServingDesk& desk, BodyBytes& bytes)
    : FlagStreams(loop, desk), context_json_(sync_context_json(desk.settings)), bytes_(bytes) {}

std::unique_ptr<FlagStreams::Audience> FlagdSyncStreams::make_audience() {
  return std::make_unique<SyncAudience>();
}

std::shared_ptr<FlagdSyncBody> FlagdSyncStreams::body(std::size_t environment,
                                                      const Selector& selector) const {
  const Audience* audience = find_audience(environment, selector);
  return audience == nullptr ? nullptr : static_cast<const SyncAudience*>(audience)->body;
}

void FlagdSyncStreams::refresh(Audience& base, const cache::EnvironmentState& environment) {
  auto& audience = static_cast<SyncAudience&>(base);
  // What is missing must not look deleted.
  if (!environment.snapshot || !environment.complete) return;
  // A reload may have made it another vendor's.
  if (environment.snapshot->dialect().name() != kDialect) return;
  const std::uint64_t identity = selection_identity(*environment.snapshot, audience.selector);
  if (audience.version != 0 && identity == audience.identity) return;
  audience.identity = identity;
  auto body = FlagdSyncBody::make(*environment.snapshot, audience.selector, context_json_,
                                  desk().prepared_bytes_max());
  // What changed may be of no consequence here: another set's evaluator, say.
  if (body != nullptr && audience.body != nullptr && body->digest() == audience.digest) return;
  if (body != nullptr) audience.digest = body->digest();
  audience.body = std::move(body);
  ++audience.version;
}

void FlagdSyncStreams::settle() {
  desk().counters.sync_streams.set(size());
  desk().counters.prepared_bytes.set(bytes_.sum());
}

FlagStreams::News FlagdSyncStreams::news_since(Audience& base, Version, net::RpcCodec codec) {
  auto& audience = static_cast<SyncAudience&>(base);
  if (audience.body == nullptr) {
    return {.message = nullptr,
            .end = net::RpcCode::kResourceExhausted,
            .why =
                "the flags with their evaluators make a document of more than 64 MiB, or more than "
                "the memory limit leaves for it"};
  }
  const Message& message = audience.body->message(codec);
  bytes_.track(message);
  return {.message = message};
}

}  // namespace flagstone::sidecar
