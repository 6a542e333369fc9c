#include "evaluation/json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "evaluation/json_plain_reader.h"
#include "evaluation/json_syntax.h"

namespace flagstone::evaluation {
namespace {

// Depth is bounded by the parser, so recursion is too.
Value to_value(const simdjson::dom::element& element, Arena& arena) {
  switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return Value::null();
    case simdjson::dom::element_type::BOOL:
      return Value::boolean(bool(element));
    case simdjson::dom::element_type::INT64:
      return Value::integer(std::int64_t(element));
    case simdjson::dom::element_type::UINT64:
      return Value::unsigned_integer(std::uint64_t(element));
    case simdjson::dom::element_type::DOUBLE:
      return Value::number(double(element));
    case simdjson::dom::element_type::STRING:
      return Value::string(std::string_view(element));
    case simdjson::dom::element_type::ARRAY: {
      const simdjson::dom::array array(element);
      const auto items = arena.make_array<Value>(array.size());
      std::size_t i = 0;
      for (const auto item : array) items[i++] = to_value(item, arena);
      return Value::array(items);
    }
    case simdjson::dom::element_type::OBJECT: {
      const simdjson::dom::object object(element);
      const auto members = arena.make_array<Member>(object.size());
      std::size_t i = 0;
      for (const auto field : object) members[i++] = {field.key, to_value(field.value, arena)};
      return Value::object(members);
    }
  }
  return Value::null();
}

// simdjson refuses integers that 64 bits cannot hold; with an exponent it reads them as doubles.
// Returns whether there was any.
bool respell_long_integers(std::string_view text, std::string& out) {
  constexpr std::size_t kDigitsThatMayNotFit = 19;
  out.clear();
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
      ++i;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    const bool integer = i == text.size() || (text[i] != '.' && text[i] != 'e' && text[i] != 'E');
    const char before = begin == 0 ? ' ' : text[begin - 1];
    const bool whole = before != '.' && before != '+' && before != 'e' && before != 'E' &&
                       !(before == '-' && begin >= 2 && (text[begin - 2] | 0x20) == 'e');
    if (integer && whole && i - begin >= kDigitsThatMayNotFit) {
      out.append(text, copied, i - copied);
      out.append("e0");
      copied = i;
    }
  }
  if (copied == 0) return false;
  out.append(text, copied);
  return true;
}

JsonError describe(std::string_view text, std::size_t depth_max) {
  const auto checked = check_json(text, depth_max);
  if (checked) {
    return {JsonError::Kind::kUnreadable, "a number is out of range or a surrogate stands alone"};
  }
  const bool deep = checked.error().message == "nested too deep";
  std::string message(checked.error().message);
  if (deep) message = "nested deeper than " + std::to_string(depth_max) + " levels";
  message += " at byte " + std::to_string(checked.error().byte_offset);
  return {deep ? JsonError::Kind::kTooDeep : JsonError::Kind::kMalformed, std::move(message)};
}

}  // namespace

struct JsonReader::Impl {
  explicit Impl(std::size_t depth) : depth_max(depth), plain(depth) {}

  simdjson::error_code parse(std::string_view text) {
    const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer_size < needed) {
      // Doubling, so that slowly growing texts do not allocate each time.
      buffer_size = std::max(needed, buffer_size * 2);
      buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
      if (const auto error =
              parser.allocate(buffer_size - simdjson::SIMDJSON_PADDING, depth_max + 1)) {
        return error;
      }
    }
    std::memcpy(buffer.get(), text.data(), text.size());
    std::memset(buffer.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    return parser.parse(buffer.get(), text.size(), false).get(root);
  }

  const std::size_t depth_max;
  JsonPlainReader plain;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::unique_ptr<char[]> buffer;
  std::size_t buffer_size = 0;
  std::string respelled;
};

JsonReader::JsonReader(std::size_t depth_max) : impl_(std::make_unique<Impl>(depth_max)) {}
JsonReader::~JsonReader() = default;

std::expected<Value, JsonError> JsonReader::read(std::string_view text, Arena& arena) {
  if (text.empty()) return std::unexpected(JsonError{JsonError::Kind::kMalformed, "empty text"});
  if (const auto value = impl_->plain.read(text, arena)) return *value;
  simdjson::error_code error = impl_->parse(text);
  // The code for a long integer differs between simdjson's versions, so it is not asked for. A text
  // that is broken besides stays refused.
  if (error != simdjson::SUCCESS && error != simdjson::DEPTH_ERROR &&
      respell_long_integers(text, impl_->respelled)) {
    error = impl_->parse(impl_->respelled);
  }
  if (error != simdjson::SUCCESS) return std::unexpected(describe(text, impl_->depth_max));
  return to_value(impl_->root, arena);
}

}  // namespace flagstone::evaluation
