// The last known state on disk: state_dir/<environment>/<source>/ with a base file, appended
// segments and a manifest, in two generations. docs of the format: state_encoding.h.
//
// Owned and used by the writer's thread; images given to save() are only read. Whatever fails is an
// error the caller turns into a metric and a log line; what was on disk before stays readable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cache/file_system.h"
#include "cache/layer_image.h"

namespace flagstone::cache {

struct StateOptions {
  std::string path;  // absolute
  // Of everything below it.
  std::uint64_t limit_bytes = std::uint64_t{256} * 1024 * 1024;
  // Fresh random bytes, at least 16: the salt of credential hashes written from now on.
  std::string salt;
  // Asked for room before events go by the file: the events in that folder are to be so many bytes
  // fewer, and set_events_bytes() says what came of it. May be empty.
  std::function<void(const std::string& events_folder, std::uint64_t bytes)> shrink_events = {};
};

// Who a state belongs to. Another source's state is never served.
struct SourceIdentity {
  std::string environment;
  std::uint32_t index = 0;  // among the environment's sources
  std::string dialect;      // Dialect::name()
  std::string options;      // Dialect::options_fingerprint()
  std::string uri;          // as configured, without credentials
  std::string selector;     // selector or filter the source asks with
  // Never written; only a salted hash of it is. Not part of who it is: another credential keeps the
  // data and drops the cursor.
  std::string credential;
};

struct StateError {
  enum class Kind : std::uint8_t {
    kDisk,         // ENOSPC, EROFS, EIO, ...
    kLimit,        // Does not fit into limit_bytes, even after everything old went.
    kNotWritable,  // Another daemon has the lock, or the directory could not be opened.
  };
  Kind kind = Kind::kDisk;
  std::string message;
};

struct LoadedState {
  RestoredLayer layer;
  // When upstream was last in contact before it was written.
  std::int64_t contact_unix_ms = 0;
  // False: the cursor was dropped; let the next complete document in without the shrink guard.
  bool credential_matches = true;
};

class StateDirectory {
 public:
  // Corrupt files set aside, per source; older ones are deleted.
  static constexpr std::size_t kCorruptKeptMax = 3;
  // Segments are folded into a new base when they exceed a quarter of it (and this).
  static constexpr std::uint64_t kCompactionBytesMin = std::uint64_t{64} * 1024;

  // Opens (makes) the directory and takes its lock. Never fails: when it cannot write, writable()
  // is false, problem() says why, and load() reads what it can.
  StateDirectory(FileSystem& files, StateOptions options);
  ~StateDirectory();
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  bool writable() const { return lock_.is_open(); }
  const std::string& problem() const { return problem_; }
  // It lies on tmpfs: it counts as memory, and does not outlive the machine.
  bool is_memory() const { return is_memory_; }

  // The sources there are now. Folders of others are the first to go when space runs out.
  void set_active(const std::vector<SourceIdentity>& sources);

  // The newest valid generation, or nothing. Corrupt ones are set aside (when writable) and named
  // in `warnings`.
  std::optional<LoadedState> load(const SourceIdentity& source, std::vector<std::string>& warnings);

  // Makes the state be `write.image`: appends what changed, or writes a new generation when
  // everything did, when nothing was there, or when the segments have grown too long. Durable when
  // it returns, and says where the texts lie that it wrote.
  std::expected<SavedTexts, StateError> save(const SourceIdentity& source, const StateWrite& write,
                                             std::int64_t now_unix_ms);

  // Small named values of an environment (usage counts), with the same durability and checksum.
  std::expected<void, StateError> save_blob(std::string_view environment, std::string_view name,
                                            std::string_view bytes);
  std::optional<std::string> load_blob(std::string_view environment, std::string_view name,
                                       std::vector<std::string>& warnings);

  // Where an environment's events wait; whoever writes there says how much it is.
  std::string events_folder(std::string_view environment) const;
  // True once after make_room() took events of that environment away.
  bool take_thinned_out(std::string_view environment);
  void set_events_bytes(std::string_view environment, std::uint64_t bytes);
  // Deletes what is oldest, other events aside, until `bytes` more fit; false when they do not.
  bool make_room_for_events(std::uint64_t bytes);

  // Everything below the directory.
  std::uint64_t used_bytes() const { return used_bytes_; }
  std::uint64_t corrupt_files_seen() const { return corrupt_files_seen_; }

 private:
  struct Source;
  using Outcome = std::expected<void, StateError>;

  void try_lock();
  bool is_told(const FileError& error) const;
  Source& source_of(const SourceIdentity& identity);
  FileResult<void> make_source_folder(Source& source);
  bool load_generation(Source& source, const SourceIdentity& identity, std::uint64_t generation,
                       LoadedState& loaded, std::vector<std::string>& warnings);
  struct Segment;
  Outcome save_base(Source& source, const SourceIdentity& identity, const StateWrite& write,
                    std::int64_t now_unix_ms, SavedTexts& saved);
  Outcome append(Source& source, const SourceIdentity& identity, const StateWrite& write,
                 Segment segment, SavedTexts& saved);
  // Without bytes when nothing but the cursor or the time moved.
  FileResult<Segment> encode_segment(const Source& source, const StateWrite& write,
                                     std::int64_t now_unix_ms) const;
  FileResult<std::uint64_t> write_base(const Source& source, const StateWrite& write,
                                       std::uint64_t generation, std::int64_t now_unix_ms,
                                       SavedTexts& saved);
  FileResult<void> write_manifest(const Source& source, const SourceIdentity& identity,
                                  const StateWrite& write);
  Outcome find_next_generation(Source& source);
  void remove_old_generations(const Source& source, std::uint64_t previous);
  void set_aside(Source& source, const std::string& name, const std::string& why,
                 std::vector<std::string>& warnings);

  // state_space.cc: bytes in each folder as last listed; used_bytes_ is their sum.
  void measure(const std::string& folder);
  void measure_everything();
  bool make_room(std::uint64_t bytes);
  bool is_active_events_folder(const std::string& folder) const;
  std::uint64_t events_bytes() const;
  bool shrink_events(std::uint64_t bytes);
  bool remove_oldest_events(std::uint64_t bytes);
  bool fits(std::uint64_t bytes) const;
  template <typename Matches>
  void remove_files(const std::string& folder, const Matches& matches);
  StateError over_limit() const;

  FileSystem& files_;
  StateOptions options_;
  OpenFile lock_;
  std::string problem_;
  bool is_memory_ = false;
  std::uint64_t used_bytes_ = 0;
  std::map<std::string, std::uint64_t> folder_bytes_;
  std::set<std::string> thinned_out_;  // Folders of events whose files made room.
  std::set<std::string> active_folders_;
  std::uint64_t corrupt_files_seen_ = 0;
  std::map<std::string, std::unique_ptr<Source>> sources_;  // by folder
};

}  // namespace flagstone::cache
