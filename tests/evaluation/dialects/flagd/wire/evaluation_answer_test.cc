#include "evaluation/dialects/flagd/wire/evaluation_answer.h"

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "evaluation/dialects/flagd/wire/flagd_evaluation_v2.pb.h"
#include "evaluation/dialects/flagd/wire/schema_v1.pb.h"
#include "tests/evaluation/dialects/flagd/wire/struct_messages.h"

namespace flagstone::evaluation::flagd {
namespace {

namespace v1 = flagd_wire::evaluation_v1;
namespace v2 = flagd_wire::evaluation_v2;
namespace schema = flagd_wire::schema_v1;

TypedValue boolean(bool value) {
  return {.type = AskedType::kBoolean, .boolean = value, .json = {}};
}
TypedValue integer(std::int64_t value) {
  return {.type = AskedType::kInt, .integer = value, .json = {}};
}
TypedValue number(double value, std::string_view json) {
  return {.type = AskedType::kFloat, .number = value, .json = json};
}
TypedValue text(std::string_view json) { return {.type = AskedType::kString, .json = json}; }
TypedValue object(std::string_view json) { return {.type = AskedType::kObject, .json = json}; }

ResolveAnswer answer_of(const TypedValue& value) {
  return {.type = value.type,
          .value = &value,
          .reason = "STATIC",
          .variant = "on",
          .variant_json = "\"on\"",
          .metadata_json = R"({"a":1,"b":"x"})"};
}
ResolveAnswer nothing(AskedType type) {
  return {
      .type = type, .reason = "DISABLED", .variant = {}, .variant_json = {}, .metadata_json = "{}"};
}

std::string written(AnswerCodec codec, ServiceVersion version, const ResolveAnswer& answer) {
  EvaluationAnswerWriter writer;
  std::string out;
  writer.append(out, codec, version, answer);
  return out;
}
std::string json(ServiceVersion version, const ResolveAnswer& answer) {
  return written(AnswerCodec::kJson, version, answer);
}
template <typename Message>
Message proto(ServiceVersion version, const ResolveAnswer& answer) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(written(AnswerCodec::kProto, version, answer)));
  return message;
}

// Reads back, and writes the same bytes again: ours is what protobuf itself would have written.
template <typename Message, typename Value>
void expect_proto(ServiceVersion version, const TypedValue& typed, const Value& value) {
  const auto message = proto<Message>(version, answer_of(typed));
  EXPECT_EQ(message.value(), value);
  EXPECT_EQ(message.reason(), "STATIC");
  EXPECT_EQ(message.variant(), "on");
  EXPECT_EQ(message.metadata().fields().at("a").number_value(), 1);
  EXPECT_EQ(message.metadata().fields().at("b").string_value(), "x");
  EXPECT_EQ(message.SerializeAsString().size(),
            written(AnswerCodec::kProto, version, answer_of(typed)).size());
}

template <typename Boolean, typename String, typename Float, typename Int>
void expect_all_types(ServiceVersion version) {
  for (const bool value : {false, true}) expect_proto<Boolean>(version, boolean(value), value);
  for (const char* value : {"\"\"", "\"a\\u0041\"", "\"ä\""}) {
    std::string room;
    expect_proto<String>(version, text(value), std::string(plain_string(value, room)));
  }
  for (const double value : {0.0, -0.0, 1.5, -1e300}) {
    expect_proto<Float>(version, number(value, "0"), value);
  }
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 62}) {
    expect_proto<Int>(version, integer(value), value);
  }
}

TEST(EvaluationAnswer, ProtobufReadsEveryType) {
  expect_all_types<v1::ResolveBooleanResponse, v1::ResolveStringResponse, v1::ResolveFloatResponse,
                   v1::ResolveIntResponse>(ServiceVersion::kV1);
  expect_all_types<v2::ResolveBooleanResponse, v2::ResolveStringResponse, v2::ResolveFloatResponse,
                   v2::ResolveIntResponse>(ServiceVersion::kV2);
  expect_all_types<schema::ResolveBooleanResponse, schema::ResolveStringResponse,
                   schema::ResolveFloatResponse, schema::ResolveIntResponse>(
      ServiceVersion::kSchema);
  const auto message = proto<v1::ResolveObjectResponse>(ServiceVersion::kV1,
                                                        answer_of(object(R"({"a":{"b":[1]}})")));
  EXPECT_EQ(to_json(message.value()), R"({"a":{"b":[1]}})");
}

TEST(EvaluationAnswer, V2TellsAZeroFromNothing) {
  const auto zero =
      proto<v2::ResolveBooleanResponse>(ServiceVersion::kV2, answer_of(boolean(false)));
  EXPECT_TRUE(zero.has_value());
  EXPECT_TRUE(zero.has_variant());
  const auto none =
      proto<v2::ResolveBooleanResponse>(ServiceVersion::kV2, nothing(AskedType::kBoolean));
  EXPECT_FALSE(none.has_value());
  EXPECT_FALSE(none.has_variant());
  EXPECT_EQ(none.reason(), "DISABLED");
  EXPECT_TRUE(none.has_metadata());
  EXPECT_FALSE(proto<v2::ResolveObjectResponse>(ServiceVersion::kV2, nothing(AskedType::kObject))
                   .has_value());
}

TEST(EvaluationAnswer, V1AnswersZeroForNothing) {
  EXPECT_EQ(proto<v1::ResolveIntResponse>(ServiceVersion::kV1, nothing(AskedType::kInt)).value(),
            0);
  EXPECT_TRUE(proto<v1::ResolveObjectResponse>(ServiceVersion::kV1, nothing(AskedType::kObject))
                  .has_value());
}

TEST(EvaluationAnswer, Json) {
  constexpr auto kV1 = ServiceVersion::kV1;
  constexpr auto kV2 = ServiceVersion::kV2;
  const std::string rest = R"(,"reason":"STATIC","variant":"on","metadata":{"a":1,"b":"x"}})";
  EXPECT_EQ(json(kV1, answer_of(boolean(false))), R"({"value":false)" + rest);
  EXPECT_EQ(json(kV1, answer_of(integer(-7))), R"({"value":"-7")" + rest);
  EXPECT_EQ(json(kV1, answer_of(number(1, "1.0"))), R"({"value":1.0)" + rest);
  EXPECT_EQ(json(kV2, answer_of(text("\"a\\n\""))), R"({"value":"a\n")" + rest);
  EXPECT_EQ(json(kV2, answer_of(object(R"({"a":[]})"))), R"({"value":{"a":[]})" + rest);

  const std::string empty = R"(,"reason":"DISABLED","variant":"","metadata":{}})";
  EXPECT_EQ(json(kV1, nothing(AskedType::kBoolean)), R"({"value":false)" + empty);
  EXPECT_EQ(json(kV1, nothing(AskedType::kString)), R"({"value":"")" + empty);
  EXPECT_EQ(json(kV1, nothing(AskedType::kFloat)), R"({"value":0)" + empty);
  EXPECT_EQ(json(kV1, nothing(AskedType::kInt)), R"({"value":"0")" + empty);
  EXPECT_EQ(json(kV1, nothing(AskedType::kObject)), R"({"value":{})" + empty);
  EXPECT_EQ(json(kV2, nothing(AskedType::kString)), R"({"reason":"DISABLED","metadata":{}})");
}

std::string all(AnswerCodec codec, ServiceVersion version) {
  EvaluationAnswerWriter writer;
  std::string out;
  const TypedValue values[] = {boolean(false), text("\"a\\\"\""), number(1.5, "1.5"),
                               object(R"({"a":1})")};
  writer.begin_all(out, codec, version);
  const char* const keys[] = {"b", "s\"", "f", "o"};
  for (std::size_t i = 0; i < 4; ++i) writer.append_flag(out, keys[i], answer_of(values[i]));
  writer.append_flag(out, "off", nothing(AskedType::kBoolean));
  writer.end_all(out, R"({"flagSetId":"web"})");
  return out;
}

TEST(EvaluationAnswer, AllAsProtobuf) {
  v1::ResolveAllResponse message;
  ASSERT_TRUE(message.ParseFromString(all(AnswerCodec::kProto, ServiceVersion::kV1)));
  ASSERT_EQ(message.flags().size(), 5u);
  EXPECT_EQ(message.flags().at("b").value_case(), v1::AnyFlag::kBoolValue);
  EXPECT_FALSE(message.flags().at("b").bool_value());
  EXPECT_EQ(message.flags().at("s\"").string_value(), "a\"");
  EXPECT_EQ(message.flags().at("f").double_value(), 1.5);
  EXPECT_EQ(to_json(message.flags().at("o").object_value()), R"({"a":1})");
  EXPECT_EQ(message.flags().at("o").variant(), "on");
  EXPECT_EQ(message.flags().at("o").metadata().fields().at("a").number_value(), 1);
  EXPECT_EQ(message.flags().at("off").value_case(), v1::AnyFlag::VALUE_NOT_SET);
  EXPECT_EQ(message.flags().at("off").reason(), "DISABLED");
  EXPECT_EQ(to_json(message.metadata()), R"({"flagSetId":"web"})");

  schema::ResolveAllResponse old;
  ASSERT_TRUE(old.ParseFromString(all(AnswerCodec::kProto, ServiceVersion::kSchema)));
  EXPECT_EQ(old.flags().at("s\"").string_value(), "a\"");
  EXPECT_LT(old.ByteSizeLong(), message.ByteSizeLong());
}

TEST(EvaluationAnswer, AllAsJson) {
  const std::string about = R"({"reason":"STATIC","variant":"on",)";
  const std::string metadata = R"(,"metadata":{"a":1,"b":"x"}})";
  EXPECT_EQ(all(AnswerCodec::kJson, ServiceVersion::kV1),
            R"({"flags":{"b":)" + about + R"("boolValue":false)" + metadata + R"(,"s\"":)" + about +
                R"("stringValue":"a\"")" + metadata + R"(,"f":)" + about + R"("doubleValue":1.5)" +
                metadata + R"(,"o":)" + about + R"("objectValue":{"a":1})" + metadata +
                R"(,"off":{"reason":"DISABLED","variant":"","metadata":{}})" +
                R"(},"metadata":{"flagSetId":"web"}})");
  EvaluationAnswerWriter writer;
  std::string empty;
  writer.begin_all(empty, AnswerCodec::kJson, ServiceVersion::kSchema);
  writer.end_all(empty, "{}");
  EXPECT_EQ(empty, R"({"flags":{}})");
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
