// Follows one file: reads it at start and whenever it changes, however it is changed.
//
// Knows no vendor. Owned by a source, on the keeper's loop; the reading itself happens wherever the
// FileReader does it. Writing in place, renaming over it, swapping symlinks on the way (Kubernetes'
// ConfigMaps), deleting and making it again, its folder included: all are noticed at once by
// inotify. Where inotify is refused, and as a safety net, the file's stamp is compared by the
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/timer.h"
#include "upstream/clock.h"
#include "upstream/disk_wait.h"
#include "upstream/document_sink.h"
#include "upstream/file_reader.h"
#include "upstream/folder_watch.h"
#include "upstream/transports/transport.h"

namespace flagstone::upstream {

struct FileWatchOptions {
  std::string path;
  std::size_t max_bytes = 64 * 1024 * 1024;
  milliseconds quiet{5};                      // After the last of several changes.
  milliseconds quiet_begun{100};              // After a file appeared and was not closed yet.
  milliseconds quiet_longest{250};            // A storm of changes is read at least this often.
  milliseconds safety{10'000};                // Between looks beside inotify.
  milliseconds fallback{1'000};               // Between looks instead of inotify.
  std::size_t piece_bytes = 4 * 1024 * 1024;  // Read, and given to the sink, at a time.
  milliseconds disk_patience = kDiskPatience;
  OpenInotify open_inotify = upstream::open_inotify;
};

class FileWatch final : public Transport {
 public:
  FileWatch(net::Loop& loop, FileReader& reader, FileWatchOptions options, DocumentSink& sink);
  ~FileWatch() override;
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;

 private:
  enum class Look : std::uint8_t { kIfTouched, kAnyway };

  void watch_folders();
  void fall_back(const std::string& reason);
  void changed(FolderChange change);
  void look(Look how);
  void on_read(Look how, FileResult result);
  void read(Look how);
  void on_piece(FileContent content);
  void complete();
  void fail(FailureKind kind, std::string cause);
  void idle();
  bool busy() const { return ticket_ || in_work_ || disk_.waits(); }

  net::Loop& loop_;
  FileReader& reader_;
  FileWatchOptions options_;
  DocumentSink& sink_;
  net::Timer quiet_;
  net::Timer clockwork_;
  std::unique_ptr<FolderWatch> folders_;

  bool running_ = false;
  bool degraded_ = false;  // Said once.
  std::optional<std::int64_t> first_change_ms_;
  std::optional<FileReader::Ticket> ticket_;  // A read under way.
  std::uint64_t fed_bytes_ = 0;               // Of the file that is being read, in pieces.
  std::optional<FileStamp> stamp_;            // Of what was read last.
  bool good_ = false;                         // What was read last was accepted.
  bool in_work_ = false;
  bool look_again_ = false;  // It changed while we were busy.
  DiskWait disk_;            // The next piece waits until this one is spooled.
};

}  // namespace flagstone::upstream
