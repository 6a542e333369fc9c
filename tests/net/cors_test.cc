#include "net/cors.h"

#include <gtest/gtest.h>

#include "net/host_guard.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/recording_response.h"

namespace flagstone::net {
namespace {

constexpr const char* kApp = "https://app.example";

class CorsTest : public ::testing::Test {
 protected:
  RecordingResponse ask(Handler& handler, Method method, std::string_view path,
                        std::vector<HeaderField> fields) {
    Request request;
    request.method = method;
    request.method_text = to_string(method);
    request.path = path;
    request.host = "localhost:8013";
    request.listener_kind = ListenerKind::kLoopbackTcp;
    request.headers = fields;
    RecordingResponse response;
    handler.handle(request, response);
    return response;
  }
  RecordingHandler next;
  Cors cors{next, {kApp, "http://localhost:3000"}};
};

TEST_F(CorsTest, AnswersPreflights) {
  const RecordingResponse response =
      ask(cors, Method::kOptions, "/ofrep/v1/evaluate/flags",
          {{"origin", kApp},
           {"access-control-request-method", "POST"},
           {"access-control-request-headers", "content-type,x-grpc-web,flagd-selector"}});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.text, "");
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), kApp);
  EXPECT_EQ(response.header("Access-Control-Allow-Methods"), "GET, HEAD, POST");
  EXPECT_EQ(response.header("Access-Control-Allow-Headers"),
            "content-type,x-grpc-web,flagd-selector");
  EXPECT_EQ(response.header("Access-Control-Max-Age"), "7200");
  EXPECT_EQ(response.header("Vary"),
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  EXPECT_TRUE(next.seen.empty());
}

TEST_F(CorsTest, APreflightWithoutHeadersAllowsNone) {
  const RecordingResponse response = ask(
      cors, Method::kOptions, "/x", {{"origin", kApp}, {"access-control-request-method", "GET"}});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.header("Access-Control-Allow-Headers"), "");
}

TEST_F(CorsTest, WhatIsNoPreflightGoesOn) {
  for (const std::vector<HeaderField>& fields :
       {std::vector<HeaderField>{{"origin", kApp}},
        {{"access-control-request-method", "GET"}},
        {{"origin", "https://evil.example"}, {"access-control-request-method", "GET"}}}) {
    const RecordingResponse response = ask(cors, Method::kOptions, "/x", fields);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.text, "OPTIONS /x");
  }
  EXPECT_EQ(next.seen.size(), 3U);
}

TEST_F(CorsTest, AnswersMayBeRead) {
  const RecordingResponse response = ask(cors, Method::kGet, "/unchanged", {{"origin", kApp}});
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.header("ETag"), "\"1\"");
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), kApp);
  EXPECT_EQ(response.header("Vary"), "Origin");
  const std::string exposed = response.header("Access-Control-Expose-Headers");
  for (const char* name : {"ETag", "grpc-status", "grpc-message", "Retry-After"}) {
    EXPECT_NE(exposed.find(name), std::string::npos) << name;
  }
}

TEST_F(CorsTest, OthersAreUntouched) {
  for (const std::vector<HeaderField>& fields : {std::vector<HeaderField>{},
                                                 {{"origin", "https://evil.example"}},
                                                 {{"origin", "null"}},
                                                 {{"origin", ""}},
                                                 {{"origin", "https://app.example:444"}}}) {
    const RecordingResponse response = ask(cors, Method::kGet, "/x", fields);
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.headers.empty());
  }
}

TEST_F(CorsTest, StreamsAndTheirHeadsToo) {
  const RecordingResponse response = ask(cors, Method::kGet, "/stream", {{"origin", kApp}});
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), kApp);
  ASSERT_EQ(next.streams.size(), 1U);
  EXPECT_TRUE(next.streams[0]->send("event"));
  EXPECT_EQ(response.stream->all(), "event");
}

TEST_F(CorsTest, AStarAllowsAllWithoutNamingThem) {
  Cors all(next, {"*"});
  const RecordingResponse response = ask(all, Method::kGet, "/x", {{"origin", "https://any"}});
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.header("Vary"), "");
  EXPECT_TRUE(ask(all, Method::kGet, "/x", {}).headers.empty());
}

TEST_F(CorsTest, RefusalsMayBeReadAsWell) {
  const HeaderField origin{"origin", kApp};
  const HeaderField allow{"Allow", "POST"};
  Request request;
  request.headers = {&origin, 1};
  RecordingResponse response;
  cors.refuse({.status = 405, .reason = "no", .headers = {&allow, 1}}, request, response);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("Allow"), "POST");
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), kApp);
  RecordingResponse other;
  request.headers = {};
  cors.refuse({.status = 405, .reason = "no", .headers = {&allow, 1}}, request, other);
  EXPECT_EQ(other.headers.size(), 1U);
}

TEST_F(CorsTest, BehindTheHostGuard) {
  HostGuardOptions options;
  options.allowed_origins = {kApp};
  HostGuard guard(cors, options);
  const std::vector<HeaderField> preflight = {{"origin", kApp},
                                              {"access-control-request-method", "POST"}};
  EXPECT_EQ(ask(guard, Method::kOptions, "/x", preflight).status, 204);
  const RecordingResponse evil =
      ask(guard, Method::kOptions, "/x",
          {{"origin", "https://evil.example"}, {"access-control-request-method", "POST"}});
  EXPECT_EQ(evil.status, 403);
  EXPECT_EQ(evil.header("Access-Control-Allow-Origin"), "");
  EXPECT_TRUE(next.seen.empty());
}

}  // namespace
}  // namespace flagstone::net
