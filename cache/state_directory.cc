#include "cache/state_directory.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "cache/durable_write.h"
#include "cache/entry_writer.h"
#include "cache/hash_bytes.h"
#include "cache/state_encoding.h"
#include "cache/state_files.h"

namespace flagstone::cache {
namespace {

// A manifest holds a cursor and a few hashes.
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{1} * 1024 * 1024;
// What a record costs in a file beside its texts, generously; and a file beside its records.
constexpr std::uint64_t kRecordOverheadBytes = 48;
constexpr std::uint64_t kFileOverheadBytes = 4096;

StateError disk_error(const FileError& error) {
  return {.kind = StateError::Kind::kDisk, .message = describe(error)};
}

bool is_temporary(std::string_view name) { return name.ends_with(kTemporarySuffix); }

}  // namespace

// A batch to be appended, and where in it the texts lie.
struct StateDirectory::Segment {
  std::string bytes;
  std::vector<SavedTexts::Text> texts;
};

// What is known about one source's folder.
struct StateDirectory::Source {
  std::string folder;
  std::string identity;
  // The generation on disk that is what save() last wrote or load() last gave; 0: none, so that the
  // next write is a whole one.
  std::uint64_t generation = 0;
  std::uint64_t base_bytes = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t segment_count = 0;
  // Whoever saves has the segments' file for reading already.
  bool segments_shared = false;
  std::uint64_t metadata_hash = 0;
  // No file of this or a greater generation exists. 0: not looked yet.
  std::uint64_t next_generation = 0;
  // Its folder is known to survive a lost power. A folder that is there may still have been made by
  // a save that failed before it was synced.
  bool folder_is_durable = false;
};

StateDirectory::StateDirectory(FileSystem& files, StateOptions options)
    : files_(files), options_(std::move(options)) {
  if (const auto made = make_folders(files_, options_.path); !made) {
    problem_ = describe(made.error());
  } else {
    try_lock();
  }
  if (const auto memory = files_.is_memory(options_.path)) is_memory_ = *memory;
  measure_everything();
}

StateDirectory::~StateDirectory() = default;

void StateDirectory::try_lock() {
  const FileResult<int> descriptor = files_.lock(options_.path + "/LOCK");
  if (!descriptor) {
    problem_ = descriptor.error().code == EWOULDBLOCK ? "another daemon writes " + options_.path
                                                      : describe(descriptor.error());
    return;
  }
  lock_ = OpenFile(files_, *descriptor);
  problem_.clear();
  // Whoever had the lock before may have written since these were looked at.
  sources_.clear();
}

// What is not there is nothing to warn of, and what problem() says of the whole directory is not
// said again of each file.
bool StateDirectory::is_told(const FileError& error) const {
  const bool is_of_the_directory =
      error.code == ENOTDIR || error.code == EACCES || error.code == EPERM;
  return error.code == ENOENT || (!writable() && is_of_the_directory);
}

StateDirectory::Source& StateDirectory::source_of(const SourceIdentity& identity) {
  const std::string folder = options_.path + "/" + source_folder(identity);
  std::unique_ptr<Source>& source = sources_[folder];
  if (!source) {
    source = std::make_unique<Source>();
    source->folder = folder;
    source->identity = identity_hash(identity);
  }
  return *source;
}

void StateDirectory::set_active(const std::vector<SourceIdentity>& sources) {
  active_folders_.clear();
  for (const SourceIdentity& source : sources) {
    active_folders_.insert(options_.path + "/" + source_folder(source));
  }
}

// Loading.

std::optional<LoadedState> StateDirectory::load(const SourceIdentity& identity,
                                                std::vector<std::string>& warnings) {
  Source& source = source_of(identity);
  source.generation = 0;
  const auto items = files_.list(source.folder);
  if (!items) {
    if (!is_told(items.error())) warnings.push_back(describe(items.error()));
    return std::nullopt;
  }
  std::vector<std::uint64_t> generations;
  for (const FolderItem& item : *items) {
    if (const auto number = generation_of(item.name, "manifest")) generations.push_back(*number);
    if (writable() && is_temporary(item.name)) {
      (void)files_.unlink(source.folder + "/" + item.name);
    }
  }
  std::sort(generations.rbegin(), generations.rend());
  LoadedState loaded;
  for (const std::uint64_t generation : generations) {
    if (load_generation(source, identity, generation, loaded, warnings)) return loaded;
  }
  return std::nullopt;
}

bool StateDirectory::load_generation(Source& source, const SourceIdentity& identity,
                                     std::uint64_t generation, LoadedState& loaded,
                                     std::vector<std::string>& warnings) {
  const std::string name = generation_file(generation, "manifest");
  const auto bytes = read_file(files_, source.folder + "/" + name, kManifestBytesMax);
  if (!bytes) {
    if (bytes.error().code == EFBIG) set_aside(source, name, "is too large", warnings);
    if (bytes.error().code != EFBIG) warnings.push_back(describe(bytes.error()));
    return false;
  }
  const auto manifest = decode_manifest(*bytes);
  if (!manifest || manifest->generation != generation) {
    set_aside(source, name, manifest ? "is another generation's" : manifest.error(), warnings);
    return false;
  }
  if (manifest->identity != source.identity) {
    warnings.push_back(source.folder + "/" + name + " is another source's: not served");
    return false;
  }
  auto state = read_generation(files_, source.folder, *manifest, options_.limit_bytes);
  if (!state) {
    const ReadProblem& problem = state.error();
    if (problem.damaged) {
      // The manifest goes last: what it describes is not whole any more.
      set_aside(source, problem.file, problem.message, warnings);
      set_aside(source, name, "describes a damaged file", warnings);
    } else {
      warnings.push_back(source.folder + "/" + problem.file + ": " + problem.message);
    }
    return false;
  }
  loaded.layer = std::move(state->layer);
  loaded.contact_unix_ms = manifest->contact_unix_ms;
  loaded.credential_matches =
      credential_hash(manifest->salt, identity.credential) == manifest->credential_hash;
  if (!loaded.credential_matches) loaded.layer.update.cursor.clear();
  if (state->segments_problem) {
    // What came before the damage is whole and may be all there is, so the files stay where they
    // are; the next write is a new base.
    const ReadProblem& problem = *state->segments_problem;
    corrupt_files_seen_ += problem.damaged ? 1 : 0;
    warnings.push_back(source.folder + "/" + problem.file + " is read in part (" + problem.message +
                       ")");
    return true;
  }
  source.generation = generation;
  source.base_bytes = manifest->base_bytes;
  source.segment_bytes = manifest->segment_bytes;
  source.segment_count = manifest->segment_count;
  source.metadata_hash = hash_bytes(loaded.layer.update.metadata);
  return true;
}

void StateDirectory::set_aside(Source& source, const std::string& name, const std::string& why,
                               std::vector<std::string>& warnings) {
  ++corrupt_files_seen_;
  const std::string path = source.folder + "/" + name;
  warnings.push_back(path + " is corrupt (" + why + ")");
  if (!writable()) return;
  const auto items = files_.list(source.folder);
  if (!items) return;
  // Numbers grow, so that the oldest are known; only the newest few are kept.
  constexpr std::string_view kMark = ".corrupt-";
  std::vector<std::pair<std::uint64_t, std::string>> aside;
  for (const FolderItem& item : *items) {
    const std::size_t at = item.name.rfind(kMark);
    if (at == std::string::npos) continue;
    const auto number = generation_of(item.name.substr(at + kMark.size()) + ".n", "n");
    aside.emplace_back(number.value_or(0), item.name);
  }
  std::sort(aside.begin(), aside.end());
  const std::uint64_t next = aside.empty() ? 1 : aside.back().first + 1;
  for (std::size_t i = 0; i + kCorruptKeptMax <= aside.size(); ++i) {
    (void)files_.unlink(source.folder + "/" + aside[i].second);
  }
  (void)files_.rename(path, path + std::string(kMark) + std::to_string(next));
}

// Saving.

std::expected<SavedTexts, StateError> StateDirectory::save(const SourceIdentity& identity,
                                                           const StateWrite& write,
                                                           std::int64_t now_unix_ms) {
  if (!writable()) try_lock();
  if (!writable()) {
    return std::unexpected(StateError{.kind = StateError::Kind::kNotWritable, .message = problem_});
  }
  Source& source = source_of(identity);
  if (const auto made = make_source_folder(source); !made) {
    return std::unexpected(disk_error(made.error()));
  }
  Outcome outcome;
  SavedTexts saved;
  bool appended = false;
  if (!write.everything && source.generation != 0) {
    FileResult<Segment> segment = encode_segment(source, write, now_unix_ms);
    const std::uint64_t most = std::max(kCompactionBytesMin, source.base_bytes / 4);
    if (segment && source.segment_bytes + segment->bytes.size() <= most) {
      outcome = append(source, identity, write, std::move(*segment), saved);
      appended = true;
    }
  }
  if (!appended) outcome = save_base(source, identity, write, now_unix_ms, saved);
  // After a failure nobody knows what is on the disk: the next write is a whole one.
  if (!outcome) source.generation = 0;
  measure(source.folder);
  if (!outcome) return std::unexpected(outcome.error());
  return saved;
}

FileResult<void> StateDirectory::make_source_folder(Source& source) {
  const bool was_durable = std::exchange(source.folder_is_durable, false);
  if (auto made = make_folders(files_, source.folder); !made) return made;
  std::string path = source.folder;
  while (!was_durable && path.size() > options_.path.size()) {
    path.resize(path.rfind('/'));
    if (auto synced = files_.sync_folder(path); !synced) return synced;
  }
  source.folder_is_durable = true;
  return {};
}

FileResult<StateDirectory::Segment> StateDirectory::encode_segment(const Source& source,
                                                                   const StateWrite& write,
                                                                   std::int64_t now_unix_ms) const {
  Segment segment;
  const bool same_metadata = hash_bytes(write.image.metadata) == source.metadata_hash;
  // Only the cursor or the time moved: the manifest alone says so.
  if (write.changed.empty() && same_metadata) return segment;
  BatchWriter batch(segment.bytes, {.generation = source.generation,
                                    .sequence = source.segment_count + 1,
                                    .source_hash = short_identity(source.identity),
                                    .created_unix_ms = now_unix_ms});
  EntryWriter entries(batch, source.segment_bytes, segment.texts);
  for (const evaluation::RecordId& id : write.changed) {
    const Entry* entry = write.image.records.find_stored(id.kind, id.set_id, id.key);
    if (entry == nullptr) {
      StoredRecord removed{.kind = id.kind, .set_id = id.set_id, .key = id.key};
      removed.removed = true;
      batch.record(removed);
    } else if (!entries.write(*entry)) {
      return std::unexpected(entries.error());
    }
  }
  if (!same_metadata) batch.metadata(write.image.metadata);
  batch.finish();
  return segment;
}

std::expected<void, StateError> StateDirectory::append(Source& source,
                                                       const SourceIdentity& identity,
                                                       const StateWrite& write, Segment segment,
                                                       SavedTexts& saved) {
  if (!make_room(segment.bytes.size() + kFileOverheadBytes)) {
    return std::unexpected(over_limit());
  }
  if (!segment.bytes.empty()) {
    const std::string path = source.folder + "/" + generation_file(source.generation, "segments");
    const FileResult<int> descriptor = files_.open_for_writing(path);
    if (!descriptor) return std::unexpected(disk_error(descriptor.error()));
    const OpenFile file(files_, *descriptor);
    // Over the tail of a write that was cut, if there is one.
    FileResult<void> done = files_.write_at(*descriptor, segment.bytes, source.segment_bytes);
    if (done) done = files_.sync(*descriptor);
    if (!done) return std::unexpected(disk_error(done.error()));
    source.segment_bytes += segment.bytes.size();
    ++source.segment_count;
    source.metadata_hash = hash_bytes(write.image.metadata);
    if (!source.segments_shared) {
      auto shared = files_.share(*descriptor);
      if (!shared) return std::unexpected(disk_error(shared.error()));
      saved.file = std::move(*shared);
    }
    saved.texts = std::move(segment.texts);
  }
  const auto done = write_manifest(source, identity, write);
  if (!done) return std::unexpected(disk_error(done.error()));
  source.segments_shared = source.segments_shared || saved.file != nullptr;
  return {};
}

std::expected<void, StateError> StateDirectory::save_base(Source& source,
                                                          const SourceIdentity& identity,
                                                          const StateWrite& write,
                                                          std::int64_t now_unix_ms,
                                                          SavedTexts& saved) {
  if (const auto known = find_next_generation(source); !known) return known;
  const RecordIndex& records = write.image.records;
  const std::uint64_t estimate =
      records.vendor_bytes() + write.image.metadata.size() + write.image.cursor.size() +
      (records.size() + records.tombstone_count()) * kRecordOverheadBytes + kFileOverheadBytes;
  if (!make_room(estimate)) return std::unexpected(over_limit());

  const std::uint64_t previous = source.generation;
  const std::uint64_t generation = source.next_generation++;
  const std::string base = source.folder + "/" + generation_file(generation, "base");
  const FileResult<std::uint64_t> size = write_base(source, write, generation, now_unix_ms, saved);
  if (!size) {
    (void)files_.unlink(base);
    return std::unexpected(disk_error(size.error()));
  }
  source.generation = generation;
  source.base_bytes = *size;
  source.segment_bytes = 0;
  source.segment_count = 0;
  source.segments_shared = false;
  source.metadata_hash = hash_bytes(write.image.metadata);
  if (const auto done = write_manifest(source, identity, write); !done) {
    return std::unexpected(disk_error(done.error()));
  }
  remove_old_generations(source, previous);
  return {};
}

FileResult<std::uint64_t> StateDirectory::write_base(const Source& source, const StateWrite& write,
                                                     std::uint64_t generation,
                                                     std::int64_t now_unix_ms, SavedTexts& saved) {
  auto file =
      FileAppender::create(files_, source.folder + "/" + generation_file(generation, "base"));
  if (!file) return std::unexpected(file.error());
  BatchWriter batch(file->buffer(), {.generation = generation,
                                     .sequence = 0,
                                     .source_hash = short_identity(source.identity),
                                     .created_unix_ms = now_unix_ms});
  saved.texts.reserve(write.image.records.size());
  EntryWriter entries(batch, 0, saved.texts);
  RecordIndex::Position position;
  while (const EntryPointer* entry = write.image.records.next(position)) {
    if (!entries.write(**entry)) return std::unexpected(entries.error());
    if (const auto done = file->flush_if_full(); !done) return std::unexpected(done.error());
  }
  if (!write.image.metadata.empty()) batch.metadata(write.image.metadata);
  batch.finish();
  auto size = file->finish();
  if (!size) return size;
  auto shared = file->share();
  if (!shared) return std::unexpected(shared.error());
  saved.file = std::move(*shared);
  return size;
}

FileResult<void> StateDirectory::write_manifest(const Source& source,
                                                const SourceIdentity& identity,
                                                const StateWrite& write) {
  const Manifest manifest{.generation = source.generation,
                          .identity = source.identity,
                          .salt = options_.salt,
                          .credential_hash = credential_hash(options_.salt, identity.credential),
                          .cursor = write.image.cursor,
                          .contact_unix_ms = write.contact_unix_ms,
                          .base_bytes = source.base_bytes,
                          .segment_bytes = source.segment_bytes,
                          .segment_count = source.segment_count};
  return replace_file(files_, source.folder, generation_file(source.generation, "manifest"),
                      encode_manifest(manifest));
}

std::expected<void, StateError> StateDirectory::find_next_generation(Source& source) {
  if (source.next_generation != 0) return {};
  const auto items = files_.list(source.folder);
  if (!items) return std::unexpected(disk_error(items.error()));
  std::uint64_t greatest = 0;
  for (const FolderItem& item : *items) {
    // Set-aside files count too: a number is never used twice.
    const std::string_view number = std::string_view(item.name).substr(0, item.name.find('.'));
    const auto found = generation_of(std::string(number) + ".n", "n");
    greatest = std::max(greatest, found.value_or(0));
  }
  source.next_generation = greatest + 1;
  return {};
}

void StateDirectory::remove_old_generations(const Source& source, std::uint64_t previous) {
  const auto items = files_.list(source.folder);
  if (!items) return;
  // When it is not known which one was good, the newest other one that has a manifest stays.
  if (previous == 0) {
    for (const FolderItem& item : *items) {
      const std::uint64_t number = generation_of(item.name, "manifest").value_or(0);
      if (number < source.generation) previous = std::max(previous, number);
    }
  }
  const auto remove = [&](std::string_view suffix) {
    for (const FolderItem& item : *items) {
      const auto number = generation_of(item.name, suffix);
      if (!number || *number == source.generation || *number == previous) continue;
      (void)files_.unlink(source.folder + "/" + item.name);
    }
  };
  // The manifest first: without it the rest is nobody's.
  remove("manifest");
  remove("segments");
  remove("base");
}

// Blobs.

std::expected<void, StateError> StateDirectory::save_blob(std::string_view environment,
                                                          std::string_view name,
                                                          std::string_view bytes) {
  if (!writable()) try_lock();
  if (!writable()) {
    return std::unexpected(StateError{.kind = StateError::Kind::kNotWritable, .message = problem_});
  }
  const std::string folder = options_.path + "/" + safe_name(environment);
  FileResult<void> done = make_folders(files_, folder);
  if (done && !make_room(bytes.size() + kFileOverheadBytes)) return std::unexpected(over_limit());
  if (done) {
    done = replace_file(files_, folder, safe_name(name) + ".blob", encode_blob(bytes));
  }
  measure(folder);
  if (!done) return std::unexpected(disk_error(done.error()));
  return {};
}

std::optional<std::string> StateDirectory::load_blob(std::string_view environment,
                                                     std::string_view name,
                                                     std::vector<std::string>& warnings) {
  const std::string path =
      options_.path + "/" + safe_name(environment) + "/" + safe_name(name) + ".blob";
  const auto bytes = read_file(files_, path, options_.limit_bytes);
  if (!bytes) {
    if (!is_told(bytes.error())) warnings.push_back(describe(bytes.error()));
    return std::nullopt;
  }
  const std::optional<std::string_view> blob = decode_blob(*bytes);
  if (blob) return std::string(*blob);
  ++corrupt_files_seen_;
  warnings.push_back(path + " is corrupt");
  return std::nullopt;
}

}  // namespace flagstone::cache
