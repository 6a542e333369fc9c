// How much the state directory holds, and what goes first when it holds too much.
#include <algorithm>
#include <charconv>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cache/durable_write.h"
#include "cache/state_directory.h"
#include "cache/state_files.h"

namespace flagstone::cache {
namespace {

constexpr std::string_view kEventsFolder = "/events";
constexpr std::string_view kEventBatchSuffix = ".batch";

}  // namespace

std::string StateDirectory::events_folder(std::string_view environment) const {
  return options_.path + "/" + safe_name(environment) + std::string(kEventsFolder);
}

bool StateDirectory::take_thinned_out(std::string_view environment) {
  return thinned_out_.erase(events_folder(environment)) > 0;
}

void StateDirectory::set_events_bytes(std::string_view environment, std::uint64_t bytes) {
  std::uint64_t& known = folder_bytes_[events_folder(environment)];
  used_bytes_ = used_bytes_ - known + bytes;
  known = bytes;
}

// Of an environment that there is now.
bool StateDirectory::is_active_events_folder(const std::string& folder) const {
  if (!folder.ends_with(kEventsFolder)) return false;
  const std::string environment = folder.substr(0, folder.size() - kEventsFolder.size() + 1);
  return std::ranges::any_of(
      active_folders_, [&](const std::string& active) { return active.starts_with(environment); });
}

bool StateDirectory::fits(std::uint64_t bytes) const {
  return bytes <= options_.limit_bytes && used_bytes_ <= options_.limit_bytes - bytes;
}

StateError StateDirectory::over_limit() const {
  return {.kind = StateError::Kind::kLimit,
          .message = "does not fit into the state's limit of " +
                     std::to_string(options_.limit_bytes) + " bytes, of which " +
                     std::to_string(used_bytes_) + " are used"};
}

void StateDirectory::measure(const std::string& folder) {
  std::uint64_t bytes = 0;
  if (const auto items = files_.list(folder)) {
    for (const FolderItem& item : *items) bytes += item.size_bytes;
  }
  std::uint64_t& known = folder_bytes_[folder];
  used_bytes_ = used_bytes_ - known + bytes;
  known = bytes;
}

void StateDirectory::measure_everything() {
  const auto environments = files_.list(options_.path);
  if (!environments) return;
  measure(options_.path);
  for (const FolderItem& environment : *environments) {
    if (!environment.is_folder) continue;
    const std::string folder = options_.path + "/" + environment.name;
    measure(folder);
    const auto sources = files_.list(folder);
    if (!sources) continue;
    for (const FolderItem& source : *sources) {
      if (source.is_folder) measure(folder + "/" + source.name);
    }
  }
}

template <typename Matches>
void StateDirectory::remove_files(const std::string& folder, const Matches& matches) {
  const auto items = files_.list(folder);
  if (!items) return;
  for (const FolderItem& item : *items) {
    if (!item.is_folder && matches(item.name)) (void)files_.unlink(folder + "/" + item.name);
  }
  measure(folder);
}

bool StateDirectory::make_room(std::uint64_t bytes) {
  if (make_room_for_events(bytes)) return true;
  // Where all of them would not be enough, they stay.
  const std::uint64_t others = used_bytes_ - events_bytes();
  if (others > options_.limit_bytes || bytes > options_.limit_bytes - others) return false;
  return shrink_events(bytes) || remove_oldest_events(bytes);
}

// What is set aside goes first, then folders of sources that are no more, then the older
// generations. The oldest events go last.
bool StateDirectory::make_room_for_events(std::uint64_t bytes) {
  if (fits(bytes)) return true;
  std::vector<std::string> folders;
  for (const auto& [folder, size] : folder_bytes_) {
    // Of the form state_dir/environment/source.
    const auto depth = std::count(
        folder.begin() + static_cast<std::ptrdiff_t>(options_.path.size()), folder.end(), '/');
    if (depth == 2) folders.push_back(folder);
  }
  for (const std::string& folder : folders) {
    remove_files(folder, [](const std::string& name) { return is_set_aside(name); });
    if (fits(bytes)) return true;
  }
  for (const std::string& folder : folders) {
    if (active_folders_.empty() || active_folders_.contains(folder)) continue;
    if (is_active_events_folder(folder)) continue;
    remove_files(folder, [](const std::string&) { return true; });
    (void)files_.remove_folder(folder);
    if (fits(bytes)) return true;
  }
  for (const std::string& folder : folders) {
    std::uint64_t newest = 0;
    if (const auto items = files_.list(folder)) {
      for (const FolderItem& item : *items) {
        newest = std::max(newest, generation_of(item.name, "manifest").value_or(0));
      }
    }
    remove_files(folder, [newest](const std::string& name) {
      for (const std::string_view suffix : {"manifest", "segments", "base"}) {
        const auto number = generation_of(name, suffix);
        if (number && *number != newest) return true;
      }
      return false;
    });
    if (fits(bytes)) return true;
  }
  return false;
}

std::uint64_t StateDirectory::events_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [folder, size] : folder_bytes_) {
    if (folder.ends_with(kEventsFolder)) sum += size;
  }
  return sum;
}

// Events that are no summaries go before any summaries do, from whoever has most.
bool StateDirectory::shrink_events(std::uint64_t bytes) {
  if (!options_.shrink_events) return false;
  std::vector<std::pair<std::uint64_t, std::string>> folders;
  for (const auto& [folder, size] : folder_bytes_) {
    if (folder.ends_with(kEventsFolder) && size > 0) folders.emplace_back(size, folder);
  }
  std::ranges::sort(folders, std::greater());
  for (const auto& [size, folder] : folders) {
    options_.shrink_events(folder, used_bytes_ + bytes - options_.limit_bytes);
    if (fits(bytes)) return true;
  }
  return false;
}

// Batches that wait to be sent, the oldest of each environment first.
bool StateDirectory::remove_oldest_events(std::uint64_t bytes) {
  std::vector<std::pair<std::uint64_t, std::string>> batches;
  for (const auto& [folder, size] : folder_bytes_) {
    if (!folder.ends_with(kEventsFolder)) continue;
    const auto items = files_.list(folder);
    if (!items) continue;
    for (const FolderItem& item : *items) {
      std::uint64_t number = 0;
      const char* const end = item.name.data() + item.name.size();
      const bool has_number = std::from_chars(item.name.data(), end, number).ec == std::errc();
      if (has_number && item.name.ends_with(kEventBatchSuffix)) {
        batches.emplace_back(number, folder + "/" + item.name);
      }
    }
  }
  std::sort(batches.begin(), batches.end());
  for (const auto& [number, path] : batches) {
    if (fits(bytes)) return true;
    if (!files_.unlink(path)) continue;
    const std::string folder = path.substr(0, path.rfind('/'));
    thinned_out_.insert(folder);
    measure(folder);
  }
  return fits(bytes);
}

}  // namespace flagstone::cache
