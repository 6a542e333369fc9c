// Where an environment's events lie until the vendor has them, as the spool sees it.
//
// Implemented over the state directory; used on the writer's thread.
#pragma once

#include <cstdint>
#include <string>

#include "cache/file_system.h"

namespace flagstone::upstream {

class EventFolder {
 public:
  virtual ~EventFolder() = default;

  virtual cache::FileSystem& files() = 0;
  // The folder, which is there. Empty: nothing can be kept on a disk now, and events stay in
  // memory.
  virtual std::string path() = 0;
  // True when so many bytes more stay within the state's limit.
  virtual bool make_room(std::uint64_t bytes) = 0;
  // What the folder's files hold by now.
  virtual void set_bytes(std::uint64_t bytes) = 0;
};

}  // namespace flagstone::upstream
