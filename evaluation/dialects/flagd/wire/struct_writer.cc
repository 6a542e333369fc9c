#include "evaluation/dialects/flagd/wire/struct_writer.h"

#include <cassert>

#include "evaluation/dialects/flagd/wire/protobuf_writer.h"
#include "evaluation/json_skip.h"
#include "evaluation/json_text.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::flagd {
namespace {

// Fields of the messages in struct.proto.
constexpr std::uint32_t kStructFields = 1;
constexpr std::uint32_t kEntryKey = 1;
constexpr std::uint32_t kEntryValue = 2;
constexpr std::uint32_t kListValues = 1;
constexpr std::uint32_t kNull = 1;
constexpr std::uint32_t kNumber = 2;
constexpr std::uint32_t kString = 3;
constexpr std::uint32_t kBool = 4;
constexpr std::uint32_t kStruct = 5;
constexpr std::uint32_t kList = 6;

// What one value may leave behind in the memory for strings; beyond it is given back.
constexpr std::size_t kKeptBytes = std::size_t{256} << 10;

constexpr std::size_t entry_size(std::size_t key, std::size_t value) {
  return bytes_field_size(key) + bytes_field_size(value);
}

}  // namespace

std::string_view plain_string(std::string_view json, std::string& room) {
  assert(json.size() >= 2 && json.front() == '"');
  const std::string_view between = json.substr(1, json.size() - 2);
  if (between.find('\\') == std::string_view::npos) return between;
  room.clear();
  append_unescaped(room, between);
  return room;
}

// Valid JSON into tokens. Depth is bounded by what compiles, so recursion is too.
class StructWriter::Reader {
 public:
  Reader(StructWriter& writer, std::string_view json)
      : writer_(writer), at_(json.data()), end_(json.data() + json.size()) {}

  // Returns the size of the Value message.
  std::size_t value() {
    skip_space();
    switch (*at_) {
      case '{':
        return container(Kind::kObject, '}');
      case '[':
        return container(Kind::kArray, ']');
      case '"':
        return value_size(string());
      case 'n':
        return literal(Kind::kNull, 4);
      case 't':
        return literal(Kind::kTrue, 4);
      case 'f':
        return literal(Kind::kFalse, 5);
      default:
        return number();
    }
  }

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  Token& add(Kind kind) {
    writer_.tokens_.push_back({.kind = kind});
    return writer_.tokens_.back();
  }
  std::size_t literal(Kind kind, std::size_t size) {
    at_ += size;
    return value_size(add(kind));
  }
  std::size_t number() {
    const char* const from = at_;
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && *at_ > ' ') ++at_;
    Token& token = add(Kind::kNumber);
    token.number = operators::parse_number({from, static_cast<std::size_t>(at_ - from)}).value;
    return value_size(token);
  }
  const Token& string() {
    const char* const from = at_;
    at_ = find_closing_quote(at_ + 1, end_) + 1;
    const std::string_view quoted(from, static_cast<std::size_t>(at_ - from));
    std::string_view plain = plain_string(quoted, writer_.escape_free_);
    if (plain.data() == writer_.escape_free_.data()) plain = writer_.unescaped_.copy(plain);
    Token& token = add(Kind::kString);
    token.text = plain.data();
    token.size = plain.size();
    return token;
  }
  std::size_t container(Kind kind, char closing) {
    ++at_;
    const std::size_t index = writer_.tokens_.size();
    add(kind);
    std::size_t size = 0;
    std::uint32_t count = 0;
    for (skip_space(); *at_ != closing; skip_space()) {
      if (*at_ == ',') {
        ++at_;
        skip_space();
      }
      size += bytes_field_size(kind == Kind::kObject ? member() : value());
      ++count;
    }
    ++at_;
    Token& token = writer_.tokens_[index];
    token.size = size;
    token.count = count;
    return value_size(token);
  }
  // Returns the size of the map's entry.
  std::size_t member() {
    const std::size_t key = string().size;
    skip_space();
    ++at_;  // The colon.
    return entry_size(key, value());
  }

  StructWriter& writer_;
  const char* at_;
  const char* end_;
};

// Tokens into bytes.
class StructWriter::Emitter {
 public:
  Emitter(const std::vector<Token>& tokens, std::string& out) : next_(tokens.data()), out_(out) {}

  void fields_of_struct() {
    const Token& object = *next_++;
    for (std::uint32_t i = 0; i < object.count; ++i) {
      const Token& key = *next_++;
      append_bytes_head(out_, kStructFields, entry_size(key.size, value_size(*next_)));
      append_bytes(out_, kEntryKey, {key.text, key.size});
      append_bytes_head(out_, kEntryValue, value_size(*next_));
      value();
    }
  }

 private:
  void values_of_list() {
    const Token& array = *next_++;
    for (std::uint32_t i = 0; i < array.count; ++i) {
      append_bytes_head(out_, kListValues, value_size(*next_));
      value();
    }
  }
  void value() {
    const Token& token = *next_;
    switch (token.kind) {
      case Kind::kNull:
        append_number(out_, kNull, 0);
        break;
      case Kind::kFalse:
      case Kind::kTrue:
        append_number(out_, kBool, token.kind == Kind::kTrue);
        break;
      case Kind::kNumber:
        append_double(out_, kNumber, token.number);
        break;
      case Kind::kString:
        append_bytes(out_, kString, {token.text, token.size});
        break;
      case Kind::kObject:
        append_bytes_head(out_, kStruct, token.size);
        return fields_of_struct();
      case Kind::kArray:
        append_bytes_head(out_, kList, token.size);
        return values_of_list();
    }
    ++next_;
  }

  const Token* next_;
  std::string& out_;
};

std::size_t StructWriter::value_size(const Token& token) {
  constexpr std::size_t kTagAndBit = 2;
  switch (token.kind) {
    case Kind::kNull:
    case Kind::kFalse:
    case Kind::kTrue:
      return kTagAndBit;
    case Kind::kNumber:
      return 1 + sizeof(double);
    case Kind::kString:
    case Kind::kObject:
    case Kind::kArray:
      return bytes_field_size(token.size);
  }
  return 0;
}

std::size_t StructWriter::measure(std::string_view object_json) {
  tokens_.clear();
  if (unescaped_.bytes() > kKeptBytes) unescaped_ = Arena();
  unescaped_.reset();
  Reader(*this, object_json).value();
  assert(tokens_.front().kind == Kind::kObject);
  return tokens_.front().size;
}

void StructWriter::append(std::string& out) const { Emitter(tokens_, out).fields_of_struct(); }

void StructWriter::append_field(std::string& out, std::uint32_t field,
                                std::string_view object_json) {
  append_bytes_head(out, field, measure(object_json));
  append(out);
}

}  // namespace flagstone::evaluation::flagd
