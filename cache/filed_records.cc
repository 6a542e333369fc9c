#include "cache/filed_records.h"

#include <cassert>

namespace flagstone::cache {
namespace {

enum Bit : std::uint8_t {
  kTombstone = 1,
  kRemoved = 2,
  kJudged = 4,
  kQuarantined = 8,
  kRefers = 16,
  kClock = 32,
};

}  // namespace

void FiledRecords::add(const FiledRecord& record) {
  if (chunks_.empty() || chunks_.back().items.size() == kChunkRecords) {
    chunks_.emplace_back();
    chunks_.back().items.reserve(kChunkRecords);
    bytes_ += kChunkRecords * sizeof(Item);
  }
  Chunk& chunk = chunks_.back();
  const int bits = (record.tombstone ? kTombstone : 0) | (record.removed ? kRemoved : 0) |
                   (record.judged ? kJudged : 0) | (record.quarantined ? kQuarantined : 0) |
                   (record.traits.refers_to_others ? kRefers : 0) |
                   (record.traits.reads_clock ? kClock : 0);
  chunk.items.push_back({.version = record.version,
                         .offset = record.offset,
                         .content = record.content,
                         .text_bytes = record.text_bytes,
                         .key_size = static_cast<std::uint32_t>(record.key.size()),
                         .set_size = static_cast<std::uint32_t>(record.set_id.size()),
                         .kind = record.kind,
                         .bits = static_cast<std::uint8_t>(bits),
                         .file = static_cast<std::uint16_t>(record.file)});
  chunk.names.append(record.key).append(record.set_id);
  bytes_ += record.key.size() + record.set_id.size();
  text_bytes_ += record.text_bytes;
  ++size_;
  ++left_;
}

FiledRecord FiledRecords::take() {
  assert(left_ > 0);
  if (next_item_ == chunks_.front().items.size()) {
    bytes_ -= kChunkRecords * sizeof(Item) + chunks_.front().names.size();
    chunks_.pop_front();
    next_item_ = next_name_ = 0;
  }
  const Chunk& chunk = chunks_.front();
  const Item& item = chunk.items[next_item_++];
  const std::string_view names = std::string_view(chunk.names).substr(next_name_);
  next_name_ += std::size_t{item.key_size} + item.set_size;
  --left_;
  return {.kind = item.kind,
          .tombstone = (item.bits & kTombstone) != 0,
          .removed = (item.bits & kRemoved) != 0,
          .judged = (item.bits & kJudged) != 0,
          .quarantined = (item.bits & kQuarantined) != 0,
          .traits = {.refers_to_others = (item.bits & kRefers) != 0,
                     .reads_clock = (item.bits & kClock) != 0},
          .version = item.version,
          .set_id = names.substr(item.key_size, item.set_size),
          .key = names.substr(0, item.key_size),
          .file = item.file,
          .text_bytes = item.text_bytes,
          .offset = item.offset,
          .content = item.content};
}

}  // namespace flagstone::cache
