// The spool as the keeper reaches it: by jobs for the writer, each answered with what the spool
// says of itself.
//
// A member of the forwarder, on the keeper's loop. The spool lives on the writer's side, shared
// with jobs, and may outlive this. A queue that is full refuses; whatever the disk does is in
// facts().
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>

#include "net/lifeline.h"
#include "net/loop.h"
#include "upstream/event_folder.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_event_spool.h"

namespace flagstone::upstream::launchdarkly {

class SpoolOnDisk {
 public:
  // What waits for the disk. Where nothing does, one body is taken however large it is.
  static constexpr std::size_t kQueuedBytesMax = std::size_t{8} * 1024 * 1024;
  static constexpr std::size_t kQueuedMax = 256;
  using Done = EventForwarder::Done;

  // The forwarder, on its loop.
  class Owner {
   public:
    // What became of a body, before its `done`.
    virtual void on_taken(PostResult result) = 0;
    // After each job: facts() are new.
    virtual void on_facts() = 0;

   protected:
    ~Owner() = default;
  };

  // Opens the spool. `loop` and `owner` outlive this.
  SpoolOnDisk(net::Loop& loop, std::unique_ptr<EventDisk> disk, SpoolOptions options, Owner& owner);
  SpoolOnDisk(const SpoolOnDisk&) = delete;
  SpoolOnDisk& operator=(const SpoolOnDisk&) = delete;

  // Has `job` done by the writer and `then` after it, here. They are two since what `then` holds
  // is of this thread, and is destroyed on it whatever becomes of the job; what the one has to say
  // to the other they share. False, and neither runs, where the writer's queue is full.
  [[nodiscard]] bool run(std::move_only_function<void(EventSpool&)> job,
                         std::move_only_function<void()> then);
  // Has the spool take a body. The error is `done` again: too much waits already.
  std::expected<void, Done> take(SpoolPost post, Done done);
  // In a later turn of the loop, unless this is gone by then.
  void later(std::move_only_function<void()> task);

  const SpoolFacts& facts() const { return facts_; }
  // Bodies that wait for the disk.
  std::size_t queued() const { return queued_; }
  std::size_t queued_bytes() const { return queued_bytes_; }

 private:
  // What jobs share; the folder outlives the spool that stands in it.
  struct Shared;

  net::Loop& loop_;
  std::unique_ptr<EventDisk> disk_;
  Owner& owner_;
  std::size_t queued_bytes_max_;
  std::shared_ptr<Shared> shared_;
  SpoolFacts facts_;
  std::size_t queued_ = 0;
  std::size_t queued_bytes_ = 0;
  net::Lifeline<SpoolOnDisk> lifeline_{*this};
};

}  // namespace flagstone::upstream::launchdarkly
