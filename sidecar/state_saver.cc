#include "sidecar/state_saver.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "sidecar/disk_thread.h"
#include "sidecar/serving_desk.h"
#include "sidecar/state_disk.h"

namespace flagstone::sidecar {
namespace {

// What the directory itself knows; the saver counts the rest.
StateFacts facts_of(const cache::StateDirectory& directory) {
  StateFacts facts;
  facts.writable = directory.writable();
  facts.on_memory = directory.is_memory();
  facts.used_bytes = directory.used_bytes();
  facts.corrupt_files = directory.corrupt_files_seen();
  facts.problem = directory.problem();
  return facts;
}

}  // namespace

// A document on its way through the disk: pieces are written in the order they were queued.
class StateSaver::Spool final : public cache::DocumentSpool {
 public:
  explicit Spool(StateSaver& saver) : saver_(saver) {
    const bool queued = saver_.submit([file = file_](Disk& disk) {
      auto made = disk.files.create_unnamed(disk.options.path);
      if (!made) return file->fail(describe(made.error()));
      file->open = cache::OpenFile(disk.files, *made);
      auto shared = disk.files.share(*made);
      if (!shared) return file->fail(describe(shared.error()));
      file->file = std::move(*shared);
    });
    // Nobody else looks at it yet.
    if (!queued) file_->problem = full_queue();
  }

  std::expected<void, cache::SpoolProblem> append(std::string bytes) override {
    if (offset_ + bytes.size() > saver_.disk_->options.limit_bytes) {
      return std::unexpected(cache::SpoolProblem{.message = "it would exceed `state.limit`"});
    }
    const std::uint64_t at = offset_;
    offset_ += bytes.size();
    queued_->fetch_add(bytes.size());
    const bool taken =
        saver_.submit([file = file_, queued = queued_, at, bytes = std::move(bytes)](Disk& disk) {
          if (!file->problem) {
            auto done = disk.files.write_at(file->open.descriptor(), bytes, at);
            if (!done) file->fail(describe(done.error()));
          }
          queued->fetch_sub(bytes.size());
        });
    if (!taken) return std::unexpected(full_queue());
    return {};
  }
  std::size_t waiting_bytes() const override { return queued_->load(); }
  std::shared_ptr<cache::SpoolFile> file() const override { return file_; }

 private:
  // With the descriptor that the writer writes by.
  struct File : cache::SpoolFile {
    void fail(std::string message) { problem = {.message = std::move(message)}; }
    cache::OpenFile open;
  };
  static cache::SpoolProblem full_queue() {
    return {.message = "too much is waiting for it already", .passes = true};
  }
  StateSaver& saver_;
  std::shared_ptr<File> file_ = std::make_shared<File>();
  std::shared_ptr<std::atomic<std::size_t>> queued_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::uint64_t offset_ = 0;
};

std::unique_ptr<cache::DocumentSpool> StateSaver::open() {
  if (!disk_ || !facts().writable || facts_.on_memory) return nullptr;
  return std::make_unique<Spool>(*this);
}

void StateSaver::after_what_is_queued(std::move_only_function<void()> done) {
  auto callback = std::make_shared<std::move_only_function<void()>>(std::move(done));
  const auto run = [callback, self = self_] {
    if (*self != nullptr) (*callback)();
  };
  if (submit([run, &loop = loop_](Disk&) { (void)loop.post(run); })) return;
  // The queue is full: what was put into it before is not done yet.
  barriers_.push_back([callback] { (*callback)(); });
  if (!barrier_timer_.running()) barrier_timer_.start_once(kPaceMs);
}

void StateSaver::retry_barriers() {
  for (auto& done : std::exchange(barriers_, {})) after_what_is_queued(std::move(done));
}

void StateSaver::bring(const cache::ReadableFile& file, std::uint64_t offset, std::size_t bytes,
                       std::move_only_function<void()> done) {
  auto callback = std::make_shared<std::move_only_function<void()>>(std::move(done));
  const auto run = [callback, self = self_] {
    if (*self != nullptr) (*callback)();
  };
  const bool queued = reader_.submit([run, &file, offset, bytes, &loop = loop_] {
    // What is read is in the kernel's memory from then on, which is what it is about.
    std::string read(bytes, '\0');
    (void)file.read(read, offset);
    (void)loop.post(run);
  });
  if (!queued) (void)loop_.post(run);
}

StateSaver::StateSaver(net::Loop& loop, DiskThread& writer, DiskThread& reader, spdlog::logger& log,
                       std::string folder, std::uint64_t limit_bytes)
    : loop_(loop),
      writer_(writer),
      reader_(reader),
      log_(log),
      self_(std::make_shared<StateSaver*>(this)),
      pace_(loop, [this] { begin_round(); }),
      barrier_timer_(loop, [this] { retry_barriers(); }) {
  facts_.folder = folder;
  if (!folder.empty()) disk_ = std::make_shared<Disk>(std::move(folder), limit_bytes);
}

StateSaver::~StateSaver() { *self_ = nullptr; }

bool StateSaver::submit(std::move_only_function<void(Disk&)> job) {
  if (!disk_) return false;
  return writer_.submit([disk = disk_, job = std::move(job)]() mutable { job(*disk); });
}

void StateSaver::set_active(std::vector<cache::SourceIdentity> sources) {
  submit([sources = std::move(sources), self = self_, &loop = loop_](Disk& disk) mutable {
    disk.active = sources;
    cache::StateDirectory& directory = disk.directory();
    directory.set_active(sources);
    StateFacts seen = facts_of(directory);
    (void)loop.post([self, seen] {
      StateSaver* saver = *self;
      if (saver == nullptr) return;
      saver->take_facts(seen);
      if (!seen.writable) saver->complain_of_folder(seen.problem);
      if (seen.on_memory) {
        saver->log_.warn(
            "state directory {} lies on memory (tmpfs): it counts as memory and does "
            "not outlive the machine",
            saver->facts_.folder);
      }
    });
  });
}

void StateSaver::load(cache::SourceIdentity identity, Loaded loaded) {
  // The callback stays on the keeper's side: it is destroyed there whatever happens.
  auto callback = std::make_shared<Loaded>(std::move(loaded));
  bool queued = submit(
      [identity = std::move(identity), callback, self = self_, &loop = loop_](Disk& disk) mutable {
        std::vector<std::string> warnings;
        auto state = std::make_shared<std::optional<cache::LoadedState>>(
            disk.directory().load(identity, warnings));
        std::uint64_t corrupt = disk.directory().corrupt_files_seen();
        (void)loop.post(
            [callback = std::move(callback), state, warnings = std::move(warnings), corrupt, self] {
              if (*self == nullptr) return;
              (*self)->facts_.corrupt_files = corrupt;
              for (const std::string& warning : warnings) (*self)->log_.warn("state: {}", warning);
              (*callback)(std::move(*state));
            });
      });
  if (!queued) {
    (void)loop_.post([callback, self = self_] {
      if (*self != nullptr) (*callback)(std::nullopt);
    });
  }
}

void StateSaver::load_blob(std::string environment, std::string name, BlobLoaded loaded) {
  auto callback = std::make_shared<BlobLoaded>(std::move(loaded));
  const bool queued = submit([environment = std::move(environment), name = std::move(name),
                              callback, self = self_, &loop = loop_](Disk& disk) mutable {
    std::vector<std::string> warnings;
    auto bytes = disk.directory().load_blob(environment, name, warnings);
    (void)loop.post([callback = std::move(callback), bytes = std::move(bytes),
                     warnings = std::move(warnings), self]() mutable {
      if (*self == nullptr) return;
      for (const std::string& warning : warnings) (*self)->log_.warn("state: {}", warning);
      (*callback)(std::move(bytes));
    });
  });
  if (queued) return;
  (void)loop_.post([callback, self = self_] {
    if (*self != nullptr) (*callback)(std::nullopt);
  });
}

void StateSaver::save_blob(std::string environment, std::string name, std::string bytes) {
  submit([environment = std::move(environment), name = std::move(name), bytes = std::move(bytes),
          self = self_, &loop = loop_](Disk& disk) {
    cache::StateDirectory& directory = disk.directory();
    if (!directory.writable()) return;
    auto result = directory.save_blob(environment, name, bytes);
    (void)loop.post([result = std::move(result), self] {
      if (*self == nullptr || result) return;
      ++(*self)->facts_.failures;
      (*self)->complain(result.error().message);
    });
  });
}

void StateSaver::changed(StateTarget& target) {
  if (!disk_) return;
  if (std::find(pending_.begin(), pending_.end(), &target) == pending_.end()) {
    pending_.push_back(&target);
  }
  if (!outstanding_ && !pace_.running()) pace_.start_once(failing_ ? kRetryMs : 0);
}

StateFacts StateSaver::facts() const {
  StateFacts now = facts_;
  // The directory may be open and locked while every write fails.
  now.writable = facts_.writable && !failing_;
  return now;
}

void StateSaver::forget(StateTarget& target) {
  std::erase(round_, &target);
  std::erase(pending_, &target);
  if (writing_ == &target) writing_ = nullptr;
}

void StateSaver::flush(std::move_only_function<void()> done) {
  flushed_ = std::move(done);
  if (outstanding_) return;
  begin_round();
}

void StateSaver::begin_round() {
  if (outstanding_) return;
  // At the end there is one try: a disk that fails does not keep the process.
  if (flushed_ && failing_) pending_.clear();
  while (!pending_.empty()) {
    if (std::find(round_.begin(), round_.end(), pending_.front()) == round_.end()) {
      round_.push_back(pending_.front());
    }
    pending_.pop_front();
  }
  run_next();
}

void StateSaver::run_next() {
  while (!round_.empty() && !outstanding_) {
    StateTarget* target = round_.front();
    round_.pop_front();
    auto write = target->take_state_write();
    if (!write) continue;
    // The image is shared with the keeper's layer and goes back there to be destroyed.
    auto shared = std::make_shared<cache::StateWrite>(std::move(*write));
    outstanding_ = submit([identity = target->state_identity(), shared, self = self_,
                           &loop = loop_](Disk& disk) mutable {
      cache::StateDirectory& directory = disk.directory();
      auto result = directory.save(identity, *shared, unix_now_ms());
      StateFacts seen = facts_of(directory);
      (void)loop.post(
          [shared = std::move(shared), result = std::move(result), seen, self]() mutable {
            if (*self == nullptr) return;
            (*self)->take_facts(seen);
            (*self)->written((*self)->writing_, std::move(result));
          });
    });
    writing_ = outstanding_ ? target : nullptr;
    if (!outstanding_)
      written(target, std::unexpected(
                          cache::StateError{.kind = cache::StateError::Kind::kDisk,
                                            .message = "the disk is too slow: the queue is full"}));
  }
  if (!outstanding_ && flushed_) std::exchange(flushed_, nullptr)();
}

void StateSaver::written(StateTarget* target,
                         std::expected<cache::SavedTexts, cache::StateError> result) {
  outstanding_ = false;
  writing_ = nullptr;
  if (result) {
    ++facts_.writes;
    if (target != nullptr) target->state_write_done(std::move(*result));
    if (std::exchange(failing_, false))
      log_.info("state: writing to {} works again", facts_.folder);
  } else {
    ++facts_.failures;
    failing_ = true;
    complain(result.error().message);
    if (target != nullptr) {
      target->state_write_failed();
      if (!flushed_ && std::find(pending_.begin(), pending_.end(), target) == pending_.end()) {
        pending_.push_back(target);
      }
    }
  }
  // A round goes on at once, unless the disk fails; the next one waits, longer when it does.
  if (!round_.empty() && !failing_) {
    run_next();
    return;
  }
  pending_.insert(pending_.begin(), round_.begin(), round_.end());
  round_.clear();
  if (flushed_) {
    begin_round();
  } else if (!pace_.running()) {
    pace_.start_once(failing_ ? kRetryMs : kPaceMs);
  }
}

void StateSaver::take_facts(const StateFacts& seen) {
  facts_.writable = seen.writable;
  facts_.on_memory = seen.on_memory;
  facts_.used_bytes = seen.used_bytes;
  facts_.corrupt_files = seen.corrupt_files;
  facts_.problem = seen.problem;
}

void StateSaver::complain(const std::string& message) {
  std::int64_t now_ms = loop_.now_ms();
  if (now_ms - last_complaint_ms_ < kComplainEveryMs) return;
  last_complaint_ms_ = now_ms;
  log_.warn("state is not kept: {}; answers go on, the last known state is not renewed", message);
}

// At a start, or a reload: nothing can be written there at all.
void StateSaver::complain_of_folder(const std::string& problem) {
  const std::int64_t now_ms = loop_.now_ms();
  if (now_ms - last_complaint_ms_ < kComplainEveryMs) return;
  last_complaint_ms_ = now_ms;
  log_.warn(
      "state directory {} cannot be used: {}; no state is kept, so that a restart has nothing to "
      "answer by until upstream has answered{}. Remedy: a folder of its own that this user may "
      "write to, `state.dir`",
      facts_.folder, problem,
      keeps_events_ ? ", and events wait in memory only: a restart loses them" : "");
}

}  // namespace flagstone::sidecar
