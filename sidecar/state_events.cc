// The state directory's folder for events, and the writer's side of the state as a whole.
#include <utility>

#include "cache/durable_write.h"
#include "sidecar/serving_desk.h"
#include "sidecar/state_disk.h"
#include "sidecar/writer_event_disk.h"
#include "upstream/random_bytes.h"

namespace flagstone::sidecar {
namespace {

constexpr std::size_t kSaltBytes = 16;

}  // namespace

StateSaver::Disk::Disk(std::string folder, std::uint64_t limit_bytes)
    : options{.path = std::move(folder),
              .limit_bytes = limit_bytes,
              .salt = upstream::random_bytes(kSaltBytes),
              .shrink_events =
                  [this](const std::string& events_folder, std::uint64_t bytes) {
                    const auto found = shrinkable.find(events_folder);
                    if (found == shrinkable.end()) return;
                    if (const auto events = found->second.lock()) events->shrink(bytes);
                  }},
      tried_ms(unix_now_ms()) {}

cache::StateDirectory& StateSaver::Disk::directory() {
  if (!open || (!open->writable() && now_is_time_to_reopen())) {
    open.reset();
    open.emplace(files, options);
    if (!active.empty()) open->set_active(active);
  }
  return *open;
}

// Another daemon may have let go of the lock, or the file system became writable.
bool StateSaver::Disk::now_is_time_to_reopen() {
  const std::int64_t now_ms = unix_now_ms();
  if (now_ms - tried_ms < kComplainEveryMs) return false;
  tried_ms = now_ms;
  return true;
}

class StateSaver::StateEventFolder final : public upstream::EventFolder {
 public:
  // `disk` is null where no state is kept.
  StateEventFolder(std::shared_ptr<Disk> disk, std::string environment)
      : disk_(std::move(disk)), environment_(std::move(environment)) {}

  cache::FileSystem& files() override { return disk_->files; }

  std::string path() override {
    if (!disk_ || !disk_->directory().writable()) return {};
    std::string folder = disk_->directory().events_folder(environment_);
    if (!made_) made_ = cache::make_folders(disk_->files, folder).has_value();
    return made_ ? folder : std::string();
  }
  bool make_room(std::uint64_t bytes) override {
    return disk_->directory().make_room_for_events(bytes);
  }
  void set_shrinkable(std::weak_ptr<upstream::ShrinkableEvents> events) override {
    if (disk_)
      disk_->shrinkable[disk_->directory().events_folder(environment_)] = std::move(events);
  }
  bool was_thinned_out() override {
    return disk_ && made_ && disk_->directory().take_thinned_out(environment_);
  }
  void set_bytes(std::uint64_t bytes) override {
    if (disk_ && made_) disk_->directory().set_events_bytes(environment_, bytes);
  }

 private:
  std::shared_ptr<Disk> disk_;
  std::string environment_;
  bool made_ = false;
};

std::unique_ptr<upstream::EventDisk> StateSaver::events_of(const std::string& environment) {
  keeps_events_ = true;
  return std::make_unique<WriterEventDisk>(writer_,
                                           std::make_shared<StateEventFolder>(disk_, environment));
}

}  // namespace flagstone::sidecar
