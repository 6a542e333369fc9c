#include "sidecar/state_disk.h"

#include <utility>

#include "sidecar/serving_desk.h"
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

}  // namespace flagstone::sidecar
