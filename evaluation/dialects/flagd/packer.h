// Copies a record's parts into one block of memory: once to measure, once to write.
//
// One thread, for the time of one compile(). Run the same calls in the same order twice, first on a
// Packer without a block, then on one with a block of the size measured.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

class Packer {
 public:
  Packer() = default;
  // `measured` went through the same calls; `block` has room for measured.bytes().
  Packer(std::byte* block, const Packer& measured)
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
  std::string_view text(std::string_view text) {
    const std::size_t at = text_bytes_;
    text_bytes_ += text.size();
    if (measuring() || text.empty()) return {};
    std::memcpy(texts_ + at, text.data(), text.size());
    return {texts_ + at, text.size()};
  }
  // A text that a rule is likely to have too, and where it lies: it is not stored again. Of equal
  // ones the last counts; when there are many of them, none does.
  void remember(std::string_view text, std::string_view packed) {
    if (known_count_ < known_.size()) known_[known_count_] = {text, packed};
    ++known_count_;
  }
  Value value(const Value& from);
  Node node(const Node& from);

 private:
  const Rollout* rollout(const Rollout& from);
  std::string_view known_or_new(std::string_view text);

  static constexpr std::size_t kAlignment = 8;

  std::byte* objects_ = nullptr;
  char* texts_ = nullptr;
  std::size_t object_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  struct Known {
    std::string_view text;
    std::string_view packed;
  };
  std::size_t known_count_ = 0;
  std::array<Known, 8> known_;
};

}  // namespace flagstone::evaluation::flagd
