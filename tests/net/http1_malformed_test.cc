// Malformed and ambiguous requests: the status, the end of the connection, and above all that
// nothing behind them is read as a request.
#include <gtest/gtest.h>

#include "tests/fakes/net/session_bench.h"

namespace flagstone::net {
namespace {

using namespace std::string_literals;  // for texts with a NUL in them

struct Row {
  const char* name;
  std::string request;
  const char* status;
};

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

const Row kRows[] = {
    // Two opinions on where the body ends.
    {"length and chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
     "400"},
    {"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
     "400"},
    {"length twice, equal", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "400"},
    {"length twice, different", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), "400"},
    {"length list", post("Content-Length: 5, 5\r\n", "hello"), "400"},
    {"length with plus", post("Content-Length: +5\r\n", "hello"), "400"},
    {"length negative", post("Content-Length: -1\r\n"), "400"},
    {"length in hex", post("Content-Length: 0x5\r\n", "hello"), "400"},
    {"length with fraction", post("Content-Length: 5.0\r\n", "hello"), "400"},
    {"length with inner space", post("Content-Length: 1 2\r\n", "hello"), "400"},
    {"length empty", post("Content-Length: \r\n", "hello"), "400"},
    {"length overflows", post("Content-Length: 18446744073709551621\r\n", "hello"), "400"},
    {"length text", post("Content-Length: five\r\n", "hello"), "400"},
    {"chunked twice in one", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "4xx"},
    {"chunked twice in two",
     post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "4xx"},
    {"chunked not last", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "400"},
    {"identity", post("Transfer-Encoding: identity\r\n", "0\r\n\r\n"), "400"},
    {"unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400"},
    {"gzip then chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501"},
    {"identity then chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), "501"},
    {"coding in quotes", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), "400"},
    {"coding with vertical tab",
     post("Transfer-Encoding: \x0b"
          "chunked\r\n",
          "0\r\n\r\n"),
     "400"},
    {"coding empty", post("Transfer-Encoding:\r\n", "0\r\n\r\n"), "400"},
    {"chunked in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400"},
    // Names.
    {"space before colon", get("Foo : bar\r\n"), "400"},
    {"space before colon of length", post("Content-Length : 5\r\n", "hello"), "400"},
    {"space before colon of coding", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "400"},
    {"tab before colon", get("Foo\t: bar\r\n"), "400"},
    {"space in name", get("Foo Bar: baz\r\n"), "400"},
    {"space before name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
    {"folded value", get("Foo: bar\r\n baz\r\n"), "400"},
    {"folded by tab", get("Foo: bar\r\n\tbaz\r\n"), "400"},
    {"folded coding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), "400"},
    {"no name", get(": bar\r\n"), "400"},
    {"no colon", get("Foobar\r\n"), "400"},
    {"control in name", get("Fo\x01o: bar\r\n"), "400"},
    {"NUL in name", get("Fo\0o: bar\r\n"s), "400"},
    {"high byte in name", get("F\xc3\xb6o: bar\r\n"), "400"},
    {"paren in name", get("Foo(: bar\r\n"), "400"},
    {"slash in name", get("Foo/bar: baz\r\n"), "400"},
    {"quoted name", get("\"Foo\": baz\r\n"), "400"},
    // Values.
    {"NUL in value", get("Foo: b\0r\r\n"s), "400"},
    {"control in value", get("Foo: b\x01r\r\n"), "400"},
    {"DEL in value", get("Foo: b\x7fr\r\n"), "400"},
    {"bare CR in value", get("Foo: b\rar\r\n"), "400"},
    // Line ends.
    {"bare LF after request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400"},
    {"bare LF after field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
    {"bare LF ends header", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},
    {"bare LFs only", "GET / HTTP/1.1\nHost: a\n\n", "400"},
    {"bare CR after request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", "400"},
    {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400"},
    {"CR then text ends header", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "400"},
    // Chunks.
    {"chunk size not hex", chunked("zz\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size negative", chunked("-1\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size with plus", chunked("+3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size empty", chunked("\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size overflows", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size spaced", chunked("3 \r\nabc\r\n0\r\n\r\n"), "400"},
    {"space before chunk size", chunked(" 3\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk size ends in LF", chunked("3\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk ends in LF", chunked("3\r\nabc\n0\r\n\r\n"), "400"},
    {"chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), "400"},
    {"chunk without an end", chunked("3\r\nabc0\r\n\r\n"), "400"},
    {"chunk extension with LF", chunked("3;a=b\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk extension with CR", chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"), "400"},
    {"chunk extension with NUL", chunked("3;a=\0b\r\nabc\r\n0\r\n\r\n"s), "400"},
    {"trailer with space before colon", chunked("0\r\nFoo : bar\r\n\r\n"), "400"},
    {"trailer with bare LF", chunked("0\r\nFoo: bar\n\r\n"), "400"},
    {"last chunk ends in LF", chunked("0\n\r\n"), "400"},
    // Request lines.
    {"no version", "GET /\r\nHost: a\r\n\r\n", "4xx"},
    {"version 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505"},
    {"version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505"},
    {"version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
    {"version 9.9", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", "505"},
    {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
    {"version with tail", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", "400"},
    {"two versions", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"unknown method", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
    {"TLS hello", "\x16\x03\x01\x02", "400"},
    {"NUL in target", "GET /\0a HTTP/1.1\r\nHost: a\r\n\r\n"s, "400"},
    {"control in target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"high byte in target", "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"tab before version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"star with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute ftp", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute with user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    // Host.
    {"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"absolute without Host field", "GET http://a/ HTTP/1.1\r\n\r\n", "400"},
    {"two Hosts", get("Host: a\r\n"), "400"},
    {"Host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
    {"Host with comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
    {"Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
    {"Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
    {"unknown expectation", post("Content-Length: 1\r\nExpect: tea\r\n", "x"), "417"},
};

bool matches(const std::string& statuses, std::string_view expected) {
  if (expected != "4xx") return statuses == expected;
  return statuses == "400" || statuses == "501" || statuses == "505";
}

TEST(Http1Malformed, IsRefusedOnceAndNothingBehindItIsRead) {
  static_assert(std::size(kRows) >= 60);
  for (const Row& row : kRows) {
    SessionBench bench;
    bench.give(row.request + kSmuggled + kSmuggled);
    EXPECT_TRUE(matches(bench.statuses(), row.status)) << row.name << ": " << bench.statuses();
    EXPECT_EQ(bench.handler.seen.size(), 0u) << row.name;
    EXPECT_EQ(bench.handler.refusals.size(), 1u) << row.name;
    EXPECT_EQ(bench.session->phase(), SessionPhase::kFailed) << row.name;
    EXPECT_NE(bench.said.find("Connection: close\r\n"), std::string::npos) << row.name;
    EXPECT_EQ(bench.give(kSmuggled), kSmuggled) << row.name;
  }
}

TEST(Http1Malformed, IsRefusedHoweverItsBytesAreCut) {
  for (const Row& row : kRows) {
    SessionBench bench;
    bench.give_byte_by_byte(row.request + kSmuggled);
    EXPECT_TRUE(matches(bench.statuses(), row.status)) << row.name << ": " << bench.statuses();
    EXPECT_EQ(bench.handler.seen.size(), 0u) << row.name;
  }
}

template <typename Settings>
constexpr bool tells_protocols = requires(Settings settings) { settings.on_protocol; };

TEST(Http1Malformed, RefusesOtherProtocols) {
  if (!tells_protocols<llhttp_settings_t>) GTEST_SKIP() << "this llhttp does not tell them apart";
  SessionBench bench;
  bench.give_byte_by_byte("GET / RTSP/1.0\r\nHost: a\r\n\r\n" + kSmuggled);
  EXPECT_EQ(bench.statuses(), "400");
  EXPECT_EQ(bench.handler.seen.size(), 0u);
}

TEST(Http1Malformed, DoesNotTakeAnEarlierRequestWithIt) {
  SessionBench bench;
  bench.give("GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\nHost: a\r\n\r\n" + kSmuggled);
  EXPECT_EQ(bench.statuses(), "200 400");
  EXPECT_EQ(bench.handler.seen.size(), 1u);
}

// Odd, but with one meaning only: these are served.
TEST(Http1Malformed, OddButPlainRequestsAreServed) {
  const Row rows[] = {
      {"line breaks before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
      {"absolute target", "GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
      {"absolute target, query only", "GET HTTP://b?y HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "200"},
      {"coding in capitals", post("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n"), "200"},
      {"chunk extension", chunked("3;name=value;other\r\nabc\r\n0\r\n\r\n"), "200"},
      {"zeros before chunk size", chunked("0003\r\nabc\r\n000\r\n\r\n"), "200"},
      {"zeros before length", post("Content-Length: 0005\r\n", "hello"), "200"},
      {"GET with a body", get("Content-Length: 2\r\n") + "ok", "200"},
      {"REPORT", "REPORT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok", "200"},
      {"Latin-1 in value", get("Foo: b\xe4r\r\n"), "200"},
  };
  for (const Row& row : rows) {
    SessionBench bench;
    bench.give(row.request);
    EXPECT_EQ(bench.statuses(), row.status) << row.name;
    EXPECT_EQ(bench.handler.seen.size(), 1u) << row.name;
  }
  SessionBench bench;
  bench.give(rows[1].request);
  EXPECT_EQ(bench.handler.seen.at(0).host, "b:80");
  EXPECT_EQ(bench.handler.seen.at(0).path, "/x");
  EXPECT_EQ(bench.handler.seen.at(0).query, "y");
}

}  // namespace
}  // namespace flagstone::net
