// The files of the state that texts lie in, by the small number that a TextPlace names.
//
// One per daemon, in EntryHome. The keeper alone adds, counts and takes out; any thread looks up.
// Adding fails when all numbers are taken: the texts then stay in memory.
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cache/readable_file.h"
#include "cache/text_place.h"

namespace flagstone::cache {

class TextFiles {
 public:
  TextFiles() = default;
  ~TextFiles();
  TextFiles(const TextFiles&) = delete;
  TextFiles& operator=(const TextFiles&) = delete;

  // The keeper. The file counts as held once, by whoever adds it.
  std::optional<std::uint32_t> add(std::unique_ptr<const ReadableFile> file);
  // Counts the texts that lie in it. REQUIRES: is_held(), since what nobody holds is on its way
  // out.
  void hold(std::uint32_t file) {
    assert(is_held(file));
    ++holders_[file];
  }
  void let_go(std::uint32_t file);
  // Those that nobody holds any more. They are closed, and their numbers free, once no thread can
  // be reading them: see Retired.
  std::vector<std::uint32_t> take_unheld();
  void close(std::uint32_t file);
  std::size_t open_count() const { return open_count_; }

  // The keeper. A file that nobody holds may still be open, for those who looked it up before.
  bool is_held(std::uint32_t file) const { return holders_[file] > 0; }

  // Any thread. REQUIRES: an entry that is held names it.
  const ReadableFile& at(std::uint32_t file) const {
    return *files_[file].load(std::memory_order_acquire);
  }

 private:
  std::array<std::atomic<const ReadableFile*>, TextPlace::kFilesMax> files_{};
  std::array<std::size_t, TextPlace::kFilesMax> holders_{};
  std::vector<std::uint32_t> unheld_;
  std::size_t open_count_ = 0;
};

}  // namespace flagstone::cache
