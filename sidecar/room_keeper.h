// Keeps room in the memory: what flags are compiled, and giving back what was let go of once no
// serving thread can be looking at it.
//
// Owned by the keeper, on its thread. What was let go of waits in EntryHome::retired; a batch of it
// is sent round all serving threads, and destroyed when each has turned its loop since.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cache/entry_home.h"
#include "cache/record_reader.h"
#include "cache/residency.h"
#include "cache/snapshot.h"
#include "net/lifeline.h"

namespace flagstone::sidecar {

class ServingThread;

class RoomKeeper final : public cache::RoomMaker {
 public:
  explicit RoomKeeper(cache::EntryHome& home);
  ~RoomKeeper() override;
  RoomKeeper(const RoomKeeper&) = delete;
  RoomKeeper& operator=(const RoomKeeper&) = delete;

  // Before any thread starts.
  void add_thread(ServingThread& thread) { threads_.push_back(&thread); }

  void note_compiled(cache::EntryPointer entry) override { residency_.add(std::move(entry)); }
  bool make_room(std::size_t bytes) override;

  // What bulk answers came by is compiled as long as no more than this part of the limit is used.
  // It takes nobody's place, and is the first to give its own up.
  static constexpr std::size_t kBulkShare = 2;
  enum class Wish : std::uint8_t { kAsked, kInBulk };
  // A flag of this snapshot was encoded when it was wanted; by RecordIndex::hash_of() its id.
  void promote(const cache::Snapshot& snapshot, std::uint64_t hash, Wish wish);
  // Less than this part of the limit is free: new connections beyond their share are refused.
  static constexpr std::size_t kShortShare = 16;

  // The process takes more than what is counted explains.
  void set_over_limit(bool is_over);

  // Sends what was let go of round, unless a batch is on its way.
  void send_round();
  // Once in a while: forgets who is no longer served, and holds to a limit that was lowered.
  void housework();

  const cache::Residency& residency() const { return residency_; }
  std::uint64_t read_failures() const { return reader_.failures(); }

 private:
  bool admits(std::size_t bytes, Wish wish);
  void round_done();
  void tell_whether_short();

  cache::EntryHome& home_;
  cache::Residency residency_;
  cache::RecordReader reader_{cache::RecordReader::Patience::kNone};
  std::vector<ServingThread*> threads_;
  std::unique_ptr<cache::Retired> on_its_way_;
  std::size_t threads_to_turn_ = 0;
  // Since the last housework.
  bool prepared_given_up_ = false;
  bool short_of_memory_ = false;
  bool over_limit_ = false;
  net::Lifeline<RoomKeeper> lifeline_{*this};
};

}  // namespace flagstone::sidecar
