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
  const auto run = lifeline_.guard([callback](StateSaver&) { (*callback)(); });
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
  auto run = lifeline_.guard([callback](StateSaver&) { (*callback)(); });
  const bool queued = reader_.submit([run, &file, offset, bytes, &loop = loop_]() mutable {
    // What is read is in the kernel's memory from then on, which is what it is about.
    std::string read(bytes, '\0');
    (void)file.read(read, offset);
    (void)loop.post(std::move(run));
  });
  if (!queued) (void)loop_.post(run);
}

StateSaver::StateSaver(net::Loop& loop, DiskThread& writer, DiskThread& reader, spdlog::logger& log,
                       std::string folder, std::uint64_t limit_bytes)
    : loop_(loop),
      writer_(writer),
      reader_(reader),
      log_(log),
      pace_(loop, [this] { begin_round(); }),
      barrier_timer_(loop, [this] { retry_barriers(); }) {
  facts_.folder = folder;
  if (!folder.empty()) disk_ = std::make_shared<Disk>(std::move(folder), limit_bytes);
}

bool StateSaver::submit(std::move_only_function<void(Disk&)> job) {
  if (!disk_) return false;
  return writer_.submit([disk = disk_, job = std::move(job)]() mutable { job(*disk); });
}

void StateSaver::warn(const Warnings& warnings) {
  for (const std::string& warning : warnings) log_.warn("state: {}", warning);
}

void StateSaver::set_active(std::vector<cache::SourceIdentity> sources) {
  auto opened = lifeline_.guard([](StateSaver& saver, const StateFacts& seen) {
    saver.take_facts(seen);
    if (!seen.writable) saver.complain_of_folder(seen.problem);
    if (seen.on_memory) {
      saver.log_.warn(
          "state directory {} lies on memory (tmpfs): it counts as memory and does "
          "not outlive the machine",
          saver.facts_.folder);
    }
  });
  submit([sources = std::move(sources), opened, &loop = loop_](Disk& disk) mutable {
    disk.active = sources;
    cache::StateDirectory& directory = disk.directory();
    directory.set_active(sources);
    (void)loop.post([opened, seen = facts_of(directory)]() mutable { opened(seen); });
  });
}

void StateSaver::load(cache::SourceIdentity identity, Loaded loaded) {
  // The callback stays on the keeper's side: it is destroyed there whatever happens.
  auto callback = std::make_shared<Loaded>(std::move(loaded));
  auto deliver = lifeline_.guard([callback](StateSaver& saver, const Warnings& warnings,
                                            std::uint64_t corrupt_files,
                                            std::optional<cache::LoadedState> state) {
    saver.facts_.corrupt_files = corrupt_files;
    saver.warn(warnings);
    (*callback)(std::move(state));
  });
  const bool queued = submit([identity = std::move(identity), deliver = std::move(deliver),
                              &loop = loop_](Disk& disk) mutable {
    Warnings warnings;
    auto state = disk.directory().load(identity, warnings);
    (void)loop.post([deliver = std::move(deliver), state = std::move(state),
                     warnings = std::move(warnings),
                     corrupt = disk.directory().corrupt_files_seen()]() mutable {
      deliver(warnings, corrupt, std::move(state));
    });
  });
  if (queued) return;
  (void)loop_.post(lifeline_.guard([callback](StateSaver&) { (*callback)(std::nullopt); }));
}

void StateSaver::load_blob(std::string environment, std::string name, BlobLoaded loaded) {
  auto callback = std::make_shared<BlobLoaded>(std::move(loaded));
  auto deliver = lifeline_.guard(
      [callback](StateSaver& saver, const Warnings& warnings, std::optional<std::string> bytes) {
        saver.warn(warnings);
        (*callback)(std::move(bytes));
      });
  const bool queued = submit([environment = std::move(environment), name = std::move(name),
                              deliver = std::move(deliver), &loop = loop_](Disk& disk) mutable {
    Warnings warnings;
    auto bytes = disk.directory().load_blob(environment, name, warnings);
    (void)loop.post(
        [deliver = std::move(deliver), bytes = std::move(bytes),
         warnings = std::move(warnings)]() mutable { deliver(warnings, std::move(bytes)); });
  });
  if (queued) return;
  (void)loop_.post(lifeline_.guard([callback](StateSaver&) { (*callback)(std::nullopt); }));
}

void StateSaver::save_blob(std::string environment, std::string name, std::string bytes) {
  auto failed = lifeline_.guard([](StateSaver& saver, const std::string& message) {
    ++saver.facts_.failures;
    saver.complain(message);
  });
  submit([environment = std::move(environment), name = std::move(name), bytes = std::move(bytes),
          failed, &loop = loop_](Disk& disk) {
    cache::StateDirectory& directory = disk.directory();
    if (!directory.writable()) return;
    const auto result = directory.save_blob(environment, name, bytes);
    if (result) return;
    (void)loop.post([failed, message = result.error().message]() mutable { failed(message); });
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
    auto done = lifeline_.guard([](StateSaver& saver, const StateFacts& seen, SaveResult result) {
      saver.take_facts(seen);
      saver.written(saver.writing_, std::move(result));
    });
    outstanding_ = submit([identity = target->state_identity(), shared, done,
                           &loop = loop_](Disk& disk) mutable {
      cache::StateDirectory& directory = disk.directory();
      auto result = directory.save(identity, *shared, unix_now_ms());
      (void)loop.post([shared = std::move(shared), result = std::move(result), done,
                       seen = facts_of(directory)]() mutable { done(seen, std::move(result)); });
    });
    writing_ = outstanding_ ? target : nullptr;
    if (!outstanding_)
      written(target, std::unexpected(
                          cache::StateError{.kind = cache::StateError::Kind::kDisk,
                                            .message = "the disk is too slow: the queue is full"}));
  }
  if (!outstanding_ && flushed_) std::exchange(flushed_, nullptr)();
}

void StateSaver::written(StateTarget* target, SaveResult result) {
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
