// Finds the data files the project does not contain. For tests only.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace flagstone::evaluation {

inline std::filesystem::path shared_path(const std::string& relative) {
  return std::filesystem::path(FLAGSTONE_SHARED_DIR) / relative;
}

inline std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace flagstone::evaluation
