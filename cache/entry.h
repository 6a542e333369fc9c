// An entry: one record as the cache holds it. Always where the vendor's text lies, and, while
// somebody asks for it, the form that is ready to run.
//
// Made by the keeper, shared by layers and snapshots, read by any thread, destroyed by the keeper
// alone. What it says never changes; where its text lies and whether it is compiled (its residency)
// may, by the keeper, while others read: what it lets go of is put into EntryHome::retired. One
// block of memory of 48 bytes and the key, since there may be a hundred thousand. Nothing here
// fails.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/entry_pointer.h"
#include "cache/text_place.h"
#include "evaluation/dialect.h"
#include "evaluation/record.h"

namespace flagstone::cache {

struct EntryHome;

// Entries that do not count usage (every kind but the flag, and tombstones) have this.
inline constexpr std::uint32_t kNoFlagId = UINT32_MAX;
// A key's bytes, at most; a document with a longer one is refused.
inline constexpr std::size_t kKeyBytesMax = (std::size_t{1} << 24) - 1;

// Why a record's newest text is not what answers.
struct Quarantine {
  // For people: what the dialect said.
  std::string message;
  // The last entry that compiled; it keeps answering. May be nullptr. Never itself quarantined.
  EntryPointer good;
  // Entry::content_of() the text that does not compile. Filled in by Entry::make().
  std::uint64_t text_hash = 0;
};

class Entry {
 public:
  // A text that lies in a file already, and what content_of() gives for it.
  struct Filed {
    TextPlace place;
    std::uint64_t content = 0;
  };
  // Everything an entry is made of.
  struct Parts {
    evaluation::RecordKind kind{};
    std::uint16_t layer = 0;
    bool tombstone = false;
    std::int64_t version = 0;
    std::string_view set_id = {};
    std::string_view key = {};  // at most kKeyBytesMax
    // Copied, unless `filed` says that it need not be.
    std::string_view raw = {};
    std::optional<Filed> filed = std::nullopt;
    evaluation::RecordTraits traits = {};
    // Null for a tombstone, for a quarantined record and for one that stays encoded.
    std::unique_ptr<const evaluation::CompiledRecord> compiled = nullptr;
    std::unique_ptr<Quarantine> quarantine = nullptr;
  };
  // Counts itself in the budget, and out again when the last pointer goes; its maker asks
  // beforehand whether it fits. `home` outlives it.
  static EntryPointer make(Parts parts, EntryHome& home);
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  evaluation::RecordKind kind() const { return kind_; }
  std::string_view key() const { return {tail() + key_begin(), key_size_}; }
  std::string_view set_id() const;
  evaluation::RecordId id() const;
  std::int64_t version() const;
  // Of everything that decides this record's answers and re-served text; not of its residency.
  std::uint64_t content_hash() const { return content_hash_; }
  // Of the newest text and the id alone: what content_of() gives.
  std::uint64_t text_hash() const;
  static std::uint64_t content_of(evaluation::RecordKind kind, std::string_view set_id,
                                  std::string_view key, std::string_view raw);
  // Names this (set id, key) in usage counters, the same in every snapshot.
  std::uint32_t flag_id() const { return flag_id_; }
  // Which layer it came from: an index into Snapshot::layers().
  std::uint16_t layer() const { return layer_; }
  evaluation::RecordTraits traits() const;
  // A deletion that keeps its version. Lives in layers, never seen through a Snapshot.
  bool is_tombstone() const { return has(kTombstone); }
  bool is_quarantined() const { return has(kQuarantined); }
  const Quarantine* quarantine() const;
  // The entry whose text answers: itself, or the last good one, or nullptr.
  const Entry* answering() const;
  // True when both are the same (kind, set id, key).
  bool same_id(const Entry& other) const {
    return kind_ == other.kind_ && key() == other.key() && set_id() == other.set_id();
  }

  const EntryHome& home() const { return *home_; }

  // Residency. Any thread may look, and may hold on to what it sees until its loop turns.

  // The vendor's newest text, byte for byte, quarantined or not. Nowhere for a tombstone.
  TextPlace text() const { return TextPlace::from_word(text_.load(std::memory_order_acquire)); }
  std::size_t text_bytes() const { return text().bytes(); }
  // Of text and id, wherever they lie.
  std::size_t vendor_bytes() const { return text_bytes() + key_size_ + set_id().size(); }
  // The compiled form of its own text, or nullptr while it is encoded.
  const evaluation::CompiledRecord* compiled() const {
    return compiled_.load(std::memory_order_acquire);
  }
  // A serving thread answered from it. A plain store, and only when it is news.
  void mark_used() const {
    if (used_.load(std::memory_order_relaxed) == 0) used_.store(1, std::memory_order_relaxed);
  }

  // The keeper. Const, because by then the entry is shared.

  // Once, before the entry is published: only then is it known which number the flag has.
  void assign_flag_id(std::uint32_t id) const { flag_id_ = id; }
  // Used since this was last asked.
  bool take_used() const { return used_.exchange(0, std::memory_order_relaxed) != 0; }
  // The text lies there, too, from now on; the old place is let go.
  void move_text(TextPlace place) const;
  // REQUIRES: not compiled.
  void promote(std::unique_ptr<const evaluation::CompiledRecord> compiled) const;
  // Lets the compiled form go: how many bytes that will free.
  std::size_t demote() const;
  bool is_shared() const { return references_.load(std::memory_order_relaxed) > 1; }

  // What one takes without its text and compiled form, malloc's own included.
  static std::size_t bookkeeping_bytes(std::size_t set_id_bytes, std::size_t key_bytes);

 private:
  friend class EntryPointer;

  enum Bit : std::uint8_t {
    kTombstone = 1,
    kQuarantined = 2,  // A Quarantine* stands in the tail.
    kHasVersion = 4,   // An int64 does.
    kHasSet = 8,       // The set id's size does, and the set id behind the key.
    kRefersToOthers = 16,
    kReadsClock = 32,
  };

  Entry(Parts& parts, EntryHome& home);
  ~Entry();
  void destroy() const;
  bool has(Bit bit) const { return (bits_ & bit) != 0; }
  static std::uint8_t bits_of(const Parts& parts);
  static std::size_t block_bytes(const Parts& parts);

  const char* tail() const { return reinterpret_cast<const char*>(this + 1); }
  char* tail() { return reinterpret_cast<char*>(this + 1); }
  std::size_t quarantine_begin() const { return has(kHasVersion) ? 8 : 0; }
  std::size_t set_size_begin() const { return quarantine_begin() + (has(kQuarantined) ? 8 : 0); }
  std::size_t key_begin() const { return set_size_begin() + (has(kHasSet) ? 4 : 0); }
  std::size_t bookkeeping_bytes() const;
  void count_text(TextPlace place) const;

  mutable std::atomic<std::uint32_t> references_{1};
  mutable std::uint32_t flag_id_ = kNoFlagId;
  std::uint64_t content_hash_;
  EntryHome* home_;
  mutable std::atomic<std::uint64_t> text_;
  mutable std::atomic<const evaluation::CompiledRecord*> compiled_;
  std::uint32_t key_size_ : 24;
  std::uint32_t bits_ : 8;
  std::uint16_t layer_;
  evaluation::RecordKind kind_;
  mutable std::atomic<std::uint8_t> used_{0};
};

inline void EntryPointer::take() const {
  if (entry_ != nullptr) entry_->references_.fetch_add(1, std::memory_order_relaxed);
}
inline void EntryPointer::let_go() const {
  if (entry_ != nullptr && entry_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    entry_->destroy();
  }
}

}  // namespace flagstone::cache
