// What an earlier process left in the spool's folder.
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "cache/durable_write.h"
#include "upstream/launchdarkly_event_spool.h"

namespace flagstone::upstream::launchdarkly {
namespace {

// Of a log: one that is longer is none of ours.
constexpr std::uint64_t kLogFileBytesMax = std::uint64_t{64} * 1024 * 1024;

// Halves whose whole is still there: the whole counts.
bool is_half_of(const BatchName& half, const std::map<BatchName, std::uint64_t>& all) {
  for (auto whole = half.whole(); whole; whole = whole->whole()) {
    if (all.contains(*whole)) return true;
  }
  return false;
}

}  // namespace

void EventSpool::open(std::int64_t now_ms) {
  now_ms_ = now_ms;
  path_ = folder_.path();
  if (path_.empty()) return;
  const auto items = folder_.files().list(path_);
  if (!items) {
    // As if it were not there: what is in it has to be known before anything is written.
    path_.clear();
    return failed(items.error());
  }
  next_number_ = 1;
  std::map<std::uint64_t, std::uint64_t> logs;  // With their sizes.
  std::map<BatchName, std::uint64_t> batches;
  for (const cache::FolderItem& item : *items) {
    if (item.name.ends_with(cache::kTemporarySuffix)) {
      (void)folder_.files().unlink(path_ + "/" + item.name);
    }
    if (const auto number = log_number_of(item.name)) logs[*number] = item.size_bytes;
    if (const auto name = BatchName::from_file_name(item.name)) batches[*name] = item.size_bytes;
  }
  if (!logs.empty()) next_number_ = std::max(next_number_, logs.rbegin()->first + 1);
  if (!batches.empty()) next_number_ = std::max(next_number_, batches.rbegin()->first.number + 1);
  adopt_batches(batches);
  for (const auto& [number, bytes] : logs) {
    kept_logs_[number] = bytes;
    adopt_log(number, now_ms);
  }
  folder_.set_bytes(disk_bytes());
}

void EventSpool::adopt_batches(const std::map<BatchName, std::uint64_t>& sizes) {
  for (const auto& [name, bytes] : sizes) {
    if (is_half_of(name, sizes)) {
      (void)folder_.files().unlink(path_of(name));
      continue;
    }
    insert(name, {.head = {},
                  .file_bytes = std::max<std::uint64_t>(bytes, 1),
                  .payload = {},
                  .is_read = false});
    const auto batch = batches_.find(name);
    const auto payload = load(batch);
    if (payload || payload.error() == Unread::kNotNow) continue;
    drop(DropReason::kDamaged, 1);
    (void)folder_.files().unlink(path_of(name));
    erase(batch);
  }
}

// The log counts unless all that it was made into is there.
void EventSpool::adopt_log(std::uint64_t number, std::int64_t now_ms) {
  const std::string path = path_ + "/" + log_file_name(number);
  const auto bytes = cache::read_file(folder_.files(), path, kLogFileBytesMax);
  if (!bytes && bytes.error().code == ENOENT) {
    kept_logs_.erase(number);
    return;
  }
  if (!bytes) failed(bytes.error());
  if (!bytes || !read_siblings(number)) {
    unread_logs_.insert(number);
    return;
  }
  kept_logs_[number] = bytes->size();
  std::vector<BatchName> made;
  std::uint32_t siblings = 0;
  for (auto at = batches_.lower_bound(BatchName::before_all_of(number));
       at != batches_.end() && at->first.number == number; ++at) {
    made.push_back(at->first);
    siblings = at->second.head.siblings;
  }
  if (!made.empty() && made.size() == siblings) {
    // Its bodies are there, and who posted them may not have heard it.
    LogReader log(*bytes);
    while (auto record = log.next()) learn_payload(std::move(record->payload_id), now_ms);
    return commit_log(number);
  }
  for (const BatchName& name : made) {
    (void)folder_.files().unlink(path_of(name));
    erase(batches_.find(name));
  }
  replay(number, *bytes, now_ms);
}

void EventSpool::learn_payload(std::string id, std::int64_t now_ms) {
  if (id.empty()) return;
  if (log_) not_carried_.push_back(id);
  payloads_.remember(std::move(id), now_ms);
}

void EventSpool::replay(std::uint64_t number, std::string_view bytes, std::int64_t now_ms) {
  // What is open is none of this log's.
  seal();
  LogReader log(bytes);
  while (const auto record = log.next()) {
    learn_payload(record->payload_id, now_ms);
    if (record->type == LogRecord::Type::kKnownPayload) continue;
    const bool is_list = record->type == LogRecord::Type::kEvents;
    if (is_list && !evaluation::launchdarkly::EventList::read(record->text)) continue;
    merge(is_list ? PayloadKind::kEvents : PayloadKind::kDiagnostic, record->group,
          record->payload_id, record->text, now_ms);
  }
  if (!log.header()) return commit_log(number);
  seal_as(number, log.header()->id, true);
}

// False: some batch of this log's cannot be read now.
bool EventSpool::read_siblings(std::uint64_t number) {
  for (auto at = batches_.lower_bound(BatchName::before_all_of(number));
       at != batches_.end() && at->first.number == number;) {
    const auto batch = at++;
    if (batch->second.is_read) continue;
    const auto payload = load(batch);
    if (payload) continue;
    if (payload.error() == Unread::kNotNow) return false;
    (void)folder_.files().unlink(path_of(batch->first));
    erase(batch);
  }
  return true;
}

// What the state took away to have its room is not counted on, nor is its room.
void EventSpool::forget_what_is_gone() {
  if (path_.empty() || !folder_.was_thinned_out()) return;
  const auto items = folder_.files().list(path_);
  if (!items) return failed(items.error());
  std::set<BatchName> there;
  for (const cache::FolderItem& item : *items) {
    if (const auto name = BatchName::from_file_name(item.name)) there.insert(*name);
  }
  for (auto at = batches_.begin(); at != batches_.end();) {
    const auto batch = at++;
    if (batch->second.file_bytes == 0 || there.contains(batch->first)) continue;
    // One that is on its way is settled.
    if (batch->first == on_its_way_) continue;
    drop(DropReason::kSpoolLimit, std::max<std::uint64_t>(batch->second.head.events, 1));
    erase(batch);
  }
  folder_.set_bytes(disk_bytes());
}

// The logs that could not be read when they were found.
void EventSpool::read_again() {
  for (const std::uint64_t number : std::exchange(unread_logs_, {})) adopt_log(number, now_ms_);
}

}  // namespace flagstone::upstream::launchdarkly
