// Events between the app and LaunchDarkly: appended to a log, merged, sealed into batches with a
// payload id each, and kept until they are sent.
//
// Writer's thread; calls wait for the disk. Nothing that was acknowledged is lost by the end of the
// process at any moment, and nothing is counted twice by a receiver that knows payload ids: a log
// is made into batches and removed before one of them is sent, and the same log always leads to the
// same payload ids.
// Without a disk all of it is in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/dialects/launchdarkly/wire/event_batch.h"
#include "net/rpc/gzip.h"
#include "upstream/event_folder.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_batch_name.h"
#include "upstream/launchdarkly_event_files.h"
#include "upstream/launchdarkly_event_log.h"
#include "upstream/launchdarkly_recent_texts.h"

namespace flagstone::upstream::launchdarkly {

struct SpoolOptions {
  std::uint64_t limit_bytes = 0;   // On the disk.
  std::uint64_t memory_bytes = 0;  // Of what is only in memory.
  std::uint64_t batch_bytes = 0;   // A batch is wanted as soon as there is so much for one payload.
  // kLogIdBytes of chance.
  std::function<std::string()> fresh_id;
};

struct SpoolPost {
  PayloadKind kind = PayloadKind::kEvents;
  EventGroup group;
  std::string payload_id;
  bool is_gzip = false;
  // Of our own evaluations: nobody sends them again, so that they are kept in memory when the disk
  // takes nothing.
  bool is_own = false;
  std::string body;
};

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

// Counts grow; the rest is as of now.
struct SpoolFacts {
  std::uint64_t received = 0;
  std::uint64_t merged_away = 0;
  std::uint64_t sent = 0;
  std::array<std::uint64_t, kDropReasonCount> dropped{};
  std::size_t batches = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t memory_bytes = 0;
  bool is_empty = true;  // Nothing is there that is not sealed.
  bool wants_seal = false;
  // Why the disk took nothing; empty while it does.
  std::string problem;
};

class EventSpool {
 public:
  // A body that unpacks to more is refused. SDKs keep 10,000 events at most, and throw away for
  // good what is refused for its size.
  static constexpr std::size_t kBodyBytesMax = std::size_t{10} * 1024 * 1024;
  // A log that is so long is sealed, however little it merges to.
  static constexpr std::uint64_t kLogBytesMax = std::uint64_t{4} * 1024 * 1024;
  // Combinations of schema, tags and source that are open at once.
  static constexpr std::size_t kGroupsMax = 16;
  static constexpr std::size_t kDiagnosticsMax = 16;
  // An SDK tries again after a second.
  static constexpr std::int64_t kPayloadWindowMs = 10 * 60 * 1000;
  static constexpr std::size_t kPayloadsMax = 4096;
  // What a new log says of payloads that an earlier one has.
  static constexpr std::int64_t kCarriedMs = 60 * 1000;
  static constexpr std::size_t kCarriedMax = 256;
  // An SDK's configuration is told of once in this time.
  static constexpr std::int64_t kInitWindowMs = 60 * 60 * 1000;
  static constexpr std::size_t kInitsMax = 64;

  EventSpool(EventFolder& folder, SpoolOptions options);
  ~EventSpool();
  EventSpool(const EventSpool&) = delete;
  EventSpool& operator=(const EventSpool&) = delete;

  // First: what an earlier process left is sealed, and waits. Where there is no folder yet, it is
  // looked for with every post.
  void open(std::int64_t now_ms);
  void set_options(std::uint64_t limit_bytes, std::uint64_t batch_bytes);

  PostResult take(SpoolPost post, std::int64_t now_ms);
  // What there is becomes batches.
  void seal();
  // The oldest batch that can be read now. It counts as on its way until settle().
  std::optional<OutgoingBatch> next(const Passing& passing = {});
  void settle(const OutgoingBatch& batch, BatchOutcome outcome);
  // Takes events that are no summaries, the oldest first, until there are so many bytes less on the
  // disk or none of them are left.
  void shrink(std::uint64_t bytes);
  // It was not sent, and stays the next.
  void put_back() { on_its_way_.reset(); }

  const SpoolFacts& facts();

 private:
  struct Batch {
    BatchHead head;
    // Empty: in memory.
    std::uint64_t file_bytes = 0;
    std::string payload;
    // False: the disk gave no answer yet, and the head says nothing.
    bool is_read = true;
  };
  // Why a batch is not at hand. A disk (or a process without descriptors) that gives no answer now
  // says nothing about the file.
  enum class Unread : std::uint8_t { kGone, kDamaged, kNotNow };
  struct Open {
    EventGroup group;
    evaluation::launchdarkly::EventBatch events;
  };
  struct Diagnostic {
    EventGroup group;
    std::string payload_id;  // Empty: it follows from the log.
    std::string text;
  };
  using Batches = std::map<BatchName, Batch>;

  // launchdarkly_event_recovery.cc
  void adopt_batches(const std::map<BatchName, std::uint64_t>& sizes);
  void adopt_log(std::uint64_t number, std::int64_t now_ms);
  void replay(std::uint64_t number, std::string_view bytes, std::int64_t now_ms);
  void learn_payload(std::string id, std::int64_t now_ms);
  void read_again();
  bool read_siblings(std::uint64_t number);
  void forget_what_is_gone();

  PostResult take_in(SpoolPost post, std::int64_t now_ms);
  PostResult expand(SpoolPost& post);
  // How many events there are, or what is wrong.
  std::expected<std::size_t, PostResult> look_into(SpoolPost& post);
  bool keep(const SpoolPost& post, std::int64_t now_ms);
  bool append(const SpoolPost& post, std::int64_t now_ms);
  bool begin_log(std::int64_t now_ms);
  void carry_payloads();
  void merge(PayloadKind kind, const EventGroup& group, const std::string& payload_id,
             std::string_view text, std::int64_t now_ms);
  evaluation::launchdarkly::EventBatch& open_batch(const EventGroup& group);

  void seal_as(std::uint64_t number, const std::string& log_id, bool has_log);
  // launchdarkly_event_batches.cc
  bool put(BatchName name, BatchHead head, std::string payload);
  bool write(const BatchName& name, std::string_view bytes);
  void commit_log(std::uint64_t number);
  std::vector<Batches::iterator> in_order(const Passing& passing);
  std::expected<std::string, Unread> load(Batches::iterator batch);
  std::string unpack(std::string_view payload);
  void remove(Batches::iterator batch);
  void split(Batches::iterator batch, DropReason reason);
  void remove_wholes_of(const BatchName& part);
  bool make_room(std::uint64_t bytes, bool on_disk);
  bool strip_oldest(bool on_disk);
  bool strip(Batches::iterator batch);
  void drop(DropReason reason, std::uint64_t events);
  std::string path_of(const BatchName& name) const { return path_ + "/" + name.file_name(); }
  void insert(BatchName name, Batch batch);
  void erase(Batches::iterator batch);

  bool is_nothing_open() const;
  std::uint64_t disk_bytes() const;
  std::uint64_t memory_bytes() const;
  std::uint64_t log_bytes_max() const;
  void failed(const cache::FileError& error) { facts_.problem = describe(error); }

  EventFolder& folder_;
  SpoolOptions options_;
  std::string path_;
  // Of what is in memory while there is no folder: by chance, so that nothing that another process
  // left in one has the same.
  std::uint64_t next_number_;
  std::optional<EventLog> log_;
  std::vector<Open> open_;  // In the order they were opened.
  std::vector<Diagnostic> diagnostics_;
  Batches batches_;
  std::optional<BatchName> on_its_way_;
  std::uint64_t batch_file_bytes_ = 0;
  std::uint64_t batch_memory_bytes_ = 0;
  // Logs that are still there though their batches are made, and their sizes: the disk failed.
  std::map<std::uint64_t, std::uint64_t> kept_logs_;
  // Of those the ones that could not be read, or whose batches could not: what they are worth is
  // found out later, and till then their batches stay where they are.
  std::set<std::uint64_t> unread_logs_;
  // Files of batches that were halved while the disk did not take both halves, and their sizes:
  // they go once all that they were made into is settled.
  std::map<BatchName, std::uint64_t> kept_wholes_;
  std::int64_t now_ms_ = 0;  // Of the last call that had it.
  // By source: each is told of its own.
  std::map<std::uint64_t, evaluation::launchdarkly::IndexWindow> contexts_;
  RecentTexts payloads_{kPayloadWindowMs, kPayloadsMax};
  // Of those what was found in logs of earlier processes since log_ was begun.
  std::vector<std::string> not_carried_;
  RecentTexts inits_{kInitWindowMs, kInitsMax};
  net::Gunzip gunzip_;
  std::string unpacked_;
  SpoolFacts facts_;
};

}  // namespace flagstone::upstream::launchdarkly
