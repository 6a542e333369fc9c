#include "tests/fakes/upstream/source_fixture.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace flagstone::fakes {

bool TestLoop::run_until(const std::function<bool()>& done, std::int64_t limit_ms) {
  bool late = false;
  net::Timer limit(loop_, [&] {
    late = true;
    loop_.stop();
  });
  // For what nobody nudges about.
  net::Timer look(loop_, [&] { loop_.stop(); });
  loop_.refresh_now();  // The loop slept while the test worked.
  limit.start_once(limit_ms);
  look.start_repeating(5, 5);
  while (!done() && !late) loop_.run();
  return !late;
}

void TestLoop::run_for(std::int64_t ms) {
  run_until([] { return false; }, ms);
}

upstream::FileReader::Ticket PostingFileReader::read(upstream::FileRequest request, Done done) {
  ++reads_;
  const Ticket ticket = ++last_;
  waiting_.emplace_back(ticket, std::move(done));
  const bool posted = loop_.post([this, ticket, request = std::move(request)] {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const auto& entry) { return entry.first == ticket; });
    if (found == waiting_.end()) return;
    Done tell = std::move(found->second);
    waiting_.erase(found);
    upstream::FileResult result = upstream::read_file_blocking(request);
    if (error_) result = std::unexpected(*error_);
    if (result && result->unchanged) ++unchanged_;
    tell(std::move(result));
  });
  if (!posted) std::abort();
  return ticket;
}

void PostingFileReader::cancel(Ticket ticket) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first == ticket; });
}

upstream::FileReader::Ticket ImmediateFileReader::read(upstream::FileRequest request, Done done) {
  done(upstream::read_file_blocking(request));
  return 1;
}

void RecordingSink::on_begin(std::string_view) { arriving_.clear(); }

std::expected<void, std::string> RecordingSink::on_piece(std::string_view piece) {
  largest_piece = std::max(largest_piece, piece.size());
  arriving_ += piece;
  loop_.nudge();
  if (!objection.empty()) return std::unexpected(objection);
  return {};
}

std::expected<upstream::Arrival, std::string> RecordingSink::on_complete(
    const upstream::Validators& given) {
  documents.push_back(arriving_);
  validators.push_back(given);
  on_document(arriving_);
  loop_.nudge();
  return upstream::Arrival::kInWork;
}

void RecordingSink::on_unchanged() {
  ++unchanged;
  loop_.nudge();
}

void RecordingSink::on_failure(upstream::FailureKind kind, std::string cause,
                               std::chrono::milliseconds retry) {
  failures.emplace_back(kind, std::move(cause));
  retries.push_back(retry);
  loop_.nudge();
}

void RecordingSink::on_degraded(std::string_view message) {
  degraded.emplace_back(message);
  loop_.nudge();
}

void RecordingListener::on_update(evaluation::Update&& update) {
  updates.push_back(std::move(update));
  after_update();
  loop_.nudge();
}

void RecordingListener::on_unchanged() {
  ++unchanged;
  loop_.nudge();
}

void RecordingListener::on_failure(const upstream::SourceFailure& failure) {
  failures.push_back(failure);
  loop_.nudge();
}

void RecordingListener::on_credential_changed() {
  ++credential_changes;
  loop_.nudge();
}

void RecordingListener::on_degraded(std::string_view message) {
  degraded.emplace_back(message);
  loop_.nudge();
}

void RecordingListener::on_way_changed(std::string_view message) {
  ways.emplace_back(message);
  loop_.nudge();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "flagstone-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = std::filesystem::canonical(name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TemporaryFolder::path(std::string_view name) const {
  return name.empty() ? folder_.string() : (folder_ / name).string();
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) std::abort();
}

void replace_file(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  write_file(beside, bytes);
  std::filesystem::rename(beside, path);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace flagstone::fakes
