// What entries have let go of while serving threads may still be looking at it: compiled forms that
// were demoted, texts that moved into a file, files that nobody names any more.
//
// One per daemon, in EntryHome, the keeper's. The keeper collects here, takes a batch, sends word
// round all serving threads, and destroys the batch when the last of them has turned its loop
// since: nobody keeps such a pointer beyond a turn. What waits here still counts against the limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "evaluation/record.h"

namespace flagstone::cache {

class MemoryBudget;
class TextFiles;

class Retired {
 public:
  Retired(MemoryBudget& budget, TextFiles& files) : budget_(budget), files_(files) {}
  Retired(Retired&& other) noexcept;
  Retired(const Retired&) = delete;
  Retired& operator=(const Retired&) = delete;
  Retired& operator=(Retired&&) = delete;
  // Gives everything back: nobody may be looking at it any more.
  ~Retired();

  void add(std::unique_ptr<const evaluation::CompiledRecord> compiled);
  // A TextPlace's block.
  void add_text(const char* block);

  // Everything collected so far, unheld files too.
  Retired take();
  bool empty() const { return compiled_.empty() && texts_.empty() && unheld_.empty(); }
  std::size_t bytes() const { return compiled_bytes_ + text_bytes_; }

 private:
  MemoryBudget& budget_;
  TextFiles& files_;
  std::vector<std::unique_ptr<const evaluation::CompiledRecord>> compiled_;
  std::vector<const char*> texts_;
  std::vector<std::uint32_t> unheld_;
  std::size_t compiled_bytes_ = 0;
  std::size_t text_bytes_ = 0;
};

}  // namespace flagstone::cache
