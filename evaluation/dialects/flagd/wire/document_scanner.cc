#include "evaluation/dialects/flagd/wire/document_scanner.h"

#include <array>
#include <optional>
#include <utility>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/json_cursor.h"
#include "evaluation/json_cutter.h"
#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

std::string unescaped(std::string_view between_quotes) {
  std::string plain;
  append_unescaped(plain, between_quotes);
  return plain;
}

// What the string says that begins at `value` and ends before `end`; nothing when it is no string,
// or not there.
std::optional<std::string> string_at(const char* value, const char* end) {
  if (value == nullptr || *value != '"') return std::nullopt;
  return unescaped({value + 1, find_closing_quote(value + 1, end)});
}

// The value of that member, of duplicates the last; nullptr without one. REQUIRES: valid JSON, an
// object.
const char* member_of(std::string_view object, std::string_view wanted) {
  const char* found = nullptr;
  JsonCursor members(object);
  for (std::string_view name, value; members.next(name, value);) {
    if (unescaped(name) == wanted) found = value.data();
  }
  return found;
}

// What a record says of itself beside its rule: its `key` and its `metadata.flagSetId`, of
// duplicates the last. Hears of them while the record is passed over, or looks for them.
class OwnNames final : public PassedMembers {
 public:
  bool take(const PassedMember& member) override {
    if (member.depth == 2 && !in_metadata_) return true;
    // An escaped name is rare, and left to look_in().
    if (member.escaped_name.find('\\') != std::string_view::npos) return false;
    if (member.depth == 1) {
      in_metadata_ = false;
      if (member.escaped_name == "key") key_ = member.value;
      if (member.escaped_name == "metadata") {
        in_metadata_ = *member.value == '{';
        set_id_ = nullptr;
      }
    } else if (member.escaped_name == "flagSetId") {
      set_id_ = member.value;
    }
    return true;
  }
  // `record`: valid JSON.
  void look_in(std::string_view record) {
    *this = OwnNames();
    if (record.front() != '{') return;
    key_ = member_of(record, "key");
    const char* const metadata = member_of(record, "metadata");
    if (metadata == nullptr || *metadata != '{') return;
    set_id_ = member_of({metadata, record.data() + record.size()}, "flagSetId");
  }

  // The strings they held. `end`: the record's.
  std::optional<std::string> key(const char* end) const { return string_at(key_, end); }
  std::optional<std::string> set_id(const char* end) const { return string_at(set_id_, end); }

 private:
  const char* key_ = nullptr;
  const char* set_id_ = nullptr;
  bool in_metadata_ = false;
};

std::unexpected<std::string> wrong(std::string_view name, std::string_view what) {
  return std::unexpected("\"" + std::string(name) + "\" " + std::string(what));
}

}  // namespace

// The cutter says what comes; this class knows where in a flagd document that is.
//
// Depths: the document's object is 0, `flags` and `$evaluators` are 1, records are 2.
class DocumentScanner::Impl final : private JsonCutter::Receiver {
 public:
  explicit Impl(std::size_t bytes_max) : cutter_(bytes_max, bytes_max, *this) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::expected<void, DocumentError> feed(std::string_view chunk) { return cutter_.feed(chunk); }

  std::expected<ScannedDocument, DocumentError> finish() {
    if (auto whole = cutter_.finish(); !whole) return std::unexpected(std::move(whole.error()));
    if (!has_flags_) {
      return std::unexpected(DocumentError{.message = "the document has no \"flags\""});
    }
    for (std::size_t i = 0; i < document_.update.records.size(); ++i) {
      if (!has_own_set_[i]) document_.update.records[i].id.set_id = document_set_id_;
    }
    document_.update.kind = UpdateKind::kFull;
    document_.document_set_id = std::move(document_set_id_);
    return std::move(document_);
  }

  std::size_t held_bytes() const { return held_bytes_; }
  std::vector<DrainedRecord> drain() {
    std::vector<DrainedRecord> drained;
    drained.reserve(document_.update.records.size());
    for (std::size_t i = 0; i < document_.update.records.size(); ++i) {
      Record& record = document_.update.records[i];
      drained_kinds_[record.id.kind == kFlagKind ? 0 : 1] = true;
      drained.push_back({std::move(record), has_own_set_[i]});
    }
    document_.update.records.clear();
    document_.record_lines.clear();
    has_own_set_.clear();
    held_bytes_ = 0;
    return drained;
  }

 private:
  using Value = JsonCutter::Value;
  using Wish = JsonCutter::Wish;
  enum class Section : std::uint8_t { kFlags, kFlagList, kEvaluators, kMetadata };

  std::expected<Wish, std::string> on_value(const Value& value) override {
    if (value.depth == 0) {
      if (value.first != '{') return std::unexpected("the document is not an object");
      return Wish::kEnter;
    }
    line_ = static_cast<std::uint32_t>(value.line);
    if (value.depth == 1) return begin_section(value);
    if (section_ == Section::kFlagList && value.first != '{') {
      return std::unexpected("an element of \"flags\" is not an object");
    }
    key_ = value.key;
    names_ = OwnNames();
    return Wish::kTake;
  }

  // A member of the document begins. Of duplicates the last wins, so what an earlier one brought is
  // forgotten.
  std::expected<Wish, std::string> begin_section(const Value& value) {
    if (value.key == "flags") return begin_flags(value);
    const bool is_evaluators = value.key == "$evaluators";
    if (!is_evaluators && value.key != "metadata") return Wish::kSkip;
    if (is_evaluators) {
      section_ = Section::kEvaluators;
      if (auto done = forget_records(kEvaluatorKind, value.key); !done) {
        return std::unexpected(std::move(done.error()));
      }
    } else {
      section_ = Section::kMetadata;
      document_.update.metadata.clear();
      document_.update.has_metadata = false;
      document_set_id_.clear();
    }
    if (value.first == 'n') return Wish::kSkip;
    if (value.first != '{') return wrong(value.key, "is not an object");
    return is_evaluators ? Wish::kEnter : Wish::kTake;
  }

  std::expected<Wish, std::string> begin_flags(const Value& value) {
    if (auto done = forget_records(kFlagKind, value.key); !done) {
      return std::unexpected(std::move(done.error()));
    }
    if (value.first != '{' && value.first != '[') {
      return wrong(value.key, "is neither an object nor an array");
    }
    section_ = value.first == '{' ? Section::kFlags : Section::kFlagList;
    has_flags_ = true;
    return Wish::kEnter;
  }

  std::expected<void, std::string> forget_records(RecordKind kind, std::string_view name) {
    if (drained_kinds_[kind == kFlagKind ? 0 : 1]) {
      return wrong(name, "appears twice in a document of this size");
    }
    ScannedDocument kept;
    std::vector<bool> kept_own_set;
    for (std::size_t i = 0; i < document_.update.records.size(); ++i) {
      if (document_.update.records[i].id.kind == kind) continue;
      kept.update.records.push_back(std::move(document_.update.records[i]));
      kept.record_lines.push_back(document_.record_lines[i]);
      kept_own_set.push_back(has_own_set_[i]);
    }
    document_.update.records = std::move(kept.update.records);
    document_.record_lines = std::move(kept.record_lines);
    has_own_set_ = std::move(kept_own_set);
    return {};
  }

  PassedMembers* watcher() override { return section_ == Section::kMetadata ? nullptr : &names_; }
  std::expected<void, std::string> on_watched(std::string_view raw) override { return add(raw); }
  std::expected<void, std::string> on_taken(std::string_view raw) override {
    if (section_ == Section::kMetadata) return take_metadata(raw);
    names_.look_in(raw);
    return add(raw);
  }
  std::expected<void, std::string> on_left(std::size_t) override { return {}; }

  std::expected<void, std::string> take_metadata(std::string_view raw) {
    // Inside a record depth is Dialect::compile()'s business: it harms only that record.
    if (!check_json(raw, kJsonDepthMax - 1)) {
      return std::unexpected("nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
    }
    document_.update.metadata = raw;
    document_.update.has_metadata = true;
    document_.metadata_line = line_;
    const char* const set_id = member_of(raw, "flagSetId");
    document_set_id_ = string_at(set_id, raw.data() + raw.size()).value_or("");
    return {};
  }

  std::expected<void, std::string> add(std::string_view raw) {
    const char* const end = raw.data() + raw.size();
    Record record;
    record.id.kind = section_ == Section::kEvaluators ? kEvaluatorKind : kFlagKind;
    if (section_ == Section::kFlagList) {
      auto key = names_.key(end);
      if (!key) return std::unexpected("an element of \"flags\" has no \"key\"");
      key_ = std::move(*key);
    }
    record.id.key = key_;
    if (record.id.kind == kFlagKind) {
      if (auto set_id = names_.set_id(end)) record.id.set_id = std::move(*set_id);
    }
    record.raw = raw;
    held_bytes_ += sizeof(Record) + record.id.key.size() + record.raw.size();
    document_.record_lines.push_back(line_);
    has_own_set_.push_back(!record.id.set_id.empty());
    document_.update.records.push_back(std::move(record));
    return {};
  }

  JsonCutter cutter_;
  Section section_ = Section::kFlags;
  bool has_flags_ = false;

  // Of the value that was begun last.
  std::uint32_t line_ = 0;
  std::string key_;
  OwnNames names_;

  std::string document_set_id_;
  std::vector<bool> has_own_set_;
  ScannedDocument document_;
  std::size_t held_bytes_ = 0;
  std::array<bool, 2> drained_kinds_{};  // flags, evaluators
};

DocumentScanner::DocumentScanner(std::size_t document_bytes_max)
    : impl_(std::make_unique<Impl>(document_bytes_max)) {}
DocumentScanner::~DocumentScanner() = default;
DocumentScanner::DocumentScanner(DocumentScanner&&) noexcept = default;
DocumentScanner& DocumentScanner::operator=(DocumentScanner&&) noexcept = default;

std::expected<void, DocumentError> DocumentScanner::feed(std::string_view chunk) {
  return impl_->feed(chunk);
}

std::size_t DocumentScanner::held_bytes() const { return impl_->held_bytes(); }
std::vector<DrainedRecord> DocumentScanner::drain() { return impl_->drain(); }

std::expected<ScannedDocument, DocumentError> DocumentScanner::finish() { return impl_->finish(); }

}  // namespace flagstone::evaluation::flagd
