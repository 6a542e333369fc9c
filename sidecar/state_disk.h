// Everything the writer's thread owns of the state.
//
// Part of StateSaver; shared by its jobs, which may outlive it while the disk hangs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/posix_file_system.h"
#include "cache/state_directory.h"
#include "sidecar/state_saver.h"
#include "upstream/event_folder.h"

namespace flagstone::sidecar {

struct StateSaver::Disk {
  Disk(std::string folder, std::uint64_t limit_bytes);

  // Opened by the first job, because already that may hang; again where it could not be written.
  cache::StateDirectory& directory();

  cache::PosixFileSystem files;
  cache::StateOptions options;
  std::optional<cache::StateDirectory> open;
  std::vector<cache::SourceIdentity> active;
  std::int64_t tried_ms;
  // By their folder: whose events can be fewer.
  std::map<std::string, std::weak_ptr<upstream::ShrinkableEvents>> shrinkable;

 private:
  bool now_is_time_to_reopen();
};

}  // namespace flagstone::sidecar
