// Takes one update into one layer, in slices, so that the keeper's loop keeps turning.
//
// Made by Environment::begin(), owned by whoever asked, used on the keeper's thread, destroyed
// before its environment. Nothing of it is visible before finish(); destroying it early changes
// nothing. The update's memory is freed record by record as it is eaten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
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

  void take(evaluation::Record& record);
  void take_tombstone(const evaluation::Record& record, std::uint64_t hash,
                      const RecordIndex::Found& stored);
  void take_text(const evaluation::Record& record, std::uint64_t hash,
                 const RecordIndex::Found& stored);
  void put(std::uint64_t hash, EntryPointer entry);
  EntryPointer good_entry_for(const evaluation::Record& record, const RecordIndex::Found& stored);
  void take_metadata();
  void erase_what_was_not_seen();
  void refuse(Refused::Kind kind, std::string message);
  void release_update_bytes(std::size_t bytes);

  Environment& environment_;
  Layer& layer_;
  RestoredLayer restored_;
  std::size_t next_ = 0;
  std::size_t update_bytes_ = 0;  // still reserved
  bool finished_ = false;
  // Of a complete document: which entries of the layer it names again.
  std::vector<bool> seen_;
  std::size_t seen_count_ = 0;
  std::uint64_t digest_ = 0;
  PreparedChange change_;
  std::optional<Refused> refused_;
};

}  // namespace flagstone::cache
