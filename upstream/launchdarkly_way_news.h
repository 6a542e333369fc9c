// What is said of the way by which LaunchDarkly's flags come: once per change, and as a warning
// where it is a step down.
//
// A member of a LaunchDarkly source, on the keeper's loop. Nothing fails.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "upstream/launchdarkly_cursor.h"

namespace flagstone::upstream {

class LaunchDarklyWayNews {
 public:
  struct Facts {
    LaunchDarklyProtocol protocol = LaunchDarklyProtocol::kFdv1;
    bool is_polled = false;
    // The operator wants the stream.
    bool wants_stream = true;
    // FDv2 is left, and the stream with it, as the other side wants it.
    bool left_fdv2 = false;
    bool left_stream = false;
  };
  struct News {
    bool is_warning = false;
    std::string text;
  };

  // They come by that way now. Nullopt: nothing is new about it.
  std::optional<News> note(const Facts& now);
  // The next is news, whatever it is.
  void forget() { told_.reset(); }

 private:
  // Greater is better: a stream before polls, then FDv2.
  using Rank = std::pair<bool, bool>;
  std::optional<Rank> told_;
};

}  // namespace flagstone::upstream
