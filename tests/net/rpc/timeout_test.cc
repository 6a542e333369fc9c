#include "net/rpc/timeout.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

constexpr std::optional<std::int64_t> kMalformed = std::nullopt;

struct Row {
  const char* text;
  std::optional<std::int64_t> ms;
};

TEST(RpcTimeout, Grpc) {
  const Row rows[] = {
      {"1H", 3'600'000},
      {"2M", 120'000},
      {"3S", 3000},
      {"4m", 4},
      {"0m", 0},
      {"00000007m", 7},
      {"5000u", 5},
      {"5001u", 6},
      {"1u", 1},
      {"1n", 1},
      {"1000000n", 1},
      {"1000001n", 2},
      {"99999999H", 359'999'996'400'000},
      {"99999999n", 100},
      {"", kMalformed},
      {"1", kMalformed},
      {"H", kMalformed},
      {"1h", kMalformed},
      {"1s", kMalformed},
      {"100000000m", kMalformed},
      {"-1S", kMalformed},
      {"+1S", kMalformed},
      {" 1S", kMalformed},
      {"1 S", kMalformed},
      {"1S ", kMalformed},
      {"1.5S", kMalformed},
      {"1SS", kMalformed},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_grpc_timeout_ms(row.text), row.ms) << row.text;
}

TEST(RpcTimeout, Connect) {
  const Row rows[] = {
      {"0", 0},
      {"1500", 1500},
      {"9999999999", 9'999'999'999},
      {"", kMalformed},
      {"10000000000", kMalformed},
      {"1m", kMalformed},
      {"-1", kMalformed},
      {"1.0", kMalformed},
      {" 1", kMalformed},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_connect_timeout_ms(row.text), row.ms) << row.text;
}

}  // namespace
}  // namespace flagstone::net
