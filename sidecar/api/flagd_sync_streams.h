// The streams of SyncFlags: every subscriber has the newest document of his selection, or is about
// to.
//
// Owned by FlagdSync, on its serving loop. There is one prepared body per selection that somebody
// listens to; a slow reader holds at most the one that he is being sent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sidecar/api/flagd_sync_body.h"
#include "sidecar/flag_streams.h"

namespace flagstone::sidecar {

class FlagdSyncStreams final : public FlagStreams {
 public:
  // Of bodies that are alive, whoever holds them: a slow reader may hold one that is no longer the
  // newest.
  class BodyBytes {
   public:
    void track(const Message& message);
    std::size_t sum();

   private:
    std::vector<std::weak_ptr<const std::string>> framed_;
  };

  FlagdSyncStreams(net::Loop& loop, ServingDesk& desk, BodyBytes& bytes);

  // The body that the listeners to this selection have; nullptr when there are none.
  std::shared_ptr<FlagdSyncBody> body(std::size_t environment, const Selector& selector) const;

 private:
  struct SyncAudience final : Audience {
    std::uint64_t identity = 0;
    evaluation::Digest128 digest;
    std::shared_ptr<FlagdSyncBody> body;  // nullptr with a version: too large.
  };

  std::unique_ptr<Audience> make_audience() override;
  void refresh(Audience& audience, const cache::EnvironmentState& environment) override;
  News news_since(Audience& audience, Version told, net::RpcCodec codec) override;
  void settle() override;

  std::string context_json_;
  BodyBytes& bytes_;
};

}  // namespace flagstone::sidecar
