// Counts latencies in buckets that are at most 1/64 of their value wide, so that a percentile is
// right to 1.6 % and counting is two instructions and an addition. A value, used by one thread;
// cannot fail.
#pragma once

#include <array>
#include <cstdint>

namespace flagstone::bench {

class LatencyHistogram {
 public:
  void count(std::uint64_t latency_ns);

  // The latency that `share` (0 to 1) of the counted ones do not exceed; 0 when none was counted.
  [[nodiscard]] double percentile_us(double share) const;
  [[nodiscard]] double max_us() const { return static_cast<double>(max_ns_) / 1000.0; }
  [[nodiscard]] std::uint64_t counted() const { return counted_; }

 private:
  static constexpr unsigned kBitsPerOctave = 6;
  std::array<std::uint32_t, (64 - kBitsPerOctave + 1) << kBitsPerOctave> buckets_{};
  std::uint64_t counted_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace flagstone::bench
