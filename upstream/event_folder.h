// Where an environment's events lie until the vendor has them, and the thread that goes there.
//
// Implemented over the state directory and the writer. The folder is for the writer's thread alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cache/file_system.h"

namespace flagstone::upstream {

// Events in a folder that can be fewer. On the writer's thread.
class ShrinkableEvents {
 public:
  virtual ~ShrinkableEvents() = default;
  // Has the folder hold so many bytes less, as far as that goes without touching summaries: the
  // oldest events go first. Tells by EventFolder::set_bytes().
  virtual void shrink(std::uint64_t bytes) = 0;
};

class EventFolder {
 public:
  virtual ~EventFolder() = default;

  virtual cache::FileSystem& files() = 0;
  // The folder, which is there. Empty: nothing can be kept on a disk now, and events stay in
  // memory.
  virtual std::string path() = 0;
  // True when so many bytes more stay within the state's limit.
  virtual bool make_room(std::uint64_t bytes) = 0;
  // Who is asked for room that the state needs, before whole files are taken away.
  virtual void set_shrinkable(std::weak_ptr<ShrinkableEvents>) {}
  // True once after somebody else took files away, who needed their room.
  virtual bool was_thinned_out() { return false; }
  // What the folder's files hold by now.
  virtual void set_bytes(std::uint64_t bytes) = 0;
};

// Keeper's thread; jobs run on the writer's, one after the other, in the order of submission.
class EventDisk {
 public:
  virtual ~EventDisk() = default;
  // Shared with jobs, which may outlive this.
  virtual std::shared_ptr<EventFolder> folder() = 0;
  // False, and the job is dropped, when too many are queued.
  [[nodiscard]] virtual bool submit(std::move_only_function<void()> job) = 0;
};

}  // namespace flagstone::upstream
