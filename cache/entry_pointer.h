// A shared pointer to an entry whose count lies inside the entry: 8 bytes in an index's page, where
// a std::shared_ptr takes 16 and a block of its own besides.
//
// Copied and destroyed by the keeper alone, but for images that travel to the writer and back,
// which is why the count is atomic. See entry.h.
#pragma once

#include <cstddef>
#include <utility>

namespace flagstone::cache {

class Entry;

class EntryPointer {
 public:
  EntryPointer() = default;
  EntryPointer(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::shared_ptr.
  // Shares an entry that somebody else holds, too.
  explicit EntryPointer(const Entry& entry) : entry_(&entry) { take(); }
  EntryPointer(const EntryPointer& other) : entry_(other.entry_) { take(); }
  EntryPointer(EntryPointer&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  EntryPointer& operator=(EntryPointer other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~EntryPointer() { let_go(); }

  const Entry* get() const { return entry_; }
  const Entry& operator*() const { return *entry_; }
  const Entry* operator->() const { return entry_; }
  explicit operator bool() const { return entry_ != nullptr; }
  friend bool operator==(const EntryPointer& pointer, std::nullptr_t) {
    return pointer.entry_ == nullptr;
  }
  friend bool operator==(const EntryPointer& a, const EntryPointer& b) = default;

 private:
  friend class Entry;
  struct Adopt {};
  // Takes over the count that a new entry starts with.
  EntryPointer(const Entry* made, Adopt) : entry_(made) {}
  void take() const;
  void let_go() const;

  const Entry* entry_ = nullptr;
};

}  // namespace flagstone::cache
