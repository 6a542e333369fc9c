// flagd's records ready to run: a flag, an evaluator, and a document's metadata.
//
// Immutable once made by compile.h; read from any thread. Everything a record points to lies right
// behind it, in the same allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "evaluation/dialects/flagd/rule.h"
#include "evaluation/evaluation.h"
#include "evaluation/murmur3.h"
#include "evaluation/packed_record.h"
#include "evaluation/same_text.h"

namespace flagstone::evaluation::flagd {

// `"name":value` of a metadata object, nulls left out.
struct MetadataMember {
  const char* name_chars = nullptr;
  const char* text_chars = nullptr;
  std::uint32_t name_size = 0;
  std::uint32_t text_size = 0;

  std::string_view name() const { return {name_chars, name_size}; }  // Plain.
  // The member as it goes into an answer.
  std::string_view text() const { return {text_chars, text_size}; }
};

struct Metadata {
  std::span<const MetadataMember> members;
  // All texts with commas between them.
  std::string_view joined;
};

// The sizes of texts that stand one after the other, because a flag has several variants.
struct Variant {
  static constexpr std::string_view kBeforeValue = "\"value\":";
  static constexpr std::string_view kBeforeName = ",\"variant\":";

  // The value and the name as a JSON string, as two members of an answer; then the plain name where
  // it is not spelled the same inside the quotes.
  const char* chars = nullptr;
  std::uint32_t name_json_size = 0;
  std::uint32_t value_json_size = 0;
  std::uint32_t name_size = 0;
  ValueType type = ValueType::kNull;

  bool is_escaped() const { return name_json_size != name_size + 2; }
  std::string_view name() const {
    const std::string_view json = name_json();
    return {is_escaped() ? json.data() + json.size() : json.data() + 1, name_size};
  }
  std::string_view name_json() const {
    return {chars + kBeforeValue.size() + value_json_size + kBeforeName.size(), name_json_size};
  }
  std::string_view value_json() const { return {chars + kBeforeValue.size(), value_json_size}; }
  std::string_view value_and_variant() const {
    return {chars, kBeforeValue.size() + value_json_size + kBeforeName.size() + name_json_size};
  }
};

// What a rule needs besides its own nodes.
struct RuleUse {
  // Whether the rule itself may read $flagd.timestamp.
  bool reads_clock = false;
  // The evaluators it refers to, each once.
  std::span<const std::string_view> references;
};

class CompiledFlag final : public PackedRecord<CompiledFlag> {
 public:
  bool disabled = false;
  std::string_view key_json;
  Murmur3Beginning key_hash{{}};
  std::optional<std::uint32_t> default_variant;
  // In the record's order; of equal names the last counts.
  std::span<const Variant> variants;
  // nullptr when the flag has no targeting.
  const Node* rule = nullptr;
  RuleUse use;
  Metadata metadata;

  const Variant* find_variant(std::string_view name) const {
    // A name out of the flag's own rule lies where the variant's does.
    for (const Variant& variant : variants) {
      const std::string_view own = variant.name();
      if (own.data() == name.data() && own.size() == name.size()) return &variant;
    }
    for (std::size_t i = variants.size(); i-- > 0;) {
      if (same_text(variants[i].name(), name)) return &variants[i];
    }
    return nullptr;
  }
};

class CompiledEvaluator final : public PackedRecord<CompiledEvaluator> {
 public:
  const Node* rule = nullptr;
  // The rule as written, for the operators that solve variables before they evaluate.
  Value written;
  RuleUse use;
};

class CompiledMetadata final : public PackedRecord<CompiledMetadata> {
 public:
  Metadata metadata;
};

}  // namespace flagstone::evaluation::flagd
