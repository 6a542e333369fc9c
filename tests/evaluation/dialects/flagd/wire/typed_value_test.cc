#include "evaluation/dialects/flagd/wire/typed_value.h"

#include <gtest/gtest.h>

namespace flagstone::evaluation::flagd {
namespace {

// The value as `type` in few words, "-" when it is of another type.
std::string as(ValueType value_type, std::string_view json, AskedType type, bool loose = false) {
  Evaluation evaluation;
  evaluation.type = value_type;
  evaluation.value_json = json;
  std::string room;
  const auto value = typed_value(evaluation, type, loose, room);
  if (!value) return "-";
  EXPECT_EQ(value->type, type);
  switch (type) {
    case AskedType::kBoolean:
      return value->boolean ? "true" : "false";
    case AskedType::kInt:
      return std::to_string(value->integer);
    case AskedType::kFloat:
      return std::to_string(value->number) + " " + std::string(value->json);
    case AskedType::kString:
    case AskedType::kObject:
      return std::string(value->json);
  }
  return "?";
}

TEST(TypedValue, TypesHaveToAgree) {
  struct Value {
    ValueType type;
    const char* json;
    AskedType asked;
  };
  const Value values[] = {
      {ValueType::kBool, "true", AskedType::kBoolean},
      {ValueType::kString, "\"a\"", AskedType::kString},
      {ValueType::kNumber, "1", AskedType::kInt},
      {ValueType::kNumber, "1", AskedType::kFloat},
      {ValueType::kObject, "{}", AskedType::kObject},
      {ValueType::kArray, "[]", AskedType{99}},
      {ValueType::kNull, "null", AskedType{99}},
  };
  for (const Value& value : values) {
    for (const AskedType asked : {AskedType::kBoolean, AskedType::kString, AskedType::kFloat,
                                  AskedType::kInt, AskedType::kObject}) {
      const bool number = value.type == ValueType::kNumber &&
                          (asked == AskedType::kInt || asked == AskedType::kFloat);
      EXPECT_EQ(as(value.type, value.json, asked) != "-", number || asked == value.asked)
          << value.json << " as " << static_cast<int>(asked);
    }
  }
}

TEST(TypedValue, IntegersAreCutTowardsZeroAndKeepTheir64Bits) {
  struct Row {
    const char* json;
    const char* integer;
  };
  const Row rows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"3.14", "3"},
      {"-3.99", "-3"},
      {"1e3", "1000"},
      {"1.0", "1"},
      {"9007199254740993", "9007199254740993"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"-9223372036854775808.0", "-9223372036854775808"},
      {"9223372036854775808", "-"},
      {"9223372036854775808.0", "-"},
      {"-9223372036854775809", "-"},
      {"1e19", "-"},
      {"1e300", "-"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(as(ValueType::kNumber, row.json, AskedType::kInt), row.integer) << row.json;
  }
}

TEST(TypedValue, FloatsKeepTheirSpelling) {
  EXPECT_EQ(as(ValueType::kNumber, "1.50", AskedType::kFloat), "1.500000 1.50");
}

TEST(TypedValue, LooseCastsLoseNothing) {
  struct Row {
    ValueType type;
    const char* json;
    AskedType asked;
    const char* cast;
  };
  const Row rows[] = {
      {ValueType::kString, "\"true\"", AskedType::kBoolean, "true"},
      {ValueType::kString, "\"false\"", AskedType::kBoolean, "false"},
      {ValueType::kString, "\"1\"", AskedType::kBoolean, "true"},
      {ValueType::kString, "\"yes\"", AskedType::kBoolean, "-"},
      {ValueType::kString, "\"\"", AskedType::kBoolean, "-"},
      {ValueType::kNumber, "1", AskedType::kBoolean, "true"},
      {ValueType::kNumber, "0.0", AskedType::kBoolean, "false"},
      {ValueType::kNumber, "2", AskedType::kBoolean, "-"},
      {ValueType::kNumber, "1.50", AskedType::kString, "\"1.50\""},
      {ValueType::kBool, "true", AskedType::kString, "\"true\""},
      {ValueType::kString, "\"1.50\"", AskedType::kFloat, "1.500000 1.50"},
      {ValueType::kString, R"("\u0031")", AskedType::kFloat, "1.000000 1"},
      {ValueType::kString, "\"3.9\"", AskedType::kInt, "3"},
      {ValueType::kString, "\"9007199254740993\"", AskedType::kInt, "9007199254740993"},
      {ValueType::kString, "\" 1\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"01\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"1.\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\".5\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"1e\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"0x1\"", AskedType::kInt, "-"},
      {ValueType::kString, "\"inf\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"1e999\"", AskedType::kFloat, "-"},
      {ValueType::kString, "\"1e999\"", AskedType::kInt, "-"},
      {ValueType::kBool, "true", AskedType::kInt, "1"},
      {ValueType::kBool, "false", AskedType::kFloat, "0.000000 0"},
      {ValueType::kObject, "{}", AskedType::kString, "-"},
      {ValueType::kString, "\"{}\"", AskedType::kObject, "-"},
      {ValueType::kNull, "null", AskedType::kString, "-"},
      {ValueType::kArray, "[]", AskedType::kString, "-"},
      {ValueType::kArray, "[]", AskedType::kObject, "-"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(as(row.type, row.json, row.asked, true), row.cast)
        << row.json << " as " << static_cast<int>(row.asked);
    EXPECT_EQ(as(row.type, row.json, row.asked, false), "-");
  }
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
