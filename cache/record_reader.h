// One thread's way to the records of a snapshot: finds what is compiled, and reads and compiles for
// the moment what stays encoded. What it decoded lives until begin() is called again.
//
// Owned by a serving thread, or by the keeper; that thread only. Allocates nothing while everything
// it is asked for is compiled. What may fail: a text that the disk has to bring first (waiting()),
// or will not give (failures()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/snapshot.h"
#include "evaluation/record_lookup.h"

namespace flagstone::cache {

class RecordReader final : public evaluation::RecordLookup {
 public:
  enum class Patience : std::uint8_t {
    kNone,  // A serving loop: a text that is not in memory is put into waiting().
    kDisk,  // May wait for the disk.
  };
  explicit RecordReader(Patience patience) : patience_(patience) {}
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Reads from this snapshot from now on. The caller keeps it alive.
  void begin(const Snapshot& snapshot) {
    snapshot_ = &snapshot;
    if (!decoded_.empty()) decoded_.clear();
    if (!waiting_.empty()) waiting_.clear();
    failed_ = false;
  }

  // What runs when the entry is asked for. nullptr: no text of it ever compiled, or it cannot be
  // read (now).
  const evaluation::CompiledRecord* form_of(const Entry& entry) const;
  const evaluation::CompiledRecord* find(evaluation::RecordKind kind, std::string_view set_id,
                                         std::string_view key) const override;
  const evaluation::CompiledRecord* find_in_any_set(evaluation::RecordKind kind,
                                                    std::string_view key) const override;

  // Entries that were decoded since begin(): what would be quicker if it were compiled.
  template <typename Visit>
  void for_each_decoded(Visit&& visit) const {
    for (const Decoded& decoded : decoded_) visit(*decoded.entry);
  }

  // The entry's own newest text, valid until the next call; nullopt: it cannot be read (now).
  std::optional<std::string_view> text_of(const Entry& entry) const;
  // Appends it. False, and nothing appended, when it cannot be read (now).
  bool append_text_of(const Entry& entry, std::string& out) const;

  // Of texts that the disk has to bring: what was answered meanwhile is void. With Patience::kDisk
  // always empty.
  const std::vector<TextPlace>& waiting() const { return waiting_; }
  // Since begin() some text could not be read at all.
  bool failed() const { return failed_; }
  // Texts that the disk would not give or gave damaged, ever.
  std::uint64_t failures() const { return failures_; }

 private:
  struct Decoded {
    const Entry* entry;
    std::unique_ptr<const evaluation::CompiledRecord> form;
  };
  const evaluation::CompiledRecord* decode(const Entry& entry) const;
  bool read_filed(const Entry& entry, TextPlace place, char* to) const;

  const Patience patience_;
  const Snapshot* snapshot_ = nullptr;
  // An evaluation looks records up through a const interface.
  mutable std::vector<Decoded> decoded_;
  mutable std::vector<TextPlace> waiting_;
  mutable std::string buffer_;
  mutable std::uint64_t failures_ = 0;
  mutable bool failed_ = false;
};

}  // namespace flagstone::cache
