// LaunchDarkly's events on their way to the vendor: what is posted goes to the spool, what is due
// is sealed, what is sealed is sent, one request at a time, until it is taken.
//
// Owned by the keeper, on its loop; the spool lives on the writer's side and is reached by jobs
// alone (SpoolOnDisk). Where batches go is EventRoutes', which of them were not taken is
// RefusedBatches'. No failure ends it: what is not taken is kept and sent again, but what upstream
// refuses for good.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/timer.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_event_routes.h"
#include "upstream/launchdarkly_event_sender.h"
#include "upstream/launchdarkly_refused_batches.h"
#include "upstream/launchdarkly_spool_on_disk.h"

namespace flagstone::upstream {

// The shape of a vendor's row; REQUIRES: validated options.
std::unique_ptr<EventForwarder> make_launchdarkly_event_forwarder(
    const config::Environment& options, EventForwarderTools tools);

namespace launchdarkly {

class Forwarder final : public EventForwarder, private SpoolOnDisk::Owner {
 public:
  // A full queue of the writer's is asked again after this.
  static constexpr std::int64_t kAgainMs = 1000;
  static constexpr std::int64_t kComplainEveryMs = 60'000;
  // After the last refusal for so long there is room again.
  static constexpr std::int64_t kRoomAgainMs = 10'000;

  Forwarder(const config::Environment& options, EventForwarderTools tools);
  ~Forwarder() override = default;

  void post(PostedEvents events, Done done) override;
  bool add(std::string_view schema, std::string_view tags, std::string events) override;
  std::int64_t vendor_unix_ms() const override;
  void set_options(const config::Environment& options) override;
  void try_now() override;
  void flush() override { seal(); }
  void finish(std::int64_t limit_ms, std::move_only_function<void()> done) override;
  EventFacts facts() const override;

 private:
  std::expected<void, Done> hand_to_disk(SpoolPost post, Done done);
  void on_taken(PostResult result) override;
  void on_facts() override;
  void seal();
  void pump();
  void rest();
  void send(OutgoingBatch batch);
  void sent(SendResult result, OutgoingBatch batch);
  void settle(OutgoingBatch batch, BatchOutcome outcome);
  void failed(const OutgoingBatch& batch, const SendResult& result);
  void back_off(EventDestination& to, const SendResult& result);
  void put_back();
  void note_full();
  void note_room();
  void complain_of_drops();
  void finish_if_done();
  void say(bool is_warning, std::string text);
  std::int64_t now_ms() const { return tools_.sources.loop.now_ms(); }

  EventForwarderTools tools_;
  config::EventOptions options_;
  std::string name_;
  EventRoutes routes_;
  EventSender sender_;
  net::Timer flush_timer_;
  net::Timer wait_timer_;
  net::Timer deadline_;
  RefusedBatches refused_;
  EventFacts counts_;
  std::int64_t vendor_offset_ms_ = 0;
  int seals_ = 0;                   // On their way through the disk.
  bool busy_ = false;               // A batch is being read, sent or settled.
  std::int64_t rest_until_ms_ = 0;  // The disk had no time, or nothing that could be sent.
  bool full_ = false;
  std::int64_t last_full_ms_ = 0;
  std::int64_t complained_ms_ = -kComplainEveryMs;
  std::uint64_t drops_told_ = 0;
  bool finishing_ = false;
  bool gave_up_ = false;
  std::move_only_function<void()> finished_;
  // Last: its jobs find nobody from the moment the rest goes.
  SpoolOnDisk spool_;
};

}  // namespace launchdarkly
}  // namespace flagstone::upstream
