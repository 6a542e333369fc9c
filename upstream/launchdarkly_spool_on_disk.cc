#include "upstream/launchdarkly_spool_on_disk.h"

#include <algorithm>
#include <utility>

namespace flagstone::upstream::launchdarkly {

struct SpoolOnDisk::Shared final : ShrinkableEvents {
  Shared(std::shared_ptr<EventFolder> in, SpoolOptions options)
      : folder(std::move(in)), spool(*folder, std::move(options)) {}

  void shrink(std::uint64_t bytes) override { spool.shrink(bytes); }

  std::shared_ptr<EventFolder> folder;
  EventSpool spool;
  bool is_announced = false;  // To the folder; the writer's alone.
};

SpoolOnDisk::SpoolOnDisk(net::Loop& loop, std::unique_ptr<EventDisk> disk, SpoolOptions options,
                         Owner& owner)
    : loop_(loop),
      disk_(std::move(disk)),
      owner_(owner),
      queued_bytes_max_(std::min<std::size_t>(kQueuedBytesMax, options.memory_bytes)),
      shared_(std::make_shared<Shared>(disk_->folder(), std::move(options))) {
  // A queue that is full at the start is none of ours; the first post opens the spool then.
  (void)run([now = loop_.now_ms()](EventSpool& spool) { spool.open(now); }, [] {});
}

bool SpoolOnDisk::run(std::move_only_function<void(EventSpool&)> job,
                      std::move_only_function<void()> then) {
  auto after = std::make_shared<std::move_only_function<void()>>(std::move(then));
  auto done = lifeline_.guard([after](SpoolOnDisk& spool, SpoolFacts seen) {
    spool.facts_ = std::move(seen);
    (*after)();
  });
  // Apart, since what comes after may be the end of this.
  auto tell = lifeline_.guard([](SpoolOnDisk& spool) { spool.owner_.on_facts(); });
  return disk_->submit([shared = shared_, job = std::move(job), done = std::move(done), tell,
                        &loop = loop_]() mutable {
    if (!std::exchange(shared->is_announced, true)) shared->folder->set_shrinkable(shared);
    job(shared->spool);
    (void)loop.post([done = std::move(done), tell, seen = shared->spool.facts()]() mutable {
      done(std::move(seen));
      tell();
    });
  });
}

std::expected<void, SpoolOnDisk::Done> SpoolOnDisk::take(SpoolPost post, Done done) {
  const std::size_t bytes = post.body.size();
  const bool has_room = queued_ == 0 || queued_bytes_ + bytes <= queued_bytes_max_;
  if (queued_ >= kQueuedMax || !has_room) return std::unexpected(std::move(done));
  auto result = std::make_shared<PostResult>(PostResult::kFull);
  // Not the job's to destroy: shared by `then` and the refusal here.
  auto answer = std::make_shared<Done>(std::move(done));
  const bool queued =
      run([post = std::move(post), result, now = loop_.now_ms()](
              EventSpool& spool) mutable { *result = spool.take(std::move(post), now); },
          [this, result, answer, bytes] {
            --queued_;
            queued_bytes_ -= bytes;
            owner_.on_taken(*result);
            (*answer)(*result);
          });
  if (!queued) return std::unexpected(std::move(*answer));
  ++queued_;
  queued_bytes_ += bytes;
  return {};
}

void SpoolOnDisk::later(std::move_only_function<void()> task) {
  (void)loop_.post(lifeline_.guard([task = std::move(task)](SpoolOnDisk&) mutable { task(); }));
}

}  // namespace flagstone::upstream::launchdarkly
