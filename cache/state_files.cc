#include "cache/state_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "cache/byte_codec.h"
#include "cache/sha256.h"
#include "cache/state_directory.h"

namespace flagstone::cache {
namespace {

constexpr std::size_t kNameBytesMax = 100;

// Reads a file from the front in large pieces, and only as far as it is meant to go.
class FileWindow final : public ByteSource {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;

  FileWindow(FileSystem& files, int descriptor, std::uint64_t end)
      : files_(files), descriptor_(descriptor), end_(end) {}

  std::expected<std::string_view, std::string> take(std::size_t size) override {
    // Checked before anything is allocated: a damaged length must not cost memory.
    if (size > end_ - offset_) return std::unexpected("the file ends too early");
    if (offset_ < start_ || offset_ + size > start_ + piece_.size()) {
      const std::uint64_t wanted = std::max<std::uint64_t>(size, kPieceBytes);
      piece_.resize(static_cast<std::size_t>(std::min(wanted, end_ - offset_)));
      const FileResult<std::size_t> got = files_.read_at(descriptor_, piece_, offset_);
      start_ = offset_;
      piece_.resize(got ? *got : 0);
      if (!got) {
        disk_failed_ = true;
        return std::unexpected(describe(got.error()));
      }
      if (*got < size) return std::unexpected("the file ends too early");
    }
    const auto at = static_cast<std::size_t>(offset_ - start_);
    offset_ += size;
    return std::string_view(piece_).substr(at, size);
  }
  bool at_end() const override { return offset_ == end_; }
  std::uint64_t offset() const override { return offset_; }
  bool disk_failed() const { return disk_failed_; }

 private:
  FileSystem& files_;
  int descriptor_;
  std::uint64_t end_;
  std::uint64_t offset_ = 0;
  std::uint64_t start_ = 0;
  std::string piece_;
  bool disk_failed_ = false;
};

// A record of a segment, with its names and good text in memory of its own until its batch is known
// to be whole.
struct KeptRecord {
  FiledRecord record;
  std::string set_id;
  std::string key;
  std::optional<GoodText> good;
};

FiledRecord filed_record(const StoredRecord& stored, std::uint32_t file) {
  FiledRecord record;
  record.kind = stored.kind;
  record.tombstone = stored.tombstone;
  record.removed = stored.removed;
  record.judged = stored.judged;
  record.quarantined = stored.quarantined;
  record.traits = stored.traits;
  record.version = stored.version;
  record.set_id = stored.set_id;
  record.key = stored.key;
  record.file = file;
  record.text_bytes = static_cast<std::uint32_t>(stored.raw.size());
  record.offset = stored.raw_offset;
  record.content = Entry::content_of(stored.kind, stored.set_id, stored.key, stored.raw);
  return record;
}

std::optional<GoodText> good_text(const StoredRecord& stored) {
  if (!stored.good_raw) return std::nullopt;
  return GoodText{.id = {.kind = stored.kind,
                         .set_id = std::string(stored.set_id),
                         .key = std::string(stored.key)},
                  .version = stored.good_version,
                  .raw = std::string(*stored.good_raw)};
}

// Lays batches over each other: of records with one id the last counts, which Intake sees to.
class Replay {
 public:
  void base_record(const StoredRecord& stored) {
    layer_.filed.add(filed_record(stored, 0));
    if (auto good = good_text(stored)) layer_.good_texts.push_back(std::move(*good));
  }
  static KeptRecord keep(const StoredRecord& stored) {
    return {.record = filed_record(stored, 1),
            .set_id = std::string(stored.set_id),
            .key = std::string(stored.key),
            .good = good_text(stored)};
  }
  void segment_record(KeptRecord kept) {
    std::erase_if(layer_.good_texts, [&kept](const GoodText& good) {
      return good.id.kind == kept.record.kind && good.id.key == kept.key &&
             good.id.set_id == kept.set_id;
    });
    kept.record.set_id = kept.set_id;
    kept.record.key = kept.key;
    layer_.filed.add(kept.record);
    if (kept.good) layer_.good_texts.push_back(std::move(*kept.good));
  }
  void metadata(std::string_view raw) {
    layer_.update.metadata = raw;
    layer_.update.has_metadata = !raw.empty();
  }
  void file(std::unique_ptr<const ReadableFile> file) {
    layer_.filed.files.push_back(std::move(file));
  }
  RestoredLayer finish() { return std::move(layer_); }

 private:
  RestoredLayer layer_;
};

std::expected<OpenFile, ReadProblem> open(FileSystem& files, const std::string& folder,
                                          const std::string& name, std::uint64_t least_bytes,
                                          std::uint64_t most_bytes) {
  const FileResult<int> descriptor = files.open_for_reading(folder + "/" + name);
  if (!descriptor) {
    return std::unexpected(ReadProblem{.damaged = descriptor.error().code == ENOENT,
                                       .file = name,
                                       .message = describe(descriptor.error())});
  }
  OpenFile file(files, *descriptor);
  const FileResult<std::uint64_t> size = files.size(*descriptor);
  if (!size) {
    return std::unexpected(
        ReadProblem{.damaged = false, .file = name, .message = describe(size.error())});
  }
  if (*size < least_bytes || *size > most_bytes) {
    return std::unexpected(ReadProblem{
        .damaged = true,
        .file = name,
        .message =
            "has " + std::to_string(*size) + " bytes instead of " + std::to_string(least_bytes)});
  }
  return file;
}

std::optional<ReadProblem> read_batches(FileSystem& files, const std::string& folder,
                                        const std::string& name, const Manifest& manifest,
                                        bool segments, std::uint64_t max_bytes, Replay& replay) {
  const std::uint64_t bytes = segments ? manifest.segment_bytes : manifest.base_bytes;
  const auto too_large =
      ReadProblem{.damaged = true, .file = name, .message = "is larger than the state's limit"};
  if (bytes > max_bytes) return too_large;
  const auto file = open(files, folder, name, bytes, segments ? UINT64_MAX : bytes);
  if (!file) return file.error();
  auto shared = files.share(file->descriptor());
  if (!shared) {
    return ReadProblem{.damaged = false, .file = name, .message = describe(shared.error())};
  }
  replay.file(std::move(*shared));
  FileWindow window(files, file->descriptor(), bytes);
  BatchHeader header{.generation = manifest.generation,
                     .sequence = segments ? std::uint64_t{1} : 0,
                     .source_hash = short_identity(manifest.identity),
                     .created_unix_ms = 0};
  const std::uint64_t last = segments ? manifest.segment_count : 0;
  for (; header.sequence <= last; ++header.sequence) {
    // A batch counts as a whole or not at all, so what it holds is kept aside until its footer.
    // With a base that fails everything is thrown away, so it needs no such care.
    std::vector<KeptRecord> kept;
    std::optional<std::string> kept_metadata;
    BatchSink sink;
    if (segments) {
      sink.record = [&kept](const StoredRecord& record) { kept.push_back(Replay::keep(record)); };
      sink.metadata = [&kept_metadata](std::string_view raw) { kept_metadata = raw; };
    } else {
      sink.record = [&replay](const StoredRecord& record) { replay.base_record(record); };
      sink.metadata = [&replay](std::string_view raw) { replay.metadata(raw); };
    }
    const auto done = read_batch(window, header, sink);
    if (!done) {
      return ReadProblem{.damaged = !window.disk_failed(), .file = name, .message = done.error()};
    }
    for (KeptRecord& record : kept) replay.segment_record(std::move(record));
    if (kept_metadata) replay.metadata(*kept_metadata);
  }
  if (!window.at_end()) {
    return ReadProblem{.damaged = true, .file = name, .message = "has bytes behind its end"};
  }
  return std::nullopt;
}

}  // namespace

std::string identity_hash(const SourceIdentity& source) {
  std::string text;
  append_text(text, source.dialect);
  append_text(text, source.options);
  append_text(text, source.uri);
  append_text(text, source.selector);
  return sha256_hex(text);
}

std::uint64_t short_identity(std::string_view identity) {
  std::uint64_t number = 0;
  const std::string_view digits = identity.substr(0, 16);
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

std::string credential_hash(std::string_view salt, std::string_view credential) {
  std::string text;
  append_text(text, salt);
  append_text(text, credential);
  return sha256_hex(text);
}

std::string safe_name(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string name;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool plain = letter || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain || (c == '.' && !name.empty())) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += '%';
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  if (name.empty()) return "%";
  if (name.size() <= kNameBytesMax) return name;
  return name.substr(0, kNameBytesMax) + "~" + sha256_hex(text).substr(0, 16);
}

std::string source_folder(const SourceIdentity& source) {
  return safe_name(source.environment) + "/" + std::to_string(source.index) + "-" +
         identity_hash(source).substr(0, 16);
}

std::string generation_file(std::uint64_t generation, std::string_view suffix) {
  return std::to_string(generation) + "." + std::string(suffix);
}

std::optional<std::uint64_t> generation_of(std::string_view name, std::string_view suffix) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || generation_file(number, suffix) != name) return std::nullopt;
  return number;
}

bool is_set_aside(std::string_view name) {
  return name.find(".corrupt-") != std::string_view::npos;
}

std::expected<ReadState, ReadProblem> read_generation(FileSystem& files, const std::string& folder,
                                                      const Manifest& manifest,
                                                      std::uint64_t max_bytes) {
  Replay replay;
  const std::string base = generation_file(manifest.generation, "base");
  if (auto problem = read_batches(files, folder, base, manifest, false, max_bytes, replay)) {
    return std::unexpected(std::move(*problem));
  }
  ReadState state;
  if (manifest.segment_bytes > 0) {
    const std::string segments = generation_file(manifest.generation, "segments");
    state.segments_problem =
        read_batches(files, folder, segments, manifest, true, max_bytes, replay);
  }
  state.layer = replay.finish();
  state.layer.update.kind = evaluation::UpdateKind::kFull;
  // The cursor is that of the last batch: without it, upstream is asked for everything.
  if (!state.segments_problem) state.layer.update.cursor = manifest.cursor;
  return state;
}

}  // namespace flagstone::cache
