// When requests are meant to be sent at a steady rate, whatever becomes of those before: latency is
// measured from these moments, so that a server that stalls is charged for all who waited
// meanwhile. A value, used by one thread; cannot fail.
#pragma once

#include <cstdint>

namespace flagstone::bench {

class Pace {
 public:
  Pace(double per_second, std::uint64_t begin_ns)
      : interval_ns_(1e9 / per_second), begin_ns_(begin_ns) {}

  // Reckoned from the beginning, so that rounding does not add up.
  [[nodiscard]] std::uint64_t next_ns() const {
    return begin_ns_ + static_cast<std::uint64_t>(static_cast<double>(taken_) * interval_ns_);
  }
  [[nodiscard]] bool is_due(std::uint64_t now_ns) const { return next_ns() <= now_ns; }
  void take() { ++taken_; }

  // How many were due by then and have not been taken.
  [[nodiscard]] std::uint64_t overdue(std::uint64_t now_ns) const {
    if (!is_due(now_ns)) return 0;
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>(now_ns - begin_ns_) / interval_ns_) + 1;
    return due > taken_ ? due - taken_ : 0;
  }

 private:
  double interval_ns_;
  std::uint64_t begin_ns_;
  std::uint64_t taken_ = 0;
};

}  // namespace flagstone::bench
