// Where nghttp2 gets its memory: blocks that are kept when it gives them back, so that a stream's
// coming and going costs no malloc, and counted per session. What a session needs for as long as it
// lives is cut from one slab of pages, one piece after the other: the last is nghttp2's frame
// buffer, of which mostly the first bytes are used, so its other pages stay untouched and cost
// nothing, however often connections come and go.
//
// One pool per server, owned by its SessionResources; one account per session, owned by it. The
// loop's thread only. Allocation fails as malloc does, and nghttp2 reports it.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace flagstone::net {

class Http2MemoryPool {
 public:
  static constexpr std::size_t kKeptBytesMax = 1024 * 1024;
  // Blocks above it come from the system by pages and not from malloc.
  static constexpr std::size_t kPagedBytesMin = 8 * 1024;

  Http2MemoryPool() = default;
  ~Http2MemoryPool();
  Http2MemoryPool(const Http2MemoryPool&) = delete;
  Http2MemoryPool& operator=(const Http2MemoryPool&) = delete;

  std::uint64_t blocks_made() const { return blocks_made_; }  // by the system, ever

 private:
  friend class Http2MemoryAccount;

  // Stands before each block. Sixteen bytes, so that what follows is aligned for anything.
  struct alignas(16) Block {
    std::size_t size;  // without this head
    Block* next;       // while it is kept; itself: a piece of a slab
  };
  // Sizes up to kSmallMax in steps of kSmallStep, then up to kLargeMax in steps of kLargeStep:
  // nghttp2's buffer of one frame and a bit is 17 KiB, which a doubling scheme would make 32.
  static constexpr std::size_t kSmallStep = 64;
  static constexpr std::size_t kSmallMax = 2048;
  static constexpr std::size_t kLargeStep = 1024;
  static constexpr std::size_t kLargeMax = 32 * 1024;
  static constexpr std::size_t kSmallClasses = kSmallMax / kSmallStep + 1;
  static constexpr std::size_t kClasses = kSmallClasses + kLargeMax / kLargeStep + 1;

  static std::size_t rounded(std::size_t size);
  static std::size_t class_of(std::size_t rounded_size);
  static Block* make(std::size_t size);
  static void destroy(Block* block);
  Block* take(std::size_t size);
  void give_back(Block* block);

  std::array<Block*, kClasses> kept_{};
  std::size_t kept_bytes_ = 0;
  std::uint64_t blocks_made_ = 0;
};

class Http2MemoryAccount {
 public:
  // All that nghttp2 allocates at a session's start (1.52: 2,928 and 4,096 and twice 1,024 bytes,
  // and 16,394 for frames), and what it is told from: smaller pieces come and go.
  static constexpr std::size_t kSlabBytes = 27 * 1024;
  static constexpr std::size_t kSlabPieceBytesMin = 512;
  // What a session with one open stream was measured to take: the frame buffer's later pages not.
  static constexpr std::size_t kResidentBytes = 15 * 1024;

  explicit Http2MemoryAccount(Http2MemoryPool& pool);
  ~Http2MemoryAccount();
  Http2MemoryAccount(const Http2MemoryAccount&) = delete;
  Http2MemoryAccount& operator=(const Http2MemoryAccount&) = delete;

  nghttp2_mem* functions() { return &functions_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static Http2MemoryPool::Block* block_of(void* memory);
  void* allocate(std::size_t size);
  Http2MemoryPool::Block* take_from_slab(std::size_t size);
  void release(void* memory);
  void* reallocate(void* memory, std::size_t size);
  static Http2MemoryAccount& of(void* user_data) {
    return *static_cast<Http2MemoryAccount*>(user_data);
  }

  Http2MemoryPool& pool_;
  Http2MemoryPool::Block* slab_ = nullptr;
  std::size_t slab_used_bytes_ = 0;
  std::size_t bytes_ = 0;
  nghttp2_mem functions_;
};

}  // namespace flagstone::net
