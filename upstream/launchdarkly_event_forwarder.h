// LaunchDarkly's events from the door to the vendor: what is posted goes to the spool, what is due
// is sealed, what is sealed is sent, one request at a time, until it is taken.
//
// Keeper's loop; the spool lives on the writer's side and is reached by jobs alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "net/timer.h"
#include "upstream/backoff.h"
#include "upstream/configured_headers.h"
#include "upstream/credential.h"
#include "upstream/event_folder.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_event_sender.h"
#include "upstream/launchdarkly_event_spool.h"
#include "upstream/source_environment.h"

namespace flagstone::upstream {

// The shape of a vendor's row; REQUIRES: validated options.
std::unique_ptr<EventForwarder> make_launchdarkly_event_forwarder(
    const config::Environment& options, EventForwarderTools tools);

namespace launchdarkly {

class Forwarder final : public EventForwarder {
 public:
  // What waits for the disk. Where nothing does, one body is taken however large it is.
  static constexpr std::size_t kQueuedBytesMax = std::size_t{8} * 1024 * 1024;
  static constexpr std::size_t kQueuedMax = 256;
  // A full queue of the writer's is asked again after this.
  static constexpr std::int64_t kAgainMs = 1000;
  static constexpr std::int64_t kComplainEveryMs = 60'000;
  // After the last refusal for so long there is room again.
  static constexpr std::int64_t kRoomAgainMs = 10'000;
  // Credentials that sources had before, whose apps may not know it yet.
  static constexpr std::size_t kFormerMax = 8;
  // A 400 is believed after so long: who stands between may say so of everything, for a while.
  static constexpr milliseconds kRefusalPatience{15 * 60 * 1000};
  // Batches that are remembered as refused.
  static constexpr std::size_t kRefusedMax = 64;

  Forwarder(const config::Environment& options, EventForwarderTools tools);
  ~Forwarder() override;

  void post(PostedEvents events, Done done) override;
  bool add(std::string_view schema, std::string_view tags, std::string events) override;
  std::int64_t vendor_unix_ms() const override;
  void set_options(const config::Environment& options) override;
  void flush() override { seal(); }
  void finish(std::int64_t limit_ms, std::move_only_function<void()> done) override;
  EventFacts facts() const override;

 private:
  // What jobs share; the folder outlives the spool that stands in it.
  struct Disk;
  struct Destination {
    config::Source source;
    std::uint64_t id = 0;  // EventGroup::source
    std::unique_ptr<Credential> credential;
    std::string known;  // The credential as it was seen last.
    std::unique_ptr<ConfiguredHeaders> headers;
    Backoff backoff{BackoffOptions{}};
    std::int64_t wait_until_ms = 0;  // On the loop's clock.
    std::string failing;             // Why; empty while sending works.
    bool denied = false;
  };

  void use(const config::Environment& options);
  void credential_changed(std::uint64_t source);
  void try_again();
  std::uint64_t source_of(const std::string& credential) const;
  Destination* destination(std::uint64_t source) const;
  bool hand_to_disk(SpoolPost post, Done done);
  // Has `job` done by the writer and `then` after it, here, with what the spool says of itself.
  bool on_disk(std::move_only_function<void(EventSpool&)> job,
               std::move_only_function<void()> then);
  void take_facts(const SpoolFacts& seen);
  void seal();
  void pump();
  void rest();
  std::optional<std::int64_t> all_wait_until() const;
  void send(OutgoingBatch batch);
  void sent(OutgoingBatch batch, SendResult result);
  bool is_refused_for_good(const BatchName& name);
  void settle(OutgoingBatch batch, BatchOutcome outcome);
  void failed(OutgoingBatch batch, const SendResult& result);
  void note_room(bool is_full);
  void complain_of_drops();
  void finish_if_done();
  void say(bool is_warning, std::string text);
  std::int64_t now_ms() const;

  EventForwarderTools tools_;
  config::EventOptions options_;
  std::string name_;
  std::shared_ptr<Disk> disk_;
  // Empty once this is gone: what jobs post back finds nobody.
  std::shared_ptr<Forwarder*> self_;
  // Of the sources that take events.
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::vector<std::pair<std::string, std::uint64_t>> former_;
  EventSender sender_;
  net::Timer flush_timer_;
  net::Timer wait_timer_;
  net::Timer deadline_;
  std::map<BatchName, TimePoint> refused_since_;
  // What was tried and not taken stands behind the others, by the number of the try.
  std::map<BatchName, std::uint64_t> behind_;
  SpoolFacts spool_;
  EventFacts counts_;
  std::size_t queued_ = 0;
  std::size_t queued_bytes_ = 0;
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
};

}  // namespace launchdarkly
}  // namespace flagstone::upstream
