// A persistent index of entries: (kind, set id, key) -> entry, as an array of immutable pages, by
// the bits of the key's hash.
//
// A value: copying one shares everything. with() makes a new index that shares every page it did
// not change, so one changed flag among 10,000 costs one small page and the directory. Immutable;
// read by any thread, made and destroyed by the keeper. Lookups allocate nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/entry.h"
#include "evaluation/record.h"

namespace flagstone::cache {

class MemoryBudget;

class RecordIndex {
 public:
  // Of one entry within one index; see next().
  struct Position {
    std::uint32_t page = 0;
    std::uint32_t slot = 0;
  };
  // Puts `entry` in the place of what has its id, or takes it away.
  struct Edit {
    EntryPointer entry;
    bool erase = false;
    std::uint64_t hash = 0;  // hash_of() the entry's id
  };

  explicit RecordIndex(MemoryBudget& budget);

  // The upper bits are the kind's and key's, the lowest 16 the set id's.
  static std::uint64_t hash_of(evaluation::RecordKind kind, std::string_view set_id,
                               std::string_view key);
  static Edit put(EntryPointer entry);
  static Edit erase(EntryPointer entry);
  // Brings edits into the index's order; of several for one id only the last stays.
  static void normalise(std::vector<Edit>& edits);

  // Tombstones are found by find_stored() alone; the other lookups do not see them.
  const Entry* find_stored(evaluation::RecordKind kind, std::string_view set_id,
                           std::string_view key) const;
  const Entry* find(evaluation::RecordKind kind, std::string_view set_id,
                    std::string_view key) const;
  // Of the sets that have the key: the greatest layer, then the greatest set id.
  const Entry* find_in_any_set(evaluation::RecordKind kind, std::string_view key) const;
  // The first entry with that hash_of() its id, or nullptr.
  const EntryPointer* find_hash(std::uint64_t hash) const;
  // The same as shared pointers; nullptr when it is not there.
  EntryPointer share_stored(evaluation::RecordKind kind, std::string_view set_id,
                            std::string_view key) const;
  // Before the first entry of that kind and key, if there is one: next() then gives them one after
  // the other, tombstones last, the others by layer and set id, greatest first.
  Position first_of_key(evaluation::RecordKind kind, std::string_view key) const;

  // The entry at `position`, tombstones too, which then points behind it; nullptr at the end. The
  // order is that of the hashes: stable as long as the index is.
  const EntryPointer* next(Position& position) const;

  RecordIndex with(std::vector<Edit> edits) const;

  // Entries that are no tombstones; tombstones; flags (kind 0, no tombstones); quarantined ones.
  std::size_t size() const;
  std::size_t tombstone_count() const;
  std::size_t flag_count() const;
  std::size_t quarantined_count() const;
  // Of all content, whatever the order it came in; kept up incrementally.
  std::uint64_t content_hash() const;
  // Bytes of the keys and texts of all entries.
  std::size_t vendor_bytes() const;

  // Of each id whose entry is not the very same one in both: that of `before` and that of `after`,
  // nullptr where there is none. Tombstones count as none. Pages that both share are not looked at.
  using DifferenceVisitor = std::function<void(const Entry* before, const Entry* after)>;
  static void for_each_difference(const RecordIndex& before, const RecordIndex& after,
                                  const DifferenceVisitor& visit);

  // The entry with that id (tombstones too) and where it is.
  struct Found {
    const EntryPointer* entry = nullptr;
    Position position;
  };
  Found locate(std::uint64_t hash, evaluation::RecordKind kind, std::string_view set_id,
               std::string_view key) const;
  // starts[position.page] + position.slot numbers all entries, from 0 to the last start.
  std::vector<std::uint32_t> page_starts() const;

 private:
  struct Slot;
  class Page;
  struct Directory;

  explicit RecordIndex(std::shared_ptr<const Directory> directory);

  std::shared_ptr<const Directory> directory_;
};

}  // namespace flagstone::cache
