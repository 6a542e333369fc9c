#include "cache/file_system.h"

#include <system_error>
#include <utility>

namespace flagstone::cache {

std::string describe(const FileError& error) {
  return error.where + ": " + std::generic_category().message(error.code);
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : files_(std::exchange(other.files_, nullptr)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  if (this == &other) return *this;
  if (files_ != nullptr) files_->close(descriptor_);
  files_ = std::exchange(other.files_, nullptr);
  descriptor_ = std::exchange(other.descriptor_, -1);
  return *this;
}

OpenFile::~OpenFile() {
  if (files_ != nullptr) files_->close(descriptor_);
}

}  // namespace flagstone::cache
