// What all entries of a daemon share: the budget they count in, the files their texts lie in, and
// where they put what serving threads may still be reading.
//
// One per daemon; it outlives every entry. The keeper's, but for the budget's numbers and the
// files, which any thread reads.
#pragma once

#include <cstddef>

#include "cache/entry_pointer.h"
#include "cache/memory_budget.h"
#include "cache/retired.h"
#include "cache/text_files.h"

namespace flagstone::cache {

// Who decides what stays compiled; the keeper's.
class RoomMaker {
 public:
  virtual ~RoomMaker() = default;
  // The entry is in and compiled; it may be asked to give that up.
  virtual void note_compiled(EntryPointer entry) = 0;
  // Something does not fit any more.
  // True: that many bytes, or at least some, are on their way back; ask again in a later turn.
  // False: there is nothing left to give up.
  virtual bool make_room(std::size_t bytes) = 0;
};

struct EntryHome {
  explicit EntryHome(MemoryBudget& memory) : budget(memory) {}
  EntryHome(const EntryHome&) = delete;
  EntryHome& operator=(const EntryHome&) = delete;

  MemoryBudget& budget;
  TextFiles files;
  Retired retired{budget, files};
  // nullptr: nobody can make room, so what does not fit is refused.
  RoomMaker* room = nullptr;
};

}  // namespace flagstone::cache
