#include "upstream/launchdarkly_event_spool.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "evaluation/content_hash.h"
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
// What payload ids of diagnostics are made of in place of a log's id: they are the same in each.
constexpr std::string_view kDiagnosticIds = "diagnostic";

// Tells the payloads of one log from each other. There is one of events for each group.
std::string identity_of(const BatchHead& head, std::string_view text) {
  const EventGroup& group = head.group;
  std::string what = std::to_string(group.source) + '\n' + group.schema + '\n' + group.tags + '\n';
  what += group.is_unsummarized ? 'u' : 's';
  if (head.kind == PayloadKind::kDiagnostic) what += std::to_string(evaluation::digest64(text));
  return what;
}

}  // namespace

EventSpool::EventSpool(EventFolder& folder, SpoolOptions options)
    : folder_(folder),
      options_(std::move(options)),
      next_number_(kNumbersInMemory + evaluation::digest64(options_.fresh_id()) / 4) {}

EventSpool::~EventSpool() = default;

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
  if (is_own && result == PostResult::kTooLarge) drop(DropReason::kTooLarge, 1);
  if (is_own && result == PostResult::kMalformed) drop(DropReason::kRefused, 1);
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
    if (post.is_own) drop(DropReason::kSpoolLimit, *events);
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
  forget_what_is_gone();
  if (!make_room(post.body.size() + kRecordBytes, true)) return false;
  if (!log_ && !begin_log(now_ms)) return false;
  const auto type =
      post.kind == PayloadKind::kEvents ? LogRecord::Type::kEvents : LogRecord::Type::kDiagnostic;
  const auto appended = log_->append(
      {.type = type, .group = post.group, .payload_id = post.payload_id, .text = post.body});
  if (!appended) {
    failed(appended.error());
    return false;
  }
  facts_.problem.clear();
  folder_.set_bytes(disk_bytes());
  return true;
}

bool EventSpool::begin_log(std::int64_t now_ms) {
  // An SDK that heard no answer from an earlier process may send again what is sealed by now.
  auto log = EventLog::create(folder_.files(), path_, next_number_, options_.fresh_id(),
                              payloads_.latest(now_ms, kCarriedMs, kCarriedMax));
  if (!log) {
    failed(log.error());
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
      return failed(written.error());
    }
  }
}

void EventSpool::merge(PayloadKind kind, const EventGroup& group, const std::string& payload_id,
                       std::string_view text, std::int64_t now_ms) {
  if (kind == PayloadKind::kEvents) {
    const auto taken =
        open_batch(group).add(wire::EventList::known_good(text), contexts_[group.source], now_ms);
    facts_.merged_away += taken.merged_away;
    return;
  }
  const auto diagnostic = wire::read_diagnostic(text);
  if (!diagnostic) return;
  if (diagnostic->is_init) {
    // Equal processes say the same: one of them is enough.
    std::string what = std::to_string(group.source) + '/' + diagnostic->what;
    if (inits_.knows(what, now_ms)) {
      ++facts_.merged_away;
      return;
    }
    inits_.remember(std::move(what), now_ms);
  }
  diagnostics_.push_back({.group = group, .payload_id = payload_id, .text = std::string(text)});
}

wire::EventBatch& EventSpool::open_batch(const EventGroup& group) {
  const auto found =
      std::ranges::find_if(open_, [&](const Open& open) { return open.group == group; });
  if (found != open_.end()) return found->events;
  return open_.emplace_back(Open{.group = group, .events = {}}).events;
}

void EventSpool::seal() {
  forget_what_is_gone();
  // A log without bodies goes on: it was begun for what comes next.
  const bool has_log = log_ && (log_->has_bodies() || !log_->usable());
  if (!has_log && is_nothing_open()) return open_.clear();
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
  std::vector<std::pair<BatchHead, std::string>> payloads;
  for (const Open& open : std::exchange(open_, {})) {
    if (open.events.empty()) continue;
    payloads.emplace_back(BatchHead{.kind = PayloadKind::kEvents,
                                    .group = open.group,
                                    .payload_id = {},
                                    .events = open.events.events(),
                                    .summaries = open.events.summaries()},
                          open.events.json());
  }
  for (Diagnostic& diagnostic : std::exchange(diagnostics_, {})) {
    payloads.emplace_back(BatchHead{.kind = PayloadKind::kDiagnostic,
                                    .group = diagnostic.group,
                                    .payload_id = std::move(diagnostic.payload_id),
                                    .events = 1},
                          std::move(diagnostic.text));
  }
  bool all_on_disk = has_log;
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    auto& [head, text] = payloads[i];
    // By what it is, and not by how many came before it: a replay knows less of what was told.
    if (head.payload_id.empty()) head.payload_id = payload_id_of(log_id, identity_of(head, text));
    head.siblings = static_cast<std::uint32_t>(payloads.size());
    all_on_disk = put(BatchName::of(number, i), std::move(head), net::gzip(text)) && all_on_disk;
  }
  if (all_on_disk) commit_log(number);
  folder_.set_bytes(disk_bytes());
}

std::uint64_t EventSpool::disk_bytes() const {
  std::uint64_t sum = log_ ? log_->bytes() : 0;
  for (const auto& [number, bytes] : kept_logs_) sum += bytes;
  for (const auto& [name, bytes] : kept_wholes_) sum += bytes;
  return sum + batch_file_bytes_;
}

std::uint64_t EventSpool::memory_bytes() const {
  std::uint64_t sum = batch_memory_bytes_;
  for (const Open& open : open_) sum += open.events.bytes();
  for (const Diagnostic& diagnostic : diagnostics_) sum += diagnostic.text.size();
  return sum;
}

bool EventSpool::is_nothing_open() const {
  return diagnostics_.empty() &&
         std::ranges::all_of(open_, [](const Open& open) { return open.events.empty(); });
}

const SpoolFacts& EventSpool::facts() {
  facts_.batches = batches_.size() + unread_logs_.size();
  facts_.disk_bytes = disk_bytes();
  facts_.memory_bytes = memory_bytes();
  const bool has_bodies = log_ && log_->has_bodies();
  facts_.is_empty = !has_bodies && is_nothing_open();
  facts_.wants_seal = open_.size() >= kGroupsMax || diagnostics_.size() >= kDiagnosticsMax ||
                      (has_bodies && log_->bytes() >= log_bytes_max()) ||
                      std::ranges::any_of(open_, [&](const Open& o) {
                        return o.events.bytes() >= options_.batch_bytes;
                      });
  return facts_;
}

}  // namespace flagstone::upstream::launchdarkly
