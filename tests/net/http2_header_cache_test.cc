// Headers of HTTP/2 that came before mean what they meant the first time, and no other does.
#include "net/http2_header_cache.h"

#include <gtest/gtest.h>

#include "tests/fakes/net/http2_bench.h"

namespace flagstone::net {
namespace {

using Fields = Http2Client::Fields;

const Fields kRequest = {{":method", "POST"},
                         {":scheme", "http"},
                         {":path", "/a?b=c"},
                         {":authority", "localhost"},
                         {"content-type", "application/grpc"},
                         {"te", "trailers"},
                         {"x-last", "of these"}};

Fields with(std::size_t at, std::string name, std::string value) {
  Fields fields = kRequest;
  fields.at(at) = {std::move(name), std::move(value)};
  return fields;
}
Fields and_then(std::string name, std::string value) {
  Fields fields = kRequest;
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}
Fields without_last() { return {kRequest.begin(), kRequest.end() - 1}; }

// What the handler saw of the request, and what it was answered.
std::string outcome(Http2Bench& bench, const Fields& fields) {
  bench.handler.seen.clear();
  bench.handler.refusals.clear();
  const int id = bench.client.submit(fields);
  bench.exchange();
  const auto& answer = bench.answer(id);
  std::string text =
      std::to_string(answer.status) + " " + std::to_string(answer.error) + " " + answer.body + "\n";
  for (const auto& seen : bench.handler.seen) {
    text += seen.method + " " + seen.path + " " + seen.query + " " + seen.host + "\n";
    for (const auto& [name, value] : seen.headers) text.append(name + ": " + value + "\n");
  }
  for (const auto& [status, path] : bench.handler.refusals) {
    text += std::to_string(status) + " " + path + "\n";
  }
  return text;
}

HttpLimits small_limits() {
  HttpLimits limits;
  limits.header_count_max = 4;
  limits.target_bytes_max = 20;
  limits.header_bytes_max = 220;
  return limits;
}

std::vector<Fields> variations() {
  std::vector<Fields> all = {kRequest,
                             with(0, ":method", "GET"),
                             with(0, ":method", "CONNECT"),
                             with(2, ":path", "/other"),
                             with(2, ":path", "no path"),
                             with(2, ":path", "/" + std::string(30, 'a')),
                             with(3, ":authority", "localhost, other"),
                             with(3, "host", "other"),
                             with(4, "content-type", ""),
                             with(4, "content-typ", "eapplication/grpc"),
                             with(5, "te", "trailer"),
                             with(6, "host", "localhost"),
                             with(6, "host", "other"),
                             with(6, "expect", "the unexpected"),
                             and_then("one-more", "field"),
                             and_then("one-more", std::string(100, 'x')),
                             without_last()};
  Fields crowd = and_then("x-4", "d");
  crowd.emplace_back("x-5", "e");
  all.push_back(crowd);
  std::swap(crowd.at(2), crowd.at(3));
  all.push_back(crowd);
  return all;
}

// Whatever was asked before, and however often.
TEST(Http2HeaderCache, EachHeaderMeansWhatItMeansAlone) {
  std::vector<std::string> alone;
  for (const Fields& fields : variations()) {
    Http2Bench fresh(small_limits());
    alone.push_back(outcome(fresh, fields));
  }
  Http2Bench warm(small_limits());
  for (const Fields& before : variations()) {
    for (int i = 0; i < 3; ++i) outcome(warm, before);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(outcome(warm, variations()[i]), alone[i]) << "variation " << i;
    }
  }
  EXPECT_EQ(warm.counters.floods.read(), 0u);
}

TEST(Http2HeaderCache, IsUsedFromTheThirdTimeOn) {
  Http2Bench bench;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(bench.resources.http2.known_headers.first(), nullptr);
    outcome(bench, kRequest);
  }
  Http2KnownHeader* known = bench.resources.http2.known_headers.first();
  ASSERT_NE(known, nullptr);
  EXPECT_TRUE(known->has(2, ":path", "/a?b=c"));
  EXPECT_EQ(known->users, 0u);
  bench.handler.before_answer = [&](const Request& request) {
    EXPECT_EQ(known->users, 1u);
    EXPECT_EQ(request.path.data(), known->request.path.data());
  };
  outcome(bench, kRequest);
  EXPECT_EQ(known->users, 0u);
}

// Between a header and its body other streams may be read, and headers change places.
TEST(Http2HeaderCache, AHeaderStaysWhileItsRequestIsRead) {
  Http2Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.client.post("/waits", "whole", {{"x-field", "kept"}});
    bench.exchange();
  }
  Http2KnownHeader* known = bench.resources.http2.known_headers.first();
  // The header, and the body's first bytes.
  const int id = bench.client.post("/waits", "cut in two", {{"x-field", "kept"}});
  const std::string bytes = bench.client.bytes();
  bench.client.give(bench.give(bytes.substr(0, bytes.size() - 5)));
  EXPECT_EQ(known->users, 1u);
  Http2Session other(bench.resources, bench, 3, ListenerKind::kLoopbackTcp);
  Http2Client client;
  for (int i = 0; i < 300; ++i) {
    client.get("/" + std::to_string(i / 3));
    std::string asked = client.bytes(), output;
    asked.reserve(asked.size() + Request::kBodyPaddingBytes);
    other.consume(asked, output);
  }
  EXPECT_EQ(known->users, 1u);
  bench.client.give(bench.give(bytes.substr(bytes.size() - 5)));
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "cut in two");
  EXPECT_EQ(bench.handler.seen.back().path, "/waits");
  EXPECT_EQ(bench.handler.seen.back().headers.back().second, "kept");
  EXPECT_EQ(known->users, 0u);
}

TEST(Http2HeaderCache, ASessionThatEndsHoldsNone) {
  Http2Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.client.post("/a", "whole");
    bench.exchange();
  }
  Http2KnownHeader* known = bench.resources.http2.known_headers.first();
  const int id = bench.client.post("/a", "never to be whole");
  const std::string bytes = bench.client.bytes();
  bench.client.give(bench.give(bytes.substr(0, bytes.size() - 5)));
  EXPECT_EQ(known->users, 1u);
  bench.session.reset();
  EXPECT_EQ(known->users, 0u);
  EXPECT_FALSE(bench.answer(id).closed);
}

// Cut anywhere, in HEADERS and CONTINUATION, a header is the same.
TEST(Http2HeaderCache, ContinuationsAreReadTheSame) {
  const std::string fields = http2_get_fields();
  for (std::size_t cut = 0; cut <= fields.size(); ++cut) {
    Http2Bench bench;
    bench.give(http2_begin());
    for (std::uint32_t id = 1; id < 9; id += 2) {
      bench.give(http2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, id, fields.substr(0, cut)));
      bench.give(
          http2_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, id, fields.substr(cut)));
    }
    ASSERT_EQ(bench.handler.seen.size(), 4u) << cut;
    for (const auto& seen : bench.handler.seen) {
      EXPECT_EQ(seen.path, "/");
      EXPECT_EQ(seen.host, "localhost");
    }
  }
}

TEST(Http2HeaderCache, ADeferredRequestKeepsATextOfItsOwn) {
  Http2Bench bench;
  for (std::size_t i = 0; i < 3; ++i) {
    bench.client.post("/later?q", "a body", {{"x-field", "kept"}});
    bench.exchange();
    bench.handler.run_again(i);
    bench.exchange();
  }
  const int id = bench.client.post("/later?q", "a body", {{"x-field", "kept"}});
  bench.exchange();
  Http2KnownHeader* known = bench.resources.http2.known_headers.first();
  EXPECT_EQ(known->users, 0u);
  bench.resources.http2.known_headers = {};  // forgotten meanwhile
  const Request& kept = bench.handler.deferrals.back()->request();
  EXPECT_EQ(kept.method_text, "POST");
  EXPECT_EQ(kept.path, "/later");
  EXPECT_EQ(kept.query, "q");
  EXPECT_EQ(kept.host, "localhost");
  EXPECT_EQ(kept.header("x-field"), "kept");
  EXPECT_EQ(kept.body, "a body");
  bench.handler.run_again(3);
  bench.exchange();
  EXPECT_EQ(bench.answer(id).body, "a body");
}

// What nghttp2 has not said yet of a stream that is reset must not be read any more.
TEST(Http2HeaderCache, AHeadThatIsNeverSaidHarmsNobody) {
  Http2Bench bench;
  bench.exchange();
  for (int i = 0; i < 20; ++i) {
    const int id = bench.client.get("/" + std::string(static_cast<std::size_t>(i), 'a'));
    std::string asked = bench.client.bytes();
    bench.client.reset(id);
    asked += bench.client.bytes();
    bench.client.give(bench.give(asked));
  }
  const int last = bench.client.get("/last");
  bench.exchange();
  EXPECT_EQ(bench.answer(last).body, "GET /last");
}

}  // namespace
}  // namespace flagstone::net
