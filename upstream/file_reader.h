// Reading files without stopping the keeper's loop: the interface that the daemon implements on a
// thread for it, and the blocking function that does the reading there.
//
// A FileReader is borrowed by sources and outlives them; used on the keeper's loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace flagstone::upstream {

// Identifies one state of one file. In-place writes within one tick of the clock can share it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

struct FileRequest {
  std::string path;
  std::size_t max_bytes = 0;
  // When the file still has this stamp, nothing is read and the answer is `unchanged`.
  std::optional<FileStamp> unless = std::nullopt;
  // Reads so many bytes from there; 0: the whole file.
  std::uint64_t offset = 0;
  std::size_t piece_bytes = 0;
  // Of the pieces before: with another stamp it is another file, which is kChanged.
  std::optional<FileStamp> continues = std::nullopt;
};

struct FileContent {
  std::string bytes;
  FileStamp stamp;
  bool unchanged = false;
  // Nothing follows these bytes.
  bool complete = true;
};

struct FileError {
  enum class Kind : std::uint8_t { kMissing, kUnreadable, kTooLarge, kChanged };
  Kind kind = Kind::kUnreadable;
  // The cause alone, without the path: "Permission denied".
  std::string message;
};

using FileResult = std::expected<FileContent, FileError>;

class FileReader {
 public:
  using Ticket = std::uint64_t;
  using Done = std::move_only_function<void(FileResult)>;

  virtual ~FileReader() = default;

  // Calls `done` once on the keeper's loop, later or (in tests) before returning. Never fails by
  // itself: a full queue is a kUnreadable result.
  virtual Ticket read(FileRequest request, Done done) = 0;
  // `done` of that ticket is destroyed and not called any more. A ticket that is done is ignored.
  virtual void cancel(Ticket ticket) = 0;
};

// Reads now, on the calling thread, which the disk may hold up for long. Folders, sockets and pipes
// are unreadable rather than waited for.
FileResult read_file_blocking(const FileRequest& request);

}  // namespace flagstone::upstream
