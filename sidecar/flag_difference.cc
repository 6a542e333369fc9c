#include "sidecar/flag_difference.h"

#include <algorithm>

#include "evaluation/content_hash.h"

namespace flagstone::sidecar {

int FlagList::compare(const FlagList& a, const Item& in_a, const FlagList& b, const Item& in_b) {
  if (in_a.key_hash != in_b.key_hash) return in_a.key_hash < in_b.key_hash ? -1 : 1;
  return a.key_of(in_a).compare(b.key_of(in_b));
}

FlagList FlagList::of(const cache::Snapshot& snapshot, const cache::FlagFilter& filter,
                      const ContentOf& content_of) {
  FlagList list;
  cache::Snapshot::Walk walk(filter);
  while (const cache::Entry* flag = snapshot.next_flag(walk)) {
    const std::string_view key = flag->key();
    list.items_.push_back({.key_hash = evaluation::digest64(key),
                           .content = content_of(*flag),
                           .key_begin = static_cast<std::uint32_t>(list.keys_.size()),
                           .key_size = static_cast<std::uint32_t>(key.size())});
    list.keys_ += key;
  }
  list.items_.shrink_to_fit();
  list.keys_.shrink_to_fit();
  std::sort(list.items_.begin(), list.items_.end(),
            [&list](const Item& a, const Item& b) { return compare(list, a, list, b) < 0; });
  return list;
}

std::vector<ChangedFlag> FlagList::difference(const FlagList& before, const FlagList& after) {
  std::vector<ChangedFlag> changes;
  auto old_item = before.items_.begin();
  auto new_item = after.items_.begin();
  while (old_item != before.items_.end() || new_item != after.items_.end()) {
    int order = 0;
    if (old_item == before.items_.end()) {
      order = 1;
    } else if (new_item == after.items_.end()) {
      order = -1;
    } else {
      order = compare(before, *old_item, after, *new_item);
    }
    if (order < 0) {
      changes.push_back({before.key_of(*old_item++), FlagChange::kRemoved});
    } else if (order > 0) {
      changes.push_back({after.key_of(*new_item++), FlagChange::kAdded});
    } else {
      if (old_item->content != new_item->content) {
        changes.push_back({after.key_of(*new_item), FlagChange::kChanged});
      }
      ++old_item;
      ++new_item;
    }
  }
  return changes;
}

std::vector<ChangedFlag> FlagList::everything_changed(const FlagList& after) {
  std::vector<ChangedFlag> changes;
  changes.reserve(after.items_.size());
  for (const Item& item : after.items_) {
    changes.push_back({after.key_of(item), FlagChange::kChanged});
  }
  return changes;
}

}  // namespace flagstone::sidecar
