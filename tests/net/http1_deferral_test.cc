// Answers that come in a later turn, over HTTP/1 and TLS: at the session, and through a socket.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>

#include "net/cors.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/running_server.h"
#include "tests/fakes/net/session_bench.h"
#include "tests/fakes/net/tls_bench.h"

namespace flagstone::net {
namespace {

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}
std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nX-Field: of the request\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(Http1Deferral, KeepsTheRequestAndAnswersItInOrder) {
  SessionBench bench;
  const std::string behind = get("/1") + get("/2");
  EXPECT_EQ(bench.give(post("/later?q=1", "a body") + behind), behind) << "nothing is read on";
  EXPECT_EQ(bench.said, "");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kAnswering);
  EXPECT_FALSE(bench.session->takes_bytes());
  EXPECT_TRUE(bench.session->owes_answer());
  DeferredResponse& later = *bench.handler.deferrals.at(0);
  EXPECT_TRUE(later.alive());
  // Other requests use what the server's sessions share meanwhile.
  Http1Session other(bench.resources, bench, 3, ListenerKind::kLoopbackTcp);
  std::string their_bytes = post("/other", std::string(500, 'x')), output;
  their_bytes.reserve(their_bytes.size() + Request::kBodyPaddingBytes);
  other.consume(their_bytes, output);
  EXPECT_EQ(later.request().method, Method::kPost);
  EXPECT_EQ(later.request().method_text, "POST");
  EXPECT_EQ(later.request().path, "/later");
  EXPECT_EQ(later.request().query, "q=1");
  EXPECT_EQ(later.request().host, "localhost");
  EXPECT_EQ(later.request().header("x-field"), "of the request");
  EXPECT_EQ(later.request().body, "a body");
  EXPECT_EQ(later.request().listener_index, 3u);
  EXPECT_EQ(later.response().body(), "");
  bench.handler.run_again(0);
  EXPECT_FALSE(later.alive());
  EXPECT_EQ(later.request().body, "a body") << "until it is destroyed";
  EXPECT_TRUE(bench.said.ends_with("Content-Length: 6\r\n\r\na body"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.resumes, 1);
  EXPECT_EQ(bench.give(behind), "");
  EXPECT_EQ(bench.statuses(), "200 200 200");
  EXPECT_TRUE(bench.said.ends_with("GET /2"));
  bench.handler.deferrals.clear();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.counters.requests.read(), 4u);
}

TEST(Http1Deferral, TakesBodiesHoweverTheyCame) {
  const std::string requests[] = {
      post("/later", "hello"),
      "POST /later HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"};
  for (const std::string& request : requests) {
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
      SessionBench bench;
      bench.give(std::string_view(request).substr(0, cut));
      bench.give(std::string_view(request).substr(cut));
      ASSERT_EQ(bench.handler.deferrals.size(), 1u) << cut;
      bench.handler.run_again(0);
      ASSERT_TRUE(bench.said.ends_with("\r\n\r\nhello")) << cut;
    }
  }
}

TEST(Http1Deferral, MayBeAnsweredOrDroppedAtOnce) {
  SessionBench bench;
  class AtOnce final : public Handler {
   public:
    void handle(const Request& request, Response& response) override {
      auto later = response.defer();
      if (request.path == "/drop") return;
      later->response().body() = request.path;
      later->response().send(200, "text/plain");
    }
    void refuse(const Refusal& refusal, const Request&, Response& response) override {
      refuse_as_text(refusal, response);
    }
  } at_once;
  SessionResources resources(at_once, {}, bench.counters);
  bench.session = std::make_unique<Http1Session>(resources, bench, 0, ListenerKind::kUnix);
  EXPECT_EQ(bench.give(get("/1") + get("/2") + get("/drop") + get("/3")), get("/3"));
  EXPECT_EQ(bench.statuses(), "200 200");
  EXPECT_TRUE(bench.said.ends_with("/2"));
  EXPECT_EQ(bench.resumes, 0);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  bench.session.reset();
}

TEST(Http1Deferral, HandsTheRequestOn) {
  SessionBench bench;
  bench.give(post("/later", "body"));
  auto& deferrals = bench.handler.deferrals;
  deferrals.push_back(deferrals[0]->response().defer());
  EXPECT_FALSE(deferrals[0]->alive());
  EXPECT_TRUE(deferrals[1]->alive());
  bench.handler.handle(deferrals[1]->request(), deferrals[1]->response());
  ASSERT_EQ(deferrals.size(), 3u);
  deferrals[0].reset();
  deferrals[1].reset();
  EXPECT_EQ(bench.said, "");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kAnswering);
  EXPECT_EQ(deferrals[2]->response().body(), "");
  bench.handler.run_again(2);
  EXPECT_EQ(bench.statuses(), "200");
  EXPECT_TRUE(bench.said.ends_with("\r\n\r\nbody"));
}

TEST(Http1Deferral, DestroyedUnansweredClosesTheConnection) {
  SessionBench bench;
  bench.give(get("/later") + get("/behind"));
  bench.handler.deferrals.clear();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  EXPECT_EQ(bench.said, "");
  EXPECT_EQ(bench.resumes, 1);
  EXPECT_EQ(bench.give(get("/behind")), get("/behind"));
}

TEST(Http1Deferral, SurvivesItsSession) {
  SessionBench bench;
  bench.give(post("/later", "body"));
  bench.give("");
  int gone = 0;
  auto& deferrals = bench.handler.deferrals;
  deferrals[0]->set_on_gone([&] {
    ++gone;
    EXPECT_FALSE(deferrals[0]->alive());
    EXPECT_EQ(deferrals[0]->request().body, "body");
    bench.handler.run_again(0);
    auto more = deferrals[0]->response().defer();
    EXPECT_FALSE(more->alive());
    EXPECT_FALSE(more->response().open_stream(200, "text/event-stream")->open());
    deferrals.clear();  // destroyed in its own callback
  });
  bench.session.reset();
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(bench.said, "");
}

TEST(Http1Deferral, KeepsWhatTheConnectionIsTold) {
  struct Row {
    const char* request;
    bool finishing;
    const char* head_ends;
    SessionPhase phase;
  };
  const Row rows[] = {
      {"GET /later HTTP/1.1\r\nHost: a\r\n\r\n", true,
       "Content-Length: 10\r\nConnection: close\r\n\r\nGET /later", SessionPhase::kDone},
      {"GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false,
       "Content-Length: 10\r\nConnection: close\r\n\r\nGET /later", SessionPhase::kDone},
      {"GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false,
       "Content-Length: 10\r\nConnection: keep-alive\r\n\r\nGET /later", SessionPhase::kIdle},
      {"HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n", false, "Content-Length: 11\r\n\r\n",
       SessionPhase::kIdle},
  };
  for (const Row& row : rows) {
    SessionBench bench;
    bench.give(row.request);
    if (row.finishing) bench.session->finish_soon();
    bench.session->end_event_streams();
    EXPECT_EQ(bench.session->phase(), SessionPhase::kAnswering);
    bench.handler.run_again(0);
    EXPECT_TRUE(bench.said.ends_with(row.head_ends)) << bench.said;
    EXPECT_EQ(bench.session->phase(), row.phase) << row.request;
  }
}

TEST(Http1Deferral, MayBecomeAnEventStream) {
  SessionBench bench;
  bench.give(get("/later") + get("/next"));
  DeferredResponse& later = *bench.handler.deferrals[0];
  later.response().body() = "data: 1\n\n";
  auto stream = later.response().open_stream(200, "text/event-stream");
  EXPECT_TRUE(bench.said.ends_with("chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")) << bench.said;
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
  EXPECT_FALSE(bench.session->owes_answer());
  EXPECT_EQ(bench.counters.event_streams.read(), 1u);
  stream->close();
  EXPECT_TRUE(bench.said.ends_with("\r\n0\r\n\r\n"));
  bench.give(get("/next"));
  EXPECT_TRUE(bench.said.ends_with("GET /next"));
}

TEST(Http1Deferral, CountsWhatItHolds) {
  SessionBench bench;
  const std::size_t before = bench.session->held_bytes();
  bench.give(post("/later", std::string(30'000, 'x')));
  EXPECT_GE(bench.session->held_bytes(), before + 30'000);
  bench.handler.deferrals[0]->response().body().assign(50'000, 'y');
  EXPECT_GE(bench.session->held_bytes(), before + 80'000);
  bench.handler.deferrals[0]->response().send(200, "text/plain");
  EXPECT_EQ(bench.session->held_bytes(), before);
}

TEST(Http1Deferral, CrossOriginFieldsAreAddedToTheLaterAnswer) {
  SessionBench bench;
  Cors cors(bench.handler, {"https://app.example"});
  SessionResources resources(cors, {}, bench.counters);
  bench.session = std::make_unique<Http1Session>(resources, bench, 0, ListenerKind::kUnix);
  bench.give(get("/later", "Origin: https://app.example\r\n"));
  auto& deferrals = bench.handler.deferrals;
  bool gone = false;
  deferrals[0]->set_on_gone([&] { gone = true; });
  bench.handler.handle(deferrals[0]->request(), deferrals[0]->response());
  ASSERT_EQ(deferrals.size(), 2u);
  EXPECT_FALSE(deferrals[0]->alive());
  EXPECT_TRUE(deferrals[1]->alive());
  bench.handler.run_again(1);
  EXPECT_NE(bench.said.find("Access-Control-Allow-Origin: https://app.example\r\n"),
            std::string::npos)
      << bench.said;
  EXPECT_EQ(bench.statuses(), "200");
  bench.give(get("/later", "Origin: https://app.example\r\n"));
  deferrals.back()->set_on_gone([&] { gone = true; });
  bench.session.reset();
  EXPECT_TRUE(gone);
  EXPECT_FALSE(deferrals.back()->alive());
}

// ---- through TLS and sockets ----

TEST(TlsDeferral, PassesThrough) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  client.say(get("/later") + get("/after"));
  bench.carry(client);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kAnswering);
  EXPECT_TRUE(bench.session->owes_answer());
  EXPECT_FALSE(bench.session->takes_bytes());
  bench.handler.run_again(0);
  bench.let_produce();
  bench.carry(client);
  EXPECT_NE(client.received.find("GET /later"), std::string::npos);
  EXPECT_TRUE(client.received.ends_with("GET /after"));
  EXPECT_FALSE(bench.session->owes_answer());
  client.say(get("/later"));
  bench.carry(client);
  bench.handler.deferrals.clear();
  bench.let_produce();
  bench.carry(client);
  EXPECT_TRUE(client.closed);
}

void wait_for_deferrals(RunningServer& server, std::size_t count) {
  server.wait_until([&] { return server.handler.deferrals.size() == count; });
}

TEST(ServerDeferral, PipelinedRequestsWaitTheirTurnAndAHalfClosedPeerIsAnswered) {
  RunningServer server;
  TestClient client = server.client();
  ASSERT_TRUE(client.write(get("/1") + get("/later/2") + get("/3") + get("/later/4") + get("/5")));
  client.end_writing();
  wait_for_deferrals(server, 1);
  ASSERT_TRUE(client.read_until("GET /1"));
  server.on_loop([&] { server.handler.run_again(0); });
  wait_for_deferrals(server, 2);
  server.on_loop([&] { server.handler.run_again(1); });
  const std::string all = client.read_to_end();
  std::size_t at = 0;
  for (const char* answer : {"GET /1", "GET /later/2", "GET /3", "GET /later/4", "GET /5"}) {
    at = all.find(answer, at);
    ASSERT_NE(at, std::string::npos) << answer << " in " << all;
  }
}

// More than the server keeps: the rest stays in the kernel, and nobody is cut.
TEST(ServerDeferral, ReadsNoFurtherThanItMayHold) {
  RunningServer server;
  TestClient client = server.client();
  const std::string next = post("/next", std::string(10'000, 'x'));
  std::thread writer([&] {
    std::string many = get("/later");
    for (int i = 0; i < 100; ++i) many += next;
    EXPECT_TRUE(client.write(many + get("/last")));
  });
  wait_for_deferrals(server, 1);
  server.wait_until([&] { return server.counters().bytes_buffered.read() >= 60'000; });
  EXPECT_LT(server.counters().bytes_buffered.read(), 200'000u);
  server.on_loop([&] { server.handler.run_again(0); });
  EXPECT_TRUE(client.read_until("GET /last"));
  writer.join();
  EXPECT_EQ(server.counters().requests.read(), 102u);
}

TEST(ServerDeferral, LearnsThatItsConnectionIsGone) {
  RunningServer server;
  auto client = std::make_unique<TestClient>(server.client());
  ASSERT_TRUE(client->write(get("/later") + get("/behind")));
  wait_for_deferrals(server, 1);
  std::promise<void> gone;
  server.on_loop([&] { server.handler.deferrals[0]->set_on_gone([&] { gone.set_value(); }); });
  client->reset();
  gone.get_future().get();
  EXPECT_FALSE(server.on_loop([&] { return server.handler.deferrals[0]->alive(); }));
  server.on_loop([&] { server.handler.run_again(0); });
  server.wait_until([&] { return server.counters().open.read() == 0; });
  EXPECT_EQ(server.counters().bytes_buffered.read(), 0u);
}

TEST(ServerDeferral, DestroyedUnansweredClosesBehindWhatWasAnswered) {
  RunningServer server;
  TestClient client = server.client();
  ASSERT_TRUE(client.write(get("/1") + get("/later") + get("/3")));
  wait_for_deferrals(server, 1);
  server.on_loop([&] { server.handler.deferrals.clear(); });
  EXPECT_TRUE(client.read_to_end().ends_with("GET /1"));
}

TEST(ServerDeferral, NoLimitOfTheConnectionCutsIt) {
  ServerOptions options;
  options.connection.header_limit_ms = options.connection.body_limit_ms = 1;
  options.connection.idle_limit_ms = 50;
  options.connection.tick_ms = 1;
  RunningServer server(options);
  TestClient client = server.client();
  ASSERT_TRUE(client.write(post("/later", "body")));
  wait_for_deferrals(server, 1);
  // An idle connection that was opened behind it is closed by the same ticks.
  EXPECT_EQ(server.client().read_to_end(), "");
  server.on_loop([&] { server.handler.run_again(0); });
  EXPECT_TRUE(client.read_until("\r\n\r\nbody"));
  EXPECT_EQ(client.read_to_end().find("HTTP/1.1", 1), std::string::npos) << "then it is idle";
}

TEST(ServerDeferral, DrainWaitsForIt) {
  RunningServer server;
  TestClient client = server.client(), stream = server.client();
  ASSERT_TRUE(stream.write(get("/stream")));
  ASSERT_TRUE(stream.read_until("hello"));
  ASSERT_TRUE(client.write(get("/later")));
  wait_for_deferrals(server, 1);
  bool drained = false;
  server.on_loop([&] {
    server.server().stop_accepting();
    server.server().drain([&] { drained = true; });
  });
  EXPECT_FALSE(server.on_loop([&] { return drained; }));
  EXPECT_TRUE(server.on_loop([&] { return server.handler.streams[0]->open(); }));
  server.on_loop([&] { server.handler.run_again(0); });
  EXPECT_NE(client.read_to_end().find("Connection: close"), std::string::npos);
  client.close();
  EXPECT_TRUE(stream.read_to_end().ends_with("0\r\n\r\n"));
  stream.close();
  server.wait_until([&] { return drained; });
}

TEST(ServerDeferral, TheServerMayGoBeforeIt) {
  RunningServer server;
  TestClient client = server.client();
  ASSERT_TRUE(client.write(get("/later")));
  wait_for_deferrals(server, 1);
  server.on_loop([&] { server.server().close_all(); });
  server.wait_until([&] { return server.counters().open.read() == 0; });
  EXPECT_FALSE(server.on_loop([&] { return server.handler.deferrals[0]->alive(); }));
  EXPECT_EQ(client.read_to_end(), "");
}

}  // namespace
}  // namespace flagstone::net
