#include "net/http1_session.h"

#include <gtest/gtest.h>

#include "tests/fakes/net/session_bench.h"

namespace flagstone::net {
namespace {

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}

TEST(Http1Session, AnswersWithTheWholeHead) {
  SessionBench bench;
  bench.resources.set_date(1'700'000'000);
  EXPECT_EQ(bench.give(get("/a?b=c")), "");
  EXPECT_EQ(bench.said,
            "HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: text/plain\r\n"
            "Content-Length: 6\r\n\r\nGET /a");
  ASSERT_EQ(bench.handler.seen.size(), 1u);
  EXPECT_EQ(bench.handler.seen[0].query, "b=c");
  EXPECT_EQ(bench.handler.seen[0].host, "localhost");
  EXPECT_EQ(bench.handler.seen[0].listener_index, 3u);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
}

TEST(Http1Session, LowersFieldNamesAndTrimsValues) {
  SessionBench bench;
  bench.give(get("/", "X-Mixed-CASE:  Some Value \t\r\nEmpty:\r\nLast: x\r\n"));
  ASSERT_EQ(bench.handler.seen.size(), 1u);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"host", "localhost"}, {"x-mixed-case", "Some Value"}, {"empty", ""}, {"last", "x"}};
  EXPECT_EQ(bench.handler.seen[0].headers, expected);
}

TEST(Http1Session, AnswersPipelinedRequestsInOrder) {
  SessionBench bench;
  bench.give(get("/1") + get("/2") + get("/3"));
  ASSERT_EQ(bench.handler.seen.size(), 3u);
  EXPECT_EQ(bench.statuses(), "200 200 200");
  EXPECT_LT(bench.said.find("GET /1"), bench.said.find("GET /2"));
  EXPECT_LT(bench.said.find("GET /2"), bench.said.find("GET /3"));
}

// What a request is does not depend on how its bytes were cut.
TEST(Http1Session, ReadsTheSameByteByByte) {
  const std::string requests =
      get("/1?q", "A: b\r\n") +
      "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello" +
      "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n" +
      get("/4");
  SessionBench whole;
  whole.give(requests);
  EXPECT_EQ(whole.statuses(), "200 200 200 200");
  for (std::size_t cut = 1; cut < requests.size(); ++cut) {
    SessionBench cut_once;
    cut_once.give(std::string_view(requests).substr(0, cut));
    cut_once.give(std::string_view(requests).substr(cut));
    ASSERT_EQ(cut_once.said, whole.said) << "cut at " << cut;
  }
  SessionBench bytewise;
  bytewise.give_byte_by_byte(requests);
  EXPECT_EQ(bytewise.said, whole.said);
  ASSERT_EQ(bytewise.handler.seen.size(), 4u);
  EXPECT_EQ(bytewise.handler.seen[1].body, "hello");
  EXPECT_EQ(bytewise.handler.seen[2].body, "abcde");
  EXPECT_EQ(bytewise.handler.seen[2].headers.size(), 2u) << "a trailer is no field of the header";
}

TEST(Http1Session, LeavesBodiesOutWhereTheyMustNotBe) {
  SessionBench bench;
  bench.give("HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/empty") + get("/unchanged"));
  EXPECT_EQ(bench.statuses(), "200 204 304");
  EXPECT_NE(bench.said.find("Content-Length: 9\r\n\r\nHTTP/1.1 204"), std::string::npos);
  EXPECT_EQ(bench.said.find("Content-Length: 0"), std::string::npos);
  EXPECT_TRUE(bench.said.ends_with("ETag: \"1\"\r\n\r\n"));
}

TEST(Http1Session, ClosesWhenAskedTo) {
  struct Row {
    const char* request;
    bool closes;
    const char* connection;  // what the answer says of it
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, ""},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true, "Connection: close\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", false, ""},
      {"GET / HTTP/1.0\r\n\r\n", true, "Connection: close\r\n"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false, "Connection: keep-alive\r\n"},
  };
  for (const Row& row : rows) {
    SessionBench bench;
    const std::string rest = bench.give(std::string(row.request) + get("/second"));
    EXPECT_EQ(bench.handler.seen.size(), row.closes ? 1u : 2u) << row.request;
    EXPECT_EQ(bench.session->phase(), row.closes ? SessionPhase::kDone : SessionPhase::kIdle);
    EXPECT_EQ(rest.empty(), !row.closes);
    const std::string head = bench.said.substr(0, bench.said.find("\r\n\r\n") + 2);
    const std::size_t at = head.find("Connection: ");
    EXPECT_EQ(at == std::string::npos ? "" : head.substr(at), row.connection) << row.request;
  }
}

TEST(Http1Session, FinishSoonMakesTheNextAnswerTheLast) {
  SessionBench bench;
  bench.give(get("/1"));
  bench.session->finish_soon();
  bench.give(get("/2") + get("/3"));
  EXPECT_EQ(bench.handler.seen.size(), 2u);
  EXPECT_NE(bench.said.find("Connection: close"), std::string::npos);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http1Session, Says100ContinueBeforeTheBody) {
  SessionBench bench;
  bench.give("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(bench.said, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kBody);
  bench.give("ok");
  EXPECT_EQ(bench.statuses(), "100 200");
}

TEST(Http1Session, RefusesAnAnnouncedLargeBodyBeforeReadingIt) {
  SessionBench bench;
  bench.give(
      "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(bench.statuses(), "413");
  EXPECT_EQ(bench.handler.refusals, (std::vector<std::pair<int, std::string>>{{413, "/big"}}));
}

TEST(Http1Session, BodiesInPiecesAreRefusedWhileConnectionsHoldTooMuch) {
  HttpLimits limits;
  limits.buffered_bytes_max = 1000;
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
  SessionBench bench(limits);
  bench.counters.bytes_buffered.set(1001);
  bench.give(head + "full");
  EXPECT_EQ(bench.statuses(), "200") << "what is there at once holds nothing";
  bench.give(head + "ha");
  bench.give("lf");
  EXPECT_EQ(bench.statuses(), "200 503");
  SessionBench later(limits);
  later.counters.bytes_buffered.set(1000);
  later.give(head + "ha");
  later.give("lf");
  EXPECT_EQ(later.statuses(), "200");
}

TEST(Http1Session, AnUpgradeIsAnOfferThatIsNotTaken) {
  SessionBench bench;
  bench.give(get("/1",
                 "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                 "HTTP2-Settings: AAMAAABkAAQAAP__\r\n") +
             get("/2"));
  EXPECT_EQ(bench.statuses(), "200 200");
}

TEST(Http1Session, BoundsEverythingOfAHeader) {
  HttpLimits limits;
  limits.header_bytes_max = 1000;
  limits.header_count_max = 4;
  limits.target_bytes_max = 100;
  limits.body_bytes_max = 10;
  limits.larger_bodies = {{.path = "/bulk", .bytes_max = 12}};
  const std::string long_text(1100, 'a');
  struct Row {
    std::string request;
    const char* statuses;
  };
  const Row rows[] = {
      {get("/", "A: 1\r\nB: 2\r\nC: 3\r\n"), "200"},
      {get("/", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"), "431"},
      {get("/", "A: " + long_text + "\r\n"), "431"},
      {get("/", long_text + ": a\r\n"), "431"},
      {get("/" + std::string(99, 'a')), "200"},
      {get("/" + std::string(100, 'a')), "414"},
      {get("/" + long_text), "414"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789", "200"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890", "413"},
      {"POST /bulk?a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n012345678901", "200"},
      {"POST /bulk HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n0123456789012", "413"},
      {"POST /bulk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "6\r\nabcdef\r\n5\r\nabcde\r\n0\r\n\r\n",
       "200"},
      {"POST /bulk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "6\r\nabcdef\r\n7\r\nabcdefg\r\n0\r\n\r\n",
       "413"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "6\r\nabcdef\r\n5\r\nabcde\r\n0\r\n\r\n",
       "413"},
  };
  for (const Row& row : rows) {
    SessionBench bench(limits);
    bench.give(row.request);
    EXPECT_EQ(bench.statuses(), row.statuses) << row.request;
    SessionBench bytewise(limits);
    bytewise.give_byte_by_byte(row.request);
    EXPECT_EQ(bytewise.statuses(), row.statuses) << row.request;
  }
  // White space between name and value belongs to neither, and is bounded all the same.
  SessionBench spaces(limits);
  spaces.give("GET / HTTP/1.1\r\nHost: a\r\nX:");
  for (int i = 0; i < 20; ++i) spaces.give(std::string(100, ' '));
  EXPECT_EQ(spaces.statuses(), "431");
}

TEST(Http1Session, ShowsTheRefusalHookThePathWhenItIsKnown) {
  HttpLimits limits;
  limits.header_bytes_max = 200;
  SessionBench bench(limits);
  bench.give(get("/ofrep/v1/x", "A: " + std::string(300, 'a') + "\r\n"));
  EXPECT_EQ(bench.handler.refusals,
            (std::vector<std::pair<int, std::string>>{{431, "/ofrep/v1/x"}}));
}

TEST(Http1Session, StopsConsumingWhileTheOutputIsFull) {
  SessionBench bench;
  bench.handler.large_bytes = Session::kOutputBytesPerWrite;
  std::string requests = get("/large") + get("/2");
  requests.resize(requests.size() + Request::kBodyPaddingBytes);
  const std::string_view given(requests.data(), requests.size() - Request::kBodyPaddingBytes);
  std::string output;
  const std::size_t used = bench.session->consume(given, output);
  EXPECT_EQ(used, get("/large").size());
  output.clear();
  EXPECT_EQ(bench.session->consume(given.substr(used), output), get("/2").size());
}

TEST(Http1Session, ABadResponseFieldIsLeftOut) {
  SessionBench bench;
  class Splitter final : public Handler {
    void handle(const Request&, Response& response) override {
      response.send(200, "text/plain", {{"X-Bad", "a\r\nSet-Cookie: b"}, {"X-Good", "c"}});
    }
    void refuse(const Refusal& refusal, const Request&, Response& response) override {
      refuse_as_text(refusal, response);
    }
  } splitter;
  SessionResources resources(splitter, {}, bench.counters);
  Http1Session session(resources, bench, 0, ListenerKind::kUnix);
  std::string request = get("/");
  request.reserve(request.size() + Request::kBodyPaddingBytes);
  std::string output;
  session.consume(request, output);
  EXPECT_EQ(output.find("Set-Cookie"), std::string::npos);
  EXPECT_NE(output.find("X-Good: c\r\n"), std::string::npos);
}

// ---- event streams ----

TEST(Http1EventStream, SendsChunksUntilTheApiClosesIt) {
  SessionBench bench;
  EXPECT_EQ(bench.give(get("/stream") + get("/next")), get("/next")) << "nothing is read meanwhile";
  EXPECT_NE(bench.said.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(bench.said.find("Content-Length"), std::string::npos);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
  EXPECT_EQ(bench.counters.event_streams.read(), 1u);
  bench.said.clear();
  EXPECT_TRUE(bench.handler.streams[0]->send("data: 1\n\n"));
  EXPECT_TRUE(bench.handler.streams[0]->send(""));
  EXPECT_EQ(bench.said, "9\r\ndata: 1\n\n\r\n");
  bench.handler.streams[0]->close();
  EXPECT_FALSE(bench.handler.streams[0]->open());
  EXPECT_TRUE(bench.said.ends_with("0\r\n\r\n"));
  EXPECT_EQ(bench.resumes, 1);
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
  bench.give(get("/next"));
  EXPECT_EQ(bench.handler.seen.back().path, "/next");
}

TEST(Http1EventStream, IsDelimitedByTheCloseForHttp10) {
  SessionBench bench;
  bench.give("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(bench.said.ends_with("\r\n\r\ndata: hello\n\n"));
  EXPECT_NE(bench.said.find("Connection: close"), std::string::npos);
  bench.handler.streams.clear();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http1EventStream, HeadGetsAClosedOne) {
  SessionBench bench;
  bench.give("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(bench.handler.streams.size(), 1u);
  EXPECT_FALSE(bench.handler.streams[0]->open());
  EXPECT_FALSE(bench.handler.streams[0]->send("x"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
}

TEST(Http1EventStream, RefusesWhatASlowReaderCannotTakeAndTellsWhenItCan) {
  SessionBench bench;
  bench.give(get("/stream"));
  EventStream& stream = *bench.handler.streams[0];
  int drained = 0;
  stream.set_on_drained([&] { ++drained; });
  bench.session->output_drained();
  EXPECT_EQ(drained, 0) << "nothing was refused yet";
  bench.unsent = EventStream::kUnsentBytesMax;
  bench.said.clear();
  EXPECT_FALSE(stream.send("data: 2\n\n"));
  EXPECT_EQ(bench.said, "");
  bench.unsent = 0;
  bench.session->output_drained();
  bench.session->output_drained();
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(stream.send(std::string(EventStream::kUnsentBytesMax + 1, 'x')))
      << "a single large event goes when nothing waits";
}

TEST(Http1EventStream, SurvivesItsSession) {
  SessionBench bench;
  bench.give(get("/stream"));
  int closed = 0;
  bench.handler.streams[0]->set_on_closed([&] {
    ++closed;
    bench.handler.streams.clear();  // destroyed in its own callback
  });
  bench.session.reset();
  EXPECT_EQ(closed, 1);
  EXPECT_TRUE(bench.handler.streams.empty());
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
}

TEST(Http1EventStream, MayBeDestroyedInItsDrainedCallback) {
  SessionBench bench;
  bench.give(get("/stream"));
  EventStream& stream = *bench.handler.streams[0];
  stream.set_on_drained([&] { bench.handler.streams.clear(); });
  bench.unsent = EventStream::kUnsentBytesMax;
  EXPECT_FALSE(stream.send("x"));
  bench.unsent = 0;
  bench.session->output_drained();
  EXPECT_TRUE(bench.handler.streams.empty());
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
}

TEST(Http1EventStream, AbortedItHasNoProperEnd) {
  SessionBench bench;
  bench.give(get("/stream"));
  EventStream& stream = *bench.handler.streams[0];
  stream.set_on_closed([] { ADD_FAILURE() << "the api knows"; });
  const auto shared = std::make_shared<const std::string>(200'000, 'x');
  EXPECT_TRUE(stream.send_shared(shared));
  bench.said.clear();
  stream.abort();
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(shared.use_count(), 1) << "what was not said is let go of";
  EXPECT_EQ(bench.said, "") << "no last chunk";
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  EXPECT_EQ(bench.resumes, 1);
  EXPECT_EQ(bench.counters.event_streams.read(), 0u);
  EXPECT_EQ(bench.give(get("/next")), get("/next"));
  stream.close();
  bench.handler.streams.clear();
  EXPECT_EQ(bench.said, "");
}

TEST(Http1EventStream, EndsProperlyAtDrain) {
  SessionBench bench;
  bench.give(get("/stream"));
  bool closed = false;
  bench.handler.streams[0]->set_on_closed([&] { closed = true; });
  bench.session->end_event_streams();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(bench.said.ends_with("0\r\n\r\n"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http1EventStream, AnAnswerThatHasAnEndGoesOnAtDrain) {
  SessionBench bench;
  bench.give(get("/stream"));
  EventStream& stream = *bench.handler.streams[0];
  stream.set_finite();
  stream.set_on_closed([] { ADD_FAILURE() << "nobody ended it"; });
  bench.session->finish_soon();
  bench.session->end_event_streams();
  EXPECT_TRUE(stream.open());
  EXPECT_FALSE(bench.said.ends_with("0\r\n\r\n"));
  EXPECT_TRUE(stream.send("the rest"));
  stream.close();
  EXPECT_TRUE(bench.said.ends_with("the rest\r\n0\r\n\r\n"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http1EventStream, AnAnswerThatHasAnEndAndIsForgottenHasNoProperOne) {
  SessionBench bench;
  bench.give(get("/stream"));
  bench.handler.streams[0]->set_finite();
  EXPECT_TRUE(bench.handler.streams[0]->send("a part"));
  bench.handler.streams.clear();
  EXPECT_FALSE(bench.said.ends_with("0\r\n\r\n"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
}

}  // namespace
}  // namespace flagstone::net
