// The credentials that sources had before their files changed, for as long as apps may still use
// them: a key is rotated at the vendor first, and in every app a little later.
//
// A value of an environment's feed, on the keeper's thread. A restart knows them by what was kept
// in the state: salted hashes with their end by the wall clock, never a credential itself. They
// decide who is let in, and whose events those are that somebody posts with one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/clock.h"

namespace flagstone::sidecar {

class FormerCredentials {
 public:
  // One that an earlier process had.
  struct Hashed {
    std::string salt;
    std::string hash;
    bool operator==(const Hashed&) const = default;
  };
  // Of a source: who it is (cache::identity_hash), and for how long its former ones count.
  struct SourceFacts {
    std::string identity;
    std::chrono::milliseconds grace{0};
  };

  // What the source of that number has now; the one it had before counts for `grace` more. An empty
  // one is none: a file that is just being replaced. True when it is another one.
  bool note(std::size_t source, const std::string& credential, std::chrono::milliseconds grace,
            upstream::TimePoint now);
  // Those that still count.
  void append_to(std::vector<std::string>& all, upstream::TimePoint now) const;
  std::vector<Hashed> hashed(upstream::TimePoint now) const;
  // The number of the source that had it lately, in this process or an earlier one.
  std::optional<std::size_t> source_of(std::string_view credential, upstream::TimePoint now) const;

  // Those of the sources that `predecessor`, before a reload, had as well, under another number or
  // the same. A grace that is shorter now ends them sooner; a longer one makes none last longer.
  // REQUIRES: nothing was noted here yet.
  void take_over(const FormerCredentials& predecessor, const std::vector<SourceFacts>& its_sources,
                 const std::vector<SourceFacts>& sources, upstream::TimePoint now);

  // For the next process: those that still count, and those of now, which will be former ones if
  // others stand in the files by then. Empty: there is nothing to keep.
  std::string save(const std::vector<SourceFacts>& sources, std::string_view salt,
                   const upstream::Clock& clock) const;
  // What an earlier process saved, as far as it is of these sources and still counts. False: it is
  // none of that. What is known already is not taken twice. REQUIRES: those of now were noted.
  bool restore(std::string_view saved, const std::vector<SourceFacts>& sources,
               const upstream::Clock& clock);

 private:
  struct Former {
    std::size_t source = 0;
    std::string credential;
    upstream::TimePoint until;
  };
  struct Earlier {
    std::size_t source = 0;
    Hashed hashed;
    upstream::TimePoint until;
  };

  bool knows(std::size_t source, const Hashed& hashed) const;

  std::vector<std::string> current_;  // By source.
  std::vector<Former> former_;
  std::vector<Earlier> earlier_;
};

}  // namespace flagstone::sidecar
