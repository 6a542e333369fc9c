// Events between the app and LaunchDarkly: appended to a log, merged, sealed into batches with a
// payload id each, and kept until they are sent.
//
// One per forwarder, in what its jobs share; writer's thread, and calls wait for the disk. What is
// sealed is its BatchStore's. Nothing that was acknowledged is lost by the end of the process at
// any moment, and nothing is counted twice by a receiver that knows payload ids: a log is made into
// batches and removed before one of them is sent, and the same log always leads to the same payload
// ids. take() says why it took nothing; whatever else fails is noted in facts(), and tried again.
// Without a disk all of it is in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/rpc/gzip.h"
#include "upstream/event_folder.h"
#include "upstream/event_forwarder.h"
#include "upstream/launchdarkly_batch_store.h"
#include "upstream/launchdarkly_event_files.h"
#include "upstream/launchdarkly_event_log.h"
#include "upstream/launchdarkly_open_batches.h"
#include "upstream/launchdarkly_recent_texts.h"
#include "upstream/launchdarkly_spool_facts.h"

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

class EventSpool final : private BatchStore::Owner {
 public:
  // A body that unpacks to more is refused. SDKs keep 10,000 events at most, and throw away for
  // good what is refused for its size.
  static constexpr std::size_t kBodyBytesMax = std::size_t{10} * 1024 * 1024;
  // A log that is so long is sealed, however little it merges to.
  static constexpr std::uint64_t kLogBytesMax = std::uint64_t{4} * 1024 * 1024;
  // An SDK tries again after a second.
  static constexpr std::int64_t kPayloadWindowMs = 10 * 60 * 1000;
  static constexpr std::size_t kPayloadsMax = 4096;
  // What a new log says of payloads that an earlier one has.
  static constexpr std::int64_t kCarriedMs = 60 * 1000;
  static constexpr std::size_t kCarriedMax = 256;

  EventSpool(EventFolder& folder, SpoolOptions options);
  EventSpool(const EventSpool&) = delete;
  EventSpool& operator=(const EventSpool&) = delete;

  // First: what an earlier process left is sealed, and waits. Where there is no folder yet, it is
  // looked for with every post.
  void open(std::int64_t now_ms);
  void set_options(std::uint64_t limit_bytes, std::uint64_t batch_bytes);

  PostResult take(SpoolPost post, std::int64_t now_ms);
  // What there is becomes batches.
  void seal();
  // As the store's.
  std::optional<OutgoingBatch> next(const Passing& passing = {});
  void settle(const OutgoingBatch& batch, BatchOutcome outcome) { store_.settle(batch, outcome); }
  void put_back() { store_.put_back(); }
  // Takes events that are no summaries, the oldest first, until there are so many bytes less on the
  // disk or none of them are left.
  void shrink(std::uint64_t bytes);

  const SpoolFacts& facts();

 private:
  PostResult take_in(SpoolPost post, std::int64_t now_ms);
  PostResult expand(SpoolPost& post);
  // How many events there are, or what is wrong.
  std::expected<std::size_t, PostResult> look_into(SpoolPost& post);
  bool keep(const SpoolPost& post, std::int64_t now_ms);
  bool append(const SpoolPost& post, std::int64_t now_ms);
  bool begin_log(std::int64_t now_ms);
  bool make_room(std::uint64_t bytes, bool on_disk);

  void seal_as(std::uint64_t number, const std::string& log_id, bool has_log);
  void remove_log(std::uint64_t number);
  void carry_payloads();
  void on_emptied(std::uint64_t log) override;
  void on_disk_changed() override { folder_.set_bytes(disk_bytes()); }

  // launchdarkly_event_recovery.cc: what an earlier process left.
  void adopt_log(std::uint64_t number, std::int64_t since_ms);
  void replay(std::uint64_t number, std::string_view bytes, std::int64_t since_ms);
  void learn_payload(std::string id);
  void adopt_held_logs();

  void merge(PayloadKind kind, const EventGroup& group, const std::string& payload_id,
             std::string_view text, std::int64_t now_ms);
  std::uint64_t disk_bytes() const;
  std::uint64_t memory_bytes() const { return store_.memory_bytes() + open_.bytes(); }
  std::uint64_t log_bytes_max() const;

  EventFolder& folder_;
  SpoolOptions options_;
  std::string path_;
  // Of what is in memory while there is no folder: by chance, so that nothing that another process
  // left in one has the same.
  std::uint64_t next_number_;
  std::optional<EventLog> log_;
  OpenBatches open_;  // What log_ is made into.
  std::optional<std::int64_t> open_since_ms_;
  SpoolFacts facts_;
  BatchStore store_;
  // Logs that are still there though their batches are made (the disk failed), or that are not
  // looked into yet, and their sizes.
  std::map<std::uint64_t, std::uint64_t> kept_logs_;
  std::int64_t now_ms_ = 0;  // Of the last call that had it.
  RecentTexts payloads_{kPayloadWindowMs, kPayloadsMax};
  // Of those what was found in logs of earlier processes since log_ was begun.
  std::vector<std::string> not_carried_;
  net::Gunzip gunzip_;
  std::string unpacked_;
};

}  // namespace flagstone::upstream::launchdarkly
