// HTTP/1 requests, whole and cut in two: no crash, and the same answers either way. And on further
// connections of the same server, which know the headers by then: the same to the byte.
#include <cstdlib>
#include <cstring>

#include "tests/fakes/net/session_bench.h"

namespace {

using flagstone::net::HttpLimits;
using flagstone::net::SessionBench;

HttpLimits small_limits() {
  HttpLimits limits;
  limits.header_bytes_max = 2048;
  limits.target_bytes_max = 256;
  limits.header_count_max = 16;
  limits.body_bytes_max = 1024;
  return limits;
}

void give_again(SessionBench& bench, std::string_view bytes) {
  constexpr int kTimes = 3;  // to be seen, remembered, found
  const std::string first = bench.said;
  for (int i = 0; i < kTimes; ++i) {
    bench.session = std::make_unique<flagstone::net::Http1Session>(
        bench.resources, bench, 3, flagstone::net::ListenerKind::kLoopbackTcp);
    bench.said.clear();
    bench.give(bytes);
    if (bench.said != first) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = bytes.empty() ? 0 : data[0] % bytes.size();

  SessionBench whole(small_limits());
  whole.give(bytes);
  SessionBench pieces(small_limits());
  const std::string left = pieces.give(bytes.substr(0, cut));
  pieces.give(left + std::string(bytes.substr(cut)));

  // The white space limit counts by pieces, so only what was served is compared, and only up to it.
  const std::size_t served = std::min(whole.handler.seen.size(), pieces.handler.seen.size());
  for (std::size_t i = 0; i < served; ++i) {
    const auto& a = whole.handler.seen[i];
    const auto& b = pieces.handler.seen[i];
    if (a.method != b.method || a.path != b.path || a.query != b.query || a.body != b.body ||
        a.headers != b.headers) {
      std::abort();
    }
  }
  give_again(whole, bytes);
  return 0;
}
