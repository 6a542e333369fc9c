// The bodies of LaunchDarkly's polled answers, FDv1 and FDv2: bytes to updates. One at a time.
//
// Owned by a LaunchDarkly source, on the keeper's loop; used between a poll's head and its end.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "upstream/launchdarkly_decoder.h"
#include "upstream/launchdarkly_update.h"

namespace flagstone::upstream {

// What is made of one answer's body.
class LaunchDarklyPollBody {
 public:
  virtual ~LaunchDarklyPollBody() = default;
  virtual std::expected<void, std::string> feed(std::string_view piece) = 0;
  // Call once. Nothing, without an error: what we have is what there is.
  virtual std::expected<std::optional<LaunchDarklyUpdate>, std::string> finish() = 0;
  // See IncomingRecords.
  virtual bool is_behind() const = 0;
  virtual void stop_waiting() = 0;
};

// {"flags": {…}, "segments": {…}}
std::unique_ptr<LaunchDarklyPollBody> make_fdv1_poll_body(std::uint64_t bytes_max,
                                                          const IncomingMemory& memory);
// {"events": […]}. `has_basis`: the request said what we have.
std::unique_ptr<LaunchDarklyPollBody> make_fdv2_poll_body(std::uint64_t bytes_max,
                                                          const IncomingMemory& memory,
                                                          bool has_basis);

}  // namespace flagstone::upstream
