#include "net/rpc/status_text.h"

#include <gtest/gtest.h>

#include "tests/fakes/net/rpc_request.h"

namespace flagstone::net {
namespace {

using namespace std::string_view_literals;

TEST(RpcStatusText, GrpcMessagesArePercentEncoded) {
  struct Row {
    std::string_view message;
    std::string_view encoded;
  };
  const Row rows[] = {
      {"", ""},
      {"flag `x` is not there", "flag `x` is not there"},
      {" ~", " ~"},
      {"100%", "100%25"},
      {"a\nb\r\tc", "a%0Ab%0D%09c"},
      {"\0\x1f\x7f"sv, "%00%1F%7F"},
      {"ü", "%C3%BC"},
      {"\xff", "%FF"},
  };
  for (const Row& row : rows) {
    std::string out = "x";
    append_grpc_message(row.message, out);
    EXPECT_EQ(out.substr(1), row.encoded);
  }
}

TEST(RpcStatusText, ConnectErrorsAreJson) {
  struct Row {
    std::string_view message;
    std::string_view json;
  };
  const Row rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"\"\\/", "\\\"\\\\/"},
      {"\0\n\x1f\x7f"sv, "\\u0000\\u000A\\u001F\x7f"},
      {"ü€😀", "ü€😀"},
      {"\xc3", "\\ufffd"},                                   // cut
      {"\xc0\x80", "\\ufffd\\ufffd"},                        // overlong
      {"\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd"},             // overlong
      {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},             // a surrogate
      {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // beyond the last code point
      {"a\xff"
       "b",
       "a\\ufffdb"},
      {"\xe2\x82", "\\ufffd\\ufffd"},
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
  };
  for (const Row& row : rows) {
    std::string out;
    append_connect_error(RpcCode::kNotFound, row.message, out);
    EXPECT_EQ(out, "{\"code\":\"not_found\",\"message\":\"" + std::string(row.json) + "\"}");
  }
}

TEST(RpcStatusText, EndsOfStreams) {
  std::string out;
  append_web_trailers(RpcCode::kOk, "dropped", out);
  EXPECT_EQ(out, rpc_frame("grpc-status:0\r\n", 0x80));
  out.clear();
  append_web_trailers(RpcCode::kNotFound, "no\n", out);
  EXPECT_EQ(out, rpc_frame("grpc-status:5\r\ngrpc-message:no%0A\r\n", 0x80));
  out.clear();
  append_connect_end(RpcCode::kOk, "dropped", out);
  EXPECT_EQ(out, rpc_frame("{}", 2));
  out.clear();
  append_connect_end(RpcCode::kUnavailable, "later", out);
  EXPECT_EQ(out, rpc_frame(R"({"error":{"code":"unavailable","message":"later"}})", 2));
}

}  // namespace
}  // namespace flagstone::net
