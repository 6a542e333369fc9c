#include "evaluation/dialects/flagd/compile.h"

#include <algorithm>
#include <span>
#include <string>

#include "evaluation/dialects/flagd/compiled_records.h"
#include "evaluation/dialects/flagd/packer.h"
#include "evaluation/dialects/flagd/parse.h"
#include "evaluation/dialects/flagd/rule_compiler.h"
#include "evaluation/dialects/flagd/rule_use.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

// A variant or metadata member with its texts prepared. Views into the record or the arena.
struct PreparedMember {
  std::string_view name;
  std::string_view name_json;
  std::string_view value_json;
};

// Most names and values are spelled as they go into an answer and need no copy.
PreparedMember prepare(const WrittenMember& written, Arena& arena) {
  PreparedMember member{written.name, written.quoted_name, written.value};
  const bool escaped = written.quoted_name.size() != written.name.size() + 2;
  if (escaped) {
    std::string name_json;
    append_json_string(name_json, written.name);
    member.name_json = arena.copy(name_json);
  }
  if (const char first = written.value.front(); first == '{' || first == '[') {
    std::string value_json;
    append_minified(value_json, written.value);
    member.value_json = arena.copy(value_json);
  }
  return member;
}

std::span<const PreparedMember> prepare(std::span<const WrittenMember> written, Arena& arena) {
  const auto members = arena.make_array<PreparedMember>(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) members[i] = prepare(written[i], arena);
  return members;
}

// Comparing each with each tells sooner while there are few.
bool may_have_duplicates(std::span<const WrittenMember> written) {
  constexpr std::size_t kFew = 8;
  if (written.size() > kFew) return true;
  for (std::size_t i = 1; i < written.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same_text(written[i].name, written[j].name)) return true;
    }
  }
  return false;
}

// Of equal names the last one stays, in the place of the first.
std::span<const WrittenMember> without_duplicates(std::span<const WrittenMember> written,
                                                  Arena& arena) {
  if (!may_have_duplicates(written)) return written;
  const auto by_name = arena.make_array<const WrittenMember*>(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) by_name[i] = &written[i];
  std::sort(by_name.begin(), by_name.end(), [](const WrittenMember* a, const WrittenMember* b) {
    const int order = a->name.compare(b->name);
    return order != 0 ? order < 0 : a < b;
  });
  const auto last_of_place = arena.make_array<const WrittenMember*>(written.size());
  std::fill(last_of_place.begin(), last_of_place.end(), nullptr);
  for (std::size_t begin = 0, end = 0; begin < by_name.size(); begin = end) {
    while (end < by_name.size() && by_name[end]->name == by_name[begin]->name) ++end;
    last_of_place[static_cast<std::size_t>(by_name[begin] - written.data())] = by_name[end - 1];
  }
  const auto kept = arena.make_array<WrittenMember>(written.size());
  std::size_t count = 0;
  for (const WrittenMember* member : last_of_place) {
    if (member != nullptr) kept[count++] = *member;
  }
  return kept.first(count);
}

// Metadata as answers carry it, its members' texts inside the joined one.
struct PreparedMetadata {
  struct Place {
    std::string_view name;
    std::size_t begin = 0;
    std::size_t size = 0;
    bool escaped = false;
  };
  std::string_view joined;
  std::span<const Place> places;
};

PreparedMetadata prepare_metadata(std::span<const WrittenMember> written, Arena& arena) {
  const auto members = prepare(without_duplicates(written, arena), arena);
  const auto places = arena.make_array<PreparedMetadata::Place>(members.size());
  std::size_t count = 0;
  std::size_t size = 0;
  for (const PreparedMember& member : members) {
    size += member.name_json.size() + member.value_json.size() + 2;
  }
  char* const joined = static_cast<char*>(arena.allocate(size, 1));
  char* at = joined;
  for (const PreparedMember& member : members) {
    if (member.value_json == "null") continue;
    if (at != joined) *at++ = ',';
    const char* const begin = at;
    at = std::copy(member.name_json.begin(), member.name_json.end(), at);
    *at++ = ':';
    at = std::copy(member.value_json.begin(), member.value_json.end(), at);
    places[count++] = {member.name, static_cast<std::size_t>(begin - joined),
                       static_cast<std::size_t>(at - begin),
                       member.name_json.size() != member.name.size() + 2};
  }
  return {{joined, static_cast<std::size_t>(at - joined)}, places.first(count)};
}

std::span<const Variant> pack_variants(Packer& packer, std::span<const PreparedMember> from) {
  Variant* const variants = packer.make<Variant>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    Variant variant;
    variant.name_json_size = static_cast<std::uint32_t>(from[i].name_json.size());
    variant.value_json_size = static_cast<std::uint32_t>(from[i].value_json.size());
    variant.name_size = static_cast<std::uint32_t>(from[i].name.size());
    variant.type = type_of_json(from[i].value_json);
    // These stand one after the other.
    variant.chars = packer.text(Variant::kBeforeValue).data();
    packer.text(from[i].value_json);
    packer.text(Variant::kBeforeName);
    packer.text(from[i].name_json);
    if (variant.is_escaped()) packer.text(from[i].name);
    packer.remember(from[i].name, packer.measuring() ? std::string_view() : variant.name());
    if (variants != nullptr) variants[i] = variant;
  }
  return {variants, variants == nullptr ? 0 : from.size()};
}

Metadata pack_metadata(Packer& packer, const PreparedMetadata& from) {
  Metadata metadata;
  metadata.joined = packer.text(from.joined);
  MetadataMember* const members = packer.make<MetadataMember>(from.places.size());
  for (std::size_t i = 0; i < from.places.size(); ++i) {
    const PreparedMetadata::Place& place = from.places[i];
    // The plain name is stored only where it is spelled otherwise than inside the quotes.
    const std::string_view apart = place.escaped ? packer.text(place.name) : std::string_view();
    if (members == nullptr) continue;
    MetadataMember& member = members[i];
    member.text_chars = metadata.joined.data() + place.begin;
    member.text_size = static_cast<std::uint32_t>(place.size);
    member.name_chars = place.escaped ? apart.data() : member.text_chars + 1;
    member.name_size = static_cast<std::uint32_t>(place.name.size());
  }
  metadata.members = {members, members == nullptr ? 0 : from.places.size()};
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

}  // namespace

CompileResult compile_flag(const RecordText& text, Workbench& bench) {
  const auto definition = parse_flag(text.raw, bench.reader, bench.arena);
  if (!definition) return std::unexpected(definition.error());
  const auto variants = prepare(definition->variants, bench.arena);
  const auto metadata = prepare_metadata(definition->metadata, bench.arena);
  Node rule;
  FoundUse use;
  if (definition->targeting) {
    rule = compile_rule(*definition->targeting, bench.arena);
    use = find_use(*definition->targeting);
  }
  bench.key_json.clear();
  append_json_string(bench.key_json, text.key);
  return pack_record<CompiledFlag, Packer>([&](CompiledFlag& flag, Packer& packer) {
    flag.key_json = packer.text(bench.key_json);
    flag.disabled = definition->disabled;
    flag.key_hash = Murmur3Beginning(text.key);
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

CompileResult compile_evaluator(const RecordText& text, Workbench& bench) {
  const auto written = parse_evaluator(text.raw, bench.reader, bench.arena);
  if (!written) return std::unexpected(written.error());
  const Node rule = compile_rule(*written, bench.arena);
  const FoundUse use = find_use(*written);
  return pack_record<CompiledEvaluator, Packer>([&](CompiledEvaluator& evaluator, Packer& packer) {
    evaluator.rule = pack_rule(packer, rule);
    evaluator.written = packer.value(*written);
    evaluator.use = pack_use(packer, use);
  });
}

CompileResult compile_metadata(const RecordText& text, Workbench& bench) {
  const auto written = parse_metadata(text.raw, bench.reader, bench.arena);
  if (!written) return std::unexpected(written.error());
  const auto members = prepare_metadata(*written, bench.arena);
  return pack_record<CompiledMetadata, Packer>([&](CompiledMetadata& metadata, Packer& packer) {
    metadata.metadata = pack_metadata(packer, members);
  });
}

}  // namespace flagstone::evaluation::flagd
