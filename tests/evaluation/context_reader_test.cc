#include "evaluation/context_reader.h"

#include <gtest/gtest.h>

#include "evaluation/dialect.h"

namespace flagstone::evaluation {
namespace {

using Kind = ContextError::Kind;

TEST(ContextReader, ReadsEveryType) {
  ContextReader reader;
  const auto context = reader.read_member(
      R"({"x":1,"context":{"s":"a\u00e9","i":-9223372036854775808,"u":18446744073709551615,
          "d":0.5,"b":true,"n":null,"o":{"p":[1,2]},"s":"last"}})",
      "context");
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ(context->find("s")->as_string(), "last");
  EXPECT_EQ(context->find("i")->as_int(), INT64_MIN);
  EXPECT_EQ(context->find("u")->as_unsigned(), UINT64_MAX);
  EXPECT_EQ(context->find("d")->as_double(), 0.5);
  EXPECT_TRUE(context->find("b")->as_bool());
  EXPECT_TRUE(context->find("n")->is_null());
  EXPECT_EQ(context->find("o")->member("p")->items().size(), 2U);
  EXPECT_EQ(context->find("absent"), nullptr);
}

TEST(ContextReader, LongIntegersBecomeDoubles) {
  ContextReader reader;
  const auto context = reader.read(
      R"({"a":123456789012345678901234567890,"b":-123456789012345678901234567890,
          "c":"123456789012345678901234567890","d":1.123456789012345678901,"e":[1e0000000000000000000000001]})");
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ(context->find("a")->as_double(), 123456789012345678901234567890.0);
  EXPECT_EQ(context->find("b")->as_double(), -123456789012345678901234567890.0);
  EXPECT_EQ(context->find("c")->as_string(), "123456789012345678901234567890");
  EXPECT_EQ(context->find("d")->as_double(), 1.123456789012345678901);
  EXPECT_EQ(context->find("e")->items()[0].as_double(), 10.0);
}

TEST(ContextReader, SaysWhatIsWrong) {
  const std::tuple<std::string, Kind, std::string_view> cases[] = {
      {"", Kind::kMalformedJson, "empty text"},
      {"{\"context\":{}", Kind::kMalformedJson, "the text ends too early at byte 13"},
      {"{\"context\":{},}", Kind::kMalformedJson, "expected a name in quotes at byte 14"},
      {"{\"context\":{\"a\":1e999}}", Kind::kMalformedJson,
       "a number is out of range or a surrogate stands alone"},
      {"[]", Kind::kNotAnObject, "the body is not a JSON object"},
      {"{\"context\":[]}", Kind::kNotAnObject, "\"context\" is not a JSON object"},
      {"{}", Kind::kMissing, "\"context\" is missing"},
      // The rest of the body counts too.
      {"{\"context\":{},\"x\":tru}", Kind::kMalformedJson, "expected a value at byte 21"},
  };
  ContextReader reader;
  for (const auto& [body, kind, message] : cases) {
    const auto context = reader.read_member(body, "context");
    ASSERT_FALSE(context) << body;
    EXPECT_EQ(context.error().kind, kind) << body;
    EXPECT_EQ(context.error().message, message) << body;
  }
}

TEST(ContextReader, BoundsDepth) {
  ContextReader reader;
  const auto nested = [](std::size_t depth) {
    return "{\"context\":{\"a\":" + std::string(depth - 1, '[') + "1" +
           std::string(depth - 1, ']') + "}}";
  };
  EXPECT_TRUE(reader.read_member(nested(kJsonDepthMax), "context"));
  const auto deep = reader.read_member(nested(kJsonDepthMax + 1), "context");
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().kind, Kind::kMalformedJson);
  EXPECT_FALSE(reader.read_member(nested(100'000), "context"));
  EXPECT_TRUE(reader.read_member(nested(3), "context"));
}

TEST(ContextReader, BoundsTheNumberOfValues) {
  ContextReader reader;
  const auto of = [](std::size_t values, std::string_view value) {
    std::string body = R"({"context":{"a":[)";
    for (std::size_t i = 0; i < values; ++i) body.append(i == 0 ? "" : ",").append(value);
    return body + "]}}";
  };
  EXPECT_TRUE(reader.read_member(of(kContextValuesMax - 10, "1"), "context"));
  // Inside of strings nothing counts.
  EXPECT_TRUE(reader.read_member(of(100, "\"" + std::string(5000, ',') + "\\\"[\""), "context"));
  for (const char* value : {"1234", "[]", "{}"}) {
    const auto refused = reader.read_member(of(kContextValuesMax + 10, value), "context");
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(refused.error().kind, Kind::kTooLarge);
  }
  reader.shrink();
  EXPECT_LT(reader.bytes(), 100'000U);
  EXPECT_TRUE(reader.read_member(of(3, "1"), "context"));
}

}  // namespace
}  // namespace flagstone::evaluation
