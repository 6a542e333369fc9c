#include "tests/fakes/cache/fake_dialect.h"

#include <array>

namespace flagstone::fakes {
namespace {

using evaluation::CompiledRecord;
using evaluation::CompileResult;
using evaluation::RecordError;

class FakeRecord final : public CompiledRecord {
 public:
  FakeRecord(std::string_view raw, std::size_t bytes) : raw_(raw), bytes_(bytes) {}
  std::size_t bytes() const override { return bytes_; }
  std::string_view raw() const { return raw_; }

 private:
  std::string raw_;
  std::size_t bytes_;
};

constexpr std::array<evaluation::KindName, 2> kKinds = {
    evaluation::KindName{.kind = evaluation::kFlagKind, .name = "flag"},
    evaluation::KindName{.kind = kSegmentKind, .name = "segment"}};

bool contains(std::string_view list, std::string_view key) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == key) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

std::string_view cut(std::string_view& text) {
  const std::size_t colon = text.find(':');
  const std::string_view head = text.substr(0, colon);
  text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
  return head;
}

CompileResult compile_text(std::string_view raw, std::size_t bytes) {
  if (raw.starts_with("refuse")) {
    return std::unexpected(
        RecordError{.kind = RecordError::Kind::kRefused, .message = "cannot be read"});
  }
  if (raw.starts_with("broken")) {
    return std::unexpected(
        RecordError{.kind = RecordError::Kind::kMalformed, .message = "cut at byte 7"});
  }
  return std::make_unique<const FakeRecord>(raw, bytes);
}

}  // namespace

std::span<const evaluation::KindName> FakeDialect::kinds() const { return kKinds; }

CompileResult FakeDialect::compile(const evaluation::RecordText& text) const {
  ++compiled_count_;
  return compile_text(text.raw, compiled_bytes_);
}

std::expected<void, RecordError> FakeDialect::validate(const evaluation::RecordText& text) const {
  ++validated_count_;
  const CompileResult compiled = compile_text(text.raw, compiled_bytes_);
  if (!compiled) return std::unexpected(compiled.error());
  return {};
}

CompileResult FakeDialect::compile_metadata(std::string_view raw) const {
  return compile_text(raw, compiled_bytes_);
}

std::string FakeDialect::pin_text(std::string_view, std::string_view value_json) const {
  return "pinned=" + std::string(value_json);
}

evaluation::RecordTraits FakeDialect::traits(const evaluation::RecordText& text) const {
  return {.refers_to_others = text.raw.starts_with("segment:"),
          .reads_clock = text.raw.starts_with("clock")};
}

evaluation::Evaluation FakeDialect::evaluate(const evaluation::Subject& subject,
                                             const evaluation::EvaluationContext& context,
                                             const evaluation::RecordLookup& lookup,
                                             evaluation::Moment, evaluation::Scratch&) const {
  evaluation::Evaluation result;
  result.reason = evaluation::Reason::kStatic;
  result.type = evaluation::ValueType::kString;
  std::string_view text = static_cast<const FakeRecord&>(subject.flag).raw();
  if (subject.document != nullptr) {
    result.metadata_members = static_cast<const FakeRecord*>(subject.document)->raw();
  }
  if (!text.starts_with("segment:")) {
    result.value_json = text;
    return result;
  }
  cut(text);
  const std::string_view name = cut(text);
  const std::string_view yes = cut(text);
  const std::string_view no = cut(text);
  const CompiledRecord* found = lookup.find_in_any_set(kSegmentKind, name);
  const evaluation::Value* key = context.find("targetingKey");
  const bool in = found != nullptr && key != nullptr && key->is_string() &&
                  contains(static_cast<const FakeRecord*>(found)->raw(), key->as_string());
  result.reason = evaluation::Reason::kTargetingMatch;
  result.value_json = in ? yes : no;
  return result;
}

bool FakeDialect::varies_by_itself(const CompiledRecord& flag,
                                   const evaluation::RecordLookup&) const {
  return static_cast<const FakeRecord&>(flag).raw().starts_with("clock");
}

evaluation::Record flag(std::string_view key, std::string_view raw, std::int64_t version,
                        std::string_view set_id) {
  return {
      .id = {.kind = evaluation::kFlagKind, .set_id = std::string(set_id), .key = std::string(key)},
      .version = version,
      .tombstone = false,
      .raw = std::string(raw)};
}

evaluation::Record segment(std::string_view key, std::string_view raw, std::int64_t version) {
  evaluation::Record record = flag(key, raw, version);
  record.id.kind = kSegmentKind;
  return record;
}

evaluation::Record deleted(evaluation::Record record) {
  record.tombstone = true;
  record.raw.clear();
  return record;
}

evaluation::Update full(std::vector<evaluation::Record> records, std::string_view cursor,
                        std::string_view metadata) {
  return {.kind = evaluation::UpdateKind::kFull,
          .records = std::move(records),
          .metadata = std::string(metadata),
          .has_metadata = !metadata.empty(),
          .cursor = std::string(cursor)};
}

evaluation::Update delta(std::vector<evaluation::Record> records, std::string_view cursor) {
  evaluation::Update update = full(std::move(records), cursor);
  update.kind = evaluation::UpdateKind::kDelta;
  return update;
}

}  // namespace flagstone::fakes
