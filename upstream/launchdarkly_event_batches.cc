// Sealed batches: written, read, taken away, made smaller.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "cache/durable_write.h"
#include "net/gzip.h"
#include "upstream/launchdarkly_event_spool.h"

namespace flagstone::upstream::launchdarkly {
namespace {

namespace wire = evaluation::launchdarkly;

// What a batch's events may unpack to: one payload and the body that came last.
constexpr std::size_t kUnpackedBytesMax = std::size_t{256} * 1024 * 1024;
// So much is made free at once where events have to go: each takes a write of its own.
constexpr std::uint64_t kStripShare = 16;
// A batch's file that is longer is none of ours.
constexpr std::uint64_t kBatchFileBytesMax = std::uint64_t{64} * 1024 * 1024;

}  // namespace

// True when it is in a file; else it is in memory.
bool EventSpool::put(BatchName name, BatchHead head, std::string payload) {
  Batch batch{.head = std::move(head), .file_bytes = 0, .payload = {}};
  const std::string bytes = encode_batch(batch.head, payload);
  const bool written = !path_.empty() && folder_.make_room(bytes.size()) && write(name, bytes);
  if (written) {
    batch.file_bytes = bytes.size();
  } else {
    batch.payload = std::move(payload);
  }
  insert(std::move(name), std::move(batch));
  return written;
}

void EventSpool::insert(BatchName name, Batch batch) {
  if (const auto old = batches_.find(name); old != batches_.end()) erase(old);
  batch_file_bytes_ += batch.file_bytes;
  batch_memory_bytes_ += batch.payload.size();
  batches_.emplace(std::move(name), std::move(batch));
}

void EventSpool::erase(Batches::iterator batch) {
  batch_file_bytes_ -= batch->second.file_bytes;
  batch_memory_bytes_ -= batch->second.payload.size();
  batches_.erase(batch);
}

bool EventSpool::write(const BatchName& name, std::string_view bytes) {
  const auto done = cache::replace_file(folder_.files(), path_, name.file_name(), bytes);
  if (!done) failed(done.error());
  return done.has_value();
}

// Its batches are durable: from here on they count, and not the log.
void EventSpool::commit_log(std::uint64_t number) {
  carry_payloads();
  const std::string path = path_ + "/" + log_file_name(number);
  if (const auto gone = folder_.files().unlink(path); !gone) return failed(gone.error());
  kept_logs_.erase(number);
  if (const auto synced = folder_.files().sync_folder(path_); !synced) failed(synced.error());
}

std::vector<EventSpool::Batches::iterator> EventSpool::in_order(const Passing& passing) {
  std::vector<Batches::iterator> order;
  for (auto at = batches_.begin(); at != batches_.end(); ++at) {
    if (!unread_logs_.contains(at->first.number)) order.push_back(at);
  }
  std::ranges::stable_sort(order, {}, [&](Batches::iterator batch) {
    const auto found = passing.behind.find(batch->first);
    return found == passing.behind.end() ? 0 : found->second;
  });
  return order;
}

std::optional<OutgoingBatch> EventSpool::next(const Passing& passing) {
  read_again();
  forget_what_is_gone();
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
    drop(was_taken_away ? DropReason::kSpoolLimit : DropReason::kDamaged,
         std::max<std::uint64_t>(batch->second.head.events, 1));
    remove(batch);
  }
  return std::nullopt;
}

std::expected<std::string, EventSpool::Unread> EventSpool::load(Batches::iterator batch) {
  if (batch->second.file_bytes == 0) return batch->second.payload;
  const auto bytes = cache::read_file(folder_.files(), path_of(batch->first), kBatchFileBytesMax);
  if (!bytes) {
    if (bytes.error().code == ENOENT) return std::unexpected(Unread::kGone);
    if (bytes.error().code == EFBIG) return std::unexpected(Unread::kDamaged);
    failed(bytes.error());
    return std::unexpected(Unread::kNotNow);
  }
  const auto file = decode_batch(*bytes);
  if (!file) return std::unexpected(Unread::kDamaged);
  if (!std::exchange(batch->second.is_read, true)) batch->second.head = file->head;
  return std::string(file->payload);
}

void EventSpool::settle(const OutgoingBatch& sent, BatchOutcome outcome) {
  on_its_way_.reset();
  const auto batch = batches_.find(sent.name);
  if (batch == batches_.end()) return;
  switch (outcome) {
    case BatchOutcome::kSent:
      facts_.sent += sent.head.events;
      return remove(batch);
    case BatchOutcome::kRefused:
      return split(batch, DropReason::kRefused);
    case BatchOutcome::kOffline:
      drop(DropReason::kOffline, sent.head.events);
      return remove(batch);
    case BatchOutcome::kTooLarge:
      return split(batch, DropReason::kTooLarge);
  }
}

void EventSpool::remove(Batches::iterator batch) {
  const BatchName name = batch->first;
  const std::uint64_t number = name.number;
  if (batch->second.file_bytes > 0) {
    const auto gone = folder_.files().unlink(path_of(batch->first));
    if (!gone) failed(gone.error());
  }
  erase(batch);
  remove_wholes_of(name);
  const auto same = batches_.lower_bound(BatchName::before_all_of(number));
  const bool last = same == batches_.end() || same->first.number != number;
  if (last && kept_logs_.contains(number)) commit_log(number);
  folder_.set_bytes(disk_bytes());
}

// Those that nothing is left of.
void EventSpool::remove_wholes_of(const BatchName& part) {
  for (auto whole = part.whole(); whole; whole = whole->whole()) {
    if (!kept_wholes_.contains(*whole)) continue;
    const auto next = batches_.lower_bound(*whole);
    if (next != batches_.end() && whole->has_part(next->first)) continue;
    const auto gone = folder_.files().unlink(path_of(*whole));
    if (!gone) failed(gone.error());
    kept_wholes_.erase(*whole);
  }
}

std::string EventSpool::unpack(std::string_view payload) {
  std::string text;
  if (gunzip_.run(payload, kUnpackedBytesMax, text) != net::Gunzip::Result::kDone) return "[]";
  return text;
}

// Not for upstream as it is: two halves take its place, with ids that follow from its own.
void EventSpool::split(Batches::iterator batch, DropReason reason) {
  const BatchName name = batch->first;
  const BatchHead head = batch->second.head;
  const auto payload = load(batch);
  if (!payload && payload.error() == Unread::kNotNow) return;  // It is told again that it is.
  wire::Halves halves;
  if (payload && head.kind == PayloadKind::kEvents) halves = wire::halve_events(unpack(*payload));
  if (halves.second.empty()) {
    drop(reason, head.events);
    return remove(batch);
  }
  bool all_on_disk = true;
  for (const auto& [letter, half] : {std::pair{'a', &halves.first}, {'b', &halves.second}}) {
    BatchHead part = head;
    part.payload_id = payload_id_of(head.payload_id, {&letter, 1});
    part.events = wire::count_events(*half);
    part.summaries = wire::only_summaries(*half).kept;
    const bool on_disk = put(name.half(letter), std::move(part), net::gzip(*half));
    all_on_disk = on_disk && all_on_disk;
  }
  const auto whole = batches_.find(name);
  if (all_on_disk || whole->second.file_bytes == 0) return remove(whole);
  // A half that is in memory would be lost with the process.
  kept_wholes_[name] = whole->second.file_bytes;
  erase(whole);
}

// Makes room for so many bytes; where that is not to be had, false.
bool EventSpool::make_room(std::uint64_t bytes, bool on_disk) {
  const std::uint64_t limit = on_disk ? options_.limit_bytes : options_.memory_bytes;
  const auto missing = [&](std::uint64_t more) {
    const std::uint64_t used = on_disk ? disk_bytes() : memory_bytes();
    return used + more > limit || (on_disk && !folder_.make_room(more));
  };
  if (!missing(bytes)) return true;
  while (missing(bytes + limit / kStripShare) && strip_oldest(on_disk)) {
  }
  return !missing(bytes);
}

void EventSpool::shrink(std::uint64_t bytes) {
  const std::uint64_t before = disk_bytes();
  const std::uint64_t wanted = before - std::min(before, bytes);
  while (disk_bytes() > wanted && strip_oldest(true)) {
  }
}

// Takes the events that are no summaries out of the oldest batch that has any.
bool EventSpool::strip_oldest(bool on_disk) {
  for (auto batch = batches_.begin(); batch != batches_.end(); ++batch) {
    const bool is_file = batch->second.file_bytes > 0;
    const BatchHead& head = batch->second.head;
    if (is_file != on_disk || batch->first == on_its_way_ || head.summaries == head.events)
      continue;
    if (unread_logs_.contains(batch->first.number)) continue;
    if (strip(batch)) return true;
  }
  return false;
}

// False: it cannot be read now.
bool EventSpool::strip(Batches::iterator batch) {
  BatchHead head = batch->second.head;
  const auto payload = load(batch);
  if (!payload && payload.error() == Unread::kNotNow) return false;
  wire::Summaries left{.json = "[]", .kept = 0, .left_out = static_cast<std::size_t>(head.events)};
  if (payload && head.kind == PayloadKind::kEvents) left = wire::only_summaries(unpack(*payload));
  drop(DropReason::kSpoolLimit, left.left_out);
  if (left.kept == 0) {
    remove(batch);
    return true;
  }
  head.events = left.kept;
  head.summaries = left.kept;
  std::string packed = net::gzip(left.json);
  const BatchName name = batch->first;
  if (batch->second.file_bytes == 0) {
    insert(name, {.head = std::move(head), .file_bytes = 0, .payload = std::move(packed)});
    return true;
  }
  const std::string bytes = encode_batch(head, packed);
  // Where the disk has no room even for less, all of it goes.
  if (!write(name, bytes)) {
    drop(DropReason::kSpoolLimit, left.kept);
    remove(batch);
    return true;
  }
  insert(name, {.head = std::move(head), .file_bytes = bytes.size(), .payload = {}});
  folder_.set_bytes(disk_bytes());
  return true;
}

void EventSpool::drop(DropReason reason, std::uint64_t events) {
  facts_.dropped[static_cast<std::size_t>(reason)] += events;
}

}  // namespace flagstone::upstream::launchdarkly
