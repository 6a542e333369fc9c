#include "net/rpc/timeout.h"

#include <cstddef>

namespace flagstone::net {
namespace {

constexpr std::size_t kGrpcDigitsMax = 8;
constexpr std::size_t kConnectDigitsMax = 10;

std::optional<std::int64_t> parse_digits(std::string_view text, std::size_t digits_max) {
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

constexpr std::int64_t divide_up(std::int64_t number, std::int64_t by) {
  return (number + by - 1) / by;
}

}  // namespace

std::optional<std::int64_t> parse_grpc_timeout_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto digits = parse_digits(text.substr(0, text.size() - 1), kGrpcDigitsMax);
  if (!digits) return std::nullopt;
  const std::int64_t number = *digits;
  switch (text.back()) {
    case 'H':
      return number * 3'600'000;
    case 'M':
      return number * 60'000;
    case 'S':
      return number * 1000;
    case 'm':
      return number;
    case 'u':
      return divide_up(number, 1000);
    case 'n':
      return divide_up(number, 1'000'000);
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> parse_connect_timeout_ms(std::string_view text) {
  return parse_digits(text, kConnectDigitsMax);
}

}  // namespace flagstone::net
