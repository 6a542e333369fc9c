// A warm keep-alive connection is served without touching the heap: counted by replacing operator
// new for this test program. Only the codec and the router are counted here, since the test's own
// client would be counted beside a server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "net/cors.h"
#include "net/deferred_response.h"
#include "net/host_guard.h"
#include "net/router.h"
#include "net/rpc/call.h"
#include "tests/fakes/net/http2_bench.h"
#include "tests/fakes/net/rpc_request.h"
#include "tests/fakes/net/session_bench.h"

namespace {
// Of this thread, so that other threads' work does not count.
thread_local std::size_t allocations = 0;
}  // namespace

// Not inlined: else GCC pairs one side's malloc with the other side's operator and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace flagstone::net {
namespace {

class Api {
 public:
  void one(const Request& request, std::string_view parameter, Response& response) {
    response.body().append("{\"key\":\"").append(parameter).append("\",\"body\":");
    response.body().append(request.body).append("}");
    response.send(200, "application/json", {{"ETag", "\"abc\""}});
  }
};

TEST(Allocation, AWarmConnectionServesWithoutAny) {
  const std::string request =
      "POST /ofrep/v1/evaluate/flags/my-long-flag-key-beyond-small-strings HTTP/1.1\r\n"
      "Host: localhost:8016\r\nUser-Agent: a-client-with-a-long-name/1.0\r\n"
      "Content-Type: application/json\r\nContent-Length: 46\r\n\r\n"
      "{\"context\":{\"targetingKey\":\"user-1234567890\"}}";
  Api api;
  Router router;
  router.add<&Api::one>(Method::kPost, "/ofrep/v1/evaluate/flags/{key}", api);
  HostGuard guard(router, {});
  SessionBench bench;
  SessionResources resources(guard, {}, bench.counters);
  Http1Session session(resources, bench, 0, ListenerKind::kLoopbackTcp);
  std::string given = request;
  given.reserve(request.size() + Request::kBodyPaddingBytes);
  const std::string_view whole = given;
  std::string output;
  const auto serve = [&](std::size_t cut) {
    output.clear();
    session.consume(whole.substr(0, cut), output);
    session.consume(whole.substr(cut), output);
    ASSERT_TRUE(output.starts_with("HTTP/1.1 200 OK\r\n")) << output;
  };
  for (std::size_t cut = 1; cut < whole.size(); ++cut) serve(cut);
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) {
    for (std::size_t cut = 1; cut < whole.size(); ++cut) serve(cut);
  }
  EXPECT_EQ(allocations, before);
}

// Answers into a buffer that stays, as a session's does.
class WarmResponse final : public Response {
 public:
  std::string& body() override { return text; }
  void send(int, std::string_view, std::span<const HeaderField>,
            std::span<const HeaderField>) override {
    ++answers;
    bytes += text.size();
    text.clear();
  }
  std::unique_ptr<EventStream> open_stream(int, std::string_view,
                                           std::span<const HeaderField>) override {
    return nullptr;
  }
  std::unique_ptr<DeferredResponse> defer() override { return nullptr; }
  std::string text;
  int answers = 0;
  std::size_t bytes = 0;
};

class RpcApi final : public Handler {
 public:
  void handle(const Request& request, Response& response) override {
    auto call = RpcCall::begin(RpcKind::kUnary, request, response, scratch);
    if (!call) return;
    call->reply().append(call->message());
    if (call->message().starts_with("fail")) {
      call->fail(RpcCode::kNotFound, "a flag with a name that is long enough is not there: 100%");
    } else {
      call->send();
    }
  }
  void refuse(const Refusal& refusal, const Request& request, Response& response) override {
    RpcCall::refuse(refusal, request, response);
  }
  RpcScratch scratch;
};

TEST(Allocation, WarmCallsOfEveryProtocolNeedNone) {
  RpcApi api;
  Cors cors(api, {"https://app.example"});
  std::vector<std::unique_ptr<RpcRequest>> requests;
  for (const std::string_view message :
       {"a message, longer than small strings", "fail and say so"}) {
    const std::string zip = gzipped(message);
    requests.push_back(std::make_unique<RpcRequest>("application/grpc", rpc_frame(message)));
    requests.back()->with("grpc-timeout", "5S");
    requests.push_back(std::make_unique<RpcRequest>("application/grpc", rpc_frame(zip, 1)));
    requests.back()->with("grpc-encoding", "gzip");
    requests.push_back(std::make_unique<RpcRequest>("application/grpc-web", rpc_frame(message)));
    requests.back()->with("origin", "https://app.example");
    requests.push_back(
        std::make_unique<RpcRequest>("application/grpc-web-text", "AAAAAAVoZWxsbw=="));
    requests.push_back(std::make_unique<RpcRequest>("application/json", message));
    requests.push_back(std::make_unique<RpcRequest>("application/proto", zip));
    requests.back()->with("content-encoding", "gzip");
  }
  WarmResponse response;
  const auto serve = [&] {
    for (const auto& request : requests) cors.handle(**request, response);
  };
  serve();
  const std::size_t before = allocations;
  const int answers = response.answers;
  for (int i = 0; i < 10; ++i) serve();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(response.answers, answers + 10 * static_cast<int>(requests.size()));
  EXPECT_GT(response.bytes, 1000U);
}

// Eight requests at once, whole and cut, as one client sends them again and again.
TEST(Allocation, AWarmHttp2ConnectionServesWithoutAny) {
  Api api;
  Router router;
  router.add<&Api::one>(Method::kPost, "/ofrep/v1/evaluate/flags/{key}", api);
  HostGuard guard(router, {});
  Http2Bench bench;
  SessionResources resources(guard, {}, bench.counters);
  Http2Session session(resources, bench, 0, ListenerKind::kLoopbackTcp);
  // The client allocates, so its bytes are made beforehand, in talk with another session.
  constexpr std::size_t kRounds = 60;
  std::vector<std::string> asked;
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (int i = 0; i < 8; ++i) {
      bench.client.post("/ofrep/v1/evaluate/flags/my-long-flag-key-beyond-small-strings",
                        "{\"context\":{\"targetingKey\":\"user-1234567890\"}}",
                        {{"content-type", "application/json"}, {"user-agent", "a-client/1.0"}});
    }
    asked.push_back(bench.client.bytes());
    bench.client.give(bench.give(asked.back()));
    asked.back().reserve(asked.back().size() + Request::kBodyPaddingBytes);
  }
  std::string output;
  const auto serve = [&](std::size_t round) {
    const std::string_view whole = asked[round];
    // Each cut comes once to warm up and once to be counted.
    const std::size_t cut = round % (kRounds / 2) * whole.size() / (kRounds / 2);
    output.clear();
    session.consume(whole.substr(0, cut), output);
    session.consume(whole.substr(cut), output);
    ASSERT_GT(output.size(), 8 * 20u);
  };
  for (std::size_t round = 0; round < kRounds / 2; ++round) serve(round);
  const std::size_t before = allocations;
  const std::uint64_t blocks_before = resources.http2.memory.blocks_made();
  const std::size_t requests_before = bench.counters.requests.read();
  for (std::size_t round = kRounds / 2; round < kRounds; ++round) serve(round);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(bench.counters.requests.read() - requests_before, 8 * kRounds / 2);
  EXPECT_EQ(resources.http2.memory.blocks_made(), blocks_before);
}

}  // namespace
}  // namespace flagstone::net
