#include "net/http2_session.h"

#include <gtest/gtest.h>

#include <string>

#include "net/session_choice.h"
#include "tests/fakes/net/http2_bench.h"
#include "tests/fakes/net/session_bench.h"

namespace flagstone::net {
namespace {

TEST(Http2Session, AnswersAGet) {
  Http2Bench bench;
  const int id = bench.client.get("/a?b=c", {{"user-agent", "x"}, {"cookie", "a=1"}});
  bench.exchange();
  const Http2Client::Answer& answer = bench.answer(id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "GET /a");
  EXPECT_EQ(answer.header("content-type"), "text/plain");
  EXPECT_EQ(answer.header("content-length"), "6");
  EXPECT_TRUE(answer.header("date").ends_with(" GMT")) << answer.header("date");
  EXPECT_TRUE(answer.closed);
  EXPECT_EQ(answer.error, 0u);
  const RecordingHandler::Seen& seen = bench.handler.seen.at(0);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.path, "/a");
  EXPECT_EQ(seen.query, "b=c");
  EXPECT_EQ(seen.host, "localhost");
  EXPECT_EQ(seen.listener_index, 3u);
  using Fields = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(seen.headers, (Fields{{"user-agent", "x"}, {"cookie", "a=1"}}));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.session->held_bytes(), 0u);
}

TEST(Http2Session, TheRequestSaysItsVersion) {
  Http2Bench bench;
  HttpVersion version = HttpVersion::k11;
  bench.handler.before_answer = [&](const Request& request) { version = request.version; };
  bench.client.get("/");
  bench.exchange();
  EXPECT_EQ(version, HttpVersion::k2);
}

TEST(Http2Session, EchoesBodiesOfManySizes) {
  Http2Bench bench;
  for (const std::size_t size : {0u, 1u, 15u, 16384u, 16385u, 100'000u, 1'000'000u}) {
    std::string body(size, 'x');
    if (size > 0) body.back() = 'y';
    const int id = bench.client.post("/echo", body);
    bench.exchange();
    EXPECT_EQ(bench.answer(id).status, 200) << size;
    EXPECT_TRUE(bench.answer(id).body == body) << size;
  }
  EXPECT_EQ(bench.session->held_bytes(), 0u);
}

TEST(Http2Session, BytesMayBeCutAnywhere) {
  const auto script = [](Http2Client& client) {
    client.post("/one", std::string(300, 'a'), {{"x-long", std::string(200, 'b')}});
    client.get("/two");
    client.post("/three", "c");
    return client.bytes();
  };
  Http2Bench whole;
  const std::string bytes = script(whole.client);
  const std::string expected = whole.give(bytes);
  ASSERT_FALSE(expected.empty());
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Http2Bench bench;
    std::string said = bench.give(bytes.substr(0, cut));
    said += bench.give(bytes.substr(cut));
    // The first half of the connection may be answered earlier, but its frames are the same.
    Http2Client reader;
    script(reader);
    EXPECT_TRUE(reader.give(said));
    ASSERT_EQ(said.size(), expected.size()) << cut;
    EXPECT_EQ(reader.answers[1].body, std::string(300, 'a')) << cut;
    EXPECT_EQ(reader.answers[3].body, "GET /two") << cut;
    EXPECT_EQ(reader.answers[5].body, "c") << cut;
    EXPECT_EQ(bench.handler.seen.size(), 3u);
  }
  Http2Bench bytewise;
  std::string said;
  for (const char byte : bytes) said += bytewise.give({&byte, 1});
  EXPECT_EQ(said.size(), expected.size());
  EXPECT_EQ(bytewise.handler.seen.size(), 3u);
}

TEST(Http2Session, InterleavedRequestsAreAnsweredEachAtItsEnd) {
  Http2Bench bench;
  std::string bytes = http2_begin();
  const std::string post = std::string("\x83\x86\x84\x01\x09", 5) + "localhost";
  bytes += http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, post);
  bytes += http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, post);
  bytes += http2_frame(NGHTTP2_DATA, 0, 1, "one ");
  bytes += http2_frame(NGHTTP2_DATA, 0, 3, "two ");
  bytes += http2_frame(NGHTTP2_DATA, 0, 1, "more");
  bytes += http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 3, "ends");
  bench.give(bytes);
  ASSERT_EQ(bench.handler.seen.size(), 1u);
  EXPECT_EQ(bench.handler.seen[0].body, "two ends");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kBody);
  bench.give(http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1));
  ASSERT_EQ(bench.handler.seen.size(), 2u);
  EXPECT_EQ(bench.handler.seen[1].body, "one more");
}

TEST(Http2Session, HeadAndBodilessStatuses) {
  Http2Bench bench;
  const int head = bench.client.ask("HEAD", "/x");
  const int empty = bench.client.get("/empty");
  const int unchanged = bench.client.get("/unchanged");
  bench.exchange();
  EXPECT_EQ(bench.answer(head).header("content-length"), "7");
  EXPECT_EQ(bench.answer(head).body, "");
  EXPECT_EQ(bench.answer(empty).status, 204);
  EXPECT_EQ(bench.answer(empty).header("content-length"), "(none)");
  EXPECT_EQ(bench.answer(unchanged).status, 304);
  EXPECT_EQ(bench.answer(unchanged).header("etag"), "\"1\"");
  for (const int id : {head, empty, unchanged}) EXPECT_TRUE(bench.answer(id).closed);
  EXPECT_EQ(bench.client.data_frames, 0u);
}

// Answers as gRPC's are made.
class TrailingHandler final : public Handler {
 public:
  void handle(const Request& request, Response& response) override {
    const HeaderField message{"grpc-encoding", "identity"};
    const HeaderField status{"Grpc-Status", "0"};
    if (request.path == "/only") {
      const std::array fields{HeaderField{"grpc-status", "12"}};
      return response.send(200, "application/grpc", fields, {});
    }
    if (request.path != "/bare") response.body() = "message";
    response.send(200, "application/grpc", {&message, 1}, {&status, 1});
  }
  void refuse(const Refusal& refusal, const Request&, Response& response) override {
    refuse_as_text(refusal, response);
  }
};

TEST(Http2Session, TrailersGoBehindTheBody) {
  Http2Bench bench;
  TrailingHandler handler;
  SessionResources resources(handler, {}, bench.counters);
  bench.session = std::make_unique<Http2Session>(resources, bench, 0, ListenerKind::kLoopbackTcp);
  const int message = bench.client.get("/message");
  const int bare = bench.client.get("/bare");
  const int only = bench.client.get("/only");
  bench.exchange();
  EXPECT_EQ(bench.answer(message).body, "message");
  EXPECT_EQ(bench.answer(message).trailer("grpc-status"), "0");
  EXPECT_EQ(bench.answer(message).header("content-length"), "(none)");
  EXPECT_EQ(bench.answer(bare).body, "");
  EXPECT_EQ(bench.answer(bare).trailer("grpc-status"), "0");
  EXPECT_EQ(bench.answer(only).header("grpc-status"), "12");
  EXPECT_TRUE(bench.answer(only).trailers.empty());
  for (const int id : {message, bare, only}) EXPECT_TRUE(bench.answer(id).closed) << id;
  bench.session.reset();
}

TEST(Http2Session, RefusesWhatIsMalformed) {
  struct Row {
    const char* what;
    Http2Client::Fields fields;
    int status;  // 0: the stream is reset
  };
  const Http2Client::Fields good = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", "/"}};
  const auto with = [&](std::string name, std::string value) {
    Http2Client::Fields fields = good;
    fields.emplace_back(std::move(name), std::move(value));
    return fields;
  };
  const auto instead = [&](std::size_t at, std::string value) {
    Http2Client::Fields fields = good;
    fields[at].second = std::move(value);
    return fields;
  };
  const Row rows[] = {
      {"good", good, 200},
      {"Host like :authority", with("host", "localhost"), 200},
      {"Host unlike :authority", with("host", "evil.example"), 400},
      {"a socket's escaped path as :authority",
       {good[0], good[1], {":authority", "run%2Ff.sock"}, good[3]},
       200},
      {"no authority", {good[0], good[1], good[3]}, 0},
      {"Host alone", {good[0], good[1], good[3], {"host", "localhost"}}, 200},
      {"userinfo", instead(2, "a@localhost"), 400},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "localhost"}}, 501},
      {"unknown method", instead(0, "BREW"), 200},
      {"star for GET", instead(3, "*"), 0},
      {"absolute path", instead(3, "http://localhost/"), 0},
      {"expectation", with("expect", "the-unexpected"), 417},
      {"connection", with("connection", "close"), 0},
      {"transfer-encoding", with("transfer-encoding", "chunked"), 0},
      {"te", with("te", "gzip"), 0},
      {"te trailers", with("te", "trailers"), 200},
      {"line break in value", with("x", "a\nb"), 0},
      {"no path", {good[0], good[1], good[2]}, 0},
      {"two paths", {good[0], good[1], good[2], good[3], good[3]}, 0},
      {"unknown pseudo field", {good[0], good[1], good[2], good[3], {":x", "y"}}, 0},
      {"length of a body that never comes", with("content-length", "5"), 0},
  };
  for (const Row& row : rows) {
    Http2Bench bench;
    const int id = bench.client.submit(row.fields);
    bench.exchange();
    EXPECT_EQ(bench.answer(id).status, row.status) << row.what;
    EXPECT_TRUE(bench.answer(id).closed) << row.what;
    EXPECT_EQ(bench.handler.seen.size(), row.status == 200 ? 1u : 0u) << row.what;
    const int next = bench.client.get("/next");
    bench.exchange();
    EXPECT_EQ(bench.answer(next).status, 200) << row.what;
  }
}

TEST(Http2Session, RefusesTooLargeHeadersTargetsAndBodies) {
  HttpLimits limits;
  limits.header_bytes_max = 4096;
  limits.target_bytes_max = 1000;
  limits.header_count_max = 10;
  limits.body_bytes_max = 50'000;
  limits.connection_window_bytes = 70'000;
  limits.larger_bodies = {{.path = "/bulk", .bytes_max = 200'000}};
  Http2Bench bench(limits);
  const int header = bench.client.get("/", {{"x", std::string(5000, 'x')}});
  const int target = bench.client.get("/" + std::string(1001, 'x'));
  Http2Client::Fields many;
  for (int i = 0; i < 11; ++i) many.emplace_back("x" + std::to_string(i), "y");
  const int count = bench.client.get("/", many);
  bench.exchange();
  const int body = bench.client.post("/", std::string(50'001, 'x'));
  bench.exchange();
  const int fits = bench.client.post("/", std::string(50'000, 'x'));
  bench.exchange();
  EXPECT_EQ(bench.answer(header).status, 431);
  EXPECT_EQ(bench.answer(target).status, 414);
  EXPECT_EQ(bench.answer(count).status, 431);
  EXPECT_EQ(bench.answer(body).status, 413);
  EXPECT_EQ(bench.answer(body).error, NGHTTP2_NO_ERROR);
  const int large = bench.client.post("/bulk", std::string(200'000, 'x'));
  bench.exchange();
  const int too_large = bench.client.post("/bulk", std::string(200'001, 'x'));
  bench.exchange();
  EXPECT_EQ(bench.answer(fits).status, 200);
  EXPECT_EQ(bench.answer(large).status, 200);
  EXPECT_EQ(bench.answer(too_large).status, 413);
  EXPECT_EQ(bench.counters.refusals.read(), 5u);
  EXPECT_EQ(bench.session->held_bytes(), 0u);
}

TEST(Http2Session, HalfABodyTooLargeIsRefusedBeforeItsEnd) {
  HttpLimits limits;
  limits.body_bytes_max = 10;
  Http2Bench bench(limits);
  bench.give(http2_begin() +
             http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                         std::string("\x83\x86\x84\x01\x09", 5) + "localhost") +
             http2_frame(NGHTTP2_DATA, 0, 1, "more than ten bytes"));
  EXPECT_EQ(bench.handler.refusals.at(0).first, 413);
  // Our RST_STREAM(NO_ERROR) told the peer not to go on; what is under way is read over.
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  bench.give(http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "still coming"));
  EXPECT_EQ(bench.handler.refusals.size(), 1u);
  EXPECT_TRUE(bench.session->takes_bytes());
}

TEST(Http2Session, HalfReceivedBodiesAreBounded) {
  HttpLimits limits;
  limits.connection_window_bytes = 100'000;
  limits.stream_window_bytes = 65'535;
  Http2Bench bench(limits);
  std::string bytes = http2_begin();
  const std::string post = std::string("\x83\x86\x84\x01\x09", 5) + "localhost";
  for (unsigned id = 1; id < 40; id += 2) {
    bytes += http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, post);
    bytes += http2_frame(NGHTTP2_DATA, 0, id, std::string(8000, 'x'));
    bench.give(bytes);
    bytes = http2_frame(NGHTTP2_DATA, 0, id, std::string(8000, 'x'));
    bench.give(bytes);
    bytes.clear();
  }
  EXPECT_LE(bench.session->held_bytes(), 200'000u);
  EXPECT_GE(bench.handler.refusals.size(), 10u);
  EXPECT_EQ(bench.handler.refusals.at(0).first, 503);
}

TEST(Http2Session, AWrongPrefaceEndsInGoaway) {
  Http2Bench bench;
  const std::string said = bench.give("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  EXPECT_TRUE(bench.client.give(said));
  EXPECT_EQ(bench.client.goaway_error, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  EXPECT_FALSE(bench.session->takes_bytes());
  EXPECT_EQ(bench.counters.refusals.read(), 1u);
}

TEST(Http2Session, ErrorsOfTheConnectionEndInGoaway) {
  Http2Bench bench;
  const std::string said =
      bench.give(http2_begin() + http2_frame(NGHTTP2_DATA, 0, 0, "on no stream"));
  EXPECT_TRUE(bench.client.give(said));
  EXPECT_EQ(bench.client.goaway_error, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  EXPECT_EQ(bench.counters.refusals.read(), 1u);
}

TEST(Http2Session, PhasesForTheTimeLimits) {
  Http2Bench bench;
  EXPECT_EQ(bench.session->phase(), SessionPhase::kHeader);
  bench.give("PRI * HTT");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kHeader);
  Http2Bench other;
  other.give(http2_begin());
  EXPECT_EQ(other.session->phase(), SessionPhase::kIdle);
  const std::string fields = http2_get_fields();
  const std::uint32_t begun = other.session->requests_begun();
  other.give(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, fields.substr(0, 3)));
  EXPECT_EQ(other.session->phase(), SessionPhase::kHeader);
  EXPECT_NE(other.session->requests_begun(), begun);
  other.give(http2_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, fields.substr(3)));
  EXPECT_EQ(other.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(other.handler.seen.size(), 1u);
  const std::string post = std::string("\x83\x86\x84\x01\x09", 5) + "localhost";
  other.give(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, post));
  const std::uint32_t oldest = other.session->requests_begun();
  EXPECT_EQ(other.session->phase(), SessionPhase::kBody);
  // Younger requests do not give the oldest more time.
  other.give(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 5, post));
  EXPECT_EQ(other.session->requests_begun(), oldest);
  other.give(http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 3, "x"));
  EXPECT_NE(other.session->requests_begun(), oldest);
}

TEST(Http2Session, GoesOnWhileItFinishesAndThenSaysWhichWasTheLast) {
  Http2Bench bench;
  const int first = bench.client.get("/first");
  bench.exchange();
  const int late = bench.client.get("/late");
  const std::string sent_already = bench.client.bytes();
  bench.session->finish_soon();
  EXPECT_EQ(bench.productions, 1);
  bench.client.give(bench.pull());
  EXPECT_EQ(bench.client.goaways, 1);
  EXPECT_EQ(bench.client.goaway_last_id, INT32_MAX);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  bench.client.give(bench.give(sent_already));
  EXPECT_EQ(bench.answer(late).status, 200);
  EXPECT_TRUE(bench.session->say_farewell());
  const std::string last_id_3_no_error("\0\0\0\3\0\0\0\0", 8);
  EXPECT_EQ(bench.pull(), http2_frame(NGHTTP2_GOAWAY, 0, 0, last_id_3_no_error));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
  EXPECT_FALSE(bench.session->say_farewell());
  EXPECT_EQ(bench.answer(first).status, 200);
}

TEST(Http2Session, WhatIsOpenIsFinishedBehindTheGoaway) {
  Http2Bench bench;
  bench.give(http2_begin() + http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                                         std::string("\x83\x86\x84\x01\x09", 5) + "localhost"));
  bench.session->finish_soon();
  bench.session->finish_soon();
  bench.pull();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kBody);
  bench.give(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3,
                         http2_get_fields()));
  EXPECT_EQ(bench.handler.seen.size(), 0u);
  bench.give(http2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "x"));
  EXPECT_EQ(bench.handler.seen.size(), 1u);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(SessionChoice, ThreeBytesTell) {
  SessionBench bench;
  const auto choice = [&](std::string_view bytes) -> std::string {
    const auto session =
        choose_session(bytes, bench.resources, bench, 0, ListenerKind::kLoopbackTcp);
    if (session == nullptr) return "open";
    return dynamic_cast<Http2Session*>(session.get()) != nullptr ? "2" : "1";
  };
  EXPECT_EQ(choice("P"), "open");
  EXPECT_EQ(choice("PR"), "open");
  EXPECT_EQ(choice("PRI"), "2");
  EXPECT_EQ(choice("PRI * HTTP/2.0\r\n\r\n"), "2");
  EXPECT_EQ(choice("PO"), "1");
  EXPECT_EQ(choice("PROPFIND"), "1");
  EXPECT_EQ(choice("GET "), "1");
}

}  // namespace
}  // namespace flagstone::net
