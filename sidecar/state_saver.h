// Brings the last known state to the disk and back, by way of the writer thread, and single texts
// of it by way of the text reader.
//
// Owned by the keeper, used on its thread; the StateDirectory inside is touched by the writer
// alone. At most one write is outstanding; what changes meanwhile is written in its newest form, at
// most once a second. A disk that fails costs a metric and a log line a minute, never an answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/document_spool.h"
#include "cache/posix_file_system.h"
#include "cache/state_directory.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"

namespace spdlog {
class logger;
}

namespace flagstone::upstream {
class EventDisk;
}

namespace flagstone::sidecar {

class DiskThread;

// Something whose state is kept: one source's layer.
class StateTarget {
 public:
  virtual ~StateTarget() = default;
  virtual cache::SourceIdentity state_identity() const = 0;
  // Nullopt: the state is up to date.
  virtual std::optional<cache::StateWrite> take_state_write() = 0;
  virtual void state_write_failed() = 0;
  virtual void state_write_done(cache::SavedTexts saved) = 0;
};

// As of the last job, for status and metrics.
struct StateFacts {
  std::string folder;
  bool writable = false;
  bool on_memory = false;
  std::uint64_t used_bytes = 0;
  std::uint64_t corrupt_files = 0;
  std::uint64_t writes = 0;
  std::uint64_t failures = 0;
  std::string problem;
};

class StateSaver final : public cache::DocumentSpools {
 public:
  static constexpr std::int64_t kPaceMs = 1000;
  static constexpr std::int64_t kRetryMs = 5000;
  static constexpr std::int64_t kComplainEveryMs = 60'000;

  using Loaded = std::move_only_function<void(std::optional<cache::LoadedState>)>;
  using BlobLoaded = std::move_only_function<void(std::optional<std::string>)>;

  // An empty folder: no state is kept.
  StateSaver(net::Loop& loop, DiskThread& writer, DiskThread& reader, spdlog::logger& log,
             std::string folder, std::uint64_t limit_bytes);

  // For documents that are too large for memory. Their files have no names.
  std::unique_ptr<cache::DocumentSpool> open() override;
  // `done` runs when the disk has done all that it was asked for before; at once when it cannot be
  // asked.
  void after_what_is_queued(std::move_only_function<void()> done);
  // Has the disk bring that part of a file into memory, without waiting for what is being written;
  // then `done` runs, whether it could or not. The caller sees to it that the file stays open until
  // then.
  void bring(const cache::ReadableFile& file, std::uint64_t offset, std::size_t bytes,
             std::move_only_function<void()> done);

  // The sources there are now: others' folders are the first to go.
  void set_active(std::vector<cache::SourceIdentity> sources);
  void load(cache::SourceIdentity identity, Loaded loaded);
  // Nullopt too when the disk cannot be asked.
  void load_blob(std::string environment, std::string name, BlobLoaded loaded);
  void save_blob(std::string environment, std::string name, std::string bytes);

  // The target's state differs from what is on disk.
  void changed(StateTarget& target);
  // Before the target dies.
  void forget(StateTarget& target);
  // Writes what is pending without waiting for the pace; `done` runs when nothing is outstanding.
  void flush(std::move_only_function<void()> done);

  StateFacts facts() const;

  // Where an environment's events lie: beside its state, or in memory where none is kept.
  std::unique_ptr<upstream::EventDisk> events_of(const std::string& environment);

 private:
  // Lives on the writer's side; see state_disk.h.
  struct Disk;
  class StateEventFolder;

  void begin_round();
  void retry_barriers();
  void run_next();
  using Warnings = std::vector<std::string>;
  using SaveResult = std::expected<cache::SavedTexts, cache::StateError>;

  void warn(const Warnings& warnings);
  void written(StateTarget* target, SaveResult result);
  void take_facts(const StateFacts& seen);
  void complain(const std::string& message);
  void complain_of_folder(const std::string& problem);
  class Spool;
  bool submit(std::move_only_function<void(Disk&)> job);

  net::Loop& loop_;
  DiskThread& writer_;
  DiskThread& reader_;
  spdlog::logger& log_;
  // Shared with jobs that may outlive the saver while the disk hangs.
  std::shared_ptr<Disk> disk_;
  StateFacts facts_;
  // What this round still has to write, and what changed since for the next.
  std::deque<StateTarget*> round_;
  std::deque<StateTarget*> pending_;
  StateTarget* writing_ = nullptr;
  bool outstanding_ = false;
  net::Timer pace_;
  // Who waits for what is queued, while the queue has no room for the waiting itself.
  std::vector<std::move_only_function<void()>> barriers_;
  net::Timer barrier_timer_;
  std::int64_t last_complaint_ms_ = -kComplainEveryMs;
  bool keeps_events_ = false;
  bool failing_ = false;
  std::move_only_function<void()> flushed_;
  net::Lifeline<StateSaver> lifeline_{*this};
};

}  // namespace flagstone::sidecar
