// HTTP/2, bodies, trailers, pauses, and roots and certificates of a request's own.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_grpc_server.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "tests/fakes/upstream/tls_server.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {
namespace {

using fakes::GrpcCall;
using fakes::GrpcRequest;
using fakes::ScriptedGrpcServer;
using fakes::ScriptedHttpServer;
using fakes::ServedRequest;

class Receiver final : public HttpReceiver {
 public:
  explicit Receiver(fakes::TestLoop& loop) : loop_(loop) {}
  bool on_head(const HttpHead& given) override {
    head = given;
    on_headed();
    loop_.nudge();
    return true;
  }
  bool on_body(std::string_view piece) override {
    body += piece;
    loop_.nudge();
    return true;
  }
  void on_trailers(const std::vector<HttpHeader>& given) override {
    EXPECT_FALSE(ended);
    trailers = given;
    on_trailed();
  }
  void on_end(const std::optional<HttpError>& given) override {
    ended = true;
    error = given;
    loop_.nudge();
  }

  std::function<void()> on_headed = [] {};
  std::function<void()> on_trailed = [] {};
  HttpHead head;
  std::string body;
  std::vector<HttpHeader> trailers;
  bool ended = false;
  std::optional<HttpError> error;

 private:
  fakes::TestLoop& loop_;
};

class HttpClientHttp2Test : public testing::Test {
 protected:
  HttpClientHttp2Test() { std::signal(SIGPIPE, SIG_IGN); }

  static HttpRequest post(const ScriptedGrpcServer& server) {
    HttpRequest request;
    request.url = "http://" + server.address() + "/a/b?c";
    request.body = "question";
    request.http2 = true;
    return request;
  }
  Receiver ask(HttpRequest request) {
    Receiver receiver(loop);
    const auto exchange = client.start(std::move(request), receiver);
    EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
    return receiver;
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t/1", .ca_file = {}, .ca_folder = {}}};
};

TEST_F(HttpClientHttp2Test, ABodyIsPostedAndTrailersComeBeforeTheEnd) {
  const ScriptedGrpcServer server([](GrpcCall& call, const GrpcRequest& request, std::size_t) {
    call.head();
    call.data(request.body);
    call.trailers(7, "no");
  });
  HttpRequest request = post(server);
  request.headers = {{"TE", "trailers"}, {"Content-Type", "application/x"}};
  const Receiver answer = ask(request);
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_EQ(answer.body, "question");
  ASSERT_EQ(answer.trailers.size(), 2U);
  EXPECT_EQ(answer.trailers[0].name, "grpc-status");
  EXPECT_EQ(answer.trailers[0].value, "7");
  const GrpcRequest seen = server.requests()[0];
  EXPECT_EQ(seen.header(":method"), "POST");
  EXPECT_EQ(seen.header(":path"), "/a/b?c");
  EXPECT_EQ(seen.header(":scheme"), "http");
  EXPECT_EQ(seen.header("te"), "trailers");
  EXPECT_EQ(seen.header("content-type"), "application/x");
  EXPECT_EQ(seen.header("user-agent"), "t/1");
  EXPECT_FALSE(seen.headers.contains("accept-encoding"));
  EXPECT_FALSE(seen.headers.contains("expect"));
}

TEST_F(HttpClientHttp2Test, OverAUnixSocket) {
  const fakes::TemporaryFolder folder;
  const ScriptedGrpcServer server(
      [](GrpcCall& call, const GrpcRequest&, std::size_t) { call.trailers_only(0); },
      folder.path("s"));
  HttpRequest request = post(server);
  request.url = "http://localhost/x";
  request.unix_socket = folder.path("s");
  request.keep_alive = std::chrono::seconds(20);  // Which a Unix socket does not have.
  request.unacknowledged = std::chrono::seconds(60);
  const Receiver answer = ask(request);
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(answer.head.find("grpc-status"), "0");
  EXPECT_TRUE(answer.trailers.empty());
}

TEST_F(HttpClientHttp2Test, AServerOfHttp1IsNotTakenForOne) {
  const ScriptedHttpServer server(
      [](const ServedRequest&, std::size_t) { return fakes::Reply{.body = "x"}; });
  HttpRequest request;
  request.url = server.url("/");
  request.http2 = true;
  request.limits.first_byte = std::chrono::milliseconds(500);
  const Receiver answer = ask(request);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpClientHttp2Test, APostOverHttp1AndItsTrailers) {
  const ScriptedHttpServer server([](const ServedRequest& request, std::size_t) {
    return fakes::Reply{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Length: " +
                               request.header("content-length") +
                               "\r\n\r\n2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n"};
  });
  HttpRequest request;
  request.url = server.url("/");
  request.body = std::string(100, 'x');
  const Receiver answer = ask(request);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.head.find("x-length"), "100");
  EXPECT_EQ(answer.body, "hi");
  ASSERT_EQ(answer.trailers.size(), 1U);
  EXPECT_EQ(answer.trailers[0].name, "x-end");
}

TEST_F(HttpClientHttp2Test, ARedirectedPostIsAnAnswer) {
  const ScriptedHttpServer server([](const ServedRequest&, std::size_t) {
    return fakes::Reply{.status = 307, .headers = {{"Location", "/there"}}};
  });
  HttpRequest request;
  request.url = server.url("/");
  request.body = "x";
  EXPECT_EQ(ask(request).head.status, 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpClientHttp2Test, ALongBodysEndIsNotKeptBack) {
  constexpr std::size_t kBytes = 8 * 1024 * 1024;
  const ScriptedGrpcServer server([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.data(std::string(kBytes, 'x'));
    call.trailers(0);
  });
  const Receiver answer = ask(post(server));
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(answer.body.size(), kBytes);
  EXPECT_EQ(answer.trailers.size(), 2U);
}

TEST_F(HttpClientHttp2Test, PausedBeforeTheAnswer) {
  const ScriptedHttpServer server(
      [](const ServedRequest&, std::size_t) { return fakes::Reply{.body = "hello"}; });
  HttpRequest request;
  request.url = server.url("/");
  Receiver receiver(loop);
  const auto exchange = client.start(request, receiver);
  exchange->set_paused(true);
  EXPECT_TRUE(loop.run_until([&] { return receiver.head.status == 200; }));
  loop.run_for(50);
  EXPECT_EQ(receiver.body, "");
  EXPECT_FALSE(receiver.ended);
  exchange->set_paused(false);
  EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
  EXPECT_EQ(receiver.body, "hello");
}

TEST_F(HttpClientHttp2Test, APauseHoldsTheBytesBack) {
  std::atomic<std::size_t> pieces = 0;
  const ScriptedHttpServer server([&](const ServedRequest&, std::size_t) {
    // More than sockets hold.
    return fakes::Reply{.stream = [&pieces] {
      return ++pieces > 32 ? std::string() : std::string(1'000'000, 'x');
    }};
  });
  HttpRequest request;
  request.url = server.url("/");
  request.limits.idle = std::chrono::milliseconds(2'000);
  Receiver receiver(loop);
  const auto exchange = client.start(request, receiver);
  EXPECT_TRUE(loop.run_until([&] { return !receiver.body.empty(); }));
  exchange->set_paused(true);
  const std::size_t before = receiver.body.size();
  loop.run_for(2'500);  // The limit on silence does not run.
  EXPECT_FALSE(receiver.ended);
  EXPECT_LE(receiver.body.size(), before + 16 * 1024);
  EXPECT_LT(pieces.load(), 32U);
  const std::size_t paused = receiver.body.size();
  exchange->set_paused(false);
  EXPECT_EQ(receiver.body.size(), paused);
  EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
  EXPECT_FALSE(receiver.error) << receiver.error->message;
  EXPECT_EQ(receiver.body.size(), 32'000'000U);
}

TEST_F(HttpClientHttp2Test, ZeroMeansNoLimit) {
  std::atomic<bool> go_on = false;
  const ScriptedGrpcServer server([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    while (!go_on) std::this_thread::yield();
    call.data("late");
    call.trailers(0);
  });
  HttpRequest request = post(server);
  request.limits.whole = request.limits.idle = std::chrono::milliseconds(0);
  request.limits.first_byte = std::chrono::milliseconds(0);
  request.limits.body_bytes = 0;
  Receiver receiver(loop);
  const auto exchange = client.start(request, receiver);
  EXPECT_TRUE(loop.run_until([&] { return receiver.head.status == 200; }));
  loop.run_for(100);
  EXPECT_FALSE(receiver.ended);
  go_on = true;
  EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
  EXPECT_EQ(receiver.body, "late");
}

TEST_F(HttpClientHttp2Test, EachHasItsOwnConnection) {
  std::atomic<int> calls = 0;
  const ScriptedGrpcServer server([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.data("x");
    ++calls;
    while (calls < 2) std::this_thread::yield();
    call.trailers(0);
  });
  Receiver one(loop), two(loop);
  const auto first = client.start(post(server), one);
  const auto second = client.start(post(server), two);
  // The server takes one call per connection.
  EXPECT_TRUE(loop.run_until([&] { return one.ended && two.ended; }));
  EXPECT_FALSE(one.error || two.error);
}

TEST_F(HttpClientHttp2Test, MayBeDestroyedInsideTheTrailers) {
  const ScriptedGrpcServer server([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.trailers(0);
  });
  Receiver receiver(loop);
  std::unique_ptr<HttpExchange> exchange;
  receiver.on_trailed = [&] {
    exchange.reset();
    loop.nudge();
  };
  exchange = client.start(post(server), receiver);
  EXPECT_TRUE(loop.run_until([&] { return !receiver.trailers.empty(); }));
  loop.run_for(20);
  EXPECT_FALSE(receiver.ended);
}

class HttpClientOwnTlsTest : public HttpClientHttp2Test {
 protected:
  void SetUp() override {
    if (!fakes::TlsServer::available()) GTEST_SKIP() << "no openssl command";
  }
  static HttpRequest get(const fakes::TlsServer& server, const std::string& ca_file) {
    HttpRequest request;
    request.url = server.url();
    request.ca_file = ca_file;
    return request;
  }
  fakes::TemporaryFolder folder;
};

TEST_F(HttpClientOwnTlsTest, RootsOfItsOwnAreReadAtEachConnect) {
  const fakes::TlsServer server(folder, "IP:127.0.0.1");
  const std::string roots = folder.path("roots.pem");
  fakes::TemporaryFolder elsewhere;
  const fakes::TlsServer other(elsewhere, "IP:127.0.0.1");
  const auto copy = [&](const std::string& from) {
    std::filesystem::copy_file(from, roots, std::filesystem::copy_options::overwrite_existing);
  };
  copy(other.certificate());
  const Receiver refused = ask(get(server, roots));
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->kind, FailureKind::kTls) << refused.error->message;
  copy(server.certificate());
  const Receiver trusted = ask(get(server, roots));
  EXPECT_FALSE(trusted.error) << trusted.error->message;
  EXPECT_EQ(trusted.head.status, 200);
  // Those of one request are not another's.
  EXPECT_EQ(ask(get(server, "")).error->kind, FailureKind::kTls);
  EXPECT_EQ(ask(get(server, folder.path("none.pem"))).error->kind, FailureKind::kTls);
}

TEST_F(HttpClientOwnTlsTest, ACertificateOfItsOwnIsShown) {
  fakes::TemporaryFolder elsewhere;
  const fakes::TlsServer mine(elsewhere, "DNS:me");  // For its certificate and key only.
  const fakes::TlsServer server(
      folder, "IP:127.0.0.1", "-www -Verify 1 -verify_return_error -CAfile " + mine.certificate());
  HttpRequest request = get(server, server.certificate());
  EXPECT_TRUE(ask(request).error) << "it asks for a certificate";
  request.client_certificate_file = mine.certificate();
  request.client_key_file = elsewhere.path("key.pem");
  const Receiver answer = ask(request);
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(answer.head.status, 200);
  request.client_key_file = folder.path("no-such-key.pem");
  EXPECT_EQ(ask(request).error->kind, FailureKind::kTls);
}

TEST_F(HttpClientOwnTlsTest, AnAgreementOnHttp1IsRefusedWhereHttp2IsNeeded) {
  const fakes::TlsServer server(folder, "IP:127.0.0.1");
  HttpRequest request = get(server, server.certificate());
  request.http2 = true;
  const Receiver answer = ask(request);
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, FailureKind::kProtocol);
  EXPECT_EQ(answer.error->message, "the server does not speak HTTP/2");
}

}  // namespace
}  // namespace flagstone::upstream
