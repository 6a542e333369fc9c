// A few places through which one thread gives objects to another, one after the other.
//
// One giver, one taker; neither waits. What nobody took is destroyed with it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace flagstone::sidecar {

template <typename T>
class Handover {
 public:
  static constexpr std::size_t kPlaces = 4;

  // The giver. False: all places are taken, and the object stays where it is.
  bool give(std::unique_ptr<T>& object) {
    const std::size_t given = given_.load(std::memory_order_relaxed);
    if (given - taken_.load(std::memory_order_acquire) == kPlaces) return false;
    places_[given % kPlaces] = std::move(object);
    given_.store(given + 1, std::memory_order_release);
    return true;
  }
  // The taker. nullptr: there is none.
  std::unique_ptr<T> take() {
    const std::size_t taken = taken_.load(std::memory_order_relaxed);
    if (taken == given_.load(std::memory_order_acquire)) return nullptr;
    std::unique_ptr<T> object = std::move(places_[taken % kPlaces]);
    taken_.store(taken + 1, std::memory_order_release);
    return object;
  }

 private:
  std::array<std::unique_ptr<T>, kPlaces> places_;
  std::atomic<std::size_t> given_{0};
  std::atomic<std::size_t> taken_{0};
};

}  // namespace flagstone::sidecar
