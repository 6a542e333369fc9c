// What tests of sources stand on: a loop that runs until something is true, readers, clocks and
// chance that do as they are told, and listeners that remember.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "net/timer.h"
#include "upstream/clock.h"
#include "upstream/document_sink.h"
#include "upstream/file_reader.h"
#include "upstream/source.h"

namespace flagstone::fakes {

// A loop for tests. Whoever records something calls nudge(), and run_until() looks again.
class TestLoop {
 public:
  net::Loop& loop() { return loop_; }
  void nudge() { loop_.stop(); }
  // Runs until `done()`; false when that took longer than `limit_ms`, which means that it never
  // will: no test waits for it.
  bool run_until(const std::function<bool()>& done, std::int64_t limit_ms = 20'000);
  // Lets the loop turn for that long, to see that nothing happens.
  void run_for(std::int64_t ms);

 private:
  net::Loop loop_;
};

// Reads in a later turn of the loop, as the daemon's writer does.
class PostingFileReader final : public upstream::FileReader {
 public:
  explicit PostingFileReader(net::Loop& loop) : loop_(loop) {}
  Ticket read(upstream::FileRequest request, Done done) override;
  void cancel(Ticket ticket) override;
  int reads() const { return reads_; }
  // Reads that found the stamp they were given.
  int unchanged() const { return unchanged_; }
  // What is read of the disk from now on; nullopt: what is there.
  void fail(std::optional<upstream::FileError> error) { error_ = std::move(error); }

 private:
  net::Loop& loop_;
  std::optional<upstream::FileError> error_;
  Ticket last_ = 0;
  std::vector<std::pair<Ticket, Done>> waiting_;
  int reads_ = 0;
  int unchanged_ = 0;
};

// Answers before read() returns.
class ImmediateFileReader final : public upstream::FileReader {
 public:
  Ticket read(upstream::FileRequest request, Done done) override;
  void cancel(Ticket) override {}
};

class FixedRandom final : public upstream::RandomSource {
 public:
  explicit FixedRandom(std::uint64_t value = 0) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

// Records what a transport brings; takes documents into work or calls them unchanged.
class RecordingSink final : public upstream::DocumentSink {
 public:
  explicit RecordingSink(TestLoop& loop) : loop_(loop) {}

  void on_begin(std::string_view content_type) override;
  std::expected<void, std::string> on_piece(std::string_view piece) override;
  std::expected<upstream::Arrival, std::string> on_complete(
      const upstream::Validators& validators) override;
  void on_unchanged() override;
  void on_failure(upstream::FailureKind kind, std::string cause,
                  std::chrono::milliseconds retry) override;
  void on_degraded(std::string_view message) override;
  bool must_wait() const override { return disk_is_behind; }
  void stop_waiting() override {
    ++given_up;
    disk_is_behind = false;
  }

  // What came of a document waits for the disk; and how often that was given up.
  bool disk_is_behind = false;
  int given_up = 0;
  std::size_t arrived() const { return arriving_.size(); }
  // The objection to the next documents, empty: none.
  std::string objection;
  // Called with each document after it is recorded; settles, or not.
  std::function<void(const std::string& document)> on_document = [](const std::string&) {};

  std::vector<std::string> documents;
  std::vector<upstream::Validators> validators;
  std::vector<std::pair<upstream::FailureKind, std::string>> failures;
  std::vector<std::chrono::milliseconds> retries;
  std::vector<std::string> degraded;
  int unchanged = 0;
  std::size_t largest_piece = 0;

 private:
  TestLoop& loop_;
  std::string arriving_;
};

// Records what a source tells the keeper.
class RecordingListener final : public upstream::SourceListener {
 public:
  explicit RecordingListener(TestLoop& loop) : loop_(loop) {}

  void on_update(evaluation::Update&& update) override;
  void on_unchanged() override;
  void on_failure(const upstream::SourceFailure& failure) override;
  void on_credential_changed() override;
  void on_degraded(std::string_view message) override;
  void on_way_changed(std::string_view message) override;

  std::function<void()> after_update = [] {};
  std::vector<evaluation::Update> updates;
  std::vector<upstream::SourceFailure> failures;
  std::vector<std::string> degraded;
  std::vector<std::string> ways;
  int unchanged = 0;
  int credential_changes = 0;

 private:
  TestLoop& loop_;
};

// A folder of its own, gone afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(std::string_view name = {}) const;

 private:
  std::filesystem::path folder_;
};

void write_file(const std::string& path, std::string_view bytes);
// By a temporary file beside it, as careful writers do.
void replace_file(const std::string& path, std::string_view bytes);
std::size_t open_descriptors();

}  // namespace flagstone::fakes
