#include "tests/fakes/cache/fake_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flagstone::fakes {
namespace {

using cache::FileError;
using cache::FileResult;

std::unexpected<FileError> error(int code, const std::string& where) {
  return std::unexpected(FileError{.code = code, .where = where});
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

FakeFileSystem::FakeFileSystem() : root_(std::make_shared<Node>()) { root_->is_folder = true; }

void FakeFileSystem::fail_from(std::size_t call, int code, bool once) {
  fail_from_ = changing_calls_ + call;
  fail_code_ = code;
  fail_once_ = once;
}

int FakeFileSystem::changing() {
  if (before_call) before_call();
  const std::size_t call = changing_calls_++;
  if (fail_code_ == 0 || call < fail_from_) return 0;
  if (fail_once_ && call != fail_from_) return 0;
  return fail_code_;
}

FakeFileSystem::NodePointer FakeFileSystem::find(const std::string& path) const {
  NodePointer node = root_;
  std::size_t at = 1;
  while (node && at <= path.size() && path.size() > 1) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const auto next = node->names.find(path.substr(at, slash - at));
    if (next == node->names.end()) return nullptr;
    node = next->second;
    at = slash + 1;
  }
  return node;
}

FakeFileSystem::NodePointer FakeFileSystem::folder_of(const std::string& path) const {
  const NodePointer folder = find(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
  return folder && folder->is_folder ? folder : nullptr;
}

int FakeFileSystem::open_node(NodePointer node) {
  open_[next_descriptor_] = std::move(node);
  return next_descriptor_++;
}

FileResult<int> FakeFileSystem::open_for_reading(const std::string& path) {
  if (reading_fails_with != 0) return error(reading_fails_with, "open " + path);
  NodePointer node = find(path);
  if (!node) return error(ENOENT, "open " + path);
  return open_node(std::move(node));
}

FileResult<int> FakeFileSystem::open_existing_or_new(const std::string& path, bool empty) {
  if (const int code = changing()) return error(code, "open " + path);
  const NodePointer folder = folder_of(path);
  if (!folder) return error(ENOENT, "open " + path);
  NodePointer& node = folder->names[base_name(path)];
  if (!node) {
    node = std::make_shared<Node>();
    folder->history.push_back(folder->names);
  }
  if (empty) node->now.clear();
  return open_node(node);
}

FileResult<int> FakeFileSystem::create(const std::string& path) {
  return open_existing_or_new(path, true);
}

FileResult<int> FakeFileSystem::open_for_writing(const std::string& path) {
  return open_existing_or_new(path, false);
}

void FakeFileSystem::close(int descriptor) { open_.erase(descriptor); }

FileResult<std::size_t> FakeFileSystem::read_at(int descriptor, std::span<char> to,
                                                std::uint64_t offset) {
  const std::string& bytes = open_.at(descriptor)->now;
  if (offset >= bytes.size()) return 0;
  const std::size_t n = std::min<std::size_t>(to.size(), bytes.size() - offset);
  std::memcpy(to.data(), bytes.data() + offset, n);
  return n;
}

FileResult<void> FakeFileSystem::write_at(int descriptor, std::string_view bytes,
                                          std::uint64_t offset) {
  std::string& file = open_.at(descriptor)->now;
  const int code = changing();
  // A disk that is full takes a part first.
  if (code != 0) bytes = bytes.substr(0, bytes.size() / 2);
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
  file.replace(offset, bytes.size(), bytes);
  written_bytes_ += bytes.size();
  if (code != 0) return error(code, "write");
  return {};
}

FileResult<std::uint64_t> FakeFileSystem::size(int descriptor) {
  return open_.at(descriptor)->now.size();
}

FileResult<void> FakeFileSystem::truncate(int descriptor, std::uint64_t size_bytes) {
  if (const int code = changing()) return error(code, "truncate");
  open_.at(descriptor)->now.resize(size_bytes);
  return {};
}

FileResult<void> FakeFileSystem::sync(int descriptor) {
  if (before_sync) before_sync();
  if (const int code = changing()) return error(code, "fsync");
  Node& file = *open_.at(descriptor);
  file.synced = file.now;
  return {};
}

FileResult<void> FakeFileSystem::rename(const std::string& from, const std::string& to) {
  if (const int code = changing()) return error(code, "rename " + from);
  const NodePointer folder = folder_of(from);
  const NodePointer node = find(from);
  if (!node || folder != folder_of(to)) return error(ENOENT, "rename " + from);
  folder->names.erase(base_name(from));
  folder->names[base_name(to)] = node;
  folder->history.push_back(folder->names);
  return {};
}

FileResult<void> FakeFileSystem::unlink(const std::string& path) {
  if (const int code = changing()) return error(code, "unlink " + path);
  if (unlinking_fails_with != 0) return error(unlinking_fails_with, "unlink " + path);
  if (!find(path)) return error(ENOENT, "unlink " + path);
  const NodePointer folder = folder_of(path);
  folder->names.erase(base_name(path));
  folder->history.push_back(folder->names);
  return {};
}

FileResult<void> FakeFileSystem::remove_folder(const std::string& path) {
  const NodePointer node = find(path);
  if (node && !node->names.empty()) return error(ENOTEMPTY, "rmdir " + path);
  return unlink(path);
}

FileResult<void> FakeFileSystem::make_folder(const std::string& path) {
  if (const int code = changing()) return error(code, "mkdir " + path);
  if (find(path)) return error(EEXIST, "mkdir " + path);
  const NodePointer folder = folder_of(path);
  if (!folder) return error(ENOENT, "mkdir " + path);
  auto made = std::make_shared<Node>();
  made->is_folder = true;
  folder->names[base_name(path)] = std::move(made);
  folder->history.push_back(folder->names);
  return {};
}

FileResult<std::vector<cache::FolderItem>> FakeFileSystem::list(const std::string& path) {
  if (listing_fails_with != 0) return error(listing_fails_with, "list " + path);
  const NodePointer folder = find(path);
  if (!folder) return error(ENOENT, "list " + path);
  std::vector<cache::FolderItem> items;
  for (const auto& [name, node] : folder->names) {
    items.push_back({.name = name, .is_folder = node->is_folder, .size_bytes = node->now.size()});
  }
  return items;
}

FileResult<void> FakeFileSystem::sync_folder(const std::string& path) {
  if (const int code = changing()) return error(code, "fsync " + path);
  const NodePointer folder = find(path);
  if (!folder) return error(ENOENT, "fsync " + path);
  folder->synced_names = folder->names;
  folder->history.clear();
  return {};
}

namespace {

// Reads what the disk has now; knows no waiting.
class FakeReadableFile final : public cache::ReadableFile {
 public:
  explicit FakeReadableFile(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  cache::ReadOutcome read(std::span<char> to, std::uint64_t offset) const override {
    if (offset > bytes_->size() || bytes_->size() - offset < to.size()) {
      return cache::ReadOutcome::kFailed;
    }
    bytes_->copy(to.data(), to.size(), offset);
    return cache::ReadOutcome::kDone;
  }
  cache::ReadOutcome read_at_once(std::span<char> to, std::uint64_t offset) const override {
    return read(to, offset);
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace

FileResult<std::unique_ptr<const cache::ReadableFile>> FakeFileSystem::share(int descriptor) {
  const NodePointer& node = open_.at(descriptor);
  return std::make_unique<FakeReadableFile>(std::shared_ptr<const std::string>(node, &node->now));
}

FileResult<int> FakeFileSystem::create_unnamed(const std::string& folder) {
  if (const int code = changing()) return error(code, "create a file in " + folder);
  return open_node(std::make_shared<Node>());
}

FileResult<int> FakeFileSystem::lock(const std::string& path) {
  if (locked_elsewhere_) return error(EWOULDBLOCK, "lock " + path);
  return open_for_writing(path);
}

FileResult<std::uint64_t> FakeFileSystem::free_bytes(const std::string&) { return UINT64_MAX; }

FileResult<bool> FakeFileSystem::is_memory(const std::string&) { return false; }

void FakeFileSystem::collect(const std::string& path, const Node& folder,
                             std::vector<std::string>& out) const {
  for (const auto& [name, node] : folder.names) {
    const std::string at = path + "/" + name;
    if (node->is_folder) collect(at, *node, out);
    if (!node->is_folder) out.push_back(at);
  }
}

std::vector<std::string> FakeFileSystem::files() const {
  std::vector<std::string> out;
  collect("", *root_, out);
  return out;
}

std::string& FakeFileSystem::contents(const std::string& path) { return find(path)->now; }

void FakeFileSystem::remove(const std::string& path) {
  folder_of(path)->names.erase(base_name(path));
}

// What is left of a file: what was synced, what was written, or pieces of both, or zeros.
std::string FakeFileSystem::survivor(const Node& file, std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return file.synced;
    case 1:
      return file.now;
    default:
      break;
  }
  std::string left = random() % 2 == 0 ? file.now : file.synced;
  const std::size_t common = std::min(file.now.size(), file.synced.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    const bool same = i < common && file.now[i] == file.synced[i];
    if (!same && random() % 3 == 0) left[i] = '\0';
  }
  if (file.now.size() > file.synced.size() && left.size() > file.synced.size()) {
    left.resize(file.synced.size() + random() % (left.size() - file.synced.size() + 1));
  }
  return left;
}

void FakeFileSystem::lose(Node& folder, std::mt19937_64& random) {
  // Any state the names went through since they were last synced.
  const std::size_t chosen = random() % (folder.history.size() + 1);
  if (!folder.history.empty() || folder.names != folder.synced_names) {
    folder.names = chosen == 0 ? folder.synced_names : folder.history[chosen - 1];
  }
  folder.synced_names = folder.names;
  folder.history.clear();
  for (const auto& [name, node] : folder.names) {
    if (node->is_folder) {
      lose(*node, random);
    } else if (node->now != node->synced) {
      node->now = survivor(*node, random);
      node->synced = node->now;
    }
  }
}

void FakeFileSystem::lose_power(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  open_.clear();
  fail_code_ = 0;
  locked_elsewhere_ = false;
  lose(*root_, random);
}

}  // namespace flagstone::fakes
