// LaunchDarkly's streams, FDv1 and FDv2: events to updates.
//
// Owned by a LaunchDarkly source, on the keeper's loop. What is in work elsewhere it waits for; it
// decides nothing about where to ask.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/reservation.h"
#include "upstream/launchdarkly_decoder.h"
#include "upstream/launchdarkly_update.h"

namespace flagstone::upstream {

class LaunchDarklyStream final : public EventSink {
 public:
  LaunchDarklyStream(std::uint64_t bytes_max, const IncomingMemory& memory,
                     LaunchDarklyStreamHost& host)
      : bytes_max_(bytes_max), memory_(memory), host_(host) {
    if (memory.budget != nullptr) text_held_.emplace(*memory.budget, cache::MemoryPart::kUpdates);
  }

  // A connection is about to be made. `has_basis`: it says what we have, so that changes to it make
  // sense.
  void begin(LaunchDarklyProtocol protocol, bool has_basis);
  // Data is arriving that does not count before its end, and more of it came since this was asked
  // last, or would have if it did not wait for the disk.
  bool is_receiving();

  Head on_head(const HttpHead& head) override { return host_.on_answer(head); }
  Wish on_event_begin(std::string_view name) override;
  std::expected<void, std::string> on_event_data(std::string_view piece) override;
  std::expected<Next, std::string> on_event_end() override;
  bool must_wait() const override;
  void stop_waiting() override;
  void on_stream_failure(FailureKind kind, std::string cause, milliseconds retry) override;

 private:
  Wish begin_fdv1_event();
  std::expected<Next, std::string> end_put();
  std::expected<Next, std::string> end_change(std::string_view text);
  std::expected<Next, std::string> end_transfer_event(std::string_view text);
  void forget();
  bool is_within_data() const;

  std::uint64_t bytes_max_;
  IncomingMemory memory_;
  LaunchDarklyStreamHost& host_;

  LaunchDarklyProtocol protocol_ = LaunchDarklyProtocol::kFdv1;
  // There is something that changes can be applied to.
  bool has_base_ = false;
  // The event that is being read: complete data, or the text of another.
  std::string name_;
  std::unique_ptr<LaunchDarklyData> data_;
  std::string text_;
  std::optional<cache::Reservation> text_held_;
  std::unique_ptr<LaunchDarklyTransfers> transfers_;
  bool received_ = false;  // Since is_receiving().
};

}  // namespace flagstone::upstream
