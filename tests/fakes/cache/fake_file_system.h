// A disk in memory that records what is done to it, fails when it is told to, and can lose its
// power: then everything that was not synced may be gone, half there, or there.
//
// One thread. Descriptors of a disk that lost power are void.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cache/file_system.h"

namespace flagstone::fakes {

class FakeFileSystem final : public cache::FileSystem {
 public:
  FakeFileSystem();

  // From the `call`th call on (counted from 0, reads and closes not counted) every call that
  // writes fails with `code`; `once`: that one only.
  void fail_from(std::size_t call, int code, bool once = false);
  void heal() { fail_code_ = 0; }
  // While it is not 0: what opening a file for reading fails with.
  int reading_fails_with = 0;
  // Likewise for looking into a folder, and for taking a file away.
  int listing_fails_with = 0;
  int unlinking_fails_with = 0;
  // How many calls so far that could have changed something.
  std::size_t changing_calls() const { return changing_calls_; }
  // Called before each of them: a slow disk.
  std::function<void()> before_call;
  // Called before a file is synced, on the thread that does it: a disk whose fsync takes seconds.
  std::function<void()> before_sync;

  // The power goes: what was not synced survives by chance.
  void lose_power(std::uint64_t seed);

  // Locks are held by whoever looks at the disk through the same view.
  void hold_lock_elsewhere(bool held) { locked_elsewhere_ = held; }

  std::uint64_t written_bytes() const { return written_bytes_; }
  // Current contents, by path.
  std::vector<std::string> files() const;
  std::string& contents(const std::string& path);
  void remove(const std::string& path);
  std::size_t open_descriptors() const { return open_.size(); }

  cache::FileResult<int> open_for_reading(const std::string& path) override;
  cache::FileResult<int> create(const std::string& path) override;
  cache::FileResult<int> open_for_writing(const std::string& path) override;
  void close(int descriptor) override;
  cache::FileResult<std::unique_ptr<const cache::ReadableFile>> share(int descriptor) override;
  cache::FileResult<int> create_unnamed(const std::string& folder) override;
  cache::FileResult<std::size_t> read_at(int descriptor, std::span<char> to,
                                         std::uint64_t offset) override;
  cache::FileResult<void> write_at(int descriptor, std::string_view bytes,
                                   std::uint64_t offset) override;
  cache::FileResult<std::uint64_t> size(int descriptor) override;
  cache::FileResult<void> truncate(int descriptor, std::uint64_t size_bytes) override;
  cache::FileResult<void> sync(int descriptor) override;
  cache::FileResult<void> rename(const std::string& from, const std::string& to) override;
  cache::FileResult<void> unlink(const std::string& path) override;
  cache::FileResult<void> remove_folder(const std::string& path) override;
  cache::FileResult<void> make_folder(const std::string& path) override;
  cache::FileResult<std::vector<cache::FolderItem>> list(const std::string& path) override;
  cache::FileResult<void> sync_folder(const std::string& path) override;
  cache::FileResult<int> lock(const std::string& path) override;
  cache::FileResult<std::uint64_t> free_bytes(const std::string& path) override;
  cache::FileResult<bool> is_memory(const std::string& path) override;

 private:
  struct Node {
    bool is_folder = false;
    std::string now;
    std::string synced;
    // Of a folder.
    std::map<std::string, std::shared_ptr<Node>> names;
    std::map<std::string, std::shared_ptr<Node>> synced_names;
    // Each state its names went through since the last sync: a crash leaves any of them.
    std::vector<std::map<std::string, std::shared_ptr<Node>>> history;
  };
  using NodePointer = std::shared_ptr<Node>;

  NodePointer find(const std::string& path) const;
  NodePointer folder_of(const std::string& path) const;
  int open_node(NodePointer node);
  // Counts a changing call; false (and errno's code) when it is to fail.
  int changing();
  void collect(const std::string& path, const Node& folder, std::vector<std::string>& out) const;
  void lose(Node& folder, std::mt19937_64& random);
  static std::string survivor(const Node& file, std::mt19937_64& random);
  cache::FileResult<int> open_existing_or_new(const std::string& path, bool empty);

  NodePointer root_;
  std::map<int, NodePointer> open_;
  int next_descriptor_ = 3;
  std::size_t changing_calls_ = 0;
  std::size_t fail_from_ = 0;
  int fail_code_ = 0;
  bool fail_once_ = false;
  bool locked_elsewhere_ = false;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace flagstone::fakes
