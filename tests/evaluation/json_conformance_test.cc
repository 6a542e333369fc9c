// JSONTestSuite: what must be read is read, what must be refused is refused, as a document (the
// text standing inside a flag) and as a context. What may be either is treated alike in both
// places.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "tests/evaluation/shared_files.h"

namespace flagstone::evaluation {
namespace {

bool read_in_flag(const std::string& text) {
  const std::string document = R"({"flags":{"f":{"state":"ENABLED","variants":{"a":)" + text +
                               R"(},"defaultVariant":"a"}}})";
  const auto update = flagd::decode_document(document, flagd::DocumentFormat::kJson);
  if (!update || update->records.size() != 1) return false;
  const auto dialect = flagd::make_flagd_dialect();
  const Record& record = update->records[0];
  return dialect->compile({record.id.kind, record.id.set_id, record.id.key, record.raw})
      .has_value();
}

bool read_in_context(const std::string& text) {
  ContextReader reader;
  return reader.read_member(R"({"context":{"attribute":)" + text + "}}", "context").has_value();
}

TEST(JsonConformance, EveryTextOfJsonTestSuite) {
  const auto folder = shared_path("conformance/json");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no " << folder;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    const std::string text = read_file(entry.path()).value();
    ++count;
    if (name.starts_with("y_")) {
      EXPECT_TRUE(read_in_flag(text));
      EXPECT_TRUE(read_in_context(text));
    } else if (name.starts_with("n_")) {
      EXPECT_FALSE(read_in_flag(text));
      EXPECT_FALSE(read_in_context(text));
    } else {
      EXPECT_EQ(read_in_flag(text), read_in_context(text));
    }
  }
  EXPECT_GE(count, 318U);
}

struct Either {
  const char* text;
  bool read;
};

// What this project decided where the suite leaves it open.
constexpr Either kEither[] = {
    {"123123123123123123123123123123", true},  // Too long for 64 bits: a double, as flagd has it.
    {"-123123123123123123123123123123", true},
    {"100000000000000000000", true},
    {"123.456e-789", true},  // Underflows to zero.
    {"1.5e+9999", false},    // Past double's range: no value.
    {"-1e+9999", false},
    {R"("\uD800")", false},  // A lone surrogate is no text.
    {R"("\uDd1e\uD834")", false},
    {"\"\xff\"", false},
    {"\"\xed\xa0\x80\"", false},
    {"\xEF\xBB\xBF{}", false},
};

TEST(JsonConformance, WhatIsLeftOpenIsDecidedAlikeEverywhere) {
  for (const Either& either : kEither) {
    EXPECT_EQ(read_in_flag(either.text), either.read) << either.text;
    EXPECT_EQ(read_in_context(either.text), either.read) << either.text;
  }
}

}  // namespace
}  // namespace flagstone::evaluation
