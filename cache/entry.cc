#include "cache/entry.h"

#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "cache/allocated_bytes.h"
#include "cache/entry_home.h"
#include "cache/hash_bytes.h"

namespace flagstone::cache {
namespace {

std::uint64_t with_quarantine(std::uint64_t text, const Quarantine& quarantine) {
  // What answers is an older text, or nothing: both differ from the same text compiled.
  return mix_bits(~text ^ (quarantine.good ? quarantine.good->content_hash() : 0));
}

template <typename T>
T read(const char* from) {
  T value;
  std::memcpy(static_cast<void*>(&value), from, sizeof value);
  return value;
}

template <typename T>
void write(char* to, const T& value) {
  std::memcpy(to, static_cast<const void*>(&value), sizeof value);
}

void write_text(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
}

}  // namespace

std::uint8_t Entry::bits_of(const Parts& parts) {
  int bits = parts.tombstone ? kTombstone : 0;
  if (parts.quarantine) bits |= kQuarantined;
  if (parts.version != 0) bits |= kHasVersion;
  if (!parts.set_id.empty()) bits |= kHasSet;
  if (parts.traits.refers_to_others) bits |= kRefersToOthers;
  if (parts.traits.reads_clock) bits |= kReadsClock;
  return static_cast<std::uint8_t>(bits);
}

std::size_t Entry::block_bytes(const Parts& parts) {
  const int bits = bits_of(parts);
  std::size_t bytes = sizeof(Entry) + parts.key.size() + parts.set_id.size();
  if ((bits & kHasVersion) != 0) bytes += sizeof(std::int64_t);
  if ((bits & kQuarantined) != 0) bytes += sizeof(const Quarantine*);
  if ((bits & kHasSet) != 0) bytes += sizeof(std::uint32_t);
  return bytes;
}

EntryPointer Entry::make(Parts parts, EntryHome& home) {
  void* const block = ::operator new(block_bytes(parts));
  return EntryPointer(new (block) Entry(parts, home), EntryPointer::Adopt{});
}

Entry::Entry(Parts& parts, EntryHome& home)
    : content_hash_(0),
      home_(&home),
      text_(0),
      compiled_(parts.compiled.release()),
      key_size_(static_cast<std::uint32_t>(parts.key.size()) & kKeyBytesMax),
      bits_(bits_of(parts)),
      layer_(parts.layer),
      kind_(parts.kind) {
  assert(parts.key.size() <= kKeyBytesMax);
  assert(!parts.tombstone || (compiled() == nullptr && !parts.quarantine && parts.raw.empty()));
  assert(!parts.quarantine || !parts.quarantine->good || !parts.quarantine->good->is_quarantined());
  if (has(kHasVersion)) write(tail(), parts.version);
  if (!parts.tombstone) {
    content_hash_ =
        parts.filed ? parts.filed->content : content_of(kind_, parts.set_id, parts.key, parts.raw);
    if (parts.quarantine) {
      parts.quarantine->text_hash = content_hash_;
      content_hash_ = with_quarantine(content_hash_, *parts.quarantine);
    }
    const TextPlace place =
        parts.filed ? parts.filed->place : TextPlace::in_memory(TextBlock(parts.raw));
    text_.store(place.word(), std::memory_order_relaxed);
    count_text(place);
  }
  if (has(kQuarantined))
    write<const Quarantine*>(tail() + quarantine_begin(), parts.quarantine.release());
  if (has(kHasSet)) {
    write(tail() + set_size_begin(), static_cast<std::uint32_t>(parts.set_id.size()));
  }
  write_text(tail() + key_begin(), parts.key);
  write_text(tail() + key_begin() + parts.key.size(), parts.set_id);
  home_->budget.add(MemoryPart::kIndex, bookkeeping_bytes());
  if (compiled() != nullptr) home_->budget.add(MemoryPart::kCompiled, compiled()->bytes());
}

Entry::~Entry() {
  // Nobody reads it any more, so nothing has to be retired.
  home_->budget.release(MemoryPart::kIndex, bookkeeping_bytes());
  const TextPlace place = text();
  if (place.is_in_memory()) {
    home_->budget.release(MemoryPart::kVendorBytes, TextBlock::bytes_for(place.bytes()));
    delete[] place.block();
  } else if (place.is_in_file()) {
    home_->files.let_go(place.file());
  }
  const evaluation::CompiledRecord* form = compiled();
  if (form != nullptr) home_->budget.release(MemoryPart::kCompiled, form->bytes());
  delete form;
  delete quarantine();
}

void Entry::destroy() const {
  this->~Entry();
  ::operator delete(const_cast<Entry*>(this));
}

void Entry::count_text(TextPlace place) const {
  if (place.is_in_file()) {
    home_->files.hold(place.file());
  } else {
    home_->budget.add(MemoryPart::kVendorBytes, TextBlock::bytes_for(place.bytes()));
  }
}

std::string_view Entry::set_id() const {
  if (!has(kHasSet)) return {};
  return {tail() + key_begin() + key_size_, read<std::uint32_t>(tail() + set_size_begin())};
}

evaluation::RecordId Entry::id() const {
  return {.kind = kind_, .set_id = std::string(set_id()), .key = std::string(key())};
}

std::int64_t Entry::version() const { return has(kHasVersion) ? read<std::int64_t>(tail()) : 0; }

std::uint64_t Entry::content_of(evaluation::RecordKind kind, std::string_view set_id,
                                std::string_view key, std::string_view raw) {
  std::uint64_t hash = hash_bytes(raw, static_cast<std::uint64_t>(kind));
  hash = hash_bytes(key, hash);
  return hash_bytes(set_id, hash);
}

std::uint64_t Entry::text_hash() const {
  const Quarantine* why = quarantine();
  return why == nullptr ? content_hash_ : why->text_hash;
}

evaluation::RecordTraits Entry::traits() const {
  return {.refers_to_others = has(kRefersToOthers), .reads_clock = has(kReadsClock)};
}

const Quarantine* Entry::quarantine() const {
  return has(kQuarantined) ? read<const Quarantine*>(tail() + quarantine_begin()) : nullptr;
}

const Entry* Entry::answering() const {
  const Quarantine* why = quarantine();
  return why == nullptr ? this : why->good.get();
}

void Entry::move_text(TextPlace place) const {
  const TextPlace old = text();
  if (old.word() == place.word()) return;
  count_text(place);
  text_.store(place.word(), std::memory_order_release);
  if (old.is_in_memory()) {
    home_->retired.add_text(old.block());
  } else {
    home_->files.let_go(old.file());
  }
}

void Entry::promote(std::unique_ptr<const evaluation::CompiledRecord> form) const {
  assert(compiled() == nullptr);
  home_->budget.add(MemoryPart::kCompiled, form->bytes());
  compiled_.store(form.release(), std::memory_order_release);
}

std::size_t Entry::demote() const {
  std::unique_ptr<const evaluation::CompiledRecord> form(
      compiled_.exchange(nullptr, std::memory_order_acq_rel));
  if (form == nullptr) return 0;
  const std::size_t bytes = form->bytes();
  home_->retired.add(std::move(form));
  return bytes;
}

std::size_t Entry::bookkeeping_bytes() const {
  const Quarantine* why = quarantine();
  const std::size_t bytes =
      allocated_bytes(sizeof(Entry) + key_begin() + key_size_ + set_id().size());
  if (why == nullptr) return bytes;
  return bytes + allocated_bytes(sizeof(Quarantine)) + allocated_bytes(why->message.size());
}

std::size_t Entry::bookkeeping_bytes(std::size_t set_id_bytes, std::size_t key_bytes) {
  const std::size_t set_bytes = set_id_bytes == 0 ? 0 : sizeof(std::uint32_t) + set_id_bytes;
  return allocated_bytes(sizeof(Entry) + key_bytes + set_bytes);
}

}  // namespace flagstone::cache
