#include "evaluation/dialects/flagd/wire/document_scanner.h"

#include <array>
#include <optional>
#include <utility>

#include "evaluation/dialect.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/json_skip.h"
#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {

using Event = JsonSyntax::Event;

namespace {

std::string unescaped(std::string_view between_quotes) {
  std::string plain;
  append_unescaped(plain, between_quotes);
  return plain;
}

// Watches a record that is passed over in one piece for its `key` and its `metadata.flagSetId`, of
// duplicates the last.
class WatchedMembers final : public PassedMembers {
 public:
  bool take(const PassedMember& member) override {
    // An escaped name is rare, and left to those who look closely.
    if (member.escaped_name.find('\\') != std::string_view::npos) return false;
    if (member.depth == 1) {
      in_metadata_ = false;
      if (member.escaped_name == "key") key_ = member.value;
      if (member.escaped_name == "metadata") {
        in_metadata_ = *member.value == '{';
        set_id_ = nullptr;
      }
    } else if (in_metadata_ && member.escaped_name == "flagSetId") {
      set_id_ = member.value;
    }
    return true;
  }

  // The strings they held; nothing when they were no strings or not there. `end`: the record's.
  std::optional<std::string> key(const char* end) const { return string_at(key_, end); }
  std::optional<std::string> set_id(const char* end) const { return string_at(set_id_, end); }

 private:
  static std::optional<std::string> string_at(const char* value, const char* end) {
    if (value == nullptr || *value != '"') return std::nullopt;
    return unescaped({value + 1, find_closing_quote(value + 1, end)});
  }

  const char* key_ = nullptr;
  const char* set_id_ = nullptr;
  bool in_metadata_ = false;
};

}  // namespace

// The syntax checker says what comes; this class knows where in a flagd document that is.
//
// Depths: the document's object is 1, `flags` and `$evaluators` are 2, so a flag's own members
// stand at 3. While a record is open, its bytes are gathered and two things in it are watched: its
// `key` and its `metadata.flagSetId`. Nearly all records are objects that lie whole and right in
// one chunk; those are passed over in one step.
class DocumentScanner::Impl {
 public:
  explicit Impl(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::expected<void, DocumentError> feed(std::string_view chunk) {
    if (error_) return std::unexpected(*error_);
    if (chunk.size() > bytes_max_ - fed_) {
      return refuse("the document is larger than " + std::to_string(bytes_max_) + " bytes");
    }
    fed_ += chunk.size();
    const char* at = chunk.data();
    const char* const end = at + chunk.size();
    piece_ = at;
    for (;;) {
      const char* const from = at;
      const Event event = syntax_.next(at, end);
      if (gather_text_ && event != Event::kBeginString) {
        text_.append(from, event == Event::kEndString ? at - 1 : at);
      }
      if (event == Event::kMore) break;
      if (event == Event::kError) return refuse(std::string(syntax_.message()));
      handle(event, at);
      if (!error_ && event == Event::kBeginObject && begins_record()) pass_record(at, end);
      if (error_) return std::unexpected(*error_);
    }
    if (open_) raw_.append(piece_, end);
    return {};
  }

  std::expected<ScannedDocument, DocumentError> finish() {
    if (error_) return std::unexpected(*error_);
    if (!syntax_.finish()) {
      refuse(std::string(syntax_.message()));
      return std::unexpected(*error_);
    }
    if (!has_flags_) {
      error_ = DocumentError{"the document has no \"flags\""};
      return std::unexpected(*error_);
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
  enum class Section : std::uint8_t {
    kNone,
    kFlags,     // The value of `flags` is to come, or is an object being read.
    kFlagList,  // `flags` is an array.
    kEvaluators,
    kMetadata,
    kSkipped,
  };
  // Which member of an open record the scanner is in.
  enum class Watched : std::uint8_t { kNothing, kKey, kMetadata };

  std::expected<void, DocumentError> refuse(std::string message) {
    if (!error_) {
      error_ = DocumentError{std::move(message), syntax_.offset(), syntax_.line(),
                             syntax_.offset() - syntax_.line_start() + 1};
    }
    return std::unexpected(*error_);
  }

  void handle(Event event, const char* at) {
    switch (event) {
      case Event::kBeginObject:
      case Event::kBeginArray:
        begin_container(event, at);
        break;
      case Event::kEndObject:
      case Event::kEndArray:
        end_container(at);
        break;
      case Event::kBeginString:
        begin_string(at);
        break;
      case Event::kEndString:
        end_string(at);
        break;
      case Event::kBeginScalar:
        begin_plain_value(at, syntax_.scalar() == 'n');
        break;
      case Event::kEndScalar:
        if (open_ && syntax_.depth() == base_) close_record(at);
        break;
      case Event::kMore:
      case Event::kError:
        break;
    }
  }

  void begin_container(Event event, const char* at) {
    const bool object = event == Event::kBeginObject;
    const std::size_t depth = syntax_.depth();
    if (open_) {
      // Depth inside a record is Dialect::compile()'s business: it harms only that record.
      if (depth == base_ + 2) {
        forget_watched_value();
        in_metadata_ = watched_ == Watched::kMetadata && object;
      } else if (depth == base_ + 3 && in_metadata_) {
        forget_watched_value();
      }
      if (section_ != Section::kMetadata) return;
    }
    if (depth > kMaxJsonDepth) {
      refuse("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    } else if (open_) {
      return;
    } else if (depth == 1) {
      if (!object) refuse("the document is not an object");
    } else if (depth == 2) {
      begin_section(object, at);
    } else if (depth == 3 && section_ == Section::kFlagList) {
      if (!object) return void(refuse("an element of \"flags\" is not an object"));
      key_.reset();
      open_record(at - 1);
    } else if (depth == 3 && section_ != Section::kSkipped) {
      open_record(at - 1);
    }
  }

  void begin_section(bool object, const char* at) {
    switch (section_) {
      case Section::kFlags:
        if (!object) section_ = Section::kFlagList;
        has_flags_ = true;
        break;
      case Section::kEvaluators:
        if (!object) refuse("\"$evaluators\" is not an object");
        break;
      case Section::kMetadata:
        if (!object) return void(refuse("\"metadata\" is not an object"));
        // The document's metadata is read as if it were that member of a record around it.
        open_record(at - 1);
        base_ = 0;
        document_.metadata_line = line_;
        watched_ = Watched::kMetadata;
        in_metadata_ = true;
        break;
      default:
        break;
    }
  }

  void end_container(const char* at) {
    const std::size_t depth = syntax_.depth();
    if (open_) {
      if (section_ == Section::kMetadata) {
        if (depth == 1) close_metadata(at);
      } else if (depth == base_) {
        close_record(at);
      } else if (depth == base_ + 1) {
        in_metadata_ = false;
      }
    } else if (depth == 1) {
      section_ = Section::kNone;
    }
  }

  void begin_string(const char* at) {
    text_.clear();
    const std::size_t depth = syntax_.depth();
    if (syntax_.is_key()) {
      gather_text_ = open_ ? depth == base_ + 1 || (depth == base_ + 2 && in_metadata_)
                           : depth == 1 || (depth == 2 && section_ != Section::kSkipped);
      return;
    }
    begin_plain_value(at - 1, false);
    // A record that is itself a string (which no compiler takes) watches nothing.
    gather_text_ = open_ && depth > base_ && is_watched_value(depth);
  }

  void end_string(const char* at) {
    const bool gathered = std::exchange(gather_text_, false);
    const std::size_t depth = syntax_.depth();
    if (!gathered) {
      if (open_ && !syntax_.is_key() && depth == base_) close_record(at);
      return;
    }
    if (syntax_.has_escape()) text_ = unescaped(text_);
    if (!syntax_.is_key()) {
      (in_metadata_ ? set_id_ : key_) = text_;
    } else if (open_) {
      enter_watched_member(depth);
    } else if (depth == 1) {
      enter_section();
    } else {
      key_ = text_;
    }
  }

  // A string, number or literal begins.
  void begin_plain_value(const char* at, bool null) {
    const std::size_t depth = syntax_.depth();
    if (open_) {
      if (depth == base_ + 1 || (depth == base_ + 2 && in_metadata_)) forget_watched_value();
    } else if (depth == 0) {
      refuse("the document is not an object");
    } else if (depth == 1) {
      plain_section_value(null);
    } else if (depth == 2 && section_ == Section::kFlagList) {
      refuse("an element of \"flags\" is not an object");
    } else if (depth == 2 && section_ != Section::kSkipped) {
      open_record(at);
    }
  }

  void plain_section_value(bool null) {
    switch (section_) {
      case Section::kFlags:
        refuse("\"flags\" is neither an object nor an array");
        break;
      case Section::kEvaluators:
        if (!null) refuse("\"$evaluators\" is not an object");
        break;
      case Section::kMetadata:
        if (!null) refuse("\"metadata\" is not an object");
        break;
      default:
        break;
    }
    section_ = Section::kNone;
  }

  // A member of the document begins. Of duplicates the last wins, so what an earlier one brought is
  // forgotten.
  void enter_section() {
    if (text_ == "flags") {
      section_ = Section::kFlags;
      has_flags_ = false;
      forget_records(kFlagKind);
    } else if (text_ == "$evaluators") {
      section_ = Section::kEvaluators;
      forget_records(kEvaluatorKind);
    } else if (text_ == "metadata") {
      section_ = Section::kMetadata;
      document_.update.metadata.clear();
      document_.update.has_metadata = false;
      document_set_id_.clear();
    } else {
      section_ = Section::kSkipped;
    }
  }

  void forget_records(RecordKind kind) {
    if (drained_kinds_[kind == kFlagKind ? 0 : 1]) {
      return void(refuse("\"" + text_ + "\" appears twice in a document of this size"));
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
  }

  void enter_watched_member(std::size_t depth) {
    if (depth == base_ + 2) {
      in_flag_set_id_ = text_ == "flagSetId";
      return;
    }
    const bool flag = section_ == Section::kFlags || section_ == Section::kFlagList;
    watched_ = flag && text_ == "metadata"                        ? Watched::kMetadata
               : section_ == Section::kFlagList && text_ == "key" ? Watched::kKey
                                                                  : Watched::kNothing;
  }

  bool is_watched_value(std::size_t depth) const {
    if (depth == base_ + 1) return watched_ == Watched::kKey;
    return depth == base_ + 2 && in_metadata_ && in_flag_set_id_;
  }

  // A new value of a watched member replaces what an earlier duplicate said.
  void forget_watched_value() {
    if (in_metadata_) {
      if (in_flag_set_id_) set_id_.reset();
    } else if (watched_ == Watched::kMetadata) {
      set_id_.reset();
    } else if (watched_ == Watched::kKey) {
      key_.reset();
    }
  }

  void open_record(const char* at) {
    open_ = true;
    base_ = section_ == Section::kMetadata ? 0 : 2;
    piece_ = at;
    raw_.clear();
    line_ = static_cast<std::uint32_t>(syntax_.line());
    watched_ = Watched::kNothing;
    in_metadata_ = false;
    in_flag_set_id_ = false;
    set_id_.reset();
  }

  // Right after the beginning of an object.
  bool begins_record() const {
    return open_ && section_ != Section::kMetadata && syntax_.depth() == base_ + 1;
  }

  // Eats the record that was just opened, if that can be done in one step.
  void pass_record(const char*& at, const char* end) {
    WatchedMembers members;
    const std::optional<PassedObject> passed = pass_object(at, end, members);
    if (!passed) return;
    syntax_.pass(at, *passed);
    at = passed->end;
    if (section_ == Section::kFlagList) key_ = members.key(at);
    if (section_ != Section::kEvaluators) set_id_ = members.set_id(at);
    close_record(at);
  }

  void close_metadata(const char* at) {
    open_ = false;
    in_metadata_ = false;
    raw_.append(piece_, at);
    document_.update.metadata = std::exchange(raw_, {});
    document_.update.has_metadata = true;
    document_set_id_ = set_id_.value_or("");
    section_ = Section::kNone;
  }

  void close_record(const char* at) {
    open_ = false;
    in_metadata_ = false;
    if (!key_) return void(refuse("an element of \"flags\" has no \"key\""));
    Record record;
    record.id.kind = section_ == Section::kEvaluators ? kEvaluatorKind : kFlagKind;
    record.id.key = *key_;
    const bool own_set = set_id_ && !set_id_->empty();
    if (own_set) record.id.set_id = *set_id_;
    if (raw_.empty()) {
      record.raw.assign(piece_, at);
    } else {
      raw_.append(piece_, at);
      record.raw = raw_;
    }
    held_bytes_ += sizeof(Record) + record.id.key.size() + record.raw.size();
    document_.update.records.push_back(std::move(record));
    document_.record_lines.push_back(line_);
    has_own_set_.push_back(own_set);
  }

  const std::size_t bytes_max_;
  std::size_t fed_ = 0;
  JsonSyntax syntax_;
  std::optional<DocumentError> error_;

  Section section_ = Section::kNone;
  bool has_flags_ = false;
  bool gather_text_ = false;
  std::string text_;

  // The open record: its bytes are raw_ and then what follows piece_ in the current chunk.
  bool open_ = false;
  std::size_t base_ = 0;
  std::string raw_;
  const char* piece_ = nullptr;
  std::uint32_t line_ = 0;
  std::optional<std::string> key_;
  std::optional<std::string> set_id_;
  Watched watched_ = Watched::kNothing;
  bool in_metadata_ = false;
  bool in_flag_set_id_ = false;

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
