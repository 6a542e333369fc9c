#include "evaluation/dialects/flagd/compile.h"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "evaluation/dialects/flagd/compiled_records.h"
#include "evaluation/dialects/flagd/packer.h"
#include "evaluation/dialects/flagd/parse.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/dialects/flagd/rule_use.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

// Everything compile() allocates on the way and drops at the end.
struct Workbench {
  JsonReader reader{kMaxJsonDepth};
  Arena arena;
};

// A variant or metadata member with its texts prepared.
struct PreparedMember {
  std::string name;
  std::string name_json;
  std::string value_json;
};

PreparedMember prepare(const WrittenMember& written) {
  PreparedMember member;
  append_unescaped(member.name, written.escaped_name);
  append_json_string(member.name_json, member.name);
  append_minified(member.value_json, written.value);
  return member;
}

std::vector<PreparedMember> prepare(const std::vector<WrittenMember>& written) {
  std::vector<PreparedMember> members;
  members.reserve(written.size());
  for (const WrittenMember& member : written) members.push_back(prepare(member));
  return members;
}

// Of equal names the last one stays, and then nulls go.
std::vector<PreparedMember> prepare_metadata(const std::vector<WrittenMember>& written) {
  std::vector<PreparedMember> members;
  std::unordered_map<std::string, std::size_t> places;
  for (const WrittenMember& one : written) {
    PreparedMember member = prepare(one);
    const auto [place, is_new] = places.emplace(member.name, members.size());
    if (is_new) {
      members.push_back(std::move(member));
    } else {
      members[place->second] = std::move(member);
    }
  }
  std::erase_if(members, [](const PreparedMember& member) { return member.value_json == "null"; });
  return members;
}

ValueType type_of(std::string_view json) {
  switch (json.front()) {
    case 'n':
      return ValueType::kNull;
    case 't':
    case 'f':
      return ValueType::kBool;
    case '"':
      return ValueType::kString;
    case '[':
      return ValueType::kArray;
    case '{':
      return ValueType::kObject;
    default:
      return ValueType::kNumber;
  }
}

std::span<const Variant> pack_variants(Packer& packer, const std::vector<PreparedMember>& from) {
  Variant* const variants = packer.make<Variant>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    Variant variant;
    variant.name_json = packer.text(from[i].name_json);
    // The plain name is stored only where it is spelled otherwise than inside the quotes.
    const bool escaped = from[i].name_json.size() != from[i].name.size() + 2;
    if (escaped) {
      variant.name = packer.text(from[i].name);
    } else if (!packer.measuring()) {
      variant.name = variant.name_json.substr(1, from[i].name.size());
    }
    variant.value_json = packer.text(from[i].value_json);
    variant.type = type_of(from[i].value_json);
    if (variants != nullptr) variants[i] = variant;
  }
  return {variants, variants == nullptr ? 0 : from.size()};
}

Metadata pack_metadata(Packer& packer, const std::vector<PreparedMember>& from) {
  if (from.empty()) return {};
  std::string joined;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const PreparedMember& member : from) {
    if (!joined.empty()) joined += ',';
    const std::size_t begin = joined.size();
    joined += member.name_json;
    joined += ':';
    joined += member.value_json;
    places.emplace_back(begin, joined.size() - begin);
  }
  Metadata metadata;
  metadata.joined = packer.text(joined);
  MetadataMember* const members = packer.make<MetadataMember>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::string_view name = packer.text(from[i].name);
    if (members == nullptr) continue;
    members[i] = {name, metadata.joined.substr(places[i].first, places[i].second)};
  }
  metadata.members = {members, members == nullptr ? 0 : from.size()};
  return metadata;
}

RuleUse pack_use(Packer& packer, const FoundUse& from) {
  std::string_view* const references = packer.make<std::string_view>(from.references.size());
  for (std::size_t i = 0; i < from.references.size(); ++i) {
    const std::string_view reference = packer.text(from.references[i]);
    if (references != nullptr) references[i] = reference;
  }
  return {from.reads_clock, {references, references == nullptr ? 0 : from.references.size()}};
}

const Node* pack_rule(Packer& packer, const Node& from) {
  Node* const rule = packer.make<Node>(1);
  const Node copy = packer.node(from);
  if (rule != nullptr) *rule = copy;
  return rule;
}

// Runs `pack(record, packer)` to measure and to write.
template <typename Record, typename Pack>
std::unique_ptr<const CompiledRecord> pack_record(Pack pack) {
  auto record = std::make_unique<Record>();
  Packer measured;
  pack(*record, measured);
  record->block_bytes = measured.bytes();
  record->block = std::make_unique_for_overwrite<std::byte[]>(measured.bytes());
  Packer packer(record->block.get(), measured);
  pack(*record, packer);
  return record;
}

}  // namespace

CompileResult compile_flag(std::string_view raw) {
  Workbench bench;
  const auto definition = parse_flag(raw, bench.reader, bench.arena);
  if (!definition) return std::unexpected(definition.error());
  const auto variants = prepare(definition->variants);
  const auto metadata = prepare_metadata(definition->metadata);
  Node rule;
  FoundUse use;
  if (definition->targeting) {
    rule = compile_rule(*definition->targeting, bench.arena);
    use = find_use(*definition->targeting);
  }
  return pack_record<CompiledFlag>([&](CompiledFlag& flag, Packer& packer) {
    flag.disabled = definition->disabled;
    flag.variants = pack_variants(packer, variants);
    flag.metadata = pack_metadata(packer, metadata);
    flag.use = pack_use(packer, use);
    if (definition->targeting) flag.rule = pack_rule(packer, rule);
    if (!packer.measuring() && definition->default_variant) {
      const Variant* found = flag.find_variant(*definition->default_variant);
      flag.default_variant = static_cast<std::uint32_t>(found - flag.variants.data());
    }
  });
}

CompileResult compile_evaluator(std::string_view raw) {
  Workbench bench;
  const auto written = parse_evaluator(raw, bench.reader, bench.arena);
  if (!written) return std::unexpected(written.error());
  const Node rule = compile_rule(*written, bench.arena);
  const FoundUse use = find_use(*written);
  return pack_record<CompiledEvaluator>([&](CompiledEvaluator& evaluator, Packer& packer) {
    evaluator.rule = pack_rule(packer, rule);
    evaluator.written = packer.value(*written);
    evaluator.use = pack_use(packer, use);
  });
}

CompileResult compile_metadata(std::string_view raw) {
  Workbench bench;
  const auto written = parse_metadata(raw, bench.reader, bench.arena);
  if (!written) return std::unexpected(written.error());
  const auto members = prepare_metadata(*written);
  return pack_record<CompiledMetadata>([&](CompiledMetadata& metadata, Packer& packer) {
    metadata.metadata = pack_metadata(packer, members);
  });
}

}  // namespace flagstone::evaluation::flagd
