// What is sealed: batches of events, each a file (in memory where the disk does not take it), until
// upstream has it.
//
// A member of the EventSpool that seals them; writer's thread, and calls wait for the disk. A disk
// that fails is noted in the spool's facts: then a batch is in memory, or is read later. Events are
// given up only where they are damaged, are not taken for good, or have no room; each is counted
// there. Four verbs: `forget` takes a batch off the list, `unlink_and_forget` its file too, `halve`
// and `keep_summaries_only` put less in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/event_folder.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_batch_name.h"
#include "upstream/launchdarkly_event_files.h"
#include "upstream/launchdarkly_spool_facts.h"

namespace flagstone::upstream::launchdarkly {

// One batch on its way.
struct OutgoingBatch {
  BatchName name;
  BatchHead head;
  std::string payload;  // gzip
};

enum class BatchOutcome : std::uint8_t {
  kSent,
  kRefused,   // Something in it is not taken: it is halved until that stands alone, and goes.
  kTooLarge,  // Likewise.
  kOffline,
};

// What the next batch is not to be, and what it is to be only where there is no other: batches that
// were not taken, the one that was tried last the last of them.
struct Passing {
  std::set<std::uint64_t> sources;
  std::map<BatchName, std::uint64_t> behind;
};

class BatchStore {
 public:
  // The spool, which is told within a call.
  class Owner {
   public:
    // No batch of that log is left.
    virtual void on_emptied(std::uint64_t log) = 0;
    // disk_bytes() is another.
    virtual void on_disk_changed() = 0;

   protected:
    ~Owner() = default;
  };

  // `folder`, `facts` and `owner` outlive this.
  BatchStore(EventFolder& folder, SpoolFacts& facts, Owner& owner)
      : folder_(folder), facts_(facts), owner_(owner) {}

  // From now on there is a folder, with files of these sizes that an earlier process left. Of a
  // whole and its halves the whole counts.
  void adopt(std::string path, const std::map<BatchName, std::uint64_t>& sizes,
             std::int64_t now_ms);
  // What the state took away to have its room is not counted on, nor is its room.
  void forget_what_is_gone();

  // `since_ms`: when the first of it came. True when it is in a file; else it is in memory.
  bool put(BatchName name, BatchHead head, std::string payload, std::int64_t since_ms);
  // The oldest batch that can be read now. It counts as on its way until settle() or put_back().
  std::optional<OutgoingBatch> next(const Passing& passing);
  void settle(const OutgoingBatch& batch, BatchOutcome outcome);
  // It was not sent, and stays the next.
  void put_back() { on_its_way_.reset(); }
  // Takes the events that are no summaries out of the oldest batch that has any, of those in files
  // or of those in memory. False where none has.
  bool strip_oldest(bool on_disk);

  // Whether a log counts or its batches; see EventSpool::adopt_log().
  // False: some batch of it cannot be read now. Damaged ones go.
  bool read_heads_of(std::uint64_t log);
  // All that the log was made into is there. REQUIRES: read_heads_of() said true.
  bool has_all_of(std::uint64_t log) const;
  void unlink_and_forget_all_of(std::uint64_t log);
  // Its batches stay where they are for now. `since_ms`: when it was found.
  void hold(std::uint64_t log, std::int64_t since_ms) { held_logs_[log] = since_ms; }
  // Those that were held, and are not any more; with when they were found.
  std::map<std::uint64_t, std::int64_t> release_held();

  std::size_t size() const { return batches_.size() + held_logs_.size(); }
  std::uint64_t disk_bytes() const;
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  // When the first of the oldest batch came, or a log that is held was found; nullopt: there is
  // neither.
  std::optional<std::int64_t> oldest_ms() const;

 private:
  struct Batch {
    BatchHead head;
    // Empty: in memory.
    std::uint64_t file_bytes = 0;
    std::string payload;
    // False: the disk gave no answer yet, and the head says nothing.
    bool is_read = true;
    std::int64_t since_ms = 0;
  };
  using Batches = std::map<BatchName, Batch>;
  // Why a batch is not at hand. A disk (or a process without descriptors) that gives no answer now
  // says nothing about the file.
  enum class Unread : std::uint8_t { kGone, kDamaged, kNotNow };

  std::vector<Batches::iterator> in_order(const Passing& passing);
  std::expected<std::string, Unread> load(Batches::iterator batch);
  void halve(Batches::iterator batch, DropReason reason);
  bool keep_summaries_only(Batches::iterator batch);

  void insert(BatchName name, Batch batch);
  void forget(Batches::iterator batch);
  void unlink_and_forget(Batches::iterator batch);
  void unlink_settled_wholes_of(const BatchName& part);
  bool write_file(const BatchName& name, std::string_view bytes);
  void unlink_file(const BatchName& name);
  std::string path_of(const BatchName& name) const { return path_ + "/" + name.file_name(); }

  EventFolder& folder_;
  SpoolFacts& facts_;
  Owner& owner_;
  std::string path_;  // Empty: there is no folder.
  Batches batches_;
  std::uint64_t file_bytes_ = 0;    // Theirs together.
  std::uint64_t memory_bytes_ = 0;  // Likewise.
  std::optional<BatchName> on_its_way_;
  std::map<std::uint64_t, std::int64_t> held_logs_;  // And when they were found.
  // Files of batches that were halved while the disk did not take both halves, and their sizes:
  // they go once all that they were made into is settled.
  std::map<BatchName, std::uint64_t> kept_wholes_;
};

}  // namespace flagstone::upstream::launchdarkly
