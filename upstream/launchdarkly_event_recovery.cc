// What an earlier process left in the spool's folder.
#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "cache/durable_write.h"
#include "upstream/launchdarkly_event_spool.h"

namespace flagstone::upstream::launchdarkly {
namespace {

// Of a log: one that is longer is none of ours.
constexpr std::uint64_t kLogFileBytesMax = std::uint64_t{64} * 1024 * 1024;

}  // namespace

void EventSpool::open(std::int64_t now_ms) {
  now_ms_ = now_ms;
  path_ = folder_.path();
  if (path_.empty()) return;
  const auto items = folder_.files().list(path_);
  if (!items) {
    // As if it were not there: what is in it has to be known before anything is written.
    path_.clear();
    return facts_.note_problem(items.error());
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
  store_.adopt(path_, batches, now_ms);
  for (const auto& [number, bytes] : logs) {
    kept_logs_[number] = bytes;
    adopt_log(number, now_ms);
  }
  on_disk_changed();
}

// The log counts unless all that it was made into is there. `since_ms`: when it was found.
void EventSpool::adopt_log(std::uint64_t number, std::int64_t since_ms) {
  const std::string path = path_ + "/" + log_file_name(number);
  const auto bytes = cache::read_file(folder_.files(), path, kLogFileBytesMax);
  if (!bytes && bytes.error().code == ENOENT) {
    kept_logs_.erase(number);
    return;
  }
  if (!bytes) facts_.note_problem(bytes.error());
  // What it is worth is found out later, and till then its batches stay where they are.
  if (!bytes || !store_.read_heads_of(number)) return store_.hold(number, since_ms);
  kept_logs_[number] = bytes->size();
  if (store_.has_all_of(number)) {
    // Its bodies are there, and who posted them may not have heard it.
    LogReader log(*bytes);
    while (auto record = log.next()) learn_payload(std::move(record->payload_id));
    return remove_log(number);
  }
  store_.unlink_and_forget_all_of(number);
  replay(number, *bytes, since_ms);
}

void EventSpool::learn_payload(std::string id) {
  if (id.empty()) return;
  if (log_) not_carried_.push_back(id);
  payloads_.remember(std::move(id), now_ms_);
}

void EventSpool::replay(std::uint64_t number, std::string_view bytes, std::int64_t since_ms) {
  // What is open is none of this log's.
  seal();
  LogReader log(bytes);
  while (const auto record = log.next()) {
    learn_payload(record->payload_id);
    if (record->type == LogRecord::Type::kKnownPayload) continue;
    const bool is_list = record->type == LogRecord::Type::kEvents;
    if (is_list && !evaluation::launchdarkly::EventList::read(record->text)) continue;
    merge(is_list ? PayloadKind::kEvents : PayloadKind::kDiagnostic, record->group,
          record->payload_id, record->text, since_ms);
  }
  if (!log.header()) return remove_log(number);
  seal_as(number, log.header()->id, true);
}

void EventSpool::adopt_held_logs() {
  for (const auto& [number, since_ms] : store_.release_held()) adopt_log(number, since_ms);
}

}  // namespace flagstone::upstream::launchdarkly
