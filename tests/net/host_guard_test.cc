#include "net/host_guard.h"

#include <gtest/gtest.h>

#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/recording_response.h"

namespace flagstone::net {
namespace {

constexpr ListenerKind kLoopback = ListenerKind::kLoopbackTcp;
constexpr ListenerKind kOther = ListenerKind::kOtherTcp;
constexpr ListenerKind kUnix = ListenerKind::kUnix;

TEST(HostGuard, Judges) {
  struct Row {
    ListenerKind kind;
    const char* path;
    const char* host;
    const char* origin;  // null: not sent
    int verdict;
  };
  const Row rows[] = {
      {kLoopback, "/x", "localhost", nullptr, 0},
      {kLoopback, "/x", "localhost:8016", nullptr, 0},
      {kLoopback, "/x", "LocalHost:1", nullptr, 0},
      {kLoopback, "/x", "127.0.0.1:8016", nullptr, 0},
      {kLoopback, "/x", "[::1]", nullptr, 0},
      {kLoopback, "/x", "[::1]:8016", nullptr, 0},
      {kLoopback, "/x", "flags.internal:99", nullptr, 0},
      {kLoopback, "/x", "strict.internal:8016", nullptr, 0},
      {kLoopback, "/x", "strict.internal:8017", nullptr, 421},
      {kLoopback, "/x", "strict.internal", nullptr, 421},
      {kLoopback, "/x", "evil.example", nullptr, 421},
      {kLoopback, "/x", "localhost.evil.example", nullptr, 421},
      {kLoopback, "/x", "127.0.0.2", nullptr, 421},
      {kLoopback, "/x", "localhost.", nullptr, 421},
      {kLoopback, "/x", "", nullptr, 421},
      {kOther, "/x", "evil.example", nullptr, 0},
      {kUnix, "/x", "", nullptr, 0},
      {kUnix, "/x", "evil.example", nullptr, 0},
      {kLoopback, "/x", "localhost", "https://evil.example", 403},
      {kLoopback, "/x", "localhost", "null", 403},
      {kLoopback, "/x", "localhost", "", 403},
      {kLoopback, "/x", "localhost", "http://localhost", 403},
      {kLoopback, "/x", "localhost", "https://app.example", 0},
      {kLoopback, "/x", "localhost", "https://app.example:444", 403},
      {kOther, "/x", "any", "https://evil.example", 403},
      {kUnix, "/x", "any", "https://evil.example", 403},
      {kLoopback, "/healthz", "evil.example", "https://evil.example", 0},
      {kLoopback, "/readyz", "10.0.0.1:8014", nullptr, 0},
      {kLoopback, "/healthz/", "evil.example", nullptr, 421},
  };
  RecordingHandler next;
  HostGuard guard(next, {.allowed_hosts = {"flags.internal", "strict.internal:8016"},
                         .allowed_origins = {"https://app.example"}});
  // Once more from the end: what was asked before decides nothing, nor does a first request.
  std::vector<Row> asked(std::begin(rows), std::end(rows));
  asked.insert(asked.end(), std::rbegin(rows), std::rend(rows));
  asked.insert(asked.begin(), {kLoopback, "/x", "", nullptr, 421});
  for (const Row& row : asked) {
    Request request;
    request.method = Method::kGet;
    request.path = row.path;
    request.host = row.host;
    request.listener_kind = row.kind;
    const HeaderField origin{"origin", row.origin == nullptr ? "" : row.origin};
    if (row.origin != nullptr) request.headers = {&origin, 1};
    EXPECT_EQ(guard.verdict(request), row.verdict) << row.host << " " << row.path;
    next.seen.clear();
    RecordingResponse response;
    guard.handle(request, response);
    EXPECT_EQ(response.status, row.verdict == 0 ? 200 : row.verdict);
    EXPECT_EQ(next.seen.size(), row.verdict == 0 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace flagstone::net
