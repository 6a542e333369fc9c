// How often which flag had which variation: what LaunchDarkly's summary events are made of.
//
// Belongs to one thread at a time and is handed from one to the other. Counting what was counted
// before allocates nothing; clear() keeps the memory unless it was an unusual lot. What a caller
// can invent is bounded; what the flags themselves bring is not, and is no more than they take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flagstone::evaluation::launchdarkly {

struct Counted {
  std::string_view flag;
  // The flag does not exist: version, variation and value mean nothing.
  bool unknown = false;
  std::int64_t version = 0;
  // -1: none, the caller's default was the value.
  int variation = -1;
  // JSON; the default is null, since no caller of ours sends one.
  std::string_view value = "null";
};

class EvaluationCounts {
 public:
  // Flags that do not exist, of different names, at most.
  static constexpr std::size_t kUnknownMax = 256;
  static constexpr std::size_t kUnknownKeyBytesMax = 256;
  // Different kinds of contexts; further ones are counted and their names are not told.
  static constexpr std::size_t kKindsMax = 64;
  static constexpr std::size_t kKindBytesMax = 128;
  // What clear() keeps, of texts and counters each.
  static constexpr std::size_t kKeptBytesMax = 256 * 1024;

  // Which of the kinds, a bit each.
  using Kinds = std::uint64_t;
  Kinds kind_bit(std::string_view kind);

  // False, and nothing is counted: one unknown flag too many.
  bool count(const Counted& counted, Kinds kinds, std::int64_t unix_ms) {
    return add(counted, kinds, 1, unix_ms, unix_ms);
  }
  // Adds all that the other has, of unknown flags those that are admitted and not too many; how
  // many evaluations were left out.
  std::uint64_t merge(const EvaluationCounts& other,
                      const std::function<bool(std::string_view flag)>& admit_unknown);

  bool empty() const { return counters_.empty(); }
  void clear();
  std::size_t bytes() const;

  // All of it as `summary` events. Each has at most about so many bytes, or one flag.
  std::vector<std::string> summaries(std::size_t bytes_max) const;

 private:
  struct Text {
    std::size_t at = 0;
    std::size_t size = 0;
  };
  struct Counter {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    Kinds kinds = 0;
    std::int64_t version = 0;
    int variation = -1;
    bool unknown = false;
    Text flag;
    Text value;
  };

  bool add(const Counted& counted, Kinds kinds, std::uint64_t count, std::int64_t first_unix_ms,
           std::int64_t last_unix_ms);
  Counter* find_or_make(const Counted& counted);
  void grow();
  Text keep(std::string_view text);
  std::string_view view(const Text& text) const {
    return std::string_view(texts_).substr(text.at, text.size);
  }
  std::string begin_summary() const;
  void append_flag(std::string& out, std::span<const std::uint32_t> counters) const;

  std::vector<Counter> counters_;
  // Open addressing: 1 + the counter's index, 0 for an empty slot. A power of two of them.
  std::vector<std::uint32_t> slots_;
  std::string texts_;
  std::vector<std::string> kinds_;
  std::size_t unknown_count_ = 0;
  std::int64_t first_unix_ms_ = 0;
  std::int64_t last_unix_ms_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
