// Who is compiled: promotes what is asked for, demotes what was not used for longest when room is
// needed. Cost follows what the app uses, not what the organisation owns.
//
// One per daemon, over all environments; the keeper's. Serving threads mark entries as used with a
// bit; a hand goes round all compiled entries, takes the bit from those that have it and demotes
// those that have none (the CLOCK algorithm): no list to keep in order while requests are answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/entry.h"
#include "cache/entry_home.h"

namespace flagstone::cache {

class Residency {
 public:
  // Of the limit, this part is kept free of forms compiled for use: for connections, and for
  // updates to begin with.
  static constexpr std::size_t kReservedShare = 8;
  // A text above this is compiled first and demoted last: decoding it for each request costs most.
  static constexpr std::size_t kLargeTextBytes = std::size_t{64} * 1024;

  explicit Residency(EntryHome& home) : home_(home) {}
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;

  // The entry is compiled; it may be demoted from now on.
  void add(EntryPointer entry);
  // True when a form of that size may be added now. Demotes others for it when there is no room;
  // what they free is there only after a turn of all loops, so the answer may be yes later.
  bool admit(std::size_t bytes);
  // Demotes until that many bytes are on their way back, or nothing is left: how many are.
  std::size_t free_bytes(std::size_t bytes);
  // Forgets entries that nobody serves any more. Once in a while.
  void sweep();

  std::size_t size() const { return items_.size(); }
  std::uint64_t promotions() const { return promotions_; }
  std::uint64_t demotions() const { return demotions_; }

 private:
  // Flags go before what they refer to, and ordinary texts before large ones.
  static bool is_dear(const Entry& entry);
  std::size_t demote_round(std::size_t bytes, bool dear_too);

  EntryHome& home_;
  std::vector<EntryPointer> items_;
  std::size_t hand_ = 0;
  std::uint64_t promotions_ = 0;
  std::uint64_t demotions_ = 0;
};

}  // namespace flagstone::cache
