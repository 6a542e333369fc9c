#include "upstream/symlink_chain.h"

#include <deque>
#include <filesystem>
#include <system_error>

namespace flagstone::upstream {
namespace {

namespace fs = std::filesystem;

constexpr int kSymlinksMax = 40;  // Linux's own limit.

void put_in_front(std::deque<std::string>& parts, const fs::path& path) {
  std::deque<std::string> mine;
  for (const fs::path& part : path.relative_path()) mine.push_back(part.string());
  parts.insert(parts.begin(), mine.begin(), mine.end());
}

}  // namespace

std::vector<NameInFolder> symlink_chain(std::string_view path) {
  std::error_code ignored;
  std::vector<NameInFolder> chain;
  std::deque<std::string> parts;
  put_in_front(parts, fs::absolute(fs::path(path), ignored));
  fs::path folder = "/";
  int symlinks = 0;
  while (!parts.empty()) {
    const std::string part = parts.front();
    parts.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      folder = folder.parent_path();
      continue;
    }
    const fs::path here = folder / part;
    const fs::file_status status = fs::symlink_status(here, ignored);
    const bool link = fs::is_symlink(status);
    if (link || parts.empty() || !fs::exists(status)) {
      chain.push_back({folder.string(), part});
    }
    if (!fs::exists(status)) break;
    if (!link) {
      folder = here;
      continue;
    }
    if (++symlinks > kSymlinksMax) break;
    const fs::path target = fs::read_symlink(here, ignored);
    if (target.is_absolute()) folder = "/";
    put_in_front(parts, target);
  }
  return chain;
}

}  // namespace flagstone::upstream
