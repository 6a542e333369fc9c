// HTTP/2 frames behind a good preface, whole and cut in two: no crash, the same requests either
// way, and never more held than the limits say.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "net/http2_session.h"
#include "tests/fakes/net/recording_handler.h"

namespace flagstone::net {
namespace {

HttpLimits small_limits() {
  HttpLimits limits;
  limits.header_bytes_max = 2048;
  limits.target_bytes_max = 256;
  limits.header_count_max = 16;
  limits.body_bytes_max = 1024;
  limits.streams_max = 10;
  return limits;
}

class Bench final : public SessionHost {
 public:
  void give(std::string_view bytes) {
    auto copy = std::make_unique<char[]>(bytes.size() + Request::kBodyPaddingBytes);
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    std::string_view rest(copy.get(), bytes.size());
    while (!rest.empty() && session.takes_bytes() && session.phase() < SessionPhase::kDone) {
      output.clear();
      rest.remove_prefix(session.consume(rest, output));
    }
    output.clear();
    session.produce(output);
    session.output_drained();
    if (session.held_bytes() > limits.streams_max * limits.body_bytes_max) std::abort();
  }

  void send_later(std::string_view) override { std::abort(); }
  std::size_t unsent_bytes() const override { return 0; }
  void resume_later() override {}
  void produce_later() override {}
  bool peer_is_local() const override { return true; }

  const HttpLimits limits = small_limits();
  ServerCounters counters;
  RecordingHandler handler;
  SessionResources resources{handler, limits, counters};
  std::string output;
  Http2Session session{resources, *this, 0, ListenerKind::kLoopbackTcp};
};

}  // namespace
}  // namespace flagstone::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using flagstone::net::Bench;
  if (size < 1) return 0;
  std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  bytes.append("\0\0\0\4\0\0\0\0\0", 9);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = data[0] % bytes.size();

  Bench whole;
  whole.give(bytes);
  Bench pieces;
  pieces.give(std::string_view(bytes).substr(0, cut));
  pieces.give(std::string_view(bytes).substr(cut));
  // Event streams that a peer resets depend on when they were said, requests do not.
  const std::size_t served = std::min(whole.handler.seen.size(), pieces.handler.seen.size());
  for (std::size_t i = 0; i < served; ++i) {
    const auto& a = whole.handler.seen[i];
    const auto& b = pieces.handler.seen[i];
    if (a.method != b.method || a.path != b.path || a.body != b.body || a.headers != b.headers) {
      std::abort();
    }
  }
  return 0;
}
