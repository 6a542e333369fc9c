// Headers that came before are answered as they were the first time, whatever stands around them.
#include "net/http1_header_cache.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/fakes/net/session_bench.h"

namespace flagstone::net {
namespace {

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}
bool knows(SessionBench& bench, std::string_view request) {
  return bench.resources.known_headers.find(request) != nullptr;
}

void expect_same(const RecordingHandler::Seen& a, const RecordingHandler::Seen& b) {
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.host, b.host);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.headers, b.headers);
  EXPECT_EQ(a.listener_index, b.listener_index);
}

TEST(Http1HeaderCache, TheHandlerSeesTheSameAgain) {
  const std::string requests[] = {
      get("/a?b=c", "X-Mixed-CASE:  Some Value \t\r\nEmpty:\r\nLast: x\r\n"),
      post("/b", "hello", "A: b\r\n"),
      post("/c", ""),
      post("/d", std::string(16 * 1024, 'x')),
      "HEAD http://other:80/e?f HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "REPORT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n\r\n",
  };
  for (const std::string& request : requests) {
    SessionBench bench;
    for (int i = 0; i < 4; ++i) {
      bench.said.clear();
      EXPECT_EQ(knows(bench, request), i >= 2) << "the second time it is remembered: " << request;
      EXPECT_EQ(bench.give(request), "");
      ASSERT_EQ(bench.handler.seen.size(), static_cast<std::size_t>(i) + 1);
      expect_same(bench.handler.seen.front(), bench.handler.seen.back());
    }
    const std::string known_answer = bench.said;
    EXPECT_EQ(bench.session->requests_begun(), 4u);
    EXPECT_EQ(bench.counters.requests.read(), 4u);
    SessionBench fresh;
    fresh.give(request);
    EXPECT_EQ(known_answer, fresh.said);
  }
}

// Where more than the bytes decides, or the answer is more than the handler's.
TEST(Http1HeaderCache, SomeAreNeverRemembered) {
  const std::string requests[] = {
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      get("/", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      post("/", "x", "Expect: 100-continue\r\n"),
      post("/", std::string(16 * 1024 + 1, 'x')),
      "\r\n" + get("/"),
      "\r\n\r\n" + get("/"),
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 \r\n\r\nx",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 000001\r\n\r\nx",
      get("/", "A: " + std::string(KnownHeader::kBytesMax, 'a') + "\r\n"),
      [] {
        std::string many;
        for (std::size_t i = 0; i < KnownHeader::kFieldsMax; ++i) many += "A: b\r\n";
        return get("/", many);
      }(),
  };
  for (const std::string& request : requests) {
    SessionBench bench;
    for (int i = 0; i < 4; ++i) bench.give(request);
    EXPECT_EQ(bench.handler.seen.size(), 4u) << request;
    EXPECT_FALSE(knows(bench, request)) << request;
  }
}

TEST(Http1HeaderCache, NeitherAreThoseThatEndTheConnectionOrAreRefused) {
  HttpLimits limits;
  limits.body_bytes_max = 10;
  SessionBench bench(limits);
  for (const std::string& request :
       {get("/", "Connection: close\r\n"), post("/", "more than ten"), get("/", "Host: b\r\n"),
        std::string("GET / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.1\r\nHost : a\r\n\r\n")}) {
    for (int i = 0; i < 4; ++i) {
      bench.session =
          std::make_unique<Http1Session>(bench.resources, bench, 3, ListenerKind::kLoopbackTcp);
      bench.give(request);
    }
    EXPECT_FALSE(knows(bench, request)) << request;
  }
}

// The number of a Content-Length may be another one, and is what the handler sees.
TEST(Http1HeaderCache, AnotherLengthIsReadFromTheBytes) {
  HttpLimits limits;
  limits.body_bytes_max = 700;
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  ";
  const std::string behind = "\r\nAccept: */*\r\n\r\n";
  SessionBench warm(limits);
  for (int i = 0; i < 3; ++i) {
    warm.give(head + "007" + behind + "1234567");
    warm.give(head + "7" + behind + "1234567");
    warm.give(post("/b", ""));
  }
  EXPECT_TRUE(knows(warm, head + "123" + behind) && knows(warm, head + "5" + behind));
  EXPECT_FALSE(knows(warm, head + "12" + behind));
  const std::string body(1000, 'x');
  for (const char* length :
       {"007", "123",  "000", "7",   "0",   "699", "700", "701", "999",  "9",
        "12",  "1234", "+12", "-12", "0x7", "1 2", "12 ", " 12", "\t12", "1,1"}) {
    const std::string request = head + length + behind;
    for (const std::string& then : {body + get("/next"), std::string("GET"), std::string()}) {
      SessionBench fresh(limits);
      warm.said.clear();
      warm.handler.seen.clear();
      warm.session =
          std::make_unique<Http1Session>(warm.resources, warm, 3, ListenerKind::kLoopbackTcp);
      for (SessionBench* bench : {&warm, &fresh}) bench->give(request + then);
      EXPECT_EQ(warm.said, fresh.said) << length;
      EXPECT_EQ(warm.session->phase(), fresh.session->phase()) << length;
      ASSERT_EQ(warm.handler.seen.size(), fresh.handler.seen.size()) << length;
      for (std::size_t i = 0; i < fresh.handler.seen.size(); ++i) {
        expect_same(warm.handler.seen[i], fresh.handler.seen[i]);
      }
    }
  }
}

// A request at hand, known or not, is one byte away from many that have to be refused.
TEST(Http1HeaderCache, EveryOtherByteIsParsed) {
  const std::string request = post("/path?query", "body", "Accept: */*\r\n");
  SessionBench warm;
  for (int i = 0; i < 3; ++i) warm.give(request);
  ASSERT_TRUE(knows(warm, request));
  for (std::size_t at = 0; at < request.size(); ++at) {
    for (const char byte : {'\0', '\r', '\n', ' ', '\t', ':', '9', 'z', '\x80'}) {
      std::string changed = request;
      changed[at] = byte;
      warm.said.clear();
      warm.handler.seen.clear();
      warm.session =
          std::make_unique<Http1Session>(warm.resources, warm, 3, ListenerKind::kLoopbackTcp);
      SessionBench fresh;
      for (SessionBench* bench : {&warm, &fresh}) bench->give(request + changed + request);
      ASSERT_EQ(warm.said, fresh.said) << "byte " << at << " is " << int{byte};
      ASSERT_EQ(warm.handler.seen.size(), fresh.handler.seen.size());
      for (std::size_t i = 0; i < fresh.handler.seen.size(); ++i) {
        expect_same(warm.handler.seen[i], fresh.handler.seen[i]);
      }
    }
  }
}

TEST(Http1HeaderCache, CutRequestsAreReadTheSame) {
  const std::string one = post("/1", "hello"), other = post("/2", "worlds"), third = get("/3");
  SessionBench warm;
  for (int i = 0; i < 3; ++i) warm.give(one + other + third);
  ASSERT_TRUE(knows(warm, one) && knows(warm, other) && knows(warm, third));
  const std::string all = one + third + one + other + one;
  SessionBench fresh;
  fresh.give(all);
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    for (std::size_t again = cut; again < all.size(); again += 7) {
      warm.said.clear();
      warm.give(std::string_view(all).substr(0, cut));
      warm.give(std::string_view(all).substr(cut, again - cut));
      warm.give(std::string_view(all).substr(again));
      ASSERT_EQ(warm.said, fresh.said) << "cut at " << cut << " and " << again;
      ASSERT_EQ(warm.session->phase(), SessionPhase::kIdle);
    }
  }
}

// A line break that the parser has taken is half of something: what follows is its matter.
TEST(Http1HeaderCache, WhatTheParserHasBegunItEnds) {
  const std::string request = get("/a");
  for (const std::string_view begun : {"\r", "\r\n", "\n", "G", "\r\n\r\n"}) {
    SessionBench warm;
    for (int i = 0; i < 3; ++i) warm.give(request);
    ASSERT_TRUE(knows(warm, request));
    warm.said.clear();
    SessionBench fresh;
    for (SessionBench* bench : {&warm, &fresh}) {
      bench->give(begun);
      bench->give(request);
      bench->give(request);
    }
    EXPECT_EQ(warm.said, fresh.said);
    EXPECT_EQ(warm.session->phase(), fresh.session->phase());
  }
}

TEST(Http1HeaderCache, TheConnectionsEndIsSaidAllTheSame) {
  const std::string request = post("/a", "b");
  SessionBench bench;
  for (int i = 0; i < 3; ++i) bench.give(request);
  bench.session->finish_soon();
  bench.said.clear();
  EXPECT_EQ(bench.give(request + request), request);
  EXPECT_NE(bench.said.find("Connection: close"), std::string::npos);
  EXPECT_EQ(bench.session->phase(), SessionPhase::kDone);
}

TEST(Http1HeaderCache, OfAHeadTheBodyIsLeftOutAndOfAStreamThePhaseKept) {
  SessionBench bench;
  const std::string head = "HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 3; ++i) bench.give(head);
  EXPECT_TRUE(bench.said.ends_with("Content-Length: 9\r\n\r\n"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.give(get("/stream") + head), head);
    EXPECT_EQ(bench.session->phase(), SessionPhase::kStreaming);
    bench.handler.streams.clear();
    EXPECT_EQ(bench.session->phase(), SessionPhase::kIdle);
  }
}

TEST(Http1HeaderCache, ADeferredRequestKeepsATextOfItsOwn) {
  SessionBench bench;
  const std::string request = post("/later?q=1", "a body", "X-Field: of the request\r\n");
  for (std::size_t i = 0; i < 3; ++i) {
    bench.give(request);
    bench.handler.run_again(i);
  }
  bench.give(request);
  ASSERT_TRUE(knows(bench, request));
  bench.resources.known_headers = {};  // forgotten meanwhile
  const Request& kept = bench.handler.deferrals.back()->request();
  EXPECT_EQ(kept.path, "/later");
  EXPECT_EQ(kept.query, "q=1");
  EXPECT_EQ(kept.host, "localhost");
  EXPECT_EQ(kept.method_text, "POST");
  EXPECT_EQ(kept.header("x-field"), "of the request");
  EXPECT_EQ(kept.body, "a body");
  bench.handler.run_again(3);
  EXPECT_EQ(bench.statuses(), "200 200 200 200");
}

// Far more headers than places: each is answered as itself.
TEST(Http1HeaderCache, ManyHeadersShareThePlaces) {
  SessionBench bench;
  bench.handler.remembers = false;
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    const std::string path = "/" + std::to_string(random() % 300) + ".";
    bench.said.clear();
    bench.give(get(path));
    ASSERT_TRUE(bench.said.ends_with("\r\n\r\nGET " + path)) << bench.said;
  }
}

}  // namespace
}  // namespace flagstone::net
