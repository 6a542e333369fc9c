// A number that one thread writes and any thread reads.
//
// Relaxed and without read-modify-write: the writer pays a plain load and a plain store.
#pragma once

#include <atomic>
#include <cstdint>

namespace flagstone::net {

class Counter {
 public:
  void add(std::uint64_t amount = 1) { set(read() + amount); }
  void subtract(std::uint64_t amount = 1) { set(read() - amount); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace flagstone::net
