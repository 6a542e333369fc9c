// A bump allocator for values that live for one request or one evaluation.
//
// One thread. reset() keeps the memory; after the largest use was seen, nothing allocates any more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace flagstone::evaluation {

class Arena {
 public:
  static constexpr std::size_t kFirstBlockBytes = 4096;

  // Room for `count` objects of T, default-initialised. T is never destroyed.
  template <typename T>
  std::span<T> make_array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    T* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_default_construct_n(first, count);
    return {first, count};
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  template <typename T>
  std::span<const T> copy(std::span<const T> from) {
    static_assert(std::is_trivially_copyable_v<T>);
    T* const first = static_cast<T*>(allocate(from.size_bytes(), alignof(T)));
    if (!from.empty()) std::memcpy(static_cast<void*>(first), from.data(), from.size_bytes());
    return {first, from.size()};
  }
  void* allocate(std::size_t size, std::size_t align) {
    std::size_t start = (used_ + align - 1) & ~(align - 1);
    if (block_ < blocks_.size() && start + size <= blocks_[block_].size) {
      used_ = start + size;
      return blocks_[block_].bytes.get() + start;
    }
    return allocate_in_next_block(size);
  }
  void reset() {
    block_ = 0;
    used_ = 0;
  }
  // Gives back everything allocated since `mark()`, in the order of a stack.
  struct Mark {
    std::size_t block = 0;
    std::size_t used = 0;
  };
  Mark mark() const { return {block_, used_}; }
  void rewind(Mark mark) {
    block_ = mark.block;
    used_ = mark.used;
  }
  // All memory held, used or not.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  void* allocate_in_next_block(std::size_t size);

  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace flagstone::evaluation
