#include "tests/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace flagstone::bench {

// Below 64 ns every value has its bucket; above, the highest bit chooses the octave and the six
// bits after it the bucket inside.
void LatencyHistogram::count(std::uint64_t latency_ns) {
  const auto width = static_cast<unsigned>(std::bit_width(latency_ns));
  const unsigned shift = width > kBitsPerOctave + 1 ? width - kBitsPerOctave - 1 : 0;
  const std::size_t bucket = (std::size_t{shift} << kBitsPerOctave) + (latency_ns >> shift);
  ++buckets_[bucket];
  ++counted_;
  max_ns_ = std::max(max_ns_, latency_ns);
}

double LatencyHistogram::percentile_us(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(counted_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size() && counted_ > 0; ++bucket) {
    seen += buckets_[bucket];
    if (seen < wanted || seen == 0) continue;
    const std::size_t octave = bucket >> kBitsPerOctave;
    const std::size_t shift = octave > 0 ? octave - 1 : 0;
    const std::uint64_t first_ns = (bucket - (shift << kBitsPerOctave)) << shift;
    const std::uint64_t middle_ns = first_ns + ((std::uint64_t{1} << shift) >> 1);
    return static_cast<double>(std::min(middle_ns, max_ns_)) / 1000.0;
  }
  return 0;
}

}  // namespace flagstone::bench
