#include "upstream/launchdarkly_event_spool.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/launchdarkly/wire/event_list.h"
#include "net/gzip.h"

namespace flagstone::upstream::launchdarkly {
namespace {

namespace wire = evaluation::launchdarkly;

// What a record takes in the log beside its text, generously.
constexpr std::uint64_t kRecordBytes = 2048;
// Numbers by chance begin here.
constexpr std::uint64_t kNumbersInMemory = std::uint64_t{1} << 63U;
// The log's share of the spool: the rest is for what waits.
constexpr std::uint64_t kLogShare = 4;
constexpr std::uint64_t kLogBytesMin = std::uint64_t{64} * 1024;
// So much is made free at once where events have to go: each takes a write of its own.
constexpr std::uint64_t kStripShare = 16;
// What payload ids of diagnostics are made of in place of a log's id: they are the same in each.
constexpr std::string_view kDiagnosticIds = "diagnostic";

}  // namespace

EventSpool::EventSpool(EventFolder& folder, SpoolOptions options)
    : folder_(folder),
      options_(std::move(options)),
      next_number_(kNumbersInMemory + evaluation::digest64(options_.fresh_id()) / 4),
      store_(folder, facts_, *this) {}

void EventSpool::set_options(std::uint64_t limit_bytes, std::uint64_t batch_bytes) {
  options_.limit_bytes = limit_bytes;
  options_.batch_bytes = batch_bytes;
}

std::uint64_t EventSpool::log_bytes_max() const {
  return std::clamp(options_.limit_bytes / kLogShare, kLogBytesMin, kLogBytesMax);
}

PostResult EventSpool::take(SpoolPost post, std::int64_t now_ms) {
  const bool is_own = post.is_own;
  const PostResult result = take_in(std::move(post), now_ms);
  // Of our own nobody else hears that they are lost.
  if (is_own && result == PostResult::kTooLarge) facts_.count_dropped(DropReason::kTooLarge, 1);
  if (is_own && result == PostResult::kMalformed) facts_.count_dropped(DropReason::kRefused, 1);
  return result;
}

PostResult EventSpool::take_in(SpoolPost post, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (facts().wants_seal) seal();
  if (!post.payload_id.empty() && payloads_.knows(post.payload_id, now_ms)) {
    return PostResult::kTaken;
  }
  if (const PostResult result = expand(post); result != PostResult::kTaken) return result;
  const bool had_id = !post.payload_id.empty();
  const auto events = look_into(post);
  if (!events) return events.error();
  if (!had_id && !post.payload_id.empty() && payloads_.knows(post.payload_id, now_ms)) {
    return PostResult::kTaken;
  }
  if (*events > 0 && !keep(post, now_ms)) {
    if (post.is_own) facts_.count_dropped(DropReason::kSpoolLimit, *events);
    return PostResult::kFull;
  }
  facts_.received += *events;
  if (!post.payload_id.empty()) payloads_.remember(post.payload_id, now_ms);
  if (*events > 0) merge(post.kind, post.group, post.payload_id, post.body, now_ms);
  return PostResult::kTaken;
}

std::expected<std::size_t, PostResult> EventSpool::look_into(SpoolPost& post) {
  const auto refusal = [](const wire::EventError& error) {
    return std::unexpected(error.is_too_deep ? PostResult::kTooLarge : PostResult::kMalformed);
  };
  if (post.kind == PayloadKind::kEvents) {
    const auto list = wire::EventList::read(post.body);
    if (!list) return refusal(list.error());
    return wire::count_events(post.body);
  }
  const auto diagnostic = wire::read_diagnostic(post.body);
  if (!diagnostic) return refusal(diagnostic.error());
  // SDKs give diagnostics no payload id, and post them again all the same.
  if (post.payload_id.empty() && !diagnostic->identity.empty()) {
    post.payload_id = payload_id_of(kDiagnosticIds, diagnostic->identity);
  }
  return 1;
}

PostResult EventSpool::expand(SpoolPost& post) {
  if (post.is_gzip) {
    switch (gunzip_.run(post.body, kBodyBytesMax, unpacked_)) {
      case net::Gunzip::Result::kDone:
        std::swap(post.body, unpacked_);
        break;
      case net::Gunzip::Result::kTooLarge:
        return PostResult::kTooLarge;
      case net::Gunzip::Result::kMalformed:
        return PostResult::kMalformed;
    }
  }
  return post.body.size() > kBodyBytesMax ? PostResult::kTooLarge : PostResult::kTaken;
}

// False: there is no room, or the disk takes nothing.
bool EventSpool::keep(const SpoolPost& post, std::int64_t now_ms) {
  if (path_.empty()) open(now_ms);
  if (!path_.empty() && append(post, now_ms)) return true;
  if (!path_.empty() && !post.is_own) return false;
  return make_room(post.body.size(), false);
}

bool EventSpool::append(const SpoolPost& post, std::int64_t now_ms) {
  if (log_ && !log_->usable()) seal();
  store_.forget_what_is_gone();
  if (!make_room(post.body.size() + kRecordBytes, true)) return false;
  if (!log_ && !begin_log(now_ms)) return false;
  const auto type =
      post.kind == PayloadKind::kEvents ? LogRecord::Type::kEvents : LogRecord::Type::kDiagnostic;
  const auto appended = log_->append(
      {.type = type, .group = post.group, .payload_id = post.payload_id, .text = post.body});
  if (!appended) {
    facts_.note_problem(appended.error());
    return false;
  }
  facts_.problem.clear();
  on_disk_changed();
  return true;
}

bool EventSpool::begin_log(std::int64_t now_ms) {
  // An SDK that heard no answer from an earlier process may send again what is sealed by now.
  auto log = EventLog::create(folder_.files(), path_, next_number_, options_.fresh_id(),
                              payloads_.latest(now_ms, kCarriedMs, kCarriedMax));
  if (!log) {
    facts_.note_problem(log.error());
    if (log.error().code == EEXIST) ++next_number_;
    return false;
  }
  ++next_number_;
  log_ = std::move(*log);
  not_carried_.clear();
  return true;
}

// Before a log goes: what it knows of payloads has to stand in the one that comes after it. Where
// the disk takes nothing the log goes all the same, for its room is wanted.
void EventSpool::carry_payloads() {
  if (!log_) {
    if (!payloads_.latest(now_ms_, kCarriedMs, 1).empty()) (void)begin_log(now_ms_);
    return;
  }
  for (std::string& id : std::exchange(not_carried_, {})) {
    if (const auto written = log_->append(known_payload(std::move(id))); !written) {
      return facts_.note_problem(written.error());
    }
  }
}

void EventSpool::merge(PayloadKind kind, const EventGroup& group, const std::string& payload_id,
                       std::string_view text, std::int64_t now_ms) {
  if (!open_since_ms_) open_since_ms_ = now_ms;
  facts_.merged_away += open_.merge(kind, group, payload_id, text, now_ms);
}

// Makes room for so many bytes; where that is not to be had, false.
bool EventSpool::make_room(std::uint64_t bytes, bool on_disk) {
  const std::uint64_t limit = on_disk ? options_.limit_bytes : options_.memory_bytes;
  const auto missing = [&](std::uint64_t more) {
    const std::uint64_t used = on_disk ? disk_bytes() : memory_bytes();
    return used + more > limit || (on_disk && !folder_.make_room(more));
  };
  if (!missing(bytes)) return true;
  while (missing(bytes + limit / kStripShare) && store_.strip_oldest(on_disk)) {
  }
  return !missing(bytes);
}

void EventSpool::shrink(std::uint64_t bytes) {
  const std::uint64_t before = disk_bytes();
  const std::uint64_t wanted = before - std::min(before, bytes);
  while (disk_bytes() > wanted && store_.strip_oldest(true)) {
  }
}

void EventSpool::seal() {
  store_.forget_what_is_gone();
  // A log without bodies goes on: it was begun for what comes next.
  const bool has_log = log_ && (log_->has_bodies() || !log_->usable());
  if (!has_log && open_.empty()) {
    open_since_ms_.reset();
    return open_.close_groups();
  }
  const std::uint64_t number = has_log ? log_->number() : next_number_++;
  const std::string id = has_log ? log_->header().id : options_.fresh_id();
  if (has_log) {
    kept_logs_[number] = log_->bytes();
    log_.reset();
  }
  seal_as(number, id, has_log);
}

// What is open becomes the batches of that log, which is not written any more.
void EventSpool::seal_as(std::uint64_t number, const std::string& log_id, bool has_log) {
  std::vector<OpenBatches::Payload> payloads = open_.take(log_id);
  const std::int64_t since_ms = std::exchange(open_since_ms_, std::nullopt).value_or(now_ms_);
  bool all_on_disk = has_log;
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    auto& [head, json] = payloads[i];
    const bool on_disk =
        store_.put(BatchName::of(number, i), std::move(head), net::gzip(json), since_ms);
    all_on_disk = on_disk && all_on_disk;
  }
  if (all_on_disk) remove_log(number);
  on_disk_changed();
}

// Its batches are durable: from here on they count, and not the log.
void EventSpool::remove_log(std::uint64_t number) {
  carry_payloads();
  const std::string path = path_ + "/" + log_file_name(number);
  if (const auto gone = folder_.files().unlink(path); !gone) {
    return facts_.note_problem(gone.error());
  }
  kept_logs_.erase(number);
  if (const auto synced = folder_.files().sync_folder(path_); !synced) {
    facts_.note_problem(synced.error());
  }
}

void EventSpool::on_emptied(std::uint64_t log) {
  if (kept_logs_.contains(log)) remove_log(log);
}

std::optional<OutgoingBatch> EventSpool::next(const Passing& passing) {
  adopt_held_logs();
  store_.forget_what_is_gone();
  return store_.next(passing);
}

std::uint64_t EventSpool::disk_bytes() const {
  std::uint64_t sum = log_ ? log_->bytes() : 0;
  for (const auto& [number, bytes] : kept_logs_) sum += bytes;
  return sum + store_.disk_bytes();
}

const SpoolFacts& EventSpool::facts() {
  facts_.batches = store_.size();
  facts_.disk_bytes = disk_bytes();
  facts_.memory_bytes = memory_bytes();
  const bool has_bodies = log_ && log_->has_bodies();
  facts_.is_empty = !has_bodies && open_.empty();
  facts_.oldest_ms = store_.oldest_ms();
  if (!facts_.oldest_ms && !facts_.is_empty) facts_.oldest_ms = open_since_ms_;
  facts_.wants_seal =
      open_.is_full(options_.batch_bytes) || (has_bodies && log_->bytes() >= log_bytes_max());
  return facts_;
}

}  // namespace flagstone::upstream::launchdarkly
