// Unary calls in each protocol: what is understood, what is answered, what is refused and how.
#include "net/rpc/call.h"

#include <gtest/gtest.h>

#include "net/base64.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::net {
namespace {

std::string base64(std::string text) {
  encode_base64_from(0, text);
  return text;
}

class RpcCallTest : public ::testing::Test {
 protected:
  std::optional<RpcCall> begin(const RpcRequest& request, RpcKind kind = RpcKind::kUnary) {
    response = {};
    return RpcCall::begin(kind, *request, response, scratch);
  }
  // The code that the answer tells, whatever the protocol.
  std::string told_code() const {
    if (response.content_type.starts_with("application/grpc-web-text")) {
      std::string text;
      EXPECT_TRUE(decode_base64(response.text, text));
      return code_in(text);
    }
    const std::string in_header = response.header("grpc-status");
    return in_header.empty() ? code_in(response.text) : in_header;
  }
  static std::string code_in(std::string_view text) {
    for (const std::string_view mark : {"grpc-status:", "\"code\":\""}) {
      const std::size_t at = text.find(mark);
      if (at == std::string_view::npos) continue;
      text.remove_prefix(at + mark.size());
      return std::string(text.substr(0, text.find_first_of("\"\r")));
    }
    return {};
  }

  RpcScratch scratch;
  RecordingResponse response;
};

TEST_F(RpcCallTest, Answers) {
  struct Row {
    const char* content_type;
    std::string body;
    std::string answer;
    RpcCodec codec;
  };
  const std::string framed = rpc_frame("ask");
  const std::string in_frames = rpc_frame("answer") + rpc_frame("grpc-status:0\r\n", 0x80);
  const Row rows[] = {
      {"application/grpc", framed, rpc_frame("answer"), RpcCodec::kProto},
      {"application/grpc+proto", framed, rpc_frame("answer"), RpcCodec::kProto},
      {"application/grpc+json", framed, rpc_frame("answer"), RpcCodec::kJson},
      {"application/grpc-web", framed, in_frames, RpcCodec::kProto},
      {"application/grpc-web+proto", framed, in_frames, RpcCodec::kProto},
      {"application/grpc-web-text", base64(framed), base64(in_frames), RpcCodec::kProto},
      {"application/grpc-web-text+proto", base64(framed.substr(0, 5)) + base64(framed.substr(5)),
       base64(in_frames), RpcCodec::kProto},
      {"application/json", "ask", "answer", RpcCodec::kJson},
      {"application/proto", "ask", "answer", RpcCodec::kProto},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.content_type);
    const RpcRequest request(row.content_type, row.body);
    auto call = begin(request);
    ASSERT_TRUE(call) << response.text;
    EXPECT_EQ(call->message(), "ask");
    EXPECT_EQ(call->codec(), row.codec);
    EXPECT_EQ(call->timeout_ms(), std::nullopt);
    call->reply().append("ans").append("wer");
    call->send();
    EXPECT_EQ(response.sends, 1);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, row.content_type);
    EXPECT_EQ(response.text, row.answer);
    const bool grpc = call->protocol() == RpcProtocol::kGrpc;
    EXPECT_EQ(response.trailer("grpc-status"), grpc ? "0" : "");
  }
}

TEST_F(RpcCallTest, EmptyMessagesAreMessages) {
  for (const auto& [type, body] : {std::pair{"application/grpc", rpc_frame("")},
                                   {"application/grpc-web-text", base64(rpc_frame(""))},
                                   {"application/proto", std::string()}}) {
    const RpcRequest request(type, body);
    auto call = begin(request);
    ASSERT_TRUE(call) << type << response.text;
    EXPECT_EQ(call->message(), "");
    call->send();
    EXPECT_TRUE(response.status == 200);
  }
}

TEST_F(RpcCallTest, Failures) {
  const std::string trailers = rpc_frame("grpc-status:5\r\ngrpc-message:no \"x%C3%BC\"\r\n", 0x80);
  const std::string json = R"({"code":"not_found","message":"no \"xü\""})";
  struct Row {
    const char* content_type;
    RpcKind kind;
    std::string body;
    int status;
    std::string answer_type;
    std::string answer;
  };
  const std::string framed = rpc_frame("{}");
  const RpcKind unary = RpcKind::kUnary;
  const Row rows[] = {
      {"application/grpc", unary, framed, 200, "application/grpc", ""},
      {"application/grpc-web", unary, framed, 200, "application/grpc-web", trailers},
      {"application/grpc-web-text", unary, base64(framed), 200, "application/grpc-web-text",
       base64(trailers)},
      {"application/json", unary, "{}", 404, "application/json", json},
      {"application/proto", unary, "{}", 404, "application/json", json},
      {"application/connect+json", RpcKind::kServerStream, framed, 200, "application/connect+json",
       rpc_frame("{\"error\":" + json + "}", 2)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.content_type);
    const RpcRequest request(row.content_type, row.body);
    auto call = begin(request, row.kind);
    ASSERT_TRUE(call);
    if (row.kind == unary) call->reply().append("half an answer");
    call->fail(RpcCode::kNotFound, "no \"xü\"");
    EXPECT_EQ(response.sends, 1);
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.content_type, row.answer_type);
    EXPECT_EQ(response.text, row.answer);
    // gRPC's "Trailers-Only": everything is in the head.
    const bool grpc = call->protocol() == RpcProtocol::kGrpc;
    EXPECT_EQ(response.header("grpc-status"), grpc ? "5" : "");
    EXPECT_EQ(response.header("grpc-message"), grpc ? "no \"x%C3%BC\"" : "");
    EXPECT_TRUE(response.trailers.empty());
  }
}

// Every protocol that has frames is asked each of these.
TEST_F(RpcCallTest, RefusesWhatIsNoSingleFrame) {
  struct Row {
    const char* what;
    std::string body;
    const char* grpc;
    const char* connect;
  };
  const std::string one = rpc_frame("message");
  const Row rows[] = {
      {"nothing", "", "12", "unimplemented"},
      {"half a prefix", one.substr(0, 4), "13", "invalid_argument"},
      {"a prefix alone", one.substr(0, 5), "13", "invalid_argument"},
      {"a cut message", one.substr(0, one.size() - 1), "13", "invalid_argument"},
      {"a byte too many", one + "x", "12", "unimplemented"},
      {"two", one + one, "12", "unimplemented"},
      {"too long", rpc_frame(std::string(1001, 'x')), "8", "resource_exhausted"},
      {"announced too long", std::string("\0\xff\xff\xff\xff", 5), "8", "resource_exhausted"},
      {"the end of a stream", rpc_frame("{}", 2), "13", "invalid_argument"},
      {"trailers", rpc_frame("", 0x80), "13", "invalid_argument"},
      {"compressed, not said how", rpc_frame(gzipped("x"), 1), "13", "internal"},
  };
  scratch.message_bytes_max = 1000;
  for (const Row& row : rows) {
    for (const char* type : {"application/grpc", "application/grpc-web",
                             "application/grpc-web-text", "application/connect+proto"}) {
      const bool text = std::string_view(type).ends_with("text");
      const bool connect = std::string_view(type).find("connect") != std::string_view::npos;
      const RpcRequest request(type, text ? base64(row.body) : row.body);
      EXPECT_FALSE(begin(request, RpcKind::kServerStream)) << row.what << type;
      EXPECT_EQ(response.sends, 1);
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(told_code(), connect ? row.connect : row.grpc) << row.what << " " << type;
    }
  }
}

TEST_F(RpcCallTest, TheLimitItselfIsAllowed) {
  scratch.message_bytes_max = 1000;
  const std::string full(1000, 'x');
  const RpcRequest framed("application/grpc", rpc_frame(full));
  const RpcRequest plain("application/proto", full);
  const RpcRequest larger("application/proto", full + "x");
  EXPECT_TRUE(begin(framed));
  EXPECT_TRUE(begin(plain));
  EXPECT_FALSE(begin(larger));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(told_code(), "resource_exhausted");
}

TEST_F(RpcCallTest, Compression) {
  struct Row {
    const char* content_type;
    const char* field;
    const char* encoding;
    std::string body;
    const char* code;                // of the refusal; null: the message is "ask"
    const char* accepted = nullptr;  // the field that tells what is understood
  };
  const std::string zip = gzipped("ask");
  const std::string bomb = gzipped(std::string(100'000, 'x'));
  const std::string cut = zip.substr(0, zip.size() - 1);
  const char* grpc = "application/grpc";
  const char* web = "application/grpc-web";
  const char* text = "application/grpc-web-text";
  const char* json = "application/json";
  const char* stream = "application/connect+json";
  const char* connect_field = "connect-content-encoding";
  const Row rows[] = {
      {grpc, "grpc-encoding", "gzip", rpc_frame(zip, 1), nullptr},
      {grpc, "grpc-encoding", "gzip", rpc_frame("ask"), nullptr},
      {grpc, "grpc-encoding", "identity", rpc_frame("ask"), nullptr},
      {grpc, "grpc-encoding", "snappy", rpc_frame("ask"), nullptr},
      {grpc, "grpc-encoding", "snappy", rpc_frame("?", 1), "12", "grpc-accept-encoding"},
      {grpc, "grpc-encoding", "identity", rpc_frame(zip, 1), "13"},
      {grpc, "grpc-encoding", "gzip", rpc_frame(bomb, 1), "8"},
      {grpc, "grpc-encoding", "gzip", rpc_frame(cut, 1), "13"},
      {grpc, "grpc-encoding", "gzip", rpc_frame("ask", 1), "13"},
      {grpc, "grpc-encoding", "gzip", rpc_frame("", 1), "13"},
      {web, "grpc-encoding", "gzip", rpc_frame(zip, 1), nullptr},
      {web, "grpc-encoding", "br", rpc_frame(zip, 1), "12", "grpc-accept-encoding"},
      {text, "grpc-encoding", "gzip", base64(rpc_frame(zip, 1)), nullptr},
      {text, "grpc-encoding", "gzip", base64(rpc_frame(bomb, 1)), "8"},
      {json, "content-encoding", "gzip", zip, nullptr},
      {json, "content-encoding", "GZIP", zip, nullptr},
      {json, "content-encoding", "identity", "ask", nullptr},
      {json, "content-encoding", "br", "ask", "unimplemented", "accept-encoding"},
      {json, "content-encoding", "gzip", bomb, "resource_exhausted"},
      {json, "content-encoding", "gzip", cut, "invalid_argument"},
      {json, "content-encoding", "gzip", "ask", "invalid_argument"},
      {stream, connect_field, "gzip", rpc_frame(zip, 1), nullptr},
      {stream, connect_field, "zstd", rpc_frame(zip, 1), "unimplemented",
       "connect-accept-encoding"},
      {stream, connect_field, "gzip", rpc_frame(cut, 1), "invalid_argument"},
  };
  scratch.message_bytes_max = 50'000;
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.content_type) + " " + row.encoding);
    RpcRequest request(row.content_type, row.body);
    request.with(row.field, row.encoding);
    const auto kind = row.content_type == stream ? RpcKind::kServerStream : RpcKind::kUnary;
    const auto call = begin(request, kind);
    ASSERT_EQ(call.has_value(), row.code == nullptr) << response.text;
    if (call) {
      EXPECT_EQ(call->message(), "ask");
      continue;
    }
    EXPECT_EQ(told_code(), row.code);
    if (row.accepted != nullptr) {
      EXPECT_EQ(response.header(row.accepted), "identity, gzip");
    }
  }
}

TEST_F(RpcCallTest, EmptyJsonIsNone) {
  for (const auto& [type, body] :
       {std::pair{"application/json", std::string()}, {"application/grpc+json", rpc_frame("")}}) {
    const RpcRequest request(type, body);
    EXPECT_FALSE(begin(request)) << type;
    EXPECT_TRUE(told_code() == "invalid_argument" || told_code() == "3") << told_code();
  }
  const RpcRequest stream("application/connect+json", rpc_frame(""));
  EXPECT_FALSE(begin(stream, RpcKind::kServerStream));
  EXPECT_EQ(told_code(), "invalid_argument");
}

TEST_F(RpcCallTest, Timeouts) {
  struct Row {
    const char* content_type;
    const char* field;
    const char* value;
    std::optional<std::int64_t> ms;
    const char* code;  // null: the call begins
  };
  const Row rows[] = {
      {"application/grpc", "grpc-timeout", "2S", 2000, nullptr},
      {"application/grpc", "grpc-timeout", "0n", {}, "4"},
      {"application/grpc", "grpc-timeout", "2s", {}, "13"},
      {"application/grpc", "connect-timeout-ms", "soon", std::nullopt, nullptr},
      {"application/grpc-web", "grpc-timeout", "1u", 1, nullptr},
      {"application/json", "connect-timeout-ms", "30", 30, nullptr},
      {"application/json", "connect-timeout-ms", "0", {}, "deadline_exceeded"},
      {"application/json", "connect-timeout-ms", "30m", {}, "invalid_argument"},
      {"application/json", "grpc-timeout", "soon", std::nullopt, nullptr},
  };
  for (const Row& row : rows) {
    const bool framed = std::string_view(row.content_type) != "application/json";
    RpcRequest request(row.content_type, framed ? rpc_frame("{}") : "{}");
    request.with(row.field, row.value);
    const auto call = begin(request);
    ASSERT_EQ(call.has_value(), row.code == nullptr) << row.value;
    if (call) {
      EXPECT_EQ(call->timeout_ms(), row.ms) << row.value;
    } else {
      EXPECT_EQ(told_code(), row.code) << row.value;
    }
  }
}

TEST_F(RpcCallTest, ConnectVersion) {
  RpcRequest first("application/json", "{}");
  first.with("connect-protocol-version", "1");
  EXPECT_TRUE(begin(first));
  RpcRequest second("application/json", "{}");
  second.with("connect-protocol-version", "2");
  EXPECT_FALSE(begin(second));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(told_code(), "invalid_argument");
}

TEST_F(RpcCallTest, WhatHttpRefuses) {
  struct Row {
    const char* content_type;
    RpcKind kind;
    HttpVersion version;
    Method method;
    int status;  // 0: the call begins
  };
  constexpr auto kUnary = RpcKind::kUnary;
  constexpr auto kStream = RpcKind::kServerStream;
  constexpr auto k11 = HttpVersion::k11;
  constexpr auto k2 = HttpVersion::k2;
  const Row rows[] = {
      {"application/grpc", kUnary, k11, Method::kPost, 505},
      {"application/grpc", kStream, HttpVersion::k10, Method::kPost, 505},
      {"application/grpc-web", kUnary, k11, Method::kPost, 0},
      {"application/connect+proto", kStream, k11, Method::kPost, 0},
      {"application/proto", kUnary, k11, Method::kPost, 0},
      {"application/proto", kUnary, k2, Method::kGet, 405},
      {"application/grpc", kUnary, k2, Method::kPut, 405},
      {"application/proto", kStream, k2, Method::kPost, 415},
      {"application/connect+proto", kUnary, k2, Method::kPost, 415},
      {"text/plain", kUnary, k2, Method::kPost, 415},
      {"", kStream, k2, Method::kPost, 415},
      {"application/grpc+avro", kUnary, k2, Method::kPost, 415},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.content_type);
    RpcRequest request(row.content_type, rpc_frame("m"));
    request.over(row.version).by(row.method);
    EXPECT_EQ(begin(request, row.kind).has_value(), row.status == 0);
    EXPECT_EQ(response.status, row.status);
    if (row.status == 405) {
      EXPECT_EQ(response.header("Allow"), "POST");
    }
    if (row.status == 415) {
      EXPECT_EQ(response.header("Accept-Post"), accepted_content_types(row.kind));
    }
  }
}

TEST_F(RpcCallTest, RefusalsInEachManner) {
  struct Row {
    const char* content_type;
    HttpVersion version;
    int status;
    const char* code;
  };
  const Row rows[] = {
      {"application/grpc", HttpVersion::k2, 200, "8"},
      {"application/grpc", HttpVersion::k11, 413, ""},
      {"application/grpc-web", HttpVersion::k11, 200, "8"},
      {"application/grpc-web-text", HttpVersion::k2, 200, "8"},
      {"application/json", HttpVersion::k11, 429, "resource_exhausted"},
      {"application/connect+json", HttpVersion::k2, 429, "resource_exhausted"},
      {"text/plain", HttpVersion::k2, 413, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.content_type);
    RpcRequest request(row.content_type, "");
    request.over(row.version);
    response = {};
    RpcCall::refuse({.status = 413, .reason = "the body is too large", .headers = {}}, *request,
                    response);
    EXPECT_EQ(response.sends, 1);
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(told_code(), row.code);
  }
}

// No byte changed anywhere in a request does more than refuse it.
TEST_F(RpcCallTest, MutatedBytesDoNoHarm) {
  scratch.message_bytes_max = 2000;
  const std::string zip = gzipped("a message of some length, a message of some length");
  for (const auto& [type, body] :
       {std::pair{"application/grpc", rpc_frame(zip, 1)},
        {"application/grpc-web-text", base64(rpc_frame(zip, 1))},
        {"application/connect+proto", rpc_frame("plain text of some length")}}) {
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const unsigned mask : {0x01U, 0x80U, 0xffU, 0x20U}) {
        std::string mutated = body;
        mutated[at] = static_cast<char>(static_cast<unsigned char>(mutated[at]) ^ mask);
        RpcRequest request(type, mutated);
        request.with("grpc-encoding", "gzip");
        const auto call = begin(request, RpcKind::kServerStream);
        EXPECT_EQ(response.sends, call ? 0 : 1);
        EXPECT_LE(call ? call->message().size() : 0U, scratch.message_bytes_max);
      }
    }
  }
}

TEST_F(RpcCallTest, ALargeMessageDoesNotKeepItsMemory) {
  RpcRequest large("application/json", gzipped(std::string(900'000, 'x')));
  large.with("content-encoding", "gzip");
  ASSERT_TRUE(begin(large));
  EXPECT_GE(scratch.message.capacity(), 900'000U);
  const RpcRequest small("application/json", "{}");
  ASSERT_TRUE(begin(small));
  EXPECT_LE(scratch.message.capacity(), 64U * 1024);
}

}  // namespace
}  // namespace flagstone::net
