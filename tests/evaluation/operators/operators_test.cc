// One table per operator that needs more than the rules of interpreter_test.cc to be pinned down.
#include <gtest/gtest.h>

#include <cmath>

#include "evaluation/json_reader.h"
#include "evaluation/operators/cbor.h"
#include "evaluation/operators/fractional.h"
#include "evaluation/operators/numbers.h"
#include "evaluation/operators/sem_ver.h"
#include "evaluation/operators/strings.h"
#include "evaluation/operators/variable.h"

namespace flagstone::evaluation::operators {
namespace {

TEST(Numbers, AreReadAsGoReadsThem) {
  const std::tuple<std::string_view, double, ParsedAs> cases[] = {
      {"12", 12, ParsedAs::kNumber},
      {"-1.5e3", -1500, ParsedAs::kNumber},
      {"+.5", 0.5, ParsedAs::kNumber},
      {"5.", 5, ParsedAs::kNumber},
      {"00012", 12, ParsedAs::kNumber},
      {"1_000", 1000, ParsedAs::kNumber},
      {"0x1p-2", 0.25, ParsedAs::kNumber},
      {"0x_1p2", 4, ParsedAs::kNumber},
      {"Infinity", INFINITY, ParsedAs::kNumber},
      {"-inf", -INFINITY, ParsedAs::kNumber},
      {"1e400", INFINITY, ParsedAs::kOutOfRange},
      {"1e-400", 0, ParsedAs::kNumber},
      {"0x10", 0, ParsedAs::kNoNumber},
      {"", 0, ParsedAs::kNoNumber},
      {".", 0, ParsedAs::kNoNumber},
      {"1e", 0, ParsedAs::kNoNumber},
      {" 1", 0, ParsedAs::kNoNumber},
      {"1__0", 0, ParsedAs::kNoNumber},
      {"_1", 0, ParsedAs::kNoNumber},
      {"-nan", 0, ParsedAs::kNoNumber},
      {"abc", 0, ParsedAs::kNoNumber},
  };
  for (const auto& [text, value, as] : cases) {
    const ParsedNumber parsed = parse_number(text);
    EXPECT_EQ(parsed.value, value) << text;
    EXPECT_EQ(parsed.as, as) << text;
  }
  EXPECT_TRUE(std::isnan(parse_number("NaN").value));
}

TEST(Numbers, AreWrittenAsGoWritesThem) {
  const std::tuple<double, std::string_view, std::string_view> cases[] = {
      {0, "0", "0"},
      {-0.0, "-0", "-0"},
      {1, "1", "1"},
      {-2.5, "-2.5", "-2.5"},
      {100, "100", "100"},
      {1e20, "100000000000000000000", "100000000000000000000"},
      {1e23, "100000000000000000000000", "1e+23"},
      {0.000001, "0.000001", "0.000001"},
      {1.5e-7, "0.00000015", "1.5e-7"},
      {1e-10, "0.0000000001", "1e-10"},
      {9007199254740993.0, "9007199254740992", "9007199254740992"},
      {0.1, "0.1", "0.1"},
  };
  for (const auto& [number, fixed, json] : cases) {
    std::string out;
    append_fixed(out, number);
    EXPECT_EQ(out, fixed);
    out.clear();
    append_json_number(out, number);
    EXPECT_EQ(out, json);
  }
}

TEST(Strings, TrimsUnicodeSpace) {
  EXPECT_EQ(trim_space(" \t\u00a0x y\u3000\n\u2009"), "x y");
  EXPECT_EQ(trim_space("\u2003 \u0085"), "");
  EXPECT_EQ(trim_space("é"), "é");
}

TEST(Variable, FindsByPath) {
  Arena arena;
  JsonReader reader(10);
  const Value data = *reader.read(R"({"a":{"b":[10,{"c":1}],"":2},"n":null,"x.y":3})", arena);
  EXPECT_EQ(find_variable(data, "a.b.0")->as_int(), 10);
  EXPECT_EQ(find_variable(data, ".a..b.1.c.")->as_int(), 1);
  EXPECT_EQ(find_variable(data, "a.b.x")->as_int(), 10);
  EXPECT_EQ(find_variable(data, ""), &data);
  for (const auto* path : {"a.b.2", "a.b.-1", "a.b.0.z", "n", "n.x", "x.y", "zz"}) {
    EXPECT_EQ(find_variable(data, path), nullptr) << path;
  }
}

// `=` of a version with itself tells whether it is valid.
TEST(SemVer, KnowsValidVersions) {
  const std::pair<std::string_view, bool> cases[] = {
      {"1", true},           {"1.2", true},        {"1.2.3", true},      {"v1.2.3", true},
      {"V1.2.3", true},      {"1.2.3-rc.1", true}, {"1.2.3+b.01", true}, {"1.2.3-a-b+c", true},
      {"01.2.3", false},     {"1.2.3.4", false},   {"", false},          {"v", false},
      {"vv1", false},        {"Vv1", false},       {"1.2.3-", false},    {"1.2.3-01", false},
      {"1.2.3-a..b", false}, {"1.2-rc", false},    {"1.2.3+", false},    {"1.2.x", false},
      {" 1.2.3", false},     {"1.", false},        {"1.2.3-a.", false},
  };
  Arena arena;
  for (const auto& [text, valid] : cases) {
    const Value args[] = {Value::string(text), Value::string("="), Value::string(text)};
    const Outcome result = sem_ver(Value::array(args), arena);
    EXPECT_EQ(result->is_bool() && result->as_bool(), valid) << text;
  }
}

TEST(SemVer, OrdersAsTheStandardDoes) {
  constexpr std::string_view kRising[] = {
      "1.0.0-1",    "1.0.0-2",  "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
      "1.0.0-beta", "1.0.0-rc", "1.0.0",    "1.0.1",       "1.1",           "1.10",
      "2",          "10"};
  Arena arena;
  for (std::size_t i = 0; i + 1 < std::size(kRising); ++i) {
    const Value args[] = {Value::string(kRising[i]), Value::string("<"),
                          Value::string(kRising[i + 1])};
    EXPECT_TRUE(sem_ver(Value::array(args), arena)->as_bool()) << kRising[i];
  }
}

std::string hex_of(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    const auto c = static_cast<unsigned char>(byte);
    constexpr std::string_view kDigits = "0123456789abcdef";
    out.push_back(kDigits[c >> 4]);
    out.push_back(kDigits[c & 15]);
  }
  return out;
}

// Mostly RFC 8949's appendix A; objects in the deterministic order of 4.2.1.
TEST(Cbor, IsDeterministic) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0", "00"},
      {"23", "17"},
      {"24", "1818"},
      {"1000", "1903e8"},
      {"1000000", "1a000f4240"},
      {"18446744073709551615", "1bffffffffffffffff"},
      {"18446744073709551616", "fa5f800000"},
      {"-1", "20"},
      {"-1000", "3903e7"},
      {"-9223372036854775808", "3b7fffffffffffffff"},
      {"1.0", "01"},
      {"-0.0", "00"},
      {"1.5", "f93e00"},
      {"65504.5", "fa477fe080"},
      {"100000.5", "fa47c35040"},
      {"1.1", "fb3ff199999999999a"},
      {"5.960464477539063e-8", "f90001"},
      {"0.00006103515625", "f90400"},
      {"3.4028234663852886e+38", "fa7f7fffff"},
      {"1.0e+300", "fb7e37e43c8800759c"},
      {"true", "f5"},
      {"null", "f6"},
      {R"("")", "60"},
      {R"("\u00fc")", "62c3bc"},
      {"[1,[2,3]]", "8201820203"},
      {R"({"b":1,"a":2,"aa":3,"":4,"a":5})",
       "a46004616105616201626161"
       "03"},
  };
  Arena arena;
  JsonReader reader(10);
  for (const auto& [json, bytes] : cases) {
    const auto value = reader.read(json, arena);
    ASSERT_TRUE(value) << json;
    EXPECT_EQ(hex_of(encode_cbor(*value, arena)), bytes) << json;
  }
  const std::string long_text(1000, 'x');
  EXPECT_EQ(encode_cbor(Value::string(long_text), arena).size(), 1003U);
}

TEST(Fractional, SharesAreExactAtTheEdges) {
  const WeightedValue halves[] = {{Value::string("lower"), 50}, {Value::string("upper"), 50}};
  const std::pair<std::uint32_t, std::string_view> cases[] = {{0, "lower"},
                                                              {1, "lower"},
                                                              {2147483647U, "lower"},
                                                              {2147483648U, "upper"},
                                                              {4294967295U, "upper"}};
  for (const auto& [hash, name] : cases) {
    EXPECT_EQ(pick_by_share(halves, hash).as_string(), name) << hash;
  }
  const WeightedValue most[] = {{Value::string("a"), 2147483646}, {Value::string("b"), 1}};
  EXPECT_EQ(pick_by_share(most, 4294967295U).as_string(), "b");
  EXPECT_EQ(pick_by_share(most, 4294967290U).as_string(), "a");
  const WeightedValue none[] = {{Value::string("a"), 0}};
  EXPECT_TRUE(pick_by_share(none, 1).is_null());
  EXPECT_EQ(pick_by_percentage(none, 1).as_string(), "");
}

}  // namespace
}  // namespace flagstone::evaluation::operators
