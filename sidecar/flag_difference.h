// What a selection of flags was, without the flags: enough to say later which of them changed.
//
// Values made from a snapshot and independent of it, so that nobody has to keep old snapshots alive
// to know what somebody last saw. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/snapshot.h"

namespace flagstone::sidecar {

enum class FlagChange : std::uint8_t { kAdded, kChanged, kRemoved };

struct ChangedFlag {
  std::string_view key;
  FlagChange change = FlagChange::kChanged;

  friend bool operator==(const ChangedFlag&, const ChangedFlag&) = default;
};

class FlagList {
 public:
  // What stands for a flag's content: equal while no answer of it can have changed.
  using ContentOf = std::function<std::uint64_t(const cache::Entry& flag)>;

  // A walk over the selected flags.
  static FlagList of(const cache::Snapshot& snapshot, const cache::FlagFilter& filter,
                     const ContentOf& content_of);

  std::size_t size() const { return items_.size(); }
  std::size_t bytes() const { return items_.capacity() * sizeof(Item) + keys_.capacity(); }

  // What turns `before` into `after`. The keys belong to the lists.
  static std::vector<ChangedFlag> difference(const FlagList& before, const FlagList& after);
  // For somebody of whom it is not known what he saw.
  static std::vector<ChangedFlag> everything_changed(const FlagList& after);

 private:
  struct Item {
    std::uint64_t key_hash = 0;
    std::uint64_t content = 0;
    std::uint32_t key_begin = 0;
    std::uint32_t key_size = 0;
  };

  std::string_view key_of(const Item& item) const {
    return std::string_view(keys_).substr(item.key_begin, item.key_size);
  }
  // Negative, zero, positive: how the items' places in their lists compare.
  static int compare(const FlagList& a, const Item& in_a, const FlagList& b, const Item& in_b);

  std::vector<Item> items_;  // By hash of the key, then key; one per key.
  std::string keys_;
};

}  // namespace flagstone::sidecar
