#include "cache/usage.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cache/byte_codec.h"

namespace flagstone::cache {
namespace {

constexpr std::uint32_t kUsageFormat = 1;
constexpr std::uint8_t kEvaluatedInApps = 1;

void add(Usage& usage, std::uint64_t count, std::int64_t now_unix_ms) {
  if (usage.count == 0) usage.first_asked_unix_ms = now_unix_ms;
  usage.count += count;
  usage.last_asked_unix_ms = now_unix_ms;
}

// At most `max_bytes` of it, and no character cut in two: what is shown must stay UTF-8.
std::string_view cut_between_characters(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  const auto continues = [&text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  // A character has at most three bytes after its first. More of them are no UTF-8, and the cut
  // may be anywhere.
  std::size_t end = max_bytes;
  while (end > 0 && max_bytes - end < 3 && continues(end)) --end;
  return text.substr(0, continues(end) ? max_bytes : end);
}

void append_usage(std::string& out, const Usage& usage) {
  append_number(out, usage.count);
  append_signed(out, usage.first_asked_unix_ms);
  append_signed(out, usage.last_asked_unix_ms);
}

Usage read_usage(ByteReader& reader) {
  Usage usage;
  usage.count = reader.number<std::uint64_t>();
  usage.first_asked_unix_ms = reader.signed_number();
  usage.last_asked_unix_ms = reader.signed_number();
  return usage;
}

}  // namespace

UsageCounters::UsageCounters() : ring_(std::make_unique<char[]>(kUnknownRingBytes)) {}

UsageCounters::~UsageCounters() {
  for (std::size_t i = 0; i < chunk_count_; ++i) delete chunks_[i].load(std::memory_order_relaxed);
}

void UsageCounters::count(std::uint32_t flag_id) {
  const std::size_t number = flag_id / kCountersPerChunk;
  if (number >= kChunksMax) return;
  Chunk* chunk = chunks_[number].load(std::memory_order_acquire);
  if (chunk == nullptr) return;
  // The only writer: a plain addition, seen by the keeper sooner or later.
  std::atomic<std::uint32_t>& counter = chunk->counts[flag_id % kCountersPerChunk];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void UsageCounters::count_unknown(std::string_view key) {
  key = cut_between_characters(key, kUnknownKeyBytesMax);
  const std::size_t written = ring_written_.load(std::memory_order_relaxed);
  const std::size_t read = ring_read_.load(std::memory_order_acquire);
  if (kUnknownRingBytes - (written - read) < key.size() + 2) {
    ring_dropped_.store(ring_dropped_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    return;
  }
  const auto put = [this](std::size_t at, char c) { ring_[at % kUnknownRingBytes] = c; };
  put(written, static_cast<char>(key.size() & 0xff));
  put(written + 1, static_cast<char>(key.size() >> 8));
  for (std::size_t i = 0; i < key.size(); ++i) put(written + 2 + i, key[i]);
  ring_written_.store(written + 2 + key.size(), std::memory_order_release);
}

void UsageCounters::grow(std::uint32_t limit) {
  const std::size_t wanted = std::min<std::size_t>(
      (std::size_t{limit} + kCountersPerChunk - 1) / kCountersPerChunk, kChunksMax);
  for (; chunk_count_ < wanted; ++chunk_count_) {
    chunks_[chunk_count_].store(new Chunk, std::memory_order_release);
  }
}

void UsageCounters::drain(
    const std::function<void(std::uint32_t flag_id, std::uint32_t count)>& flag,
    const std::function<void(std::string_view key)>& unknown) {
  for (std::size_t number = 0; number < chunk_count_; ++number) {
    Chunk& chunk = *chunks_[number].load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kCountersPerChunk; ++i) {
      const std::uint32_t counted = chunk.counts[i].load(std::memory_order_relaxed);
      // Modulo 2^32, so that a counter may run over.
      const std::uint32_t more = counted - chunk.drained[i];
      if (more == 0) continue;
      chunk.drained[i] = counted;
      flag(static_cast<std::uint32_t>(number * kCountersPerChunk + i), more);
    }
  }
  std::size_t read = ring_read_.load(std::memory_order_relaxed);
  const std::size_t written = ring_written_.load(std::memory_order_acquire);
  const auto get = [this](std::size_t at) {
    return static_cast<unsigned char>(ring_[at % kUnknownRingBytes]);
  };
  std::string key;
  while (read < written) {
    const std::size_t size =
        std::size_t{get(read)} | (static_cast<std::size_t>(get(read + 1)) << 8);
    key.clear();
    for (std::size_t i = 0; i < size; ++i) key += static_cast<char>(get(read + 2 + i));
    read += 2 + size;
    unknown(key);
  }
  ring_read_.store(read, std::memory_order_release);
}

void EncodedRing::put(std::uint64_t hash) {
  const std::size_t written = written_.load(std::memory_order_relaxed);
  if (written - read_.load(std::memory_order_acquire) == kFlags) return;
  hashes_[written % kFlags].store(hash, std::memory_order_relaxed);
  written_.store(written + 1, std::memory_order_release);
}

void EncodedRing::drain(const std::function<void(std::uint64_t hash)>& each) {
  std::size_t read = read_.load(std::memory_order_relaxed);
  const std::size_t written = written_.load(std::memory_order_acquire);
  for (; read < written; ++read) each(hashes_[read % kFlags].load(std::memory_order_relaxed));
  read_.store(read, std::memory_order_release);
}

std::uint64_t UsageCounters::drain_dropped() {
  const std::uint64_t dropped = ring_dropped_.load(std::memory_order_relaxed);
  return dropped - std::exchange(ring_dropped_drained_, dropped);
}

std::size_t UsageCounters::bytes() const {
  return sizeof(*this) + kUnknownRingBytes + chunk_count_ * sizeof(Chunk);
}

void UsageTotals::drain(UsageCounters& counters, std::int64_t now_unix_ms) {
  counters.drain(
      [&](std::uint32_t flag_id, std::uint32_t count) {
        make_room_for(flag_id);
        add(by_flag_[flag_id], count, now_unix_ms);
      },
      [&](std::string_view key) { note_unknown(key, now_unix_ms); });
  unknown_dropped_ += counters.drain_dropped();
}

void UsageTotals::note_unknown(std::string_view key, std::int64_t now_unix_ms) {
  const auto known = unknown_.find(key);
  if (known != unknown_.end()) return add(known->second, 1, now_unix_ms);
  if (unknown_.size() == kUnknownKeysMax) {
    ++unknown_dropped_;
    return;
  }
  add(unknown_[std::string(key)], 1, now_unix_ms);
}

void UsageTotals::adopt(const Snapshot& snapshot) {
  if (waiting_.empty()) return;
  Snapshot::Walk walk(FlagFilter{.set_id = {}, .source = {}, .one_per_key = false});
  while (const Entry* flag = snapshot.next_flag(walk)) {
    const auto at = waiting_.find({std::string(flag->set_id()), std::string(flag->key())});
    if (at == waiting_.end() || flag->flag_id() == kNoFlagId) continue;
    make_room_for(flag->flag_id());
    Usage& usage = by_flag_[flag->flag_id()];
    const Usage& before = at->second;
    usage.last_asked_unix_ms = std::max(usage.last_asked_unix_ms, before.last_asked_unix_ms);
    usage.count += before.count;
    if (before.count > 0) usage.first_asked_unix_ms = before.first_asked_unix_ms;
    waiting_.erase(at);
  }
}

// Step by step and not by doubling: with many flags half of it would stay empty.
void UsageTotals::make_room_for(std::uint32_t flag_id) {
  constexpr std::size_t kStep = 4096;
  if (flag_id < by_flag_.size()) return;
  by_flag_.reserve((flag_id / kStep + 1) * kStep);
  by_flag_.resize(flag_id + std::size_t{1});
}

std::size_t UsageTotals::bytes() const {
  // A map's node, its strings' own blocks included.
  constexpr std::size_t kNodeBytes = 192;
  return by_flag_.capacity() * sizeof(Usage) + (waiting_.size() + unknown_.size()) * kNodeBytes;
}

Usage UsageTotals::of(std::uint32_t flag_id) const {
  return flag_id < by_flag_.size() ? by_flag_[flag_id] : Usage{};
}

std::string UsageTotals::serialise(const Snapshot* snapshot) const {
  std::string flags;
  std::uint32_t count = 0;
  const auto append = [&](std::string_view set_id, std::string_view key, const Usage& usage) {
    append_text(flags, set_id);
    append_text(flags, key);
    append_usage(flags, usage);
    ++count;
  };
  if (snapshot != nullptr) {
    Snapshot::Walk walk(FlagFilter{.set_id = {}, .source = {}, .one_per_key = false});
    while (const Entry* flag = snapshot->next_flag(walk)) {
      const Usage usage = of(flag->flag_id());
      if (usage.count > 0) append(flag->set_id(), flag->key(), usage);
    }
  }
  for (const auto& [name, usage] : waiting_) append(name.first, name.second, usage);

  std::string out;
  append_number(out, kUsageFormat);
  append_number(out, count);
  out += flags;
  append_number(out, static_cast<std::uint32_t>(unknown_.size()));
  for (const auto& [key, usage] : unknown_) {
    append_text(out, key);
    append_usage(out, usage);
  }
  // Where there is nothing of it the bytes are those of earlier versions.
  if (evaluated_in_apps_) append_number(out, kEvaluatedInApps);
  return out;
}

bool UsageTotals::restore(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.number<std::uint32_t>() != kUsageFormat) return false;
  decltype(waiting_) waiting;
  const auto flags = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < flags && !reader.bad(); ++i) {
    std::string set_id(reader.text());
    std::string key(reader.text());
    const Usage usage = read_usage(reader);
    if (waiting.size() < kWaitingMax) waiting.insert({{std::move(set_id), std::move(key)}, usage});
  }
  UnknownKeys unknown;
  const auto keys = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < keys && !reader.bad(); ++i) {
    std::string key(reader.text());
    const Usage usage = read_usage(reader);
    if (unknown.size() < kUnknownKeysMax) unknown.emplace(std::move(key), usage);
  }
  const bool has_more = !reader.bad() && !reader.complete();
  if (has_more && reader.number<std::uint8_t>() != kEvaluatedInApps) return false;
  if (!reader.complete()) return false;
  if (has_more) note_evaluated_in_apps();
  waiting_ = std::move(waiting);
  unknown_ = std::move(unknown);
  return true;
}

}  // namespace flagstone::cache
