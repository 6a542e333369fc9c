// Validating says what compiling says, word for word, without compiling.
#include "evaluation/dialects/flagd/validate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <vector>

#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "tests/evaluation/shared_files.h"

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::string_view kOrdinary =
    R"({"state":"ENABLED","variants":{"on":true,"off":false,"o\"k":{"x":[1,2.5,null]}},)"
    R"("defaultVariant":"off","targeting":{"if":[{"and":[{"in":[{"var":"country"},["DE","SÉ"]]},)"
    R"({"sem_ver":[{"var":"appVersion"},">=","2.1.0"]}]},"on",{"fractional":[["on",40],["off",60]]}]},)"
    R"("metadata":{"owner":"team-search","ticket":"SEARCH-12","n":-0.5}})";

struct Plain {
  std::string_view raw;
  bool is_plain;
};

TEST(Validate, KnowsPlainFlags) {
  constexpr Plain kCases[] = {
      {R"({})", true},
      {R"({"variants":{"a":1},"defaultVariant":"a"})", true},
      {R"({"defaultVariant":"b","state":"DISABLED","variants":{"a":{"b":0},"b":1}})", true},
      {" {\"defaultVariant\":\"\" , \"unknown\":[{\"variants\":{}}]}\r\n\t", true},
      {R"({"key":null,"source":null,"state":null,"variants":null,"metadata":null,)"
       R"("defaultVariant":null,"targeting":null})",
       true},
      {R"({"metadata":{"\u0041":"\u00e9"},"targeting":"on"})", true},
      {R"({"variants":{"a":123456789012345678}})", true},
      // Compiling has to tell: these would pass,
      {"null", false},
      {R"({"st\u0061te":"ENABLED"})", false},
      {R"({"variants":{"\u0061":1},"defaultVariant":"a"})", false},
      {R"({"variants":{"a":1},"defaultVariant":"\u0061"})", false},
      {R"({"state":"x","state":"y"})", false},
      {R"({"variants":{"a":1e5}})", false},
      {R"({"variants":{"a":1234567890123456789}})", false},
      {R"({"variants":{"a":"\ud834\udd1e"}})", false},
      // and these not.
      {"", false},
      {"[]", false},
      {R"({"variants":{"a":1},"defaultVariant":"b"})", false},
      {R"({"variants":{"a":{"b":1}},"metadata":{"b":1},"defaultVariant":"b"})", false},
      {R"({"defaultVariant":"b"})", false},
      {R"({"state":0})", false},
      {R"({"key":[]})", false},
      {R"({"source":{}})", false},
      {R"({"metadata":""})", false},
      {R"({"variants":"x"})", false},
      {R"({"defaultVariant":{}})", false},
      {R"({"defaultVariant":"b)", false},
      {R"({"variants":{"a":"\uD800"}})", false},
      {R"({"variants":{}} 1)", false},
      {"{\"state\":", false},
      {"{\"state\":\"\xff\"}", false},
  };
  EXPECT_TRUE(is_plainly_a_flag(kOrdinary));
  for (const Plain& one : kCases) EXPECT_EQ(is_plainly_a_flag(one.raw), one.is_plain) << one.raw;
}

TEST(Validate, KnowsPlainEvaluators) {
  constexpr Plain kCases[] = {
      {R"({"==":[1,1]})", true},
      {R"( {"a":1,"a":{}} )", true},
      {"{}", false},
      {"[1]", false},
      {"null", false},
      {R"({"a":})", false},
      {R"({"":"\uDC00"})", false},
      {"", false},
      {R"({"a":1}})", false},
  };
  for (const Plain& one : kCases) {
    EXPECT_EQ(is_plainly_an_evaluator(one.raw), one.is_plain) << one.raw;
  }
}

class Agreement : public testing::Test {
 protected:
  void check(RecordKind kind, std::string_view raw) {
    const RecordText text{kind, "", "f", raw};
    const auto compiled = dialect_->compile(text);
    const auto valid = dialect_->validate(text);
    ++(compiled ? accepted_ : refused_);
    ASSERT_EQ(valid.has_value(), compiled.has_value()) << raw;
    if (valid) return;
    EXPECT_EQ(valid.error().kind, compiled.error().kind) << raw;
    EXPECT_EQ(valid.error().message, compiled.error().message) << raw;
  }
  void check(std::string_view raw) {
    check(kFlagKind, raw);
    check(kEvaluatorKind, raw);
  }

  const std::unique_ptr<Dialect> dialect_ = make_flagd_dialect();
  std::size_t accepted_ = 0;
  std::size_t refused_ = 0;
};

TEST_F(Agreement, OnEveryTextOfJsonTestSuite) {
  const auto folder = shared_path("conformance/json");
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no " << folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string text = read_file(entry.path()).value();
    check(text);
    check(R"({"variants":{"a":)" + text + R"(},"defaultVariant":"a"})");
    check(R"({"targeting":{"if":[)" + text + "]}}");
    check(R"({"defaultVariant":)" + text + "}");
  }
  EXPECT_GE(accepted_, 318U);
  EXPECT_GE(refused_, 318U);
}

TEST_F(Agreement, OnTheTestbedsFlags) {
  const auto flags = read_file(shared_path("conformance/flagd/flags.json"));
  if (!flags) GTEST_SKIP() << "no " << shared_path("conformance/flagd");
  const auto update = decode_document(*flags, DocumentFormat::kJson);
  ASSERT_TRUE(update);
  for (const Record& record : update->records) check(record.raw);
  EXPECT_GE(accepted_, 50U);
}

TEST_F(Agreement, OnLimits) {
  for (const std::size_t levels : {61U, 62U, 63U, 64U, 126U, 127U, 128U, 3'000U}) {
    std::string text = R"({"targeting":)";
    for (std::size_t i = 0; i < levels; ++i) text += R"({"!":)";
    check(text.append("1").append(levels, '}').append("}"));
  }
  for (const std::size_t size :
       {kRecordBytesMaxDefault - 9, kRecordBytesMaxDefault - 8, kRecordBytesMaxDefault}) {
    check(R"({"x":")" + std::string(size, 'x') + "\" }");
  }
  std::string variants = R"({"variants":{"v0":0)";
  for (int i = 1; i < 40; ++i) {
    variants.append(",\"v").append(std::to_string(i)).append("\":0");
    check(variants + R"(},"defaultVariant":"v)" + std::to_string(i) + "\"}");
    check(variants + R"(},"defaultVariant":"v)" + std::to_string(i + 1) + "\"}");
  }
  check(RecordKind{2}, "{}");
  EXPECT_GT(accepted_, 0U);
  EXPECT_GT(refused_, 0U);
}

// An ordinary flag with some of its bytes changed, taken out, repeated, or put in from elsewhere.
std::string mutated(std::mt19937& random) {
  constexpr std::string_view kPieces[] = {"\"",
                                          "\\",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          ",",
                                          ":",
                                          "null",
                                          "true",
                                          "1e999",
                                          "-",
                                          "0",
                                          "\\ud8",
                                          "\\uD834",
                                          "\\udd1e",
                                          "\xff",
                                          "\xc3",
                                          " ",
                                          "state",
                                          R"("state":)",
                                          R"("a")",
                                          R"(,"variants":{})",
                                          R"(,"defaultVariant":"on")",
                                          R"(,"defaultVariant":null)",
                                          R"(,"metadata":)",
                                          "12345678901234567890",
                                          "\\u006f"};
  std::string text(kOrdinary);
  const auto below = [&random](std::size_t count) { return random() % count; };
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    const std::size_t at = below(text.size());
    const std::size_t span = std::min<std::size_t>(text.size() - at, 1 + below(12));
    const std::string_view piece = kPieces[below(std::size(kPieces))];
    switch (below(4)) {
      case 0:
        text.erase(at, span);
        break;
      case 1:
        text.insert(below(text.size()), text.substr(at, span));
        break;
      case 2:
        text.replace(at, span, piece);
        break;
      default: {
        // Between two members, where most changes leave JSON behind.
        const std::size_t comma = text.find(",\"", at);
        text.insert(comma == std::string::npos ? text.size() - 1 : comma, piece);
      }
    }
  }
  return text;
}

TEST_F(Agreement, OnMutatedFlags) {
  std::mt19937 random(1);
  for (int i = 0; i < 6'000; ++i) check(mutated(random));
  EXPECT_GT(accepted_, 300U);
  EXPECT_GT(refused_, 3'000U);
}

}  // namespace
}  // namespace flagstone::evaluation::flagd
