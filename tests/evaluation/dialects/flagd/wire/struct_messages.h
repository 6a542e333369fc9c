// Protobuf's own lite messages as the oracle for codecs that do without them. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <string_view>

#include "evaluation/dialects/flagd/wire/struct.pb.h"
#include "evaluation/json_text.h"
#include "evaluation/operators/numbers.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::flagd {

// A random tree of JSON values, the same for the same seed.
class RandomStructs {
 public:
  explicit RandomStructs(unsigned seed) : random_(seed) {}

  flagd_wire::Struct next(int depth) {
    flagd_wire::Struct object;
    for (int i = pick(5); i > 0; --i) (*object.mutable_fields())[text()] = value(depth - 1);
    return object;
  }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::string text() {
    static const char* const kTexts[] = {"",
                                         "a",
                                         "targetingKey",
                                         "äöü",
                                         "quote\"and\\",
                                         "\x01",
                                         "longer than what a small string holds",
                                         "😀"};
    return kTexts[pick(8)];
  }
  double number() {
    static constexpr double kNumbers[] = {0,    -0.0, 1,   -1,   0.1,   1e300, 9007199254740993.0,
                                          1e18, 1e19, 1.5, -2e9, 5e-324};
    return kNumbers[pick(12)];
  }
  flagd_wire::Value value(int depth) {
    flagd_wire::Value value;
    switch (pick(depth > 0 ? 7 : 5)) {
      case 0:
        value.set_null_value(flagd_wire::NULL_VALUE);
        break;
      case 1:
        value.set_bool_value(pick(2) == 1);
        break;
      case 2:
        value.set_number_value(number());
        break;
      case 3:
        value.set_string_value(text());
        break;
      case 5:
        *value.mutable_struct_value() = next(depth);
        break;
      case 6:
        value.mutable_list_value();
        for (int i = pick(4); i > 0; --i) {
          *value.mutable_list_value()->add_values() = this->value(depth - 1);
        }
        break;
      default:
        break;  // No kind at all.
    }
    return value;
  }

  std::mt19937 random_;
};

inline std::string to_json(const flagd_wire::Struct& object);

inline std::string to_json(const flagd_wire::Value& value) {
  std::string out;
  switch (value.kind_case()) {
    case flagd_wire::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case flagd_wire::Value::kNumberValue:
      operators::append_json_number(out, value.number_value());
      return out;
    case flagd_wire::Value::kStringValue:
      append_json_string(out, value.string_value());
      return out;
    case flagd_wire::Value::kStructValue:
      return to_json(value.struct_value());
    case flagd_wire::Value::kListValue:
      for (const auto& item : value.list_value().values()) {
        out += (out.empty() ? "" : ",") + to_json(item);
      }
      return "[" + out + "]";
    default:
      return "null";
  }
}

inline std::string to_json(const flagd_wire::Struct& object) {
  std::string out;
  // A message's map has no order.
  const std::map<std::string, flagd_wire::Value> sorted(object.fields().begin(),
                                                        object.fields().end());
  for (const auto& [name, value] : sorted) {
    if (!out.empty()) out += ',';
    append_json_string(out, name);
    out += ':' + to_json(value);
  }
  return "{" + out + "}";
}

inline void expect_equal(const flagd_wire::Struct& object, const Value& read);

inline void expect_equal(const flagd_wire::Value& value, const Value& read) {
  switch (value.kind_case()) {
    case flagd_wire::Value::kBoolValue:
      ASSERT_TRUE(read.is_bool());
      EXPECT_EQ(read.as_bool(), value.bool_value());
      return;
    case flagd_wire::Value::kNumberValue:
      ASSERT_TRUE(read.is_number());
      EXPECT_EQ(read.as_double(), value.number_value());
      return;
    case flagd_wire::Value::kStringValue:
      ASSERT_TRUE(read.is_string());
      EXPECT_EQ(read.as_string(), value.string_value());
      return;
    case flagd_wire::Value::kStructValue:
      return expect_equal(value.struct_value(), read);
    case flagd_wire::Value::kListValue: {
      ASSERT_TRUE(read.is_array());
      ASSERT_EQ(read.items().size(), static_cast<std::size_t>(value.list_value().values_size()));
      for (int i = 0; i < value.list_value().values_size(); ++i) {
        expect_equal(value.list_value().values(i), read.items()[static_cast<std::size_t>(i)]);
      }
      return;
    }
    default:
      EXPECT_TRUE(read.is_null());
  }
}

inline void expect_equal(const flagd_wire::Struct& object, const Value& read) {
  ASSERT_TRUE(read.is_object());
  for (const auto& [name, value] : object.fields()) {
    const Value* found = read.member(name);
    ASSERT_NE(found, nullptr) << name;
    expect_equal(value, *found);
  }
  for (const Member& member : read.members()) {
    EXPECT_TRUE(object.fields().contains(std::string(member.name))) << member.name;
  }
}

}  // namespace flagstone::evaluation::flagd
