// Records whose parts lie in one block right behind them, and what copies the parts there: once to
// measure, once to write.
//
// A PackedRecord is immutable once built. A BlockPacker belongs to one compile(): run the same
// calls in the same order twice, first on one without a block, then on one with a block of the size
// measured.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>

#include "evaluation/record.h"

namespace flagstone::evaluation {

// A record and behind it the block that it points into.
template <typename Record>
class PackedRecord : public CompiledRecord {
 public:
  static std::unique_ptr<Record> make(std::size_t block_bytes) {
    void* const memory = ::operator new(sizeof(Record) + block_bytes);
    std::unique_ptr<Record> record(::new (memory) Record());
    record->block_bytes_ = block_bytes;
    return record;
  }
  // The size to give back is not the record's.
  static void operator delete(void* memory) { ::operator delete(memory); }

  std::byte* block() { return reinterpret_cast<std::byte*>(static_cast<Record*>(this) + 1); }
  std::size_t bytes() const override {
    // What the allocator keeps beside it: its size and the rounding up to 16, on average.
    constexpr std::size_t kAllocationOverheadBytes = 16;
    return sizeof(Record) + block_bytes_ + kAllocationOverheadBytes;
  }

 private:
  friend Record;
  PackedRecord() = default;

  std::size_t block_bytes_ = 0;
};

class BlockPacker {
 public:
  BlockPacker() = default;
  // `measured` went through the same calls; `block` has room for measured.bytes().
  BlockPacker(std::byte* block, const BlockPacker& measured)
      : objects_(block), texts_(reinterpret_cast<char*>(block) + measured.object_bytes_) {}

  std::size_t bytes() const { return object_bytes_ + text_bytes_; }
  bool measuring() const { return objects_ == nullptr; }

  // Room for objects; nullptr while measuring.
  template <typename T>
  T* make(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) == kAlignment);
    static_assert(sizeof(T) % kAlignment == 0);
    const std::size_t at = object_bytes_;
    object_bytes_ += count * sizeof(T);
    if (measuring()) return nullptr;
    T* first = reinterpret_cast<T*>(objects_ + at);
    std::uninitialized_default_construct_n(first, count);
    return first;
  }
  // Texts that are asked for one after the other stand one after the other.
  std::string_view text(std::string_view text) {
    const std::size_t at = text_bytes_;
    text_bytes_ += text.size();
    if (measuring() || text.empty()) return {};
    std::memcpy(texts_ + at, text.data(), text.size());
    return {texts_ + at, text.size()};
  }
  // How many bytes of texts there are so far, and where those that came behind so many lie.
  std::size_t text_bytes() const { return text_bytes_; }
  const char* text_from(std::size_t at) const { return texts_ + at; }

 private:
  static constexpr std::size_t kAlignment = 8;

  std::byte* objects_ = nullptr;
  char* texts_ = nullptr;
  std::size_t object_bytes_ = 0;
  std::size_t text_bytes_ = 0;
};

// Runs `pack(record, packer)` to measure and to write.
template <typename Record, typename Packer = BlockPacker, typename Pack>
std::unique_ptr<Record> pack_record(Pack pack) {
  Record without_block;
  Packer measured;
  pack(without_block, measured);
  std::unique_ptr<Record> record = Record::make(measured.bytes());
  Packer packer(record->block(), measured);
  pack(*record, packer);
  return record;
}

}  // namespace flagstone::evaluation
