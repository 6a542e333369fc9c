#include "evaluation/dialects/flagd/wire/struct_writer.h"

#include "evaluation/json_reader.h"
#include "tests/evaluation/dialects/flagd/wire/struct_messages.h"

namespace flagstone::evaluation::flagd {
namespace {

using flagd_wire::Struct;

// The Struct that protobuf reads from what was written.
Struct written(StructWriter& writer, std::string_view json) {
  std::string bytes;
  const std::size_t size = writer.measure(json);
  writer.append(bytes);
  EXPECT_EQ(bytes.size(), size) << json;
  Struct read;
  EXPECT_TRUE(read.ParseFromString(bytes)) << json;
  return read;
}

TEST(StructWriter, WritesWhatProtobufReads) {
  StructWriter writer;
  JsonReader reader(100);
  for (unsigned seed = 0; seed < 500; ++seed) {
    const std::string json = to_json(RandomStructs(seed).next(5));
    Arena arena;
    const auto value = reader.read(json, arena);
    ASSERT_TRUE(value) << json;
    expect_equal(written(writer, json), *value);
  }
}

TEST(StructWriter, SpellingsOfJson) {
  struct Row {
    const char* json;
    const char* meaning;
  };
  const Row rows[] = {
      {"{}", "{}"},
      {" { \"a\" : 1 , \"b\" : [ ] } ", R"({"a":1,"b":[]})"},
      {R"({"a":1.0,"b":1e2,"c":-0.5e-3})", R"({"a":1,"b":100,"c":-0.0005})"},
      {R"({"\u0061\n":"\ud83d\ude00\"\\\/"})", R"({"a\n":"😀\"\\/"})"},
      {R"({"a":{"b":[null,true,false,{"c":[[]]}]}})", nullptr},
      {R"({"a":1,"a":2})", R"({"a":2})"},
      {R"({"n":123456789012345678})", R"({"n":123456789012345680})"},
  };
  StructWriter writer;
  for (const Row& row : rows) {
    EXPECT_EQ(to_json(written(writer, row.json)), row.meaning == nullptr ? row.json : row.meaning);
  }
}

TEST(StructWriter, AFieldHasItsSizeBeforeIt) {
  StructWriter writer;
  const std::string json = R"({"long":")" + std::string(300, 'x') + "\"}";
  std::string out = "before";
  writer.append_field(out, 4, json);
  std::string bytes;
  writer.append(bytes);
  EXPECT_EQ(out.substr(0, 7), "before\x22");
  EXPECT_TRUE(out.ends_with(bytes));
  EXPECT_EQ(out.size(), 6 + 1 + 2 + bytes.size());
}

TEST(StructWriter, PlainStrings) {
  std::string room;
  EXPECT_EQ(plain_string("\"\"", room), "");
  EXPECT_EQ(plain_string("\"ab\"", room), "ab");
  EXPECT_EQ(plain_string(R"("a\"b")", room), "a\"b");
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
