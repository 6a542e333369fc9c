// An entry: one record as the cache holds it, the vendor's bytes and, when it has one, the form
// that is ready to run.
//
// Made by the keeper, immutable once published, shared by layers and snapshots, read by any thread,
// destroyed by the keeper alone (it gives its bytes back to the budget). Nothing here fails.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/record.h"

namespace flagstone::cache {

class MemoryBudget;
class Entry;

// Entries that do not count usage (every kind but the flag, and tombstones) have this.
inline constexpr std::uint32_t kNoFlagId = UINT32_MAX;

// A record's set id, key and the vendor's text, one after the other in one block. In memory for
// now; a slice of the state's base file later, which is why nobody else holds these bytes.
class VendorBytes {
 public:
  VendorBytes(std::string_view set_id, std::string_view key, std::string_view raw);

  std::string_view set_id() const { return {block_.get(), set_size_}; }
  std::string_view key() const { return {block_.get() + set_size_, key_size_}; }
  std::string_view raw() const { return {block_.get() + set_size_ + key_size_, raw_size_}; }
  std::size_t bytes() const { return std::size_t{set_size_} + key_size_ + raw_size_; }

 private:
  std::unique_ptr<char[]> block_;
  std::uint32_t set_size_;
  std::uint32_t key_size_;
  std::uint32_t raw_size_;
};

// Why a record's newest text is not what answers.
struct Quarantine {
  // For people: what the dialect said.
  std::string message;
  // The last entry that compiled; it keeps answering. May be nullptr. Never itself quarantined.
  std::shared_ptr<const Entry> good;
};

class Entry {
 public:
  // Everything an entry is made of. `compiled` is null for a tombstone, for a quarantined record
  // and (later) for one that stays encoded.
  struct Parts {
    evaluation::RecordKind kind{};
    std::uint16_t layer = 0;
    bool tombstone = false;
    std::int64_t version = 0;
    VendorBytes text;
    std::unique_ptr<const evaluation::CompiledRecord> compiled;
    std::unique_ptr<const Quarantine> quarantine;
  };
  // Counts itself in the budget, and out again when destroyed; its maker asks beforehand whether
  // it fits.
  Entry(Parts parts, MemoryBudget& budget);
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  evaluation::RecordKind kind() const { return kind_; }
  std::string_view set_id() const { return text_.set_id(); }
  std::string_view key() const { return text_.key(); }
  evaluation::RecordId id() const;
  std::int64_t version() const { return version_; }
  // The vendor's newest text, byte for byte, quarantined or not. Empty for a tombstone.
  std::string_view raw() const { return text_.raw(); }
  // Of everything that decides this record's answers and re-served text; not of its residency.
  std::uint64_t content_hash() const { return content_hash_; }
  // Names this (set id, key) in usage counters, the same in every snapshot.
  std::uint32_t flag_id() const { return flag_id_; }
  // Which layer it came from: an index into Snapshot::layers().
  std::uint16_t layer() const { return layer_; }
  // A deletion that keeps its version. Lives in layers, never seen through a Snapshot.
  bool is_tombstone() const { return tombstone_; }
  bool is_quarantined() const { return quarantine_ != nullptr; }
  const Quarantine* quarantine() const { return quarantine_.get(); }
  // What answers: its own compiled form, or the last good one, or nullptr.
  const evaluation::CompiledRecord* compiled() const;

  // Once, by the keeper, before the entry is published: only then is it known which number the
  // flag has. Const, because by then it is shared.
  void assign_flag_id(std::uint32_t id) const { flag_id_ = id; }

  std::size_t vendor_bytes() const { return text_.bytes(); }
  std::size_t compiled_bytes() const { return compiled_bytes_; }
  // The entry itself and what malloc adds, without its text and compiled form.
  static std::size_t bookkeeping_bytes();
  // True when both are the same (kind, set id, key).
  bool same_id(const Entry& other) const {
    return kind_ == other.kind_ && key() == other.key() && set_id() == other.set_id();
  }

 private:
  VendorBytes text_;
  std::unique_ptr<const evaluation::CompiledRecord> compiled_;
  std::unique_ptr<const Quarantine> quarantine_;
  MemoryBudget& budget_;
  std::int64_t version_;
  std::uint64_t content_hash_;
  std::uint32_t compiled_bytes_;
  mutable std::uint32_t flag_id_ = kNoFlagId;
  std::uint16_t layer_;
  evaluation::RecordKind kind_;
  bool tombstone_;
};

using EntryPointer = std::shared_ptr<const Entry>;

}  // namespace flagstone::cache
