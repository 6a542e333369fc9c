// Tells when a path may lead to something new: inotify on every folder of its symlink chain.
//
// Owned by a file watch, on the keeper's loop. Fails where the system has no inotify left (limits
// per user, some sandboxes and file systems); the caller then looks by the clock.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/io_watch.h"
#include "upstream/symlink_chain.h"

namespace flagstone::upstream {

enum class FolderChange : std::uint8_t {
  kBegun,     // A file appeared; whoever makes it may not have written it yet.
  kFinished,  // Written and closed, moved, deleted, or the folder itself went away.
};

// Gives a non-blocking inotify descriptor, or -1 and errno. Tests replace it.
using OpenInotify = std::function<int()>;
int open_inotify();

class FolderWatch {
 public:
  using OnChange = std::function<void(FolderChange)>;

  // The error is the system's reason.
  static std::expected<std::unique_ptr<FolderWatch>, std::string> open(
      net::Loop& loop, const OpenInotify& open_inotify, OnChange on_change);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches where `path` leads now; to be called again after each change, before looking.
  std::expected<void, std::string> arm(std::string_view path);

 private:
  FolderWatch(net::Loop& loop, int descriptor, OnChange on_change);
  void read_events();
  void look_at(int watch, std::uint32_t mask, std::string_view name);

  int descriptor_;
  OnChange on_change_;
  std::map<int, std::vector<std::string>> names_;  // By inotify's watch descriptor.
  std::unique_ptr<net::IoWatch> io_;
};

}  // namespace flagstone::upstream
