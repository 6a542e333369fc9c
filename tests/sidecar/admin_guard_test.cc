#include "sidecar/admin_guard.h"

#include <gtest/gtest.h>

#include "net/host_guard.h"
#include "tests/fakes/net/recording_handler.h"
#include "tests/fakes/net/recording_response.h"

namespace flagstone::sidecar {
namespace {

using net::ListenerKind;
using net::Method;

struct Row {
  Method method;
  const char* path;
  const char* host;
  bool peer_is_local;
  ListenerKind kind;
  int status;
};

int status_of(const Row& row) {
  net::RecordingHandler last;
  net::HostGuard host_guard(last, {});
  AdminGuard guard(host_guard);
  net::Request request;
  request.method = row.method;
  request.method_text = to_string(row.method);
  request.path = row.path;
  request.host = row.host;
  request.peer_is_local = row.peer_is_local;
  request.listener_kind = row.kind;
  net::RecordingResponse response;
  guard.handle(request, response);
  return response.status;
}

constexpr ListenerKind kOpen = ListenerKind::kOtherTcp;

TEST(AdminGuard, OthersGetProbesAndMetrics) {
  for (const Row& row : {
           Row{Method::kGet, "/healthz", "10.1.2.3:8014", false, kOpen, 200},
           Row{Method::kGet, "/readyz", "10.1.2.3:8014", false, kOpen, 200},
           Row{Method::kHead, "/metrics", "prometheus.example", false, kOpen, 200},
           Row{Method::kPost, "/grpc.health.v1.Health/Check", "10.1.2.3", false, kOpen, 200},
           Row{Method::kPost, "/healthz", "10.1.2.3", false, kOpen, 403},
           Row{Method::kPost, "/grpc.health.v1.Health/Watch", "10.1.2.3", false, kOpen, 403},
           Row{Method::kGet, "/startupz", "10.1.2.3", false, kOpen, 403},
           Row{Method::kGet, "/status", "localhost:8014", false, kOpen, 403},
           Row{Method::kGet, "/usage", "10.1.2.3", false, kOpen, 403},
           Row{Method::kPost, "/accept/default", "10.1.2.3", false, kOpen, 403},
           Row{Method::kGet, "/healthz/", "10.1.2.3", false, kOpen, 403},
           Row{Method::kGet, "/%68ealthz", "10.1.2.3", false, kOpen, 403},
           Row{Method::kGet, "/", "10.1.2.3", false, kOpen, 403},
       }) {
    EXPECT_EQ(status_of(row), row.status) << row.path;
  }
}

TEST(AdminGuard, ThisMachineComesUnderTheHostRule) {
  for (const Row& row : {
           Row{Method::kGet, "/status", "localhost:8014", true, kOpen, 200},
           Row{Method::kGet, "/status", "evil.example", true, kOpen, 421},
           Row{Method::kGet, "/healthz", "evil.example", true, kOpen, 200},
           Row{Method::kPost, "/accept/default", "127.0.0.1:8014", true, kOpen, 200},
           Row{Method::kGet, "/status", "evil.example", true, ListenerKind::kLoopbackTcp, 421},
           Row{Method::kGet, "/status", "", true, ListenerKind::kUnix, 200},
       }) {
    EXPECT_EQ(status_of(row), row.status) << row.path << " " << row.host;
  }
}

}  // namespace
}  // namespace flagstone::sidecar
