// Copies a record's parts into one block of memory: the parts that only flagd's rules have.
//
// One thread, for the time of one compile(); see packed_record.h.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/packed_record.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

class Packer : public BlockPacker {
 public:
  using BlockPacker::BlockPacker;

  // A text that a rule is likely to have too, and where it lies: it is not stored again. Of equal
  // ones the last counts; when there are many of them, none does.
  void remember(std::string_view text, std::string_view packed) {
    if (known_count_ < known_.size()) known_[known_count_] = {text, packed};
    ++known_count_;
  }
  Value value(const Value& from);
  Node node(const Node& from);

 private:
  const Rollout* rollout(const Rollout& from);
  std::string_view known_or_new(std::string_view text);

  struct Known {
    std::string_view text;
    std::string_view packed;
  };
  std::size_t known_count_ = 0;
  std::array<Known, 8> known_;
};

}  // namespace flagstone::evaluation::flagd
