#include "upstream/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace flagstone::upstream {
namespace {

constexpr std::uint32_t kBegins = IN_CREATE;
constexpr std::uint32_t kFinishes =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
// The folder itself: what stood in it is elsewhere or nowhere.
constexpr std::uint32_t kLosesFolder = IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kMask = kBegins | kFinishes | kLosesFolder | IN_ONLYDIR;
// The way can change while it is being watched; it is walked again until it holds still.
constexpr int kWalksMax = 5;

}  // namespace

int open_inotify() { return ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

std::expected<std::unique_ptr<FolderWatch>, std::string> FolderWatch::open(
    net::Loop& loop, const OpenInotify& open_inotify, OnChange on_change) {
  const int descriptor = open_inotify();
  if (descriptor < 0) return std::unexpected(std::string(std::strerror(errno)));
  std::unique_ptr<FolderWatch> watch(new FolderWatch(loop, descriptor, std::move(on_change)));
  if (const int refused = watch->io_->refused()) {
    return std::unexpected(std::string(std::strerror(refused)));
  }
  watch->io_->watch(true, false);
  return watch;
}

FolderWatch::FolderWatch(net::Loop& loop, int descriptor, OnChange on_change)
    : descriptor_(descriptor),
      on_change_(std::move(on_change)),
      io_(std::make_unique<net::IoWatch>(loop, descriptor,
                                         [this](net::Readiness) { read_events(); })) {}

FolderWatch::~FolderWatch() {
  io_.reset();
  ::close(descriptor_);
}

std::expected<void, std::string> FolderWatch::arm(std::string_view path) {
  std::vector<NameInFolder> chain = symlink_chain(path);
  for (int walk = 0; walk < kWalksMax; ++walk) {
    std::map<int, std::vector<std::string>> names;
    bool complete = true;
    for (const NameInFolder& step : chain) {
      const int watch = ::inotify_add_watch(descriptor_, step.folder.c_str(), kMask);
      if (watch < 0 && errno != ENOENT && errno != ENOTDIR) {
        return std::unexpected(step.folder + ": " + std::strerror(errno));
      }
      complete = complete && watch >= 0;
      if (watch >= 0) names[watch].push_back(step.name);
    }
    for (const auto& [watch, ignored] : names_) {
      if (!names.contains(watch)) ::inotify_rm_watch(descriptor_, watch);
    }
    names_ = std::move(names);
    const std::vector<NameInFolder> again = symlink_chain(path);
    if (complete && again == chain) return {};
    chain = again;
  }
  on_change_(FolderChange::kFinished);  // Still moving: once more, a little later.
  return {};
}

void FolderWatch::read_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got <= 0) return;  // Nothing left for now.
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      look_at(event.wd, event.mask, {name, event.len == 0 ? 0 : ::strnlen(name, event.len)});
    }
  }
}

void FolderWatch::look_at(int watch, std::uint32_t mask, std::string_view name) {
  if ((mask & IN_Q_OVERFLOW) != 0) return on_change_(FolderChange::kFinished);
  const auto watched = names_.find(watch);
  if (watched == names_.end()) return;  // Of a watch that we have taken off.
  if ((mask & (kLosesFolder | IN_IGNORED | IN_UNMOUNT)) != 0) {
    if ((mask & IN_IGNORED) != 0) names_.erase(watched);
    return on_change_(FolderChange::kFinished);
  }
  if (std::find(watched->second.begin(), watched->second.end(), name) == watched->second.end()) {
    return;
  }
  const bool file_begins = (mask & kBegins) != 0 && (mask & IN_ISDIR) == 0;
  on_change_(file_begins ? FolderChange::kBegun : FolderChange::kFinished);
}

}  // namespace flagstone::upstream
