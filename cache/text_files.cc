#include "cache/text_files.h"

#include <cassert>
#include <utility>

namespace flagstone::cache {

TextFiles::~TextFiles() {
  for (const auto& file : files_) delete file.load(std::memory_order_relaxed);
}

std::optional<std::uint32_t> TextFiles::add(std::unique_ptr<const ReadableFile> file) {
  for (std::uint32_t number = 0; number < TextPlace::kFilesMax; ++number) {
    if (files_[number].load(std::memory_order_relaxed) != nullptr) continue;
    files_[number].store(file.release(), std::memory_order_release);
    holders_[number] = 1;
    ++open_count_;
    return number;
  }
  return std::nullopt;
}

void TextFiles::let_go(std::uint32_t file) {
  assert(holders_[file] > 0);
  if (--holders_[file] == 0) unheld_.push_back(file);
}

std::vector<std::uint32_t> TextFiles::take_unheld() { return std::exchange(unheld_, {}); }

void TextFiles::close(std::uint32_t file) {
  assert(holders_[file] == 0);
  delete files_[file].exchange(nullptr, std::memory_order_acq_rel);
  --open_count_;
}

}  // namespace flagstone::cache
