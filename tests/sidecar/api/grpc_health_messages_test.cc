#include "sidecar/api/grpc_health_messages.h"

#include <gtest/gtest.h>

namespace flagstone::sidecar {
namespace {

using namespace std::string_view_literals;
constexpr auto kProto = net::RpcCodec::kProto;
constexpr auto kJson = net::RpcCodec::kJson;
constexpr std::nullopt_t kMalformed = std::nullopt;

TEST(GrpcHealthMessages, Requests) {
  struct Row {
    net::RpcCodec codec;
    std::string_view message;
    std::optional<std::string> service;
  };
  const Row rows[] = {
      {kProto, "", ""},
      {kProto, "\x0a\x00"sv, ""},
      {kProto,
       "\x0a\x03"
       "a.B",
       "a.B"},
      {kProto, "\x0a\x01x\x0a\x01y", "y"},     // the last wins
      {kProto, "\x10\x96\x01\x0a\x01x", "x"},  // an unknown varint
      {kProto, "\x15zzzz\x0a\x01x", "x"},      // 32 bits
      {kProto, "\x19zzzzzzzz\x0a\x01x", "x"},  // 64 bits
      {kProto, "\x1a\x02zz\x0a\x01x", "x"},    // bytes
      {kProto, "\x0a", kMalformed},
      {kProto,
       "\x0a\x04"
       "abc",
       kMalformed},
      {kProto, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", kMalformed},
      {kProto, "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", kMalformed},
      {kProto, "\x02\x01x", kMalformed},  // the field's number is zero
      {kProto, "\x0b", kMalformed},       // groups
      {kProto, "\x15zzz", kMalformed},
      {kProto, "\x80", kMalformed},
      {kJson, "{}", ""},
      {kJson, R"({"service":""})", ""},
      {kJson, R"({"service":null})", ""},
      {kJson, R"( {"other":[1],"service":"a.\u0042"} )", "a.B"},
      {kJson, "", kMalformed},
      {kJson, "[]", kMalformed},
      {kJson, "{", kMalformed},
      {kJson, R"({"service":1})", kMalformed},
      {kJson, R"({"service":"x"} x)", kMalformed},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(read_health_request(row.message, row.codec), row.service)
        << ::testing::PrintToString(row.message);
  }
}

TEST(GrpcHealthMessages, Responses) {
  struct Row {
    HealthStatus status;
    std::string_view proto;
    std::string_view json;
  };
  const Row rows[] = {
      {HealthStatus::kUnknown, "", R"({"status":"UNKNOWN"})"},
      {HealthStatus::kServing, "\x08\x01", R"({"status":"SERVING"})"},
      {HealthStatus::kNotServing, "\x08\x02", R"({"status":"NOT_SERVING"})"},
      {HealthStatus::kServiceUnknown, "\x08\x03", R"({"status":"SERVICE_UNKNOWN"})"},
  };
  for (const Row& row : rows) {
    std::string out = "x";
    append_health_response(row.status, kProto, out);
    EXPECT_EQ(out.substr(1), row.proto);
    out.clear();
    append_health_response(row.status, kJson, out);
    EXPECT_EQ(out, row.json);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
