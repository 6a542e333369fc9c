// The credentials that sources had before their files changed, for as long as apps may still use
// them: a key is rotated at the vendor first, and in every app a little later.
//
// A value of an environment's feed, on the keeper's thread. Kept in memory alone: a restart forgets
// them.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "upstream/clock.h"

namespace flagstone::sidecar {

class FormerCredentials {
 public:
  // What the source of that number has now; the one it had before counts for `grace` more. An empty
  // one is none: a file that is just being replaced.
  void note(std::size_t source, const std::string& credential, std::chrono::milliseconds grace,
            upstream::TimePoint now);
  // Those that still count.
  void append_to(std::vector<std::string>& all, upstream::TimePoint now) const;

 private:
  struct Former {
    std::string credential;
    upstream::TimePoint until;
  };

  std::vector<std::string> current_;  // By source.
  std::vector<Former> former_;
};

}  // namespace flagstone::sidecar
