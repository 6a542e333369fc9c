#include "config/values.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

// The error, or the value as it would be written in a help text.
std::string duration(std::string_view text) {
  const auto value = parse_duration(text);
  return value ? format_duration(*value) : "error: " + value.error();
}
std::string size(std::string_view text) {
  const auto value = parse_size(text);
  return value ? std::to_string(*value) : "error: " + value.error();
}

struct Row {
  std::string_view text;
  std::string_view expected;
};

TEST(Values, ReadsDurations) {
  for (const Row& row : {
           Row{"500ms", "500ms"},
           Row{"30s", "30s"},
           Row{"30 s", "30s"},
           Row{"5m", "5m"},
           Row{"1h", "1h"},
           Row{"90s", "90s"},
           Row{"60s", "1m"},
           Row{"1000ms", "1s"},
           Row{"0", "0s"},
           Row{"0s", "0s"},
           Row{"8760h", "8760h"},
           Row{"8761h", "error: `8761h` is longer than 365 days"},
           Row{"30", "error: `30` has no unit, write `30s` for seconds"},
           Row{"", "error: `` is not a whole number with a unit, write it like `30s`"},
           Row{"-1s", "error: `-1s` is not a whole number with a unit, write it like `30s`"},
           Row{"s", "error: `s` is not a whole number with a unit, write it like `30s`"},
           Row{"1.5s", "error: `1.5s` has an unknown unit, known are ms, s, m, h"},
           Row{"5min", "error: `5min` has an unknown unit, known are ms, s, m, h"},
           Row{"99999999999999999999s", "error: `99999999999999999999s` is too large"},
           Row{"9999999999999999999h", "error: `9999999999999999999h` is too large"},
       }) {
    EXPECT_EQ(duration(row.text), row.expected) << row.text;
  }
}

TEST(Values, ReadsSizes) {
  constexpr std::string_view kUnknownUnit =
      "error: `64Mi` has an unknown unit, known are KiB, MiB, GiB, kB, MB, GB; without one it is "
      "bytes";
  for (const Row& row : {
           Row{"1048576", "1048576"},
           Row{"64KiB", "65536"},
           Row{"64MiB", "67108864"},
           Row{"64 MiB", "67108864"},
           Row{"2GiB", "2147483648"},
           Row{"1kB", "1000"},
           Row{"1MB", "1000000"},
           Row{"1GB", "1000000000"},
           Row{"64Mi", kUnknownUnit},
           Row{"-1", "error: `-1` is not a whole number with a unit, write it like `64MiB`"},
           Row{"99999999999GiB", "error: `99999999999GiB` is too large"},
       }) {
    EXPECT_EQ(size(row.text), row.expected) << row.text;
  }
}

TEST(Values, WritesSizesInTheRoundestUnit) {
  struct SizeRow {
    std::uint64_t bytes;
    std::string_view expected;
  };
  for (const SizeRow& row :
       {SizeRow{0, "0"}, SizeRow{1, "1"}, SizeRow{65536, "64KiB"}, SizeRow{1'000'000, "1MB"},
        SizeRow{67'108'864, "64MiB"}, SizeRow{1'073'741'824, "1GiB"}, SizeRow{1025, "1025"}}) {
    EXPECT_EQ(format_size(row.bytes), row.expected);
    EXPECT_EQ(parse_size(format_size(row.bytes)).value(), row.bytes);
  }
}

TEST(Values, SplitsLists) {
  EXPECT_EQ(split_list("a, b ,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(split_list(",a,,"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(split_list(" "), (std::vector<std::string>{}));
}

template <typename T>
std::string set(T initial, std::vector<std::string> items) {
  const auto done = set_field(&initial, items);
  return done ? format_field(&initial) : "error: " + done.error();
}

TEST(Values, SetsFields) {
  EXPECT_EQ(set(std::string("x"), {"y"}), "y");
  EXPECT_EQ(set(std::string("x"), {"a\nb"}), "error: must be one line of text");
  EXPECT_EQ(set(std::string("x"), {"a", "b"}), "error: takes one value, not several");
  EXPECT_EQ(set(std::string("x"), {}), "error: needs a value");
  EXPECT_EQ(set(std::vector<std::string>{"x"}, {"a", "b"}), "a, b");
  EXPECT_EQ(set(std::vector<std::string>{"x"}, {}), "");
  EXPECT_EQ(set(false, {"true"}), "true");
  EXPECT_EQ(set(false, {"yes"}), "error: `yes` is none of true, false");
  EXPECT_EQ(set(std::optional<bool>(), {"false"}), "false");
  EXPECT_EQ(set(1U, {"17"}), "17");
  EXPECT_EQ(set(1U, {"x"}), "error: `x` is not a whole number");
  EXPECT_EQ(set(1U, {"5000000000"}), "error: `5000000000` is too large");
  EXPECT_EQ(set(std::optional<std::uint64_t>(), {"1MiB"}), "1MiB");
  EXPECT_EQ(set(Fractional::kV2, {"v3"}), "v3");
  EXPECT_EQ(set(Fractional::kV2, {"v4"}), "error: `v4` is none of v1, v2, v3");
  EXPECT_EQ(set(LogLevel::kInfo, {"warn"}), "warn");
  EXPECT_EQ(set(LogFormat::kText, {"json"}), "json");
  EXPECT_EQ(set(DocumentFormat::kAuto, {"yaml"}), "yaml");
}

}  // namespace
}  // namespace flagstone::config
