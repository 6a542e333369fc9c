#include "cache/entry.h"

#include <cstring>
#include <utility>

#include "cache/hash_bytes.h"
#include "cache/memory_budget.h"

namespace flagstone::cache {
namespace {

// What malloc and shared_ptr add to an entry and its block of text.
constexpr std::size_t kAllocationOverheadBytes = 40;

void append(char*& to, std::string_view text) {
  if (text.empty()) return;
  std::memcpy(to, text.data(), text.size());
  to += text.size();
}

std::uint64_t hash_content(evaluation::RecordKind kind, const VendorBytes& text,
                           const Quarantine* quarantine) {
  std::uint64_t hash = hash_bytes(text.raw(), static_cast<std::uint64_t>(kind));
  hash = hash_bytes(text.key(), hash);
  hash = hash_bytes(text.set_id(), hash);
  if (quarantine == nullptr) return hash;
  // What answers is an older text, or nothing: both differ from the same text compiled.
  return hash_bytes(quarantine->good ? quarantine->good->raw() : std::string_view(), ~hash);
}

}  // namespace

VendorBytes::VendorBytes(std::string_view set_id, std::string_view key, std::string_view raw)
    : set_size_(static_cast<std::uint32_t>(set_id.size())),
      key_size_(static_cast<std::uint32_t>(key.size())),
      raw_size_(static_cast<std::uint32_t>(raw.size())) {
  block_ = std::make_unique_for_overwrite<char[]>(bytes());
  char* to = block_.get();
  append(to, set_id);
  append(to, key);
  append(to, raw);
}

Entry::Entry(Parts parts, MemoryBudget& budget)
    : text_(std::move(parts.text)),
      compiled_(std::move(parts.compiled)),
      quarantine_(std::move(parts.quarantine)),
      budget_(budget),
      version_(parts.version),
      content_hash_(parts.tombstone ? 0 : hash_content(parts.kind, text_, quarantine_.get())),
      compiled_bytes_(compiled_ ? static_cast<std::uint32_t>(compiled_->bytes()) : 0),
      layer_(parts.layer),
      kind_(parts.kind),
      tombstone_(parts.tombstone) {
  assert(!tombstone_ || (!compiled_ && !quarantine_ && raw().empty()));
  assert(!quarantine_ || !quarantine_->good || !quarantine_->good->is_quarantined());
  budget_.add(MemoryPart::kIndex, bookkeeping_bytes());
  budget_.add(MemoryPart::kVendorBytes, vendor_bytes());
  budget_.add(MemoryPart::kCompiled, compiled_bytes());
}

Entry::~Entry() {
  budget_.release(MemoryPart::kIndex, bookkeeping_bytes());
  budget_.release(MemoryPart::kVendorBytes, vendor_bytes());
  budget_.release(MemoryPart::kCompiled, compiled_bytes());
}

evaluation::RecordId Entry::id() const {
  return {.kind = kind_, .set_id = std::string(set_id()), .key = std::string(key())};
}

const evaluation::CompiledRecord* Entry::compiled() const {
  if (quarantine_ == nullptr) return compiled_.get();
  return quarantine_->good ? quarantine_->good->compiled() : nullptr;
}

std::size_t Entry::bookkeeping_bytes() { return sizeof(Entry) + kAllocationOverheadBytes; }

}  // namespace flagstone::cache
