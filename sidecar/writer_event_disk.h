// Where an environment's events lie, as their forwarder sees it: a folder of the state directory,
// and the writer's thread. Without a state directory there is the thread alone.
//
// One per forwarder, on the keeper's thread; the folder it gives belongs to the writer's.
#pragma once

#include <memory>
#include <string>

#include "sidecar/disk_thread.h"
#include "upstream/event_folder.h"

namespace flagstone::sidecar {

class WriterEventDisk final : public upstream::EventDisk {
 public:
  WriterEventDisk(DiskThread& writer, std::shared_ptr<upstream::EventFolder> folder)
      : writer_(writer), folder_(std::move(folder)) {}

  std::shared_ptr<upstream::EventFolder> folder() override { return folder_; }
  bool submit(std::move_only_function<void()> job) override {
    return writer_.submit(std::move(job));
  }

 private:
  DiskThread& writer_;
  std::shared_ptr<upstream::EventFolder> folder_;
};

}  // namespace flagstone::sidecar
