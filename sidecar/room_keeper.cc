#include "sidecar/room_keeper.h"

#include <utility>

#include "sidecar/serving_thread.h"

namespace flagstone::sidecar {

RoomKeeper::RoomKeeper(cache::EntryHome& home) : home_(home), residency_(home) {
  home_.room = this;
}

RoomKeeper::~RoomKeeper() {
  lifeline_.cut();
  home_.room = nullptr;
}

bool RoomKeeper::make_room(std::size_t bytes) {
  // What is prepared goes first: it is made anew when somebody asks.
  if (home_.budget.used_bytes(cache::MemoryPart::kPrepared) > 0 &&
      !std::exchange(prepared_given_up_, true)) {
    for (ServingThread* thread : threads_) thread->give_up_prepared();
  }
  const std::size_t freed = residency_.free_bytes(bytes);
  send_round();
  return freed > 0 || on_its_way_ != nullptr;
}

bool RoomKeeper::admits(std::size_t bytes, Wish wish) {
  if (wish == Wish::kAsked) return residency_.admit(bytes);
  const cache::MemoryBudget& budget = home_.budget;
  return budget.used_bytes() + bytes <= budget.limit_bytes() / kBulkShare;
}

void RoomKeeper::promote(const cache::Snapshot& snapshot, std::uint64_t hash, Wish wish) {
  const cache::EntryPointer* found = snapshot.find_hash(hash);
  const cache::Entry* entry = found == nullptr ? nullptr : (*found)->answering();
  if (entry == nullptr || entry->is_tombstone() || entry->compiled() != nullptr) return;
  // What is to be added is about as large as its text; whoever does not fit is asked for again.
  if (!admits(2 * entry->text_bytes(), wish)) return;
  reader_.begin(snapshot);
  const auto text = reader_.text_of(*entry);
  if (!text) return;
  auto compiled = snapshot.dialect().compile(
      {.kind = entry->kind(), .set_id = entry->set_id(), .key = entry->key(), .raw = *text});
  if (!compiled || !admits((*compiled)->bytes(), wish)) return;
  entry->promote(std::move(*compiled));
  residency_.add(cache::EntryPointer(*entry));
}

void RoomKeeper::send_round() {
  if (on_its_way_ != nullptr) return;
  auto batch = std::make_unique<cache::Retired>(home_.retired.take());
  if (batch->empty()) return;
  on_its_way_ = std::move(batch);
  threads_to_turn_ = 1;
  for (ServingThread* thread : threads_) {
    // A thread that cannot be told has turned its loop for none of the many messages before: what
    // is on its way stays there, and liveness ends the process.
    ++threads_to_turn_;
    thread->turn(lifeline_.guard([](RoomKeeper& room) { room.round_done(); }));
  }
  round_done();
}

void RoomKeeper::round_done() {
  if (--threads_to_turn_ == 0) on_its_way_.reset();
}

void RoomKeeper::housework() {
  residency_.sweep();
  prepared_given_up_ = false;
  const cache::MemoryBudget& budget = home_.budget;
  const std::size_t used = budget.used_bytes();
  if (used > budget.limit_bytes()) residency_.free_bytes(used - budget.limit_bytes());
  send_round();
  tell_whether_short();
}

void RoomKeeper::set_over_limit(bool is_over) {
  over_limit_ = is_over;
  if (is_over) residency_.free_bytes(home_.budget.limit_bytes() / kShortShare);
  tell_whether_short();
}

void RoomKeeper::tell_whether_short() {
  const cache::MemoryBudget& budget = home_.budget;
  const bool is_short = over_limit_ || budget.free_bytes() < budget.limit_bytes() / kShortShare;
  if (std::exchange(short_of_memory_, is_short) == is_short) return;
  for (ServingThread* thread : threads_) thread->set_short_of_memory(is_short);
}

}  // namespace flagstone::sidecar
