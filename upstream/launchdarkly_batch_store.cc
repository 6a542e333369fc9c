#include "upstream/launchdarkly_batch_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cache/durable_write.h"
#include "upstream/launchdarkly_batch_parts.h"

namespace flagstone::upstream::launchdarkly {
namespace {

// A batch's file that is longer is none of ours.
constexpr std::uint64_t kBatchFileBytesMax = std::uint64_t{64} * 1024 * 1024;

bool has_whole_among(const BatchName& name, const std::map<BatchName, std::uint64_t>& all) {
  for (auto whole = name.whole(); whole; whole = whole->whole()) {
    if (all.contains(*whole)) return true;
  }
  return false;
}

}  // namespace

void BatchStore::adopt(std::string path, const std::map<BatchName, std::uint64_t>& sizes,
                       std::int64_t now_ms) {
  path_ = std::move(path);
  for (const auto& [name, bytes] : sizes) {
    if (has_whole_among(name, sizes)) {
      (void)folder_.files().unlink(path_of(name));
      continue;
    }
    insert(name, {.head = {},
                  .file_bytes = std::max<std::uint64_t>(bytes, 1),
                  .payload = {},
                  .is_read = false,
                  .since_ms = now_ms});
    const auto batch = batches_.find(name);
    const auto payload = load(batch);
    if (payload || payload.error() == Unread::kNotNow) continue;
    facts_.count_dropped(DropReason::kDamaged, 1);
    (void)folder_.files().unlink(path_of(name));
    forget(batch);
  }
}

bool BatchStore::put(BatchName name, BatchHead head, std::string payload, std::int64_t since_ms) {
  Batch batch{.head = std::move(head), .file_bytes = 0, .payload = {}, .since_ms = since_ms};
  const std::string bytes = encode_batch(batch.head, payload);
  const bool written = !path_.empty() && folder_.make_room(bytes.size()) && write_file(name, bytes);
  if (written) {
    batch.file_bytes = bytes.size();
  } else {
    batch.payload = std::move(payload);
  }
  insert(std::move(name), std::move(batch));
  return written;
}

std::vector<BatchStore::Batches::iterator> BatchStore::in_order(const Passing& passing) {
  std::vector<Batches::iterator> order;
  for (auto at = batches_.begin(); at != batches_.end(); ++at) {
    if (!held_logs_.contains(at->first.number)) order.push_back(at);
  }
  std::ranges::stable_sort(order, {}, [&](Batches::iterator batch) {
    const auto found = passing.behind.find(batch->first);
    return found == passing.behind.end() ? 0 : found->second;
  });
  return order;
}

std::optional<OutgoingBatch> BatchStore::next(const Passing& passing) {
  const auto is_passed = [&](const Batch& batch) {
    return batch.is_read && passing.sources.contains(batch.head.group.source);
  };
  for (const Batches::iterator batch : in_order(passing)) {
    if (is_passed(batch->second)) continue;
    auto payload = load(batch);
    if (payload) {
      if (is_passed(batch->second)) continue;
      on_its_way_ = batch->first;
      return OutgoingBatch{
          .name = batch->first, .head = batch->second.head, .payload = std::move(*payload)};
    }
    if (payload.error() == Unread::kNotNow) continue;
    // Where the state had no room any more, the oldest went.
    const bool was_taken_away = payload.error() == Unread::kGone;
    facts_.count_dropped(was_taken_away ? DropReason::kSpoolLimit : DropReason::kDamaged,
                         std::max<std::uint64_t>(batch->second.head.events, 1));
    unlink_and_forget(batch);
  }
  return std::nullopt;
}

std::expected<std::string, BatchStore::Unread> BatchStore::load(Batches::iterator batch) {
  if (batch->second.file_bytes == 0) return batch->second.payload;
  const auto bytes = cache::read_file(folder_.files(), path_of(batch->first), kBatchFileBytesMax);
  if (!bytes) {
    if (bytes.error().code == ENOENT) return std::unexpected(Unread::kGone);
    if (bytes.error().code == EFBIG) return std::unexpected(Unread::kDamaged);
    facts_.note_problem(bytes.error());
    return std::unexpected(Unread::kNotNow);
  }
  const auto file = decode_batch(*bytes);
  if (!file) return std::unexpected(Unread::kDamaged);
  if (!std::exchange(batch->second.is_read, true)) batch->second.head = file->head;
  return std::string(file->payload);
}

void BatchStore::settle(const OutgoingBatch& sent, BatchOutcome outcome) {
  on_its_way_.reset();
  const auto batch = batches_.find(sent.name);
  if (batch == batches_.end()) return;
  switch (outcome) {
    case BatchOutcome::kSent:
      facts_.sent += sent.head.events;
      return unlink_and_forget(batch);
    case BatchOutcome::kRefused:
      return halve(batch, DropReason::kRefused);
    case BatchOutcome::kOffline:
      facts_.count_dropped(DropReason::kOffline, sent.head.events);
      return unlink_and_forget(batch);
    case BatchOutcome::kTooLarge:
      return halve(batch, DropReason::kTooLarge);
  }
}

// Not for upstream as it is: two halves take its place; what cannot be halved goes.
void BatchStore::halve(Batches::iterator batch, DropReason reason) {
  const BatchName name = batch->first;
  const auto payload = load(batch);
  if (!payload && payload.error() == Unread::kNotNow) return;  // It is told again that it is.
  const BatchHead& head = batch->second.head;
  auto halves = payload ? halves_of(head, *payload) : std::nullopt;
  if (!halves) {
    facts_.count_dropped(reason, head.events);
    return unlink_and_forget(batch);
  }
  auto& [a, b] = *halves;
  const std::int64_t since_ms = batch->second.since_ms;
  const bool a_on_disk = put(name.half('a'), std::move(a.head), std::move(a.payload), since_ms);
  const bool b_on_disk = put(name.half('b'), std::move(b.head), std::move(b.payload), since_ms);
  const std::uint64_t file_bytes = batch->second.file_bytes;
  if ((a_on_disk && b_on_disk) || file_bytes == 0) return unlink_and_forget(batch);
  // A half that is in memory would be lost with the process.
  kept_wholes_[name] = file_bytes;
  forget(batch);
}

bool BatchStore::strip_oldest(bool on_disk) {
  for (auto batch = batches_.begin(); batch != batches_.end(); ++batch) {
    const bool is_file = batch->second.file_bytes > 0;
    const BatchHead& head = batch->second.head;
    if (is_file != on_disk || batch->first == on_its_way_ || head.summaries == head.events)
      continue;
    if (held_logs_.contains(batch->first.number)) continue;
    if (keep_summaries_only(batch)) return true;
  }
  return false;
}

// Where there are none all of it goes. False: it cannot be read now.
bool BatchStore::keep_summaries_only(Batches::iterator batch) {
  const BatchName name = batch->first;
  const auto payload = load(batch);
  if (!payload && payload.error() == Unread::kNotNow) return false;
  const BatchHead& head = batch->second.head;
  const std::int64_t since_ms = batch->second.since_ms;
  auto [left, left_out] =
      payload ? summaries_of(head, *payload) : SummariesAlone{.part = {}, .left_out = head.events};
  facts_.count_dropped(DropReason::kSpoolLimit, left_out);
  if (left.head.events == 0) {
    unlink_and_forget(batch);
    return true;
  }
  if (batch->second.file_bytes == 0) {
    insert(
        name,
        {.head = std::move(left.head), .payload = std::move(left.payload), .since_ms = since_ms});
    return true;
  }
  const std::string bytes = encode_batch(left.head, left.payload);
  // Where the disk has no room even for less, all of it goes.
  if (!write_file(name, bytes)) {
    facts_.count_dropped(DropReason::kSpoolLimit, left.head.events);
    unlink_and_forget(batch);
    return true;
  }
  insert(name, {.head = std::move(left.head),
                .file_bytes = bytes.size(),
                .payload = {},
                .since_ms = since_ms});
  owner_.on_disk_changed();
  return true;
}

bool BatchStore::read_heads_of(std::uint64_t log) {
  for (auto at = batches_.lower_bound(BatchName::before_all_of(log));
       at != batches_.end() && at->first.number == log;) {
    const auto batch = at++;
    if (batch->second.is_read) continue;
    const auto payload = load(batch);
    if (payload) continue;
    if (payload.error() == Unread::kNotNow) return false;
    (void)folder_.files().unlink(path_of(batch->first));
    forget(batch);
  }
  return true;
}

bool BatchStore::has_all_of(std::uint64_t log) const {
  std::uint32_t made = 0;
  std::uint32_t siblings = 0;
  for (auto at = batches_.lower_bound(BatchName::before_all_of(log));
       at != batches_.end() && at->first.number == log; ++at) {
    ++made;
    siblings = at->second.head.siblings;
  }
  return made > 0 && made == siblings;
}

void BatchStore::unlink_and_forget_all_of(std::uint64_t log) {
  for (auto at = batches_.lower_bound(BatchName::before_all_of(log));
       at != batches_.end() && at->first.number == log;) {
    const auto batch = at++;
    (void)folder_.files().unlink(path_of(batch->first));
    forget(batch);
  }
}

std::map<std::uint64_t, std::int64_t> BatchStore::release_held() {
  return std::exchange(held_logs_, {});
}

void BatchStore::forget_what_is_gone() {
  if (path_.empty() || !folder_.was_thinned_out()) return;
  const auto items = folder_.files().list(path_);
  if (!items) return facts_.note_problem(items.error());
  std::set<BatchName> there;
  for (const cache::FolderItem& item : *items) {
    if (const auto name = BatchName::from_file_name(item.name)) there.insert(*name);
  }
  for (auto at = batches_.begin(); at != batches_.end();) {
    const auto batch = at++;
    if (batch->second.file_bytes == 0 || there.contains(batch->first)) continue;
    // One that is on its way is settled.
    if (batch->first == on_its_way_) continue;
    facts_.count_dropped(DropReason::kSpoolLimit,
                         std::max<std::uint64_t>(batch->second.head.events, 1));
    forget(batch);
  }
  owner_.on_disk_changed();
}

void BatchStore::insert(BatchName name, Batch batch) {
  if (const auto old = batches_.find(name); old != batches_.end()) forget(old);
  file_bytes_ += batch.file_bytes;
  memory_bytes_ += batch.payload.size();
  batches_.emplace(std::move(name), std::move(batch));
}

void BatchStore::forget(Batches::iterator batch) {
  file_bytes_ -= batch->second.file_bytes;
  memory_bytes_ -= batch->second.payload.size();
  batches_.erase(batch);
}

void BatchStore::unlink_and_forget(Batches::iterator batch) {
  const BatchName name = batch->first;
  if (batch->second.file_bytes > 0) unlink_file(name);
  forget(batch);
  unlink_settled_wholes_of(name);
  const auto same = batches_.lower_bound(BatchName::before_all_of(name.number));
  const bool is_last = same == batches_.end() || same->first.number != name.number;
  if (is_last) owner_.on_emptied(name.number);
  owner_.on_disk_changed();
}

// Those that nothing is left of.
void BatchStore::unlink_settled_wholes_of(const BatchName& part) {
  for (auto whole = part.whole(); whole; whole = whole->whole()) {
    if (!kept_wholes_.contains(*whole)) continue;
    const auto next = batches_.lower_bound(*whole);
    if (next != batches_.end() && whole->has_part(next->first)) continue;
    unlink_file(*whole);
    kept_wholes_.erase(*whole);
  }
}

bool BatchStore::write_file(const BatchName& name, std::string_view bytes) {
  const auto done = cache::replace_file(folder_.files(), path_, name.file_name(), bytes);
  if (!done) facts_.note_problem(done.error());
  return done.has_value();
}

void BatchStore::unlink_file(const BatchName& name) {
  if (const auto gone = folder_.files().unlink(path_of(name)); !gone) {
    facts_.note_problem(gone.error());
  }
}

// They are numbered as they come.
std::optional<std::int64_t> BatchStore::oldest_ms() const {
  std::optional<std::int64_t> oldest;
  if (!batches_.empty()) oldest = batches_.begin()->second.since_ms;
  for (const auto& [log, since_ms] : held_logs_)
    oldest = std::min(oldest.value_or(since_ms), since_ms);
  return oldest;
}

std::uint64_t BatchStore::disk_bytes() const {
  std::uint64_t sum = file_bytes_;
  for (const auto& [name, bytes] : kept_wholes_) sum += bytes;
  return sum;
}

}  // namespace flagstone::upstream::launchdarkly
