// What an HTTP/2 peer may send although it costs the peer nothing and us something.
//
// A value inside its session. Resets count whoever made them: a peer that asks and takes it back,
// or that makes us take it back, has had its request served for nothing either way. Control frames
// are also earned: honest clients send PING and WINDOW_UPDATE in step with what they are answered.
#pragma once

#include <cstdint>

#include "net/server.h"
#include "net/token_bucket.h"

namespace flagstone::net {

class Http2Budget {
 public:
  // For each HEADERS and DATA frame that we say: some clients answer each with a WINDOW_UPDATE for
  // the stream, one for the connection and a PING to measure the bandwidth.
  static constexpr std::uint32_t kControlFramesEarned = 3;

  explicit Http2Budget(const HttpLimits& limits)
      : resets_(limits.reset_burst, limits.resets_per_second),
        control_frames_(limits.control_frame_burst, limits.control_frames_per_second) {}

  // False when it is used up.
  bool take_reset(std::int64_t now_ms) { return resets_.take(now_ms); }
  bool take_control_frame(std::int64_t now_ms) { return control_frames_.take(now_ms); }
  void earn() { control_frames_.add(kControlFramesEarned); }

 private:
  TokenBucket resets_;
  TokenBucket control_frames_;
};

}  // namespace flagstone::net
