// Takes one update into one layer, in slices, so that the keeper's loop keeps turning.
//
// Made by Environment::begin(), owned by whoever asked, used on the keeper's thread, destroyed
// before its environment. Nothing of it is visible before finish(); destroying it early changes
// nothing. The update's memory is freed record by record as it is eaten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/environment.h"
#include "cache/layer.h"
#include "cache/layer_image.h"
#include "evaluation/update.h"

namespace flagstone::cache {

class Intake {
 public:
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Takes up to `max_records` more; asks `stop` after each. True: call finish().
  bool step(std::size_t max_records, const std::function<bool()>& stop = {});
  // step() to the end and finish(), for those who have the time.
  IntakeOutcome run();
  // REQUIRES: step() answered true. Once.
  IntakeOutcome finish();

 private:
  friend class Environment;
  Intake(Environment& environment, Layer& layer, RestoredLayer restored, Origin origin);

  bool is_full() const { return restored_.update.kind == evaluation::UpdateKind::kFull; }
  void take(const evaluation::Record& record);
  void take_tombstone(const evaluation::Record& record, std::uint64_t hash,
                      const RecordIndex::Found& stored, const EntryPointer& current);
  void take_text(const evaluation::Record& record, std::uint64_t hash,
                 const RecordIndex::Found& stored, const EntryPointer& current);
  EntryPointer make_entry(const evaluation::Record& record, const EntryPointer& current);
  std::unique_ptr<const Quarantine> quarantine(const evaluation::Record& record,
                                               const EntryPointer& current, std::string message);
  EntryPointer good_entry_for(const evaluation::Record& record, const EntryPointer& current);
  // What this update has for the id so far, else what the layer has; may be nullptr.
  EntryPointer current_of(const evaluation::Record& record, std::uint64_t hash,
                          const RecordIndex::Found& stored) const;
  // Marks it as named again; true when it was already.
  bool mark_seen(const RecordIndex::Found& stored, bool alive);
  void put(std::uint64_t hash, EntryPointer entry);
  void take_metadata();
  void erase_what_was_not_seen();
  // Whether the shrink guard lets a complete document in; otherwise what it holds.
  std::optional<Held> hold_if_shrunk();
  void refuse(Refused::Kind kind, std::string message);
  void release_update_bytes(std::size_t bytes);

  Environment& environment_;
  Layer& layer_;
  RestoredLayer restored_;
  bool from_state_;
  std::size_t next_ = 0;
  std::size_t update_bytes_ = 0;  // still reserved
  bool finished_ = false;
  // Of a complete document: which of the layer's entries it names again, by their position, and
  // how many of the living ones it keeps alive.
  std::vector<std::uint32_t> page_starts_;
  std::vector<bool> seen_;
  std::size_t kept_alive_ = 0;
  std::uint64_t digest_ = 0;
  // Of a delta: the last edit for each hash, so that later records see earlier ones.
  std::unordered_map<std::uint64_t, std::size_t> edit_of_hash_;
  // From the state: good texts by id.
  std::map<evaluation::RecordId, const GoodText*> good_texts_;
  std::size_t unanswered_ = 0;
  PreparedChange change_;
  std::optional<Refused> refused_;
};

}  // namespace flagstone::cache
