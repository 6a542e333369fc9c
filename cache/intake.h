// Takes one update into one layer, in slices, so that the keeper's loop keeps turning.
//
// Made by Environment::begin(), owned by whoever asked, used on the keeper's thread, destroyed
// before its environment. Nothing of it is visible before finish(); destroying it early changes
// nothing. The update's memory is freed record by record as it is eaten. Records are judged as they
// come in, but compiled only where they were compiled before, or where flags refer to them: a flag
// that nobody asks for costs its place in the index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/document_spool.h"
#include "cache/environment.h"
#include "cache/filed_records.h"
#include "cache/layer.h"
#include "cache/layer_image.h"
#include "evaluation/update.h"

namespace flagstone::cache {

class Intake {
 public:
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  enum class Progress : std::uint8_t {
    kMore,   // Call step() again.
    kRoom,   // As kMore, but in a later turn: what others gave up for it is on its way back.
    kDisk,   // As kMore, once wanted_from_disk() has been read: it is not in memory.
    kReady,  // Call finish().
  };
  // Takes up to `max_records` more; asks `stop` after each.
  Progress step(std::size_t max_records, const std::function<bool()>& stop = {});
  struct FileRange {
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
  };
  FileRange wanted_from_disk() const { return wanted_; }
  // step() to the end and finish(), for those who have the time, and nobody to make room.
  IntakeOutcome run();
  // REQUIRES: step() answered kReady. Once.
  IntakeOutcome finish();

 private:
  friend class Environment;

  // One record, wherever it came from. Views that live as long as it is being taken.
  struct Incoming {
    evaluation::RecordKind kind{};
    bool tombstone = false;
    bool removed = false;
    std::int64_t version = 0;
    std::string_view set_id = {};
    std::string_view key = {};
    // Not known of one whose text has not been read.
    std::optional<std::string_view> raw = std::nullopt;
    // Where the text lies already; nullopt: it is to be kept in memory.
    std::optional<TextPlace> place = std::nullopt;
    std::uint64_t content = 0;
    // Known from when it was written; nullopt: to be found out.
    std::optional<bool> quarantined = std::nullopt;
    evaluation::RecordTraits traits = {};
  };
  enum class Taken : std::uint8_t { kYes, kNoRoom, kNoText };

  Intake(Environment& environment, Layer& layer, RestoredLayer restored, Origin origin);

  bool is_full() const { return restored_.update.kind == evaluation::UpdateKind::kFull; }
  void open_files();
  void reserve_document();
  Taken take_next();
  bool has_next() const;
  Taken take_from_memory();
  Taken take_filed();
  Taken take_spooled();
  // Sees to it that the window holds the next spooled record.
  std::optional<SpooledRecord> next_spooled();
  Taken take(Incoming& record);
  void count(evaluation::RecordKind kind);
  void take_tombstone(const Incoming& record, std::uint64_t hash, const RecordIndex::Found& stored,
                      const EntryPointer& current);
  void take_removal(const Incoming& record, std::uint64_t hash);
  Taken take_text(Incoming& record, std::uint64_t hash, const RecordIndex::Found& stored,
                  const EntryPointer& current);
  bool is_the_same(const Incoming& record, const EntryPointer& current) const;
  Taken make_entry(Incoming& record, const EntryPointer& current, EntryPointer& made);
  // What the dialect says of the text; and its compiled form, when it is to be compiled at once.
  struct Verdict {
    std::optional<evaluation::RecordError> error;
    std::unique_ptr<const evaluation::CompiledRecord> form;
  };
  Verdict judge(const Incoming& record, bool compile) const;
  // False: the text is needed and not there yet.
  bool read_text(Incoming& record);
  // Of a filed record whose place no TextPlace can name.
  bool read_whole_text(Incoming& record);
  bool has_room(std::size_t bytes);
  std::unique_ptr<Quarantine> quarantine(const Incoming& record, const EntryPointer& current,
                                         std::string message);
  EntryPointer good_entry_for(const Incoming& record, const EntryPointer& current);
  // What this update has for the id so far, else what the layer has; may be nullptr.
  EntryPointer current_of(const Incoming& record, std::uint64_t hash,
                          const RecordIndex::Found& stored) const;
  // Marks it as named again, and as kept alive or not; true when it was named already.
  bool mark_seen(const RecordIndex::Found& stored, bool alive);
  void put(std::uint64_t hash, EntryPointer entry);
  void take_metadata();
  void erase_what_was_not_seen();
  // Whether the shrink guard lets a complete document in; otherwise what it holds.
  std::optional<Held> hold_if_shrunk();
  void refuse(Refused::Kind kind, std::string message);
  static std::size_t bytes_of(const evaluation::Record& record);
  void release_update_bytes(std::size_t bytes);
  void let_go_of_files();

  Environment& environment_;
  Layer& layer_;
  RestoredLayer restored_;
  bool from_state_;
  std::size_t next_ = 0;
  std::size_t update_bytes_ = 0;  // still reserved
  bool finished_ = false;
  // Of a complete document: which of the layer's entries it names again, and which of the living
  // ones it keeps alive, by their position; and how many that are.
  std::vector<std::uint32_t> page_starts_;
  std::vector<bool> seen_;
  std::vector<bool> kept_;
  std::size_t kept_alive_ = 0;
  std::uint64_t digest_ = 0;
  // Of a delta: the last edit for each hash, so that later records see earlier ones.
  std::unordered_map<std::uint64_t, std::size_t> edit_of_hash_;
  // From the state: good texts by id.
  std::map<evaluation::RecordId, const GoodText*> good_texts_;
  // Taken from the list, waiting for its text or for room.
  std::optional<FiledRecord> filed_;
  // Of a spooled document: the piece of its file that is being read, and how far.
  const SpooledDocument* spooled_ = nullptr;
  std::uint32_t spool_file_ = TextPlace::kFilesMax;
  std::string window_;
  std::uint64_t window_begin_ = 0;
  std::size_t window_used_ = 0;
  std::string text_buffer_;
  FileRange wanted_;
  std::size_t unanswered_ = 0;
  PreparedChange change_;
  std::optional<Refused> refused_;
};

}  // namespace flagstone::cache
