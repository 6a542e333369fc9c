#include "upstream/http_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "tests/fakes/upstream/tls_server.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ScriptedHttpServer;
using fakes::ServedRequest;

class RecordingReceiver final : public HttpReceiver {
 public:
  explicit RecordingReceiver(fakes::TestLoop& loop) : loop_(loop) {}
  bool on_head(const HttpHead& given) override {
    head = given;
    return wants_body;
  }
  bool on_body(std::string_view piece) override {
    body_bytes += piece.size();
    if (body.size() < 100'000) body += piece;
    on_piece();
    return true;
  }
  void on_end(const std::optional<HttpError>& given) override {
    ended = true;
    error = given;
    loop_.nudge();
    on_ended();
  }

  bool wants_body = true;
  std::function<void()> on_piece = [] {};
  std::function<void()> on_ended = [] {};
  HttpHead head;
  std::string body;
  std::size_t body_bytes = 0;
  bool ended = false;
  std::optional<HttpError> error;

 private:
  fakes::TestLoop& loop_;
};

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() { std::signal(SIGPIPE, SIG_IGN); }

  void make_client(HttpClient::Options options = {
                       .user_agent = "flagstone/test", .ca_file = {}, .ca_folder = {}}) {
    client.reset();
    client = std::make_unique<HttpClient>(loop.loop(), resolver, std::move(options));
  }
  // Runs one exchange to its end.
  RecordingReceiver get(HttpRequest request) {
    RecordingReceiver receiver(loop);
    if (client == nullptr) make_client();
    const auto exchange = client->start(std::move(request), receiver);
    EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
    return receiver;
  }
  RecordingReceiver get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.limits = limits;
    return get(std::move(request));
  }

  fakes::TestLoop loop;
  net::ResolverOptions resolver_options;
  std::atomic<bool> resolver_hangs = false;
  net::Resolver resolver{
      loop.loop(),
      {.query_limit_ms = 100, .lookup = [this](const std::string& host) { return look_up(host); }}};
  std::unique_ptr<HttpClient> client;
  HttpLimits limits;

  // The resolver's own threads call it.
  std::expected<std::vector<std::string>, net::Error> look_up(const std::string& host) {
    if (host == "flags.test" || host == "other.test") {
      return std::vector<std::string>{"127.0.0.1"};
    }
    return std::unexpected(net::Error{0, "cannot resolve " + host + ": no such name"});
  }
};

TEST_F(HttpClientTest, AnAnswerWholeWithItsHeaders) {
  const ScriptedHttpServer server([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"ETag", "\"1\""}, {"X-Two", "a"}, {"x-two", "b"}}, .body = "hello"};
  });
  HttpRequest request{.url = server.url("/x?y=z"), .unix_socket = {}, .headers = {}, .limits = {}};
  request.headers = {{"Authorization", "Bearer k"}, {"X-Empty", ""}};
  const RecordingReceiver answer = get(request);
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_EQ(answer.head.find("etag"), "\"1\"");
  EXPECT_EQ(answer.head.find("x-two"), "b");
  EXPECT_EQ(answer.head.find("none"), "");
  EXPECT_EQ(answer.body, "hello");
  ASSERT_EQ(server.requests().size(), 1U);
  const ServedRequest seen = server.requests()[0];
  EXPECT_EQ(seen.target, "/x?y=z");
  EXPECT_EQ(seen.header("user-agent"), "flagstone/test");
  EXPECT_EQ(seen.header("authorization"), "Bearer k");
  EXPECT_TRUE(seen.headers.contains("x-empty"));
  EXPECT_NE(seen.header("accept-encoding").find("gzip"), std::string::npos);
}

TEST_F(HttpClientTest, OverAUnixSocket) {
  const fakes::TemporaryFolder folder;
  const ScriptedHttpServer server(
      [](const ServedRequest& request, std::size_t) { return Reply{.body = request.target}; },
      folder.path("s"));
  HttpRequest request;
  request.url = "http://localhost/flags";
  request.unix_socket = folder.path("s");
  EXPECT_EQ(get(request).body, "/flags");
}

TEST_F(HttpClientTest, NamesAreResolvedByTheResolverAlone) {
  const ScriptedHttpServer server([](const ServedRequest& request, std::size_t) {
    return Reply{.body = request.header("host")};
  });
  const std::string place = "flags.test:" + std::to_string(server.port());
  EXPECT_EQ(get("http://" + place + "/").body, place);
  const RecordingReceiver none = get("http://unknown.test/");
  ASSERT_TRUE(none.error);
  EXPECT_EQ(none.error->kind, FailureKind::kResolve);
  EXPECT_NE(none.error->message.find("unknown.test"), std::string::npos);
}

TEST_F(HttpClientTest, WhatGoesWrongHasItsOwnKind) {
  limits = {.connect = std::chrono::milliseconds(500),
            .first_byte = std::chrono::milliseconds(60),
            .idle = std::chrono::milliseconds(60),
            .whole = std::chrono::milliseconds(300),
            .body_bytes = 1000,
            .header_bytes = 2000};
  struct Case {
    std::string name;
    Reply reply;
    FailureKind kind;
    std::string message;  // A part of it.
  };
  const Case cases[] = {
      {"cut", {.body = "half", .announced_length = 8}, FailureKind::kTruncated, "4 bytes"},
      {"cut chunk",
       {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"},
       FailureKind::kTruncated,
       ""},
      {"hang", {.hang = true}, FailureKind::kTimeout, "no answer within 60 ms"},
      {"silent", {.body = "abc", .drip_ms = 1000}, FailureKind::kTimeout, "silent for 60 ms"},
      {"drip",
       {.body = std::string(900, 'x'), .drip_ms = 10},
       FailureKind::kSlow,
       "not complete after 300 ms"},
      {"no word", {.close_at_once = true}, FailureKind::kConnect, ""},
      {"no http", {.raw = "SSH-2.0-OpenSSH_9.2\r\n"}, FailureKind::kProtocol, ""},
      {"announced", {.body = "x", .announced_length = 1001}, FailureKind::kTooLarge, "1001 bytes"},
      {"large",
       {.stream = [] { return std::string(700, 'x'); }},
       FailureKind::kTooLarge,
       "more than 1000 bytes"},
      {"headers", {.headers = {{"X", std::string(3000, 'x')}}}, FailureKind::kTooLarge, "headers"},
      {"unknown encoding",
       {.headers = {{"Content-Encoding", "rot13"}}, .body = "x"},
       FailureKind::kEncoding,
       ""},
      {"broken encoding",
       {.headers = {{"Content-Encoding", "gzip"}}, .body = "not gzip at all"},
       FailureKind::kEncoding,
       ""},
  };
  for (const Case& c : cases) {
    const ScriptedHttpServer server([&](const ServedRequest&, std::size_t) { return c.reply; });
    const RecordingReceiver answer = get(server.url("/"));
    ASSERT_TRUE(answer.error) << c.name;
    EXPECT_EQ(failure_kind_name(answer.error->kind), failure_kind_name(c.kind)) << c.name;
    EXPECT_NE(answer.error->message.find(c.message), std::string::npos)
        << c.name << ": " << answer.error->message;
  }
}

TEST_F(HttpClientTest, RefusedConnectionsAndUrlsThatAreNone) {
  std::string url;
  {
    const ScriptedHttpServer server([](const ServedRequest&, std::size_t) { return Reply{}; });
    url = server.url("/");
  }
  const RecordingReceiver refused = get(url);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->kind, FailureKind::kConnect);
  for (const char* none : {"", "nonsense", "ftp://127.0.0.1/"}) {
    EXPECT_EQ(get(none).error->kind, FailureKind::kProtocol) << none;
  }
}

TEST_F(HttpClientTest, AGzipBombIsStoppedAtTheLimit) {
  limits.body_bytes = 4 * 1024 * 1024;
  std::atomic<std::size_t> sent = 0;
  const ScriptedHttpServer server([&](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"Content-Encoding", "gzip"}},
                 .stream = [&sent, zeros = fakes::gzip_of_zeros()] {
                   // 200 pieces are 400 MiB.
                   return ++sent > 200 ? std::string() : zeros();
                 }};
  });
  const RecordingReceiver answer = get(server.url("/"));
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, FailureKind::kTooLarge);
  EXPECT_GT(answer.body_bytes, limits.body_bytes / 2) << "it was not unpacked at all";
  EXPECT_LE(answer.body_bytes, limits.body_bytes);
}

TEST_F(HttpClientTest, AnUnwantedBodyIsNotWaitedFor) {
  const ScriptedHttpServer server([](const ServedRequest&, std::size_t) {
    return Reply{.status = 503, .body = std::string(1000, 'x'), .drip_ms = 100};
  });
  RecordingReceiver receiver(loop);
  receiver.wants_body = false;
  make_client();
  HttpRequest request;
  request.url = server.url("/");
  const auto exchange = client->start(request, receiver);
  EXPECT_TRUE(loop.run_until([&] { return receiver.ended; }));
  EXPECT_FALSE(receiver.error);
  EXPECT_EQ(receiver.head.status, 503);
  EXPECT_EQ(receiver.body_bytes, 0U);
}

TEST_F(HttpClientTest, RedirectsAreFollowedThreeTimes) {
  const ScriptedHttpServer server([](const ServedRequest& request, std::size_t) {
    const int left = request.target.back() - '0';
    if (left == 0) return Reply{.body = "there"};
    return Reply{
        .status = 302, .headers = {{"Location", "/" + std::to_string(left - 1)}}, .body = "moved"};
  });
  const RecordingReceiver three = get(server.url("/3"));
  EXPECT_FALSE(three.error);
  EXPECT_EQ(three.body, "there");
  EXPECT_EQ(three.head.url, server.url("/0"));
  const RecordingReceiver four = get(server.url("/4"));
  ASSERT_TRUE(four.error);
  EXPECT_EQ(four.error->kind, FailureKind::kRedirect);
  EXPECT_EQ(four.error->message, "redirected more than 3 times");
  EXPECT_EQ(server.requests().size(), 8U);
}

TEST_F(HttpClientTest, SecretsStayWithTheHostTheyAreFor) {
  const ScriptedHttpServer server([](const ServedRequest& request, std::size_t) {
    const std::string port = request.header("host").substr(request.header("host").find(':'));
    if (request.target == "/same") return Reply{.status = 307, .headers = {{"Location", "/end"}}};
    if (request.target == "/other") {
      return Reply{.status = 301, .headers = {{"Location", "http://other.test" + port + "/back"}}};
    }
    if (request.target == "/back") {
      return Reply{.status = 308, .headers = {{"Location", "http://flags.test" + port + "/end"}}};
    }
    return Reply{.body = "there"};
  });
  for (const std::string target : {"/same", "/other"}) {
    HttpRequest request;
    request.url = "http://flags.test:" + std::to_string(server.port()) + target;
    request.headers = {{"Authorization", "Bearer k", true}, {"If-None-Match", "\"1\""}};
    EXPECT_EQ(get(request).body, "there");
  }
  const std::vector<ServedRequest> seen = server.requests();
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[1].header("authorization"), "Bearer k");
  EXPECT_EQ(seen[2].header("authorization"), "Bearer k");
  EXPECT_EQ(seen[3].header("authorization"), "");
  EXPECT_EQ(seen[4].header("authorization"), "") << "once away, it does not come back";
  EXPECT_EQ(seen[4].header("if-none-match"), "\"1\"");
}

TEST_F(HttpClientTest, RedirectsWithoutATargetAndToOtherSchemesAreRefused) {
  for (const char* location : {"", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/"}) {
    const ScriptedHttpServer server([&](const ServedRequest&, std::size_t) {
      return Reply{.status = 302, .headers = {{"Location", location}}};
    });
    const RecordingReceiver answer = get(server.url("/"));
    ASSERT_TRUE(answer.error) << location;
    EXPECT_EQ(answer.error->kind, FailureKind::kRedirect) << location;
  }
}

TEST_F(HttpClientTest, AnExchangeMayBeDestroyedInsideItsOwnCalls) {
  const ScriptedHttpServer server(
      [](const ServedRequest&, std::size_t) { return Reply{.body = std::string(200'000, 'x')}; });
  make_client();
  HttpRequest request;
  request.url = server.url("/");
  std::unique_ptr<HttpExchange> exchange;

  RecordingReceiver in_body(loop);
  in_body.on_piece = [&] {
    exchange.reset();
    loop.nudge();
  };
  exchange = client->start(request, in_body);
  EXPECT_TRUE(loop.run_until([&] { return in_body.body_bytes > 0; }));
  loop.run_for(20);
  EXPECT_FALSE(in_body.ended);
  EXPECT_LE(in_body.body_bytes, 16'384U);

  RecordingReceiver in_end(loop);
  in_end.on_ended = [&] { exchange.reset(); };
  exchange = client->start(request, in_end);
  EXPECT_TRUE(loop.run_until([&] { return in_end.ended; }));
  EXPECT_EQ(exchange, nullptr);

  // Inside the error of a name that is none, and before anything happened.
  RecordingReceiver unresolved(loop);
  unresolved.on_ended = [&] { exchange.reset(); };
  request.url = "http://unknown.test/";
  exchange = client->start(request, unresolved);
  EXPECT_TRUE(loop.run_until([&] { return unresolved.ended; }));
  RecordingReceiver never(loop);
  exchange = client->start(request, never);
  exchange.reset();
  loop.run_for(20);
  EXPECT_FALSE(never.ended);
}

TEST_F(HttpClientTest, ANewExchangeMayBeginInsideACall) {
  const ScriptedHttpServer server(
      [](const ServedRequest& request, std::size_t) { return Reply{.body = request.target}; });
  make_client();
  HttpRequest request;
  request.url = server.url("/second");
  RecordingReceiver second(loop);
  std::unique_ptr<HttpExchange> second_exchange;
  RecordingReceiver first(loop);
  first.on_piece = [&] { second_exchange = client->start(request, second); };
  HttpRequest first_request;
  first_request.url = server.url("/first");
  const auto exchange = client->start(first_request, first);
  EXPECT_TRUE(loop.run_until([&] { return first.ended && second.ended; }));
  EXPECT_EQ(first.body, "/first");
  EXPECT_EQ(second.body, "/second");
}

TEST_F(HttpClientTest, ManyBrokenExchangesLeakNoDescriptor) {
  int kind = 0;
  ScriptedHttpServer server([&](const ServedRequest&, std::size_t) {
    switch (kind++ % 3) {
      case 0:
        return Reply{.close_at_once = true};
      case 1:
        return Reply{.body = "x", .announced_length = 5};
      default:
        return Reply{.body = "whole"};
    }
  });
  get(server.url("/"));
  const std::size_t before = fakes::open_descriptors();
  for (int i = 0; i < 300; ++i) get(server.url("/"));
  // The server's side of connections may still be on its way out.
  EXPECT_TRUE(loop.run_until([&] { return fakes::open_descriptors() <= before + 6; }));
}

class HttpClientTlsTest : public HttpClientTest {
 protected:
  fakes::TemporaryFolder folder;
  void SetUp() override {
    if (!fakes::TlsServer::available()) GTEST_SKIP() << "no openssl command";
  }
};

TEST_F(HttpClientTlsTest, ACertificateNobodyVouchesForIsRefusedWithItsCause) {
  const fakes::TlsServer server(folder, "IP:127.0.0.1");
  const RecordingReceiver answer = get(server.url());
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, FailureKind::kTls);
  EXPECT_NE(answer.error->message.find("self-signed certificate"), std::string::npos)
      << answer.error->message;
}

TEST_F(HttpClientTlsTest, SslCertFileVouches) {
  const fakes::TlsServer server(folder, "IP:127.0.0.1");
  ::setenv("SSL_CERT_FILE", server.certificate().c_str(), 1);
  make_client();
  ::unsetenv("SSL_CERT_FILE");
  const RecordingReceiver answer = get(server.url());
  EXPECT_FALSE(answer.error) << answer.error->message;
  EXPECT_EQ(answer.head.status, 200);
}

TEST_F(HttpClientTlsTest, AnotherHostsCertificateIsRefused) {
  const fakes::TlsServer server(folder, "DNS:elsewhere.test");
  make_client({.user_agent = "t", .ca_file = server.certificate(), .ca_folder = {}});
  const RecordingReceiver answer = get(server.url());
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, FailureKind::kTls);
}

TEST_F(HttpClientTlsTest, OldTlsIsRefused) {
  const fakes::TlsServer server(folder, "IP:127.0.0.1", "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
  make_client({.user_agent = "t", .ca_file = server.certificate(), .ca_folder = {}});
  const RecordingReceiver answer = get(server.url());
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->kind, FailureKind::kTls) << answer.error->message;
}

TEST_F(HttpClientTlsTest, HttpsDoesNotRedirectToHttp) {
  fakes::write_file(
      folder.path("moved"),
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n");
  const fakes::TlsServer server(folder, "IP:127.0.0.1", "-HTTP");
  make_client({.user_agent = "t", .ca_file = server.certificate(), .ca_folder = {}});
  const RecordingReceiver answer = get(server.url() + "moved");
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->message, "redirected from https to http");
}

// A resolver that never answers costs its own limit, and only the one who asked.
TEST(HttpClientResolving, AHangingResolverBlocksNobodyElse) {
  fakes::TestLoop loop;
  const ScriptedHttpServer server(
      [](const ServedRequest&, std::size_t) { return Reply{.body = "x"}; });
  // Detached threads use it; it must outlive them.
  static std::atomic<int> hanging = 0;
  net::ResolverOptions options;
  options.query_limit_ms = 200;
  options.lookup = [](const std::string&) -> std::expected<std::vector<std::string>, net::Error> {
    if (++hanging > 1) std::this_thread::sleep_for(std::chrono::hours(1));
    return std::vector<std::string>{"127.0.0.1"};
  };
  net::Resolver resolver(loop.loop(), options);
  HttpClient client(loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}});
  const std::string port = std::to_string(server.port());
  const auto ask = [&](const std::string& url, RecordingReceiver& receiver) {
    HttpRequest request;
    request.url = url;
    return client.start(request, receiver);
  };
  // The first time it answers; afterwards its last good answer serves.
  RecordingReceiver first(loop), again(loop), other(loop), numeric(loop);
  const auto a = ask("http://known.test:" + port + "/", first);
  EXPECT_TRUE(loop.run_until([&] { return first.ended; }));
  EXPECT_EQ(first.body, "x");
  const auto b = ask("http://known.test:" + port + "/", again);
  const auto c = ask("http://new.test:" + port + "/", other);
  const auto d = ask(server.url("/"), numeric);
  EXPECT_TRUE(loop.run_until([&] { return numeric.ended; }));
  EXPECT_EQ(numeric.body, "x");
  EXPECT_FALSE(other.ended);
  EXPECT_TRUE(loop.run_until([&] { return again.ended && other.ended; }));
  EXPECT_EQ(again.body, "x");
  ASSERT_TRUE(other.error);
  EXPECT_EQ(other.error->kind, FailureKind::kResolve);
}

}  // namespace
}  // namespace flagstone::upstream
