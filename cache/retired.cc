#include "cache/retired.h"

#include <utility>

#include "cache/memory_budget.h"
#include "cache/text_files.h"

namespace flagstone::cache {

Retired::Retired(Retired&& other) noexcept
    : budget_(other.budget_),
      files_(other.files_),
      compiled_(std::move(other.compiled_)),
      texts_(std::move(other.texts_)),
      unheld_(std::move(other.unheld_)),
      compiled_bytes_(std::exchange(other.compiled_bytes_, 0)),
      text_bytes_(std::exchange(other.text_bytes_, 0)) {
  other.compiled_.clear();
  other.texts_.clear();
  other.unheld_.clear();
}

Retired::~Retired() {
  compiled_.clear();
  for (const char* block : texts_) delete[] block;
  for (const std::uint32_t file : unheld_) files_.close(file);
  budget_.release(MemoryPart::kCompiled, compiled_bytes_);
  budget_.release(MemoryPart::kVendorBytes, text_bytes_);
}

void Retired::add(std::unique_ptr<const evaluation::CompiledRecord> compiled) {
  compiled_bytes_ += compiled->bytes();
  compiled_.push_back(std::move(compiled));
}

void Retired::add_text(const char* block) {
  text_bytes_ += TextBlock::bytes_for(TextBlock::view(block).size());
  texts_.push_back(block);
}

Retired Retired::take() {
  for (const std::uint32_t file : files_.take_unheld()) unheld_.push_back(file);
  return std::move(*this);
}

}  // namespace flagstone::cache
