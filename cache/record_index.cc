#include "cache/record_index.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "cache/hash_bytes.h"
#include "cache/memory_budget.h"

namespace flagstone::cache {
namespace {

using evaluation::RecordKind;

// A page holds 32 to 64 entries on average. The directory doubles above that, and halves when
// pages grow emptier than kAverageMin, so that an index at the edge does not change back and forth.
constexpr std::size_t kAverageMax = 64;
constexpr std::size_t kAverageMin = 12;

// Hashes of one kind and key differ in these bits only, by their sets.
constexpr std::uint64_t kSetBits = 0xffff;

std::uint64_t key_part(std::uint64_t hash) { return hash & ~kSetBits; }

unsigned directory_bits(std::size_t entries, unsigned current_bits) {
  const std::size_t pages = std::size_t{1} << current_bits;
  const bool too_full = entries > pages * kAverageMax;
  const bool too_empty = current_bits > 0 && entries < pages * kAverageMin;
  if (!too_full && !too_empty) return current_bits;
  const std::size_t wanted = (entries + kAverageMax - 1) / kAverageMax;
  return static_cast<unsigned>(std::bit_width(wanted > 1 ? wanted - 1 : 0));
}

}  // namespace

struct RecordIndex::Slot {
  std::uint64_t hash;
  EntryPointer entry;
};

// A page's slots are ordered by key_part(hash), then kind and key, then precedence: tombstones
// last, the greatest layer first, then the greatest set id.
class RecordIndex::Page {
 public:
  Page(std::vector<Slot> slots, MemoryBudget& budget) : slots_(std::move(slots)), budget_(budget) {
    budget_.add(MemoryPart::kIndex, bytes());
  }
  ~Page() { budget_.release(MemoryPart::kIndex, bytes()); }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  const std::vector<Slot>& slots() const { return slots_; }
  std::size_t lower_bound(std::uint64_t hash) const {
    const auto at = std::lower_bound(
        slots_.begin(), slots_.end(), key_part(hash),
        [](const Slot& slot, std::uint64_t part) { return key_part(slot.hash) < part; });
    return static_cast<std::size_t>(at - slots_.begin());
  }

  static bool before(const Slot& a, const Slot& b) {
    if (key_part(a.hash) != key_part(b.hash)) return key_part(a.hash) < key_part(b.hash);
    const Entry& x = *a.entry;
    const Entry& y = *b.entry;
    if (x.kind() != y.kind()) return x.kind() < y.kind();
    if (const int order = x.key().compare(y.key()); order != 0) return order < 0;
    if (x.is_tombstone() != y.is_tombstone()) return y.is_tombstone();
    if (x.layer() != y.layer()) return x.layer() > y.layer();
    return x.set_id() > y.set_id();
  }

 private:
  std::size_t bytes() const { return sizeof(Page) + slots_.capacity() * sizeof(Slot); }

  const std::vector<Slot> slots_;
  MemoryBudget& budget_;
};

struct RecordIndex::Directory {
  explicit Directory(MemoryBudget& memory) : budget(memory) {}
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { budget.release(MemoryPart::kIndex, counted_bytes); }

  const Page* page_of(std::uint64_t hash) const { return pages[page_number(hash)].get(); }
  std::uint32_t page_number(std::uint64_t hash) const {
    return bits == 0 ? 0 : static_cast<std::uint32_t>(hash >> (64 - bits));
  }
  void resize(unsigned new_bits) {
    bits = new_bits;
    pages.resize(std::size_t{1} << bits);
    counted_bytes = sizeof(Directory) + pages.capacity() * sizeof(pages[0]);
    budget.add(MemoryPart::kIndex, counted_bytes);
  }
  void copy_counts(const Directory& other) { counts = other.counts; }
  void count(const Entry& entry, bool in) {
    const auto add = [in](std::size_t& sum, std::size_t n) { in ? sum += n : sum -= n; };
    add(counts.vendor_bytes, entry.vendor_bytes());
    if (entry.is_tombstone()) return add(counts.tombstones, 1);
    add(counts.live, 1);
    if (entry.kind() == evaluation::kFlagKind) add(counts.flags, 1);
    if (entry.is_quarantined()) add(counts.quarantined, 1);
    const std::uint64_t share = mix_bits(entry.content_hash() + entry.layer());
    counts.content_hash += in ? share : 0 - share;
  }

  struct Counts {
    std::size_t live = 0;
    std::size_t tombstones = 0;
    std::size_t flags = 0;
    std::size_t quarantined = 0;
    std::size_t vendor_bytes = 0;
    std::uint64_t content_hash = 0;
  };
  MemoryBudget& budget;
  unsigned bits = 0;
  std::vector<std::shared_ptr<const Page>> pages;
  Counts counts;
  std::size_t counted_bytes = 0;
};

RecordIndex::RecordIndex(MemoryBudget& budget) {
  auto empty = std::make_shared<Directory>(budget);
  empty->resize(0);
  directory_ = std::move(empty);
}

RecordIndex::RecordIndex(std::shared_ptr<const Directory> directory)
    : directory_(std::move(directory)) {}

std::uint64_t RecordIndex::hash_of(RecordKind kind, std::string_view set_id, std::string_view key) {
  const std::uint64_t of_key = hash_bytes(key, static_cast<std::uint64_t>(kind));
  const std::uint64_t of_set = set_id.empty() ? 0 : hash_bytes(set_id);
  return key_part(of_key) | (of_set & kSetBits);
}

RecordIndex::Edit RecordIndex::put(EntryPointer entry) {
  const std::uint64_t hash = hash_of(entry->kind(), entry->set_id(), entry->key());
  return {.entry = std::move(entry), .erase = false, .hash = hash};
}

RecordIndex::Edit RecordIndex::erase(EntryPointer entry) {
  Edit edit = put(std::move(entry));
  edit.erase = true;
  return edit;
}

void RecordIndex::normalise(std::vector<Edit>& edits) {
  const auto by_hash = [](const Edit& a, const Edit& b) { return a.hash < b.hash; };
  if (!std::is_sorted(edits.begin(), edits.end(), by_hash)) {
    // Edits with one hash keep their order, since the last of them counts.
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    order.reserve(edits.size());
    for (const Edit& edit : edits) {
      order.emplace_back(edit.hash, static_cast<std::uint32_t>(order.size()));
    }
    std::sort(order.begin(), order.end());
    std::vector<Edit> sorted;
    sorted.reserve(edits.size());
    for (const auto& [hash, place] : order) sorted.push_back(std::move(edits[place]));
    edits = std::move(sorted);
  }
  // An edit goes when a later one with the same hash has the same id.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    bool superseded = false;
    for (std::size_t j = i + 1; j < edits.size() && edits[j].hash == edits[i].hash; ++j) {
      superseded = superseded || edits[j].entry->same_id(*edits[i].entry);
    }
    if (superseded) continue;
    if (kept != i) edits[kept] = std::move(edits[i]);
    ++kept;
  }
  edits.resize(kept);
}

RecordIndex::Found RecordIndex::locate(std::uint64_t hash, RecordKind kind, std::string_view set_id,
                                       std::string_view key) const {
  const Page* page = directory_->page_of(hash);
  if (page == nullptr) return {};
  const std::vector<Slot>& slots = page->slots();
  for (std::size_t i = page->lower_bound(hash);
       i < slots.size() && key_part(slots[i].hash) == key_part(hash); ++i) {
    if (slots[i].hash != hash) continue;
    const Entry& entry = *slots[i].entry;
    if (entry.kind() != kind || entry.key() != key || entry.set_id() != set_id) continue;
    return {
        .entry = &slots[i].entry,
        .position = {.page = directory_->page_number(hash), .slot = static_cast<std::uint32_t>(i)}};
  }
  return {};
}

const Entry* RecordIndex::find_stored(RecordKind kind, std::string_view set_id,
                                      std::string_view key) const {
  const Found found = locate(hash_of(kind, set_id, key), kind, set_id, key);
  return found.entry == nullptr ? nullptr : found.entry->get();
}

const Entry* RecordIndex::find(RecordKind kind, std::string_view set_id,
                               std::string_view key) const {
  const Entry* entry = find_stored(kind, set_id, key);
  return entry == nullptr || entry->is_tombstone() ? nullptr : entry;
}

EntryPointer RecordIndex::share_stored(RecordKind kind, std::string_view set_id,
                                       std::string_view key) const {
  const Found found = locate(hash_of(kind, set_id, key), kind, set_id, key);
  return found.entry == nullptr ? nullptr : *found.entry;
}

const EntryPointer* RecordIndex::find_hash(std::uint64_t hash) const {
  const Page* page = directory_->page_of(hash);
  if (page == nullptr) return nullptr;
  const std::vector<Slot>& slots = page->slots();
  for (std::size_t i = page->lower_bound(hash);
       i < slots.size() && key_part(slots[i].hash) == key_part(hash); ++i) {
    if (slots[i].hash == hash) return &slots[i].entry;
  }
  return nullptr;
}

RecordIndex::Position RecordIndex::first_of_key(RecordKind kind, std::string_view key) const {
  const std::uint64_t hash = hash_of(kind, {}, key);
  Position position{.page = directory_->page_number(hash), .slot = 0};
  const Page* page = directory_->page_of(hash);
  if (page == nullptr) return position;
  std::size_t slot = page->lower_bound(hash);
  // Of keys that share a hash, skip those that come before.
  const std::vector<Slot>& slots = page->slots();
  while (slot < slots.size() && key_part(slots[slot].hash) == key_part(hash) &&
         (slots[slot].entry->kind() != kind || slots[slot].entry->key() != key)) {
    ++slot;
  }
  position.slot = static_cast<std::uint32_t>(slot);
  return position;
}

const Entry* RecordIndex::find_in_any_set(RecordKind kind, std::string_view key) const {
  const Position position = first_of_key(kind, key);
  const Page* page = directory_->pages[position.page].get();
  if (page == nullptr || position.slot >= page->slots().size()) return nullptr;
  const Entry& entry = *page->slots()[position.slot].entry;
  // Tombstones come last: when the first is one, all are.
  if (entry.kind() != kind || entry.key() != key || entry.is_tombstone()) return nullptr;
  return &entry;
}

const EntryPointer* RecordIndex::next(Position& position) const {
  const auto& pages = directory_->pages;
  while (position.page < pages.size()) {
    const Page* page = pages[position.page].get();
    if (page != nullptr && position.slot < page->slots().size()) {
      return &page->slots()[position.slot++].entry;
    }
    ++position.page;
    position.slot = 0;
  }
  return nullptr;
}

std::vector<std::uint32_t> RecordIndex::page_starts() const {
  std::vector<std::uint32_t> starts;
  starts.reserve(directory_->pages.size() + 1);
  std::uint32_t sum = 0;
  for (const auto& page : directory_->pages) {
    starts.push_back(sum);
    if (page) sum += static_cast<std::uint32_t>(page->slots().size());
  }
  starts.push_back(sum);
  return starts;
}

void RecordIndex::for_each_difference(const RecordIndex& before, const RecordIndex& after,
                                      const DifferenceVisitor& visit) {
  const Directory& old = *before.directory_;
  const Directory& now = *after.directory_;
  const bool same_size = old.bits == now.bits;
  const auto live = [](const Slot* slot) {
    return slot == nullptr || slot->entry->is_tombstone() ? nullptr : slot->entry.get();
  };
  // The slot at a position, whose page is skipped when the other index has the very same.
  const auto slot_at = [&](const Directory& here, Position& position) -> const Slot* {
    for (; position.page < here.pages.size(); ++position.page, position.slot = 0) {
      const Page* page = here.pages[position.page].get();
      if (page == nullptr || position.slot >= page->slots().size()) continue;
      if (same_size && old.pages[position.page] == now.pages[position.page]) continue;
      return &page->slots()[position.slot];
    }
    return nullptr;
  };
  const auto same_key = [](const Slot& a, const Slot& b) {
    return key_part(a.hash) == key_part(b.hash) && a.entry->kind() == b.entry->kind() &&
           a.entry->key() == b.entry->key();
  };
  const auto key_before = [](const Slot& a, const Slot& b) {
    if (key_part(a.hash) != key_part(b.hash)) return key_part(a.hash) < key_part(b.hash);
    if (a.entry->kind() != b.entry->kind()) return a.entry->kind() < b.entry->kind();
    return a.entry->key() < b.entry->key();
  };
  // Of one key, in its sets, which stand in another order where other layers win.
  std::vector<const Slot*> olds;
  std::vector<const Slot*> nows;
  Position in_old;
  Position in_now;
  for (;;) {
    const Slot* old_slot = slot_at(old, in_old);
    const Slot* now_slot = slot_at(now, in_now);
    if (old_slot == nullptr && now_slot == nullptr) return;
    const bool old_first =
        now_slot == nullptr || (old_slot != nullptr && !key_before(*now_slot, *old_slot));
    const Slot& first = old_first ? *old_slot : *now_slot;
    const auto take = [&](const Directory& here, Position& position,
                          std::vector<const Slot*>& slots) {
      slots.clear();
      for (const Slot* slot = slot_at(here, position); slot != nullptr && same_key(*slot, first);
           slot = slot_at(here, position)) {
        slots.push_back(slot);
        ++position.slot;
      }
    };
    take(old, in_old, olds);
    take(now, in_now, nows);
    for (const Slot* slot : olds) {
      const auto same = std::find_if(nows.begin(), nows.end(), [&](const Slot* other) {
        return other != nullptr && other->entry->same_id(*slot->entry);
      });
      const Slot* other = same == nows.end() ? nullptr : std::exchange(*same, nullptr);
      if (live(slot) != live(other)) visit(live(slot), live(other));
    }
    for (const Slot* slot : nows) {
      if (live(slot) != nullptr) visit(nullptr, live(slot));
    }
  }
}

RecordIndex RecordIndex::with(std::vector<Edit> edits) const {
  if (edits.empty()) return *this;
  normalise(edits);
  const Directory& old = *directory_;
  auto made = std::make_shared<Directory>(old.budget);
  made->copy_counts(old);
  // How many entries there will be decides the directory's size, before any page is made.
  std::size_t entries = old.counts.live + old.counts.tombstones;
  for (const Edit& edit : edits) {
    const Entry& id = *edit.entry;
    const Found found = locate(edit.hash, id.kind(), id.set_id(), id.key());
    if (found.entry != nullptr) made->count(**found.entry, false);
    if (!edit.erase) made->count(id, true);
    if (edit.erase && found.entry != nullptr) --entries;
    if (!edit.erase && found.entry == nullptr) ++entries;
  }
  made->resize(directory_bits(entries, old.bits));

  // True when an edit decides about the slot.
  const auto is_edited = [&edits](const Slot& slot) {
    auto at =
        std::lower_bound(edits.begin(), edits.end(), slot.hash,
                         [](const Edit& edit, std::uint64_t hash) { return edit.hash < hash; });
    for (; at != edits.end() && at->hash == slot.hash; ++at) {
      if (at->entry->same_id(*slot.entry)) return true;
    }
    return false;
  };
  const unsigned bits = made->bits;
  const bool same_size = bits == old.bits;
  std::size_t next_edit = 0;
  std::vector<Slot> slots;
  for (std::uint32_t number = 0; number < made->pages.size(); ++number) {
    const std::size_t first_edit = next_edit;
    while (next_edit < edits.size() && made->page_number(edits[next_edit].hash) == number) {
      ++next_edit;
    }
    if (same_size && first_edit == next_edit) {
      made->pages[number] = old.pages[number];
      continue;
    }
    slots.clear();
    const auto take_old = [&](const Page* page) {
      if (page == nullptr) return;
      for (const Slot& slot : page->slots()) {
        if (made->page_number(slot.hash) == number && !is_edited(slot)) slots.push_back(slot);
      }
    };
    if (bits >= old.bits) {
      take_old(old.pages[number >> (bits - old.bits)].get());
    } else {
      const std::uint32_t ratio = 1U << (old.bits - bits);
      for (std::uint32_t i = 0; i < ratio; ++i) take_old(old.pages[number * ratio + i].get());
    }
    for (std::size_t i = first_edit; i < next_edit; ++i) {
      if (!edits[i].erase) slots.push_back({edits[i].hash, std::move(edits[i].entry)});
    }
    if (slots.empty()) continue;
    std::sort(slots.begin(), slots.end(), Page::before);
    made->pages[number] =
        std::make_shared<const Page>(std::vector<Slot>(std::make_move_iterator(slots.begin()),
                                                       std::make_move_iterator(slots.end())),
                                     old.budget);
  }
  return RecordIndex(std::move(made));
}

std::size_t RecordIndex::size() const { return directory_->counts.live; }
std::size_t RecordIndex::tombstone_count() const { return directory_->counts.tombstones; }
std::size_t RecordIndex::flag_count() const { return directory_->counts.flags; }
std::size_t RecordIndex::quarantined_count() const { return directory_->counts.quarantined; }
std::uint64_t RecordIndex::content_hash() const { return directory_->counts.content_hash; }
std::size_t RecordIndex::vendor_bytes() const { return directory_->counts.vendor_bytes; }

}  // namespace flagstone::cache
