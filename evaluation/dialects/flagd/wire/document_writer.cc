#include "evaluation/dialects/flagd/wire/document_writer.h"

#include <algorithm>
#include <utility>

#include "evaluation/json_cursor.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::string_view kReference = "$ref";
constexpr std::string_view kSetId = "flagSetId";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool means(std::string_view escaped_name, std::string_view name) {
  if (escaped_name.find('\\') == std::string_view::npos) return escaped_name == name;
  std::string plain;
  append_unescaped(plain, escaped_name);
  return plain == name;
}

// Reads over a valid text, token by token.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  // To the next opening brace, which is eaten; strings are passed over.
  bool find_object() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        (void)string();
        continue;
      }
      ++at_;
      if (c == '{') return true;
    }
    return false;
  }
  bool take(char c) {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // What stands between the quotes of the string that comes next; false for anything else.
  bool take_string(std::string_view& between_quotes) {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size() || text_[at_] != '"') return false;
    between_quotes = string();
    return true;
  }
  void go_to(std::size_t at) { at_ = at; }

 private:
  std::string_view string() {
    const char* const begin = text_.data() + at_ + 1;
    const char* const quote = find_closing_quote(begin, text_.data() + text_.size());
    at_ = static_cast<std::size_t>(quote - text_.data()) + 1;
    return {begin, static_cast<std::size_t>(quote - begin)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<RuleReference> find_references(std::string_view rule) {
  std::vector<RuleReference> found;
  // Nearly every rule has none, and an escape may hide one.
  if (rule.find(kReference) == std::string_view::npos &&
      rule.find('\\') == std::string_view::npos) {
    return found;
  }
  Tokens tokens(rule);
  while (tokens.find_object()) {
    const std::size_t inside = tokens.at();
    std::string_view name;
    std::string_view value;
    if (tokens.take_string(name) && means(name, kReference) && tokens.take(':') &&
        tokens.take_string(value) && tokens.take('}')) {
      RuleReference& reference = found.emplace_back(inside - 1, tokens.at(), std::string());
      append_unescaped(reference.name, value);
      continue;
    }
    tokens.go_to(inside);
  }
  return found;
}

DocumentWriter::DocumentWriter(const EvaluatorTexts& evaluators, std::size_t bytes_max,
                               std::string& out)
    : evaluators_(evaluators), bytes_max_(bytes_max), out_(out), start_(out.size()) {
  out_ += "{\"flags\":{";
}

bool DocumentWriter::add(const WrittenFlag& flag) {
  if (comma_) out_ += ',';
  append_json_string(out_, flag.key);
  out_ += ':';
  if (flag.raw.starts_with('{') || flag.raw == "null") {
    out_ += '{';
    comma_ = false;
    add_members(flag);
    out_ += '}';
  } else {
    // No flag, and nothing to add to: whoever reads it judges it as it is.
    out_ += flag.raw;
  }
  comma_ = true;
  return out_.size() - start_ + expanded_bytes_ <= bytes_max_;
}

void DocumentWriter::finish() { out_ += "}}"; }

void DocumentWriter::add_members(const WrittenFlag& flag) {
  std::string_view metadata;
  if (flag.raw.starts_with('{')) {
    JsonCursor cursor(flag.raw);
    std::string_view name;
    std::string_view value;
    while (cursor.next(name, value)) {
      if (means(name, "metadata")) {
        metadata = value;  // Of duplicates the last counts.
        continue;
      }
      if (means(name, "source")) continue;
      const bool rule = means(name, "targeting");
      add_member({name.data() - 1, name.size() + 2}, rule ? std::string_view() : value);
      if (rule) add_rule(value, flag.set_id);
    }
  }
  add_metadata(metadata == "null" ? std::string_view() : metadata, flag);
  add_member("\"source\"", {});
  append_json_string(out_, flag.source);
}

void DocumentWriter::add_member(std::string_view quoted_name, std::string_view value) {
  if (comma_) out_ += ',';
  comma_ = true;
  out_ += quoted_name;
  out_ += ':';
  out_ += value;
}

void DocumentWriter::add_rule(std::string_view rule, std::string_view set_id) {
  const std::size_t begin = out_.size();
  if (expand(rule, set_id, out_)) return;
  out_.resize(begin);
  out_ += rule;
}

bool DocumentWriter::expand(std::string_view rule, std::string_view set_id, std::string& out) {
  const std::size_t begin = out.size();
  std::size_t written = 0;
  for (const RuleReference& reference : find_references(rule)) {
    const std::string* const evaluator = expanded(reference.name, set_id);
    if (evaluator == nullptr) continue;
    out += rule.substr(written, reference.begin - written);
    out += *evaluator;
    written = reference.end;
    if (out.size() - begin > kRuleBytesMax) return false;
  }
  out += rule.substr(written);
  return true;
}

// Recursion is bounded by kReferenceDepthMax.
const std::string* DocumentWriter::expanded(std::string_view name, std::string_view set_id) {
  if (reference_depth_ == kReferenceDepthMax) return nullptr;
  auto [at, missing] = expanded_.try_emplace({std::string(set_id), std::string(name)});
  if (missing) {
    ++reference_depth_;
    std::string text;
    if (!expand(evaluators_.find(set_id, name), set_id, text)) text.clear();
    --reference_depth_;
    expanded_bytes_ += text.size();
    at->second = std::move(text);
  }
  return at->second.empty() ? nullptr : &at->second;
}

void DocumentWriter::add_metadata(std::string_view own, const WrittenFlag& flag) {
  if (!own.empty() && !own.starts_with('{')) {
    add_member("\"metadata\"", own);  // No object: nothing can be merged into it.
    return;
  }
  if (flag.document_metadata.empty() && flag.set_id.empty()) {
    if (!own.empty()) add_member("\"metadata\"", own);
    return;
  }
  if (document_text_.data() != flag.document_metadata.data()) {
    document_text_ = flag.document_metadata;
    read_members(document_text_, document_);
  }
  read_members(own, own_);
  add_member("\"metadata\"", {});
  add_merged(flag);
}

// Both are sorted by name.
void DocumentWriter::add_merged(const WrittenFlag& flag) {
  bool has_set = flag.set_id.empty();
  out_ += '{';
  comma_ = false;
  auto write = [&](const Member& member) {
    has_set = has_set || member.name == kSetId;
    add_member(member.quoted_name, member.value);
  };
  auto document = document_.begin();
  for (const Member& own : own_) {
    while (document != document_.end() && document->name < own.name) write(*document++);
    if (document != document_.end() && document->name == own.name) ++document;
    write(own);
  }
  while (document != document_.end()) write(*document++);
  if (!has_set) {
    // A pin lies in a set of which its own text says nothing.
    add_member("\"flagSetId\"", {});
    append_json_string(out_, flag.set_id);
  }
  out_ += '}';
  comma_ = true;
}

// What counts of an object: the last of equal names, and no nulls. Sorted by name.
void DocumentWriter::read_members(std::string_view object, Members& members) {
  members.clear();
  if (object.empty()) return;
  JsonCursor cursor(object);
  std::string_view name;
  std::string_view value;
  while (cursor.next(name, value)) {
    Member& member = members.emplace_back();
    append_unescaped(member.name, name);
    member.quoted_name = {name.data() - 1, name.size() + 2};
    member.value = value;
    member.order = members.size();
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::pair(std::string_view(a.name), b.order) <
           std::pair(std::string_view(b.name), a.order);
  });
  auto same_name = [](const Member& a, const Member& b) { return a.name == b.name; };
  members.erase(std::unique(members.begin(), members.end(), same_name), members.end());
  std::erase_if(members, [](const Member& member) { return member.value == "null"; });
}

}  // namespace flagstone::evaluation::flagd
