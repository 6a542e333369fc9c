// Where the vendor's text of one record lies: in memory, or in a file of the state. One word, so
// that it can be changed while serving threads read it.
//
// A value; pure.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "cache/allocated_bytes.h"

namespace flagstone::cache {

// A text in memory, its size in front. Allocated in one piece.
class TextBlock {
 public:
  TextBlock() = default;
  explicit TextBlock(std::string_view text)
      : bytes_(std::make_unique_for_overwrite<char[]>(sizeof(std::uint32_t) + text.size())) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(bytes_.get(), &size, sizeof size);
    if (!text.empty()) std::memcpy(bytes_.get() + sizeof size, text.data(), text.size());
  }
  static std::string_view view(const char* block) {
    std::uint32_t size = 0;
    std::memcpy(&size, block, sizeof size);
    return {block + sizeof size, size};
  }
  // What one of that many bytes takes, malloc's own included.
  static std::size_t bytes_for(std::size_t text_bytes) {
    return allocated_bytes(sizeof(std::uint32_t) + text_bytes);
  }
  char* release() { return bytes_.release(); }

 private:
  std::unique_ptr<char[]> bytes_;
};

class TextPlace {
 public:
  static constexpr std::uint32_t kFilesMax = 1024;
  static constexpr std::uint64_t kOffsetMax = (std::uint64_t{1} << 32) - 1;
  static constexpr std::size_t kFileTextBytesMax = (std::size_t{1} << 21) - 1;

  // No text at all: a tombstone's.
  constexpr TextPlace() = default;
  static TextPlace in_memory(TextBlock block) {
    const auto address = reinterpret_cast<std::uintptr_t>(block.release());
    assert((address & kFileTag) == 0);
    return TextPlace(address);
  }
  // Nullopt when file, offset or size are beyond what a place can name: the text stays in memory.
  static std::optional<TextPlace> in_file(std::uint32_t file, std::uint64_t offset,
                                          std::size_t bytes) {
    if (file >= kFilesMax || offset > kOffsetMax || bytes > kFileTextBytesMax) return std::nullopt;
    return TextPlace(kFileTag | (std::uint64_t{file} << kFileShift) |
                     (std::uint64_t{bytes} << kBytesShift) | (offset << kOffsetShift));
  }
  static constexpr TextPlace from_word(std::uint64_t word) { return TextPlace(word); }

  bool is_in_file() const { return (word_ & kFileTag) != 0; }
  bool is_in_memory() const { return word_ != 0 && !is_in_file(); }
  std::uint64_t word() const { return word_; }

  // REQUIRES: in a file.
  std::uint32_t file() const { return static_cast<std::uint32_t>(word_ >> kFileShift) & kFileMask; }
  std::uint64_t offset() const { return word_ >> kOffsetShift; }
  // REQUIRES: in memory.
  const char* block() const { return reinterpret_cast<const char*>(word_); }
  std::string_view text() const { return TextBlock::view(block()); }

  std::size_t bytes() const {
    if (is_in_file()) return static_cast<std::size_t>(word_ >> kBytesShift) & kFileTextBytesMax;
    return word_ == 0 ? 0 : text().size();
  }

 private:
  explicit constexpr TextPlace(std::uint64_t word) : word_(word) {}

  static constexpr std::uint64_t kFileTag = 1;
  static constexpr unsigned kFileShift = 1;
  static constexpr std::uint32_t kFileMask = kFilesMax - 1;
  static constexpr unsigned kBytesShift = 11;
  static constexpr unsigned kOffsetShift = 32;

  std::uint64_t word_ = 0;
};

}  // namespace flagstone::cache
