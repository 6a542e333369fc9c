// Reads protobuf's Struct, the wire form of a JSON object, into Values.
//
// One per serving thread, or per use. The Values point into the message (strings are not copied)
// and into the arena given. Whole numbers become integers, as they would from JSON, so that a rule
// answers alike over gRPC and OFREP. Nothing allocates once the arena is warm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

class StructReader {
 public:
  // Protobuf lets an encoder cut one message field into several occurrences, which count as one. No
  // encoder does; what has to be put together for it may come to so many bytes.
  static constexpr std::size_t kMergedBytesMax = std::size_t{64} << 10;

  explicit StructReader(Arena& arena) : arena_(arena) {}

  // An object. The error is static text for the caller.
  std::expected<Value, std::string_view> read(std::string_view message);

  // Occurrences of one message field in `message`, as one encoded message.
  std::expected<std::string_view, std::string_view> merged_field(std::string_view message,
                                                                 std::uint32_t field);

 private:
  using Result = std::expected<Value, std::string_view>;
  struct Pieces;

  Result read_struct(std::string_view message, std::size_t depth);
  Result read_list(std::string_view message, std::size_t depth);
  Result read_value(std::string_view message, std::size_t depth);
  Result read_container(std::string_view message, std::uint32_t field, std::size_t depth);
  std::expected<Member, std::string_view> read_entry(std::string_view message, std::size_t depth);
  std::expected<std::string_view, std::string_view> merge(const Pieces& pieces,
                                                          std::string_view message);

  Arena& arena_;
  std::size_t merged_bytes_ = 0;
  std::size_t values_ = 0;
};

// Numbers as JSON's reader gives them. REQUIRES: finite.
Value number_value(double number);

}  // namespace flagstone::evaluation::flagd
