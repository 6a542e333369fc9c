#include "net/http2_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace flagstone::net {

Http2MemoryPool::~Http2MemoryPool() {
  for (Block* block : kept_) {
    while (block != nullptr) {
      Block* next = block->next;
      destroy(block);
      block = next;
    }
  }
}

std::size_t Http2MemoryPool::rounded(std::size_t size) {
  const std::size_t step = size <= kSmallMax ? kSmallStep : kLargeStep;
  return (std::max<std::size_t>(size, 1) + step - 1) / step * step;
}

std::size_t Http2MemoryPool::class_of(std::size_t rounded_size) {
  if (rounded_size <= kSmallMax) return rounded_size / kSmallStep;
  return kSmallClasses + rounded_size / kLargeStep;
}

Http2MemoryPool::Block* Http2MemoryPool::take(std::size_t size) {
  const std::size_t whole = size <= kLargeMax ? rounded(size) : size;
  if (whole <= kLargeMax) {
    Block*& first = kept_[class_of(whole)];
    if (first != nullptr) {
      Block* block = first;
      first = block->next;
      kept_bytes_ -= block->size;
      block->next = nullptr;
      return block;
    }
  }
  ++blocks_made_;
  return make(whole);
}

Http2MemoryPool::Block* Http2MemoryPool::make(std::size_t size) {
  if (size > SIZE_MAX - sizeof(Block)) return nullptr;
  void* memory = nullptr;
  if (size < kPagedBytesMin) {
    memory = std::malloc(sizeof(Block) + size);
  } else {
    memory = mmap(nullptr, sizeof(Block) + size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) memory = nullptr;
  }
  auto* block = static_cast<Block*>(memory);
  if (block != nullptr) *block = {size, nullptr};
  return block;
}

void Http2MemoryPool::destroy(Block* block) {
  if (block->size < kPagedBytesMin) {
    std::free(block);
  } else {
    munmap(block, sizeof(Block) + block->size);
  }
}

void Http2MemoryPool::give_back(Block* block) {
  if (block->size > kLargeMax || kept_bytes_ + block->size > kKeptBytesMax) {
    destroy(block);
    return;
  }
  Block*& first = kept_[class_of(block->size)];
  block->next = first;
  first = block;
  kept_bytes_ += block->size;
}

Http2MemoryAccount::Http2MemoryAccount(Http2MemoryPool& pool) : pool_(pool) {
  functions_.mem_user_data = this;
  functions_.malloc = [](std::size_t size, void* account) { return of(account).allocate(size); };
  functions_.free = [](void* memory, void* account) { of(account).release(memory); };
  functions_.calloc = [](std::size_t count, std::size_t size, void* account) -> void* {
    if (size != 0 && count > SIZE_MAX / size) return nullptr;
    void* memory = of(account).allocate(count * size);
    if (memory != nullptr) std::memset(memory, 0, count * size);
    return memory;
  };
  functions_.realloc = [](void* memory, std::size_t size, void* account) {
    return of(account).reallocate(memory, size);
  };
}

Http2MemoryPool::Block* Http2MemoryAccount::block_of(void* memory) {
  return static_cast<Http2MemoryPool::Block*>(memory) - 1;
}

Http2MemoryAccount::~Http2MemoryAccount() {
  if (slab_ != nullptr) pool_.give_back(slab_);
}

// Null when the slab is used up, or the piece is too small for it. A piece that is released is not
// used again: a session's own pieces live as long as it does.
Http2MemoryPool::Block* Http2MemoryAccount::take_from_slab(std::size_t size) {
  using Block = Http2MemoryPool::Block;
  if (size < kSlabPieceBytesMin || size > kSlabBytes) return nullptr;
  if (slab_ == nullptr) slab_ = pool_.take(kSlabBytes);
  if (slab_ == nullptr) return nullptr;
  const std::size_t whole = (size + alignof(Block) - 1) / alignof(Block) * alignof(Block);
  if (slab_used_bytes_ + sizeof(Block) + whole > kSlabBytes) return nullptr;
  auto* block = reinterpret_cast<Block*>(reinterpret_cast<char*>(slab_ + 1) + slab_used_bytes_);
  slab_used_bytes_ += sizeof(Block) + whole;
  *block = {whole, block};
  return block;
}

void* Http2MemoryAccount::allocate(std::size_t size) {
  Http2MemoryPool::Block* block = take_from_slab(size);
  if (block == nullptr) block = pool_.take(size);
  if (block == nullptr) return nullptr;
  bytes_ += block->size;
  return block + 1;
}

void Http2MemoryAccount::release(void* memory) {
  if (memory == nullptr) return;
  Http2MemoryPool::Block* block = block_of(memory);
  bytes_ -= block->size;
  if (block->next != block) pool_.give_back(block);
}

void* Http2MemoryAccount::reallocate(void* memory, std::size_t size) {
  if (memory == nullptr) return allocate(size);
  const std::size_t had = block_of(memory)->size;
  if (size <= had) return memory;
  void* larger = allocate(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, had);
  release(memory);
  return larger;
}

}  // namespace flagstone::net
