#include "net/tls_session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/net/tls_bench.h"

namespace flagstone::net {
namespace {

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}

std::string_view agreed(const TlsTestClient& client) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.ssl(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

TEST(TlsSession, AnswersInsideTls) {
  TlsBench bench;
  bool over_tls = false;
  bench.handler.before_answer = [&](const Request& request) { over_tls = request.over_tls; };
  TlsTestClient client;
  EXPECT_EQ(bench.session->phase(), SessionPhase::kHeader) << "the handshake has its time limit";
  bench.carry(client);
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(agreed(client), "http/1.1");
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  client.say(get("/1"));
  bench.carry(client);
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(client.received.ends_with("GET /1"));
  EXPECT_TRUE(over_tls);
  EXPECT_EQ(bench.handler.seen.at(0).listener_index, TlsBench::kListener);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.session->held_bytes(), 0u) << "at rest it holds nothing";
  EXPECT_EQ(bench.counters.tls_failures.read(), 0u);
}

TEST(TlsSession, WhatIsOfferedDecidesTheProtocol) {
  struct Row {
    std::string offered;
    std::string_view agreed;
    bool connects;
  };
  const Row rows[] = {
      {"\x08http/1.1\x02h2", "h2", true},
      {"\x02h2\x08http/1.1", "h2", true},
      {"\x02h2", "h2", true},
      {"\x08http/1.1", "http/1.1", true},
      {"", "", true},
      {"\x06spdy/3", "", false},
      {"\x03h2c\x08http/1.0", "", false},
  };
  for (const Row& row : rows) {
    TlsBench bench;
    TlsTestClient client({.protocols = row.offered});
    bench.carry(client);
    EXPECT_EQ(client.connected(), row.connects) << row.offered;
    EXPECT_EQ(bench.session->phase() == SessionPhase::kFailed, !row.connects) << row.offered;
    EXPECT_EQ(bench.counters.tls_failures.read(), row.connects ? 0u : 1u) << row.offered;
    if (row.connects) {
      EXPECT_EQ(agreed(client), row.agreed) << row.offered;
    }
  }
}

TEST(TlsSession, Tls12AtLeast) {
  const std::pair<int, bool> rows[] = {{TLS1_VERSION, false},
                                       {TLS1_1_VERSION, false},
                                       {TLS1_2_VERSION, true},
                                       {TLS1_3_VERSION, true}};
  for (const auto& [version, connects] : rows) {
    TlsBench bench;
    TlsTestClient client({.max_version = version});
    bench.carry(client);
    EXPECT_EQ(client.connected(), connects) << version;
    EXPECT_EQ(bench.counters.tls_failures.read(), connects ? 0u : 1u) << version;
  }
}

// The handshake and the requests do not depend on how their bytes were cut.
TEST(TlsSession, ReadsTheSameHoweverItIsCut) {
  // At every byte of the first flight, and here and there in the others.
  for (std::size_t cut = 0; cut < 1600; cut += cut < 600 ? 1 : 37) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      if (version == TLS1_2_VERSION && cut % 7 != 0) continue;
      TlsBench bench;
      TlsTestClient client({.max_version = version});
      bool asked = false;
      std::size_t sent = 0;
      for (std::string bytes = client.take(); !bytes.empty(); bytes = client.take()) {
        const std::size_t here = sent <= cut && cut < sent + bytes.size() ? cut - sent : 0;
        bench.give(std::string_view(bytes).substr(0, here));
        bench.give(std::string_view(bytes).substr(here));
        sent += bytes.size();
        client.receive(std::exchange(bench.said, {}));
        if (client.connected() && !std::exchange(asked, true)) client.say(get("/1") + get("/2"));
      }
      ASSERT_EQ(bench.handler.seen.size(), 2u) << cut;
      ASSERT_TRUE(client.received.ends_with("GET /2")) << cut;
    }
  }
}

TEST(TlsSession, ReadsByteByByte) {
  TlsBench bench;
  TlsTestClient client;
  const std::string post =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + std::string(40000, 'b');
  const auto carry_bytes = [&] {
    for (std::string bytes = client.take(); !bytes.empty(); bytes = client.take()) {
      for (const char byte : bytes) bench.give({&byte, 1});
      client.receive(std::exchange(bench.said, {}));
    }
  };
  carry_bytes();
  ASSERT_TRUE(client.connected());
  client.say(post);
  carry_bytes();
  EXPECT_EQ(std::ranges::count(client.received, 'b'), 40000);
}

TEST(TlsSession, ALargeAnswerComesInBoundedPieces) {
  TlsBench bench;
  bench.handler.large_bytes = 1'000'000;
  TlsTestClient client;
  bench.carry(client);
  client.say(get("/large") + get("/large") + get("/large") + get("/last"));
  bench.carry(client);
  EXPECT_EQ(bench.handler.seen.size(), 4u);
  constexpr int kOfContentTypes = 4;
  EXPECT_EQ(std::ranges::count(client.received, 'x'), 3'000'000 + kOfContentTypes);
  EXPECT_TRUE(client.received.ends_with("GET /last"));
  EXPECT_LT(bench.largest_output, 1'100'000u) << "one answer at a time";
  EXPECT_LT(bench.session->held_bytes(), 1000u);
}

TEST(TlsSession, AnEventStreamGoesOutEncryptedAndTheNextRequestFollows) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  client.say(get("/stream") + get("/after"));
  bench.carry(client);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
  EXPECT_TRUE(client.received.ends_with("data: hello\n\n\r\n"));
  EventStream& stream = *bench.handler.streams.at(0);
  EXPECT_TRUE(stream.send("data: 1\n\n"));
  EXPECT_TRUE(stream.send("data: 2\n\n"));
  EXPECT_TRUE(stream.send(std::string(100'000, 'z')));
  EXPECT_TRUE(stream.send(std::string(100'000, 'z')));
  EXPECT_FALSE(stream.send(std::string(100'000, 'z'))) << "what is not encrypted yet counts";
  EXPECT_EQ(bench.said, "");
  bench.let_produce();
  bench.carry(client);
  EXPECT_NE(client.received.find("data: 2\n\n"), std::string::npos);
  EXPECT_EQ(std::ranges::count(client.received, 'z'), 200'000);
  stream.close();
  bench.let_produce();
  bench.carry(client);
  EXPECT_TRUE(client.received.ends_with("GET /after"));
  EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(bench.session->held_bytes(), 0u);
}

TEST(TlsSession, SaysGoodbyeBehindTheLastAnswer) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  client.say(get("/last", "Connection: close\r\n"));
  bench.carry(client);
  EXPECT_TRUE(client.received.ends_with("GET /last"));
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(TlsSession, AStreamThatEndsTheConnectionIsSaidWholeBeforeTheGoodbye) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  client.say("GET /stream HTTP/1.0\r\n\r\n");
  bench.carry(client);
  EXPECT_TRUE(bench.handler.streams.at(0)->send("data: last\n\n"));
  bench.handler.streams.at(0)->close();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming) << "there is something left to say";
  bench.let_produce();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
  bench.carry(client);
  EXPECT_TRUE(client.received.ends_with("data: last\n\n"));
  EXPECT_TRUE(client.closed);
}

TEST(TlsSession, SaysFarewellToAnIdlePeerOnce) {
  TlsBench bench;
  TlsTestClient client;
  EXPECT_FALSE(bench.session->say_farewell()) << "the handshake is not over";
  bench.carry(client);
  EXPECT_TRUE(bench.session->say_farewell());
  bench.wants_to_produce = true;
  bench.let_produce();
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
  EXPECT_FALSE(bench.session->say_farewell());
  bench.carry(client);
  EXPECT_TRUE(client.closed);
}

TEST(TlsSession, ThePeersGoodbyeIsAnswered) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  SSL_shutdown(client.ssl());
  bench.carry(client);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
  bench.give("behind the end");
  EXPECT_EQ(bench.left, "behind the end");
  EXPECT_EQ(bench.counters.tls_failures.read(), 0u);
}

TEST(TlsSession, PlainHttpIsToldSo) {
  for (const std::string& first : {get("/"), std::string("P"), std::string("PRI * HTTP/2.0\r\n")}) {
    TlsBench bench;
    bench.give(first);
    EXPECT_TRUE(bench.said.starts_with("HTTP/1.1 400 Bad Request\r\n")) << bench.said;
    EXPECT_TRUE(bench.said.ends_with("\r\n\r\nthis port speaks TLS: use https:\n"));
    EXPECT_NE(bench.said.find("Content-Length: 33\r\n"), std::string::npos);
    EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
    EXPECT_EQ(bench.counters.tls_failures.read(), 1u);
    EXPECT_TRUE(bench.handler.seen.empty());
  }
}

TEST(TlsSession, GarbageEndsItAndNothingIsAnswered) {
  TlsTestClient client;
  const std::string hello = client.take();
  std::vector<std::string> rows = {std::string(5, '\0'), std::string(1000, '\x16'),
                                   std::string("\x80\x2e\x01\x03\x01", 5) + std::string(41, 'x'),
                                   std::string("\x17\x03\x03\x00\x10", 5) + get("/")};
  for (std::size_t i = 0; i < hello.size(); i += 3) {
    rows.push_back(hello.substr(0, i) + std::string(20'000, '\xfe'));
  }
  for (const std::string& row : rows) {
    TlsBench bench;
    bench.give(row);
    bench.session.reset();
    EXPECT_EQ(bench.counters.tls_failures.read(), 1u);
    EXPECT_LT(bench.said.size(), 4000u);
    EXPECT_TRUE(bench.handler.seen.empty());
  }
}

TEST(TlsSession, AnUnfinishedHandshakeIsAFailureAndHoldsLittle) {
  TlsBench bench;
  TlsTestClient client;
  bench.give(client.take());
  EXPECT_EQ(bench.session->phase(), SessionPhase::kHeader);
  EXPECT_LT(bench.session->held_bytes(), 20'000u);
  EXPECT_GT(bench.session->held_bytes(), 0u);
  bench.session.reset();
  EXPECT_EQ(bench.counters.tls_failures.read(), 1u);
}

TEST(TlsSession, ARecordThatWasTamperedWithEndsIt) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  client.say(get("/1"));
  std::string bytes = client.take();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  bench.give(bytes);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  EXPECT_TRUE(bench.handler.seen.empty());
  EXPECT_EQ(bench.counters.tls_failures.read(), 0u) << "the handshake was fine";
}

TEST(TlsSession, ClientCertificatesAreAskedForAndChecked) {
  const TestCertificate ca("ca"), other_ca("other");
  const TestCertificate good("good", &ca), strange("strange", &other_ca);
  const TestCertificate expired("expired", &ca, -60);
  struct Row {
    const char* name;
    const TestCertificate* shown;
    bool passes;
  };
  const Row rows[] = {{"good", &good, true},
                      {"none", nullptr, false},
                      {"strange", &strange, false},
                      {"expired", &expired, false},
                      {"the CA itself", &ca, true}};
  for (const Row& row : rows) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsBench bench(ca.certificate_pem());
      TlsTestClient client({.max_version = version, .certificate = row.shown});
      bench.carry(client);
      // In TLS 1.3 a client believes itself connected before its certificate was looked at.
      if (client.connected()) client.say(get("/"));
      bench.carry(client);
      EXPECT_EQ(bench.handler.seen.size(), row.passes ? 1u : 0u) << row.name;
      EXPECT_EQ(bench.counters.tls_failures.read(), row.passes ? 0u : 1u) << row.name;
      EXPECT_EQ(client.failed, !row.passes) << row.name;
    }
  }
}

TEST(TlsSession, NothingIsResumedOrRenegotiated) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsBench bench;
    TlsTestClient first({.max_version = version});
    bench.carry(first);
    first.say(get("/"));
    bench.carry(first);
    SSL_SESSION* session = SSL_get1_session(first.ssl());
    bench.open();
    TlsTestClient second({.max_version = version, .resumed = session});
    bench.carry(second);
    EXPECT_TRUE(second.connected());
    EXPECT_EQ(SSL_session_reused(second.ssl()), 0);
    SSL_SESSION_free(session);
  }
  TlsBench bench;
  TlsTestClient client({.max_version = TLS1_2_VERSION});
  bench.carry(client);
  SSL_renegotiate(client.ssl());
  SSL_do_handshake(client.ssl());
  bench.carry(client);
  EXPECT_TRUE(client.failed) << "it was refused";
}

TEST(TlsSession, NewKeysMayBeAskedForButNotAllTheTime) {
  TlsBench bench;
  TlsTestClient client;
  bench.carry(client);
  const auto ask_for_keys = [&](int times) {
    for (int i = 0; i < times; ++i) {
      SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(client.ssl());
    }
  };
  ask_for_keys(10);
  client.say(get("/still"));
  bench.carry(client);
  EXPECT_TRUE(client.received.ends_with("GET /still"));
  ask_for_keys(2000);
  const std::string flood = client.take();
  bench.give(flood);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kCut);
  EXPECT_EQ(bench.counters.floods.read(), 1u);
  EXPECT_LT(bench.said.size(), 2000u) << "not one answer each";
}

TEST(TlsSession, NewCredentialsAreForNewConnections) {
  TlsBench bench;
  TlsTestClient old_client;
  bench.carry(old_client);
  std::unique_ptr<Session> old_session = std::move(bench.session);
  const TestCertificate ca("ca");
  bench.resources.tls[TlsBench::kListener] = bench.credentials(ca.certificate_pem());
  bench.open();
  TlsTestClient without;
  bench.carry(without);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed);
  bench.session = std::move(old_session);
  old_client.say(get("/still"));
  bench.carry(old_client);
  EXPECT_TRUE(old_client.received.ends_with("GET /still"));
}

}  // namespace
}  // namespace flagstone::net
