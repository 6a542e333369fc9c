// A bounded queue of messages between two threads: one puts in, the other takes out.
//
// All its memory is there from the beginning. Neither side waits, and neither does a
// read-modify-write: each has its own mark.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace flagstone::sidecar {

class ByteRing {
 public:
  explicit ByteRing(std::size_t capacity)
      : capacity_(capacity), bytes_(std::make_unique_for_overwrite<char[]>(capacity)) {}

  // The writer. False: no room, nothing was put in.
  bool put(std::string_view message) {
    const std::size_t written = written_.load(std::memory_order_relaxed);
    const std::size_t used = written - read_.load(std::memory_order_acquire);
    if (capacity_ - used < sizeof(Size) + message.size()) return false;
    const Size size = static_cast<Size>(message.size());
    copy_in(written, {reinterpret_cast<const char*>(&size), sizeof size});
    copy_in(written + sizeof size, message);
    written_.store(written + sizeof size + message.size(), std::memory_order_release);
    return true;
  }
  // The reader. Appends the next message to `out`; false when there is none.
  bool take(std::string& out) {
    const std::size_t read = read_.load(std::memory_order_relaxed);
    if (read == written_.load(std::memory_order_acquire)) return false;
    Size size = 0;
    copy_out(read, reinterpret_cast<char*>(&size), sizeof size);
    const std::size_t before = out.size();
    out.resize(before + size);
    copy_out(read + sizeof size, out.data() + before, size);
    read_.store(read + sizeof size + size, std::memory_order_release);
    return true;
  }
  // Either side; may be out of date at once.
  std::size_t used_bytes() const {
    const std::size_t read = read_.load(std::memory_order_acquire);
    return written_.load(std::memory_order_acquire) - read;
  }
  std::size_t capacity() const { return capacity_; }

 private:
  using Size = std::uint32_t;

  // The piece up to the end of the memory, then the rest from its beginning.
  void copy_in(std::size_t at, std::string_view from) {
    const std::size_t start = at % capacity_;
    const std::size_t first = std::min(from.size(), capacity_ - start);
    std::memcpy(bytes_.get() + start, from.data(), first);
    std::memcpy(bytes_.get(), from.data() + first, from.size() - first);
  }
  void copy_out(std::size_t at, char* to, std::size_t size) const {
    const std::size_t start = at % capacity_;
    const std::size_t first = std::min(size, capacity_ - start);
    std::memcpy(to, bytes_.get() + start, first);
    std::memcpy(to + first, bytes_.get(), size - first);
  }

  std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  // Bytes put in and taken out so far.
  std::atomic<std::size_t> written_{0};
  std::atomic<std::size_t> read_{0};
};

}  // namespace flagstone::sidecar
