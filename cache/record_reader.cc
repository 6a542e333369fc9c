#include "cache/record_reader.h"

#include "cache/entry_home.h"

namespace flagstone::cache {
namespace {

// What an unusually large text leaves of the buffer.
constexpr std::size_t kBufferBytesKeptMax = std::size_t{64} * 1024;

}  // namespace

const evaluation::CompiledRecord* RecordReader::form_of(const Entry& entry) const {
  const Entry* answering = entry.answering();
  if (answering == nullptr) return nullptr;
  const evaluation::CompiledRecord* compiled = answering->compiled();
  return compiled != nullptr ? compiled : decode(*answering);
}

const evaluation::CompiledRecord* RecordReader::find(evaluation::RecordKind kind,
                                                     std::string_view set_id,
                                                     std::string_view key) const {
  const Entry* entry = snapshot_->find_record(kind, set_id, key);
  return entry == nullptr ? nullptr : form_of(*entry);
}

const evaluation::CompiledRecord* RecordReader::find_in_any_set(evaluation::RecordKind kind,
                                                                std::string_view key) const {
  const Entry* entry = snapshot_->find_record_in_any_set(kind, key);
  return entry == nullptr ? nullptr : form_of(*entry);
}

const evaluation::CompiledRecord* RecordReader::decode(const Entry& entry) const {
  for (const Decoded& decoded : decoded_) {
    if (decoded.entry == &entry) return decoded.form.get();
  }
  const std::optional<std::string_view> text = text_of(entry);
  if (!text) return nullptr;
  evaluation::CompileResult compiled = snapshot_->dialect().compile(
      {.kind = entry.kind(), .set_id = entry.set_id(), .key = entry.key(), .raw = *text});
  // It compiled when it came in, so this is a state of another version's at most.
  decoded_.push_back({&entry, compiled ? std::move(*compiled) : nullptr});
  return decoded_.back().form.get();
}

std::optional<std::string_view> RecordReader::text_of(const Entry& entry) const {
  const TextPlace place = entry.text();
  if (!place.is_in_file()) return place.is_in_memory() ? place.text() : std::string_view();
  buffer_.clear();
  if (buffer_.capacity() > kBufferBytesKeptMax) std::string().swap(buffer_);
  if (!append_text_of(entry, buffer_)) return std::nullopt;
  return buffer_;
}

bool RecordReader::append_text_of(const Entry& entry, std::string& out) const {
  const TextPlace place = entry.text();
  if (!place.is_in_file()) {
    if (place.is_in_memory()) out += place.text();
    return true;
  }
  const std::size_t before = out.size();
  bool done = false;
  const std::size_t after = before + place.bytes();
  // Not the size that is passed on: GCC 12 passes what there is room for.
  out.resize_and_overwrite(after, [&](char* start, std::size_t) {
    done = read_filed(entry, place, start + before);
    return done ? after : before;
  });
  return done;
}

bool RecordReader::read_filed(const Entry& entry, TextPlace place, char* to) const {
  const ReadableFile& file = entry.home().files.at(place.file());
  const std::span<char> bytes(to, place.bytes());
  const ReadOutcome outcome = patience_ == Patience::kNone
                                  ? file.read_at_once(bytes, place.offset())
                                  : file.read(bytes, place.offset());
  if (outcome == ReadOutcome::kWouldWait) {
    waiting_.push_back(place);
    return false;
  }
  // What lies on a disk may have been damaged since: never a wrong answer.
  const bool good =
      outcome == ReadOutcome::kDone && Entry::content_of(entry.kind(), entry.set_id(), entry.key(),
                                                         {to, place.bytes()}) == entry.text_hash();
  if (good) return true;
  ++failures_;
  failed_ = true;
  return false;
}

}  // namespace flagstone::cache
