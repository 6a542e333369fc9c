// flagd's records ready to run: a flag, an evaluator, and a document's metadata.
//
// Immutable once made by compile.h; read from any thread. Everything a record points to lies in its
// own one block of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/evaluation.h"
#include "evaluation/record.h"

namespace flagstone::evaluation::flagd {

// `"name":value` of a metadata object, nulls left out.
struct MetadataMember {
  std::string_view name;  // Plain.
  std::string_view text;  // The member as it goes into an answer.
};

struct Metadata {
  std::span<const MetadataMember> members;
  // All texts with commas between them.
  std::string_view joined;
};

struct Variant {
  std::string_view name;
  std::string_view name_json;
  std::string_view value_json;
  ValueType type = ValueType::kNull;
};

// What a rule needs besides its own nodes.
struct RuleUse {
  // Whether the rule itself may read $flagd.timestamp.
  bool reads_clock = false;
  // The evaluators it refers to, each once.
  std::span<const std::string_view> references;
};

class CompiledFlag final : public CompiledRecord {
 public:
  bool disabled = false;
  std::optional<std::uint32_t> default_variant;
  // In the record's order; of equal names the last counts.
  std::span<const Variant> variants;
  // nullptr when the flag has no targeting.
  const Node* rule = nullptr;
  RuleUse use;
  Metadata metadata;

  std::unique_ptr<std::byte[]> block;
  std::size_t block_bytes = 0;

  std::size_t bytes() const override;
  const Variant* find_variant(std::string_view name) const;
};

class CompiledEvaluator final : public CompiledRecord {
 public:
  const Node* rule = nullptr;
  // The rule as written, for the operators that solve variables before they evaluate.
  Value written;
  RuleUse use;

  std::unique_ptr<std::byte[]> block;
  std::size_t block_bytes = 0;

  std::size_t bytes() const override;
};

class CompiledMetadata final : public CompiledRecord {
 public:
  Metadata metadata;

  std::unique_ptr<std::byte[]> block;
  std::size_t block_bytes = 0;

  std::size_t bytes() const override;
};

}  // namespace flagstone::evaluation::flagd
