// Records whose texts lie in files already: what the state directory had. A compact list, since
// there may be a hundred thousand, that is eaten from the front.
//
// A value that is moved from the writer, which makes it, to the keeper, which eats it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/readable_file.h"
#include "cache/text_files.h"
#include "evaluation/dialect.h"
#include "evaluation/record.h"

namespace flagstone::cache {

struct FiledRecord {
  evaluation::RecordKind kind{};
  bool tombstone = false;
  // What an earlier one of the list said of this id is void; nothing takes its place.
  bool removed = false;
  // Whether it compiles was found out when it was written. Otherwise the next two say nothing.
  bool judged = false;
  // Its text does not compile; what the dialect said is not known any more.
  bool quarantined = false;
  evaluation::RecordTraits traits;
  std::int64_t version = 0;
  std::string_view set_id;
  std::string_view key;
  // Which of FiledRecords::files, and where in it.
  std::uint32_t file = 0;
  std::uint32_t text_bytes = 0;
  std::uint64_t offset = 0;
  // Entry::content_of().
  std::uint64_t content = 0;
};

class FiledRecords {
 public:
  // Records that are freed together.
  static constexpr std::size_t kChunkRecords = 1024;

  FiledRecords() = default;
  FiledRecords(FiledRecords&&) noexcept = default;
  FiledRecords& operator=(FiledRecords&&) noexcept = default;

  // Copies the names.
  void add(const FiledRecord& record);
  std::size_t size() const { return size_; }
  std::size_t text_bytes() const { return text_bytes_; }
  // What the list itself takes.
  std::size_t bytes() const { return bytes_; }
  // The next one; its names live until the next call. REQUIRES: one is left.
  FiledRecord take();
  std::size_t left() const { return left_; }

  // Made by the writer; the keeper gives them numbers.
  std::vector<std::unique_ptr<const ReadableFile>> files;
  // Of files that have numbers already, held once each.
  std::vector<std::uint32_t> numbers;

 private:
  struct Item {
    std::int64_t version;
    std::uint64_t offset;
    std::uint64_t content;
    std::uint32_t text_bytes;
    std::uint32_t key_size;
    std::uint32_t set_size;
    evaluation::RecordKind kind;
    std::uint8_t bits;
    std::uint16_t file;
  };
  struct Chunk {
    std::vector<Item> items;
    std::string names;
  };
  std::deque<Chunk> chunks_;
  std::size_t size_ = 0;
  std::size_t left_ = 0;
  std::size_t text_bytes_ = 0;
  std::size_t bytes_ = 0;
  // In the first chunk.
  std::size_t next_item_ = 0;
  std::size_t next_name_ = 0;
};

}  // namespace flagstone::cache
