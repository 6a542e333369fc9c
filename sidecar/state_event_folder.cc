// The state directory's folder for an environment's events.
#include <utility>

#include "cache/durable_write.h"
#include "sidecar/state_disk.h"
#include "sidecar/writer_event_disk.h"

namespace flagstone::sidecar {

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
