// The quick reader: what it takes it reads as simdjson does, and it gives up on everything else.
#include "evaluation/json_plain_reader.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <random>

#include "tests/evaluation/shared_files.h"

namespace flagstone::evaluation {
namespace {

namespace dom = simdjson::dom;

bool same(const Value& value, dom::element element) {
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return value.is_null();
    case dom::element_type::BOOL:
      return value.is_bool() && value.as_bool() == bool(element);
    case dom::element_type::INT64:
      return value.type() == Value::Type::kInt && value.as_int() == std::int64_t(element);
    case dom::element_type::UINT64:
      return false;  // Too long for the quick reader.
    case dom::element_type::DOUBLE:
      return value.type() == Value::Type::kDouble && value.as_double() == double(element);
    case dom::element_type::STRING:
      return value.is_string() && value.as_string() == std::string_view(element);
    case dom::element_type::ARRAY: {
      const dom::array array(element);
      if (!value.is_array() || value.items().size() != array.size()) return false;
      std::size_t i = 0;
      for (const auto item : array) {
        if (!same(value.items()[i++], item)) return false;
      }
      return true;
    }
    case dom::element_type::OBJECT: {
      const dom::object object(element);
      if (!value.is_object() || value.members().size() != object.size()) return false;
      std::size_t i = 0;
      for (const auto field : object) {
        const Member& member = value.members()[i++];
        if (member.name != field.key || !same(member.value, field.value)) return false;
      }
      return true;
    }
  }
  return false;
}

class JsonPlainReading : public testing::Test {
 protected:
  // Reads a copy that ends where its memory ends, so that sanitizers see a byte too many.
  bool reads(std::string_view text) {
    const std::unique_ptr<char[]> copy = std::make_unique<char[]>(text.size());
    text.copy(copy.get(), text.size());
    arena_.reset();
    const auto value = reader_.read({copy.get(), text.size()}, arena_);
    if (!value) return false;
    dom::element element;
    const auto error = parser_.parse(text).get(element);
    EXPECT_TRUE(error == simdjson::SUCCESS && same(*value, element)) << text;
    return true;
  }

  JsonPlainReader reader_{100};
  Arena arena_;
  dom::parser parser_;
};

TEST_F(JsonPlainReading, TakesOrdinaryObjectsAndArrays) {
  constexpr std::string_view kRead[] = {
      "{}",
      " [ ] \n",
      R"({"a":1,"b":[true,false,null,-7,2.5,-0.25,1e3,2E-2],"c":{"d":{"e":"text"}},"a":"again"})",
      "{ \"a\" :\t1 ,\r\n\"b\" : [ 1 , 2 ] }",
      R"(["a\"b\\c\/d\b\f\n\r\t","no escape","\n"])",
      "[\"\xc3\xa9\",\"\xf0\x9f\x9a\x80\\n\xc3\xa9\"]",
      "[123456789012345678,-123456789012345678,0]",
      R"(["this text is longer than sixteen bytes, and a second sixteen"])",
  };
  for (const std::string_view text : kRead) EXPECT_TRUE(reads(text)) << text;
}

TEST_F(JsonPlainReading, GivesUpOnWhatIsWrongOrUnusual) {
  constexpr std::string_view kGivenUp[] = {
      "", " ", "1", "\"a\"", "null", "}", "]", "{]", "[}", "[1,]", "[,]", "[1 2]", "{\"a\"}",
      "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "[\"a]", "[\"a\\\"]", "[tru]", "[nul]", "[falsy]",
      "[1]]", "[[1]", "{\"a\":{}", "{\"a\":1}}", "[1] x", "[01]", "[1.]", "[.5]", "[1e]", "[+1]",
      "[-]", "[\"\x01\"]", "[\"\\n\x01\"]", "[\"\xff\"]", "[\"\\n\xff\"]", "[\"\\x\"]",
      "\xEF\xBB\xBF{}",
      // JSON that the thorough reader has to judge.
      R"(["\u0041"])", R"(["\ud800"])", "[1234567890123456789]", "[-0]", "[1e999]", "[1e-999]"};
  for (const std::string_view text : kGivenUp) EXPECT_FALSE(reads(text)) << text;
}

TEST_F(JsonPlainReading, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(reads(nested(32)));
  EXPECT_FALSE(reads(nested(33)));
  EXPECT_FALSE(reads(nested(100'000)));
  EXPECT_TRUE(reads(nested(1))) << "a text given up leaves nothing behind";
  JsonPlainReader shallow(2);
  EXPECT_TRUE(shallow.read("[[]]", arena_));
  EXPECT_FALSE(shallow.read("[[[]]]", arena_));
}

TEST_F(JsonPlainReading, AgreesOnJsonTestSuite) {
  const auto folder = shared_path("conformance/json");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no " << folder;
  std::size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string text = read_file(entry.path()).value();
    read += reads(text);
    read += reads(R"({"context":{"a":)" + text + "}}");
  }
  EXPECT_GE(read, 100U);
}

TEST_F(JsonPlainReading, AgreesOnMutatedTexts) {
  constexpr std::string_view kText =
      R"({"context":{"targetingKey":"user-1","é":"a\nb","n":[1,-20,3.5e2,0],"o":{"p":null,"q":true}}})";
  constexpr std::string_view kBytes = "{}[]\",:\\ntu0123-+.eE \xff\xc3\x01";
  std::mt19937 random(1);
  std::size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(kText);
    for (std::size_t changes = 1 + random() % 2; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      const std::size_t kind = random() % 3;
      const char byte = kBytes[random() % kBytes.size()];
      if (kind == 0) text.erase(at, 1 + random() % 3);
      if (kind == 1) text.insert(at, 1, byte);
      if (kind == 2) text[at] = byte;
    }
    read += reads(text);
  }
  EXPECT_GE(read, 2'000U);
}

}  // namespace
}  // namespace flagstone::evaluation
