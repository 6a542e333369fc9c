// One evaluation over gRPC or Connect allocates nothing once warm, nor does reporting one over
// OFREP to LaunchDarkly: counted by this program's operator new, from the parsed request to the
// written answer.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "sidecar/api/flagd_evaluation.h"
#include "tests/fakes/cache/promoted.h"
#include "tests/sidecar/api/flagd_served.h"
#include "tests/sidecar/reported_flags.h"

namespace {
// Only the thread under test counts, and only while it says so.
thread_local bool counting = false;
thread_local std::size_t allocations = 0;
}  // namespace

// Not inlined: else GCC pairs one side's malloc with the other side's operator and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// A sanitizer's own would not pair with the operators below.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return ::operator new(size); }
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t& no) noexcept {
  return ::operator new(size, no);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace flagstone::sidecar {
namespace {

// Remembers nothing but the body, whose memory is kept, as a session's is.
class KeptResponse final : public net::Response {
 public:
  std::string& body() override { return text; }
  void send(int code, std::string_view, std::span<const net::HeaderField>,
            std::span<const net::HeaderField>) override {
    status = code;
  }
  std::unique_ptr<net::EventStream> open_stream(int, std::string_view,
                                                std::span<const net::HeaderField>) override {
    return nullptr;
  }
  std::unique_ptr<net::DeferredResponse> defer() override { return nullptr; }
  std::string text;
  int status = 0;
};

constexpr std::string_view kDocument = R"({
  "metadata": {"version": "7"},
  "flags": {
    "string": {"state": "ENABLED", "variants": {"yes": "y\u00e4s", "no": "no"},
               "defaultVariant": "no", "metadata": {"owner": "a name \" to escape"},
               "targeting": {"if": [{"==": [{"var": "tier"}, "gold"]}, "yes", null]}},
    "object": {"state": "ENABLED", "variants": {"o": {"a": [1, {"b\n": null}], "c": "\t"}},
               "defaultVariant": "o"}
  }})";

class EvaluationAllocation : public ::testing::Test {
 protected:
  EvaluationAllocation() : served(kDocument), api(served.desk) {
    api.add_routes(served.router);
    fakes::promote_all(*served.state.environments[0].snapshot);
    served.state.environments[0].stale = true;
    served.publish();
    served.desk.settings.static_context = {{"region", "a region with a long name, and longer"}};
    served.desk.settings.context_from_headers = {{"x-tier", "tier"}};
  }

  std::size_t allocations_of(std::string_view path, std::string_view content_type,
                             std::string_view body) {
    net::RpcRequest asked(content_type, body);
    asked.with("x-tier", "gold").with("flagd-selector", "source=flags.json");
    net::Request request = *asked;
    request.path = path;
    KeptResponse response;
    std::string first;
    for (int i = 0; i < 20; ++i) {
      response.text.clear();
      served.router.handle(request, response);
      EXPECT_EQ(response.status, 200);
      if (i == 0) first = response.text;
    }
    response.text.clear();
    allocations = 0;
    counting = true;
    served.router.handle(request, response);
    counting = false;
    EXPECT_EQ(response.text, first);
    EXPECT_GT(response.text.size(), 40u);
    return allocations;
  }

  FlagdServed served;
  FlagdEvaluation api;
};

TEST_F(EvaluationAllocation, TheCounterCounts) {
  counting = true;
  allocations = 0;
  auto* volatile something = new int(1);
  counting = false;
  delete something;
  EXPECT_EQ(allocations, 1u);
}

TEST_F(EvaluationAllocation, NoneOverGrpcAndConnect) {
  constexpr std::string_view kString = "/flagd.evaluation.v1.Service/ResolveString";
  constexpr std::string_view kObject = "/flagd.evaluation.v2.Service/ResolveObject";
  flagd_wire::evaluation_v1::ResolveStringRequest message;
  message.set_flag_key("string");
  auto& fields = *message.mutable_context()->mutable_fields();
  fields["targetingKey"].set_string_value("a user with a key beyond small strings");
  fields["age"].set_number_value(7);
  fields["list"].mutable_list_value()->add_values()->set_bool_value(true);
  const std::string string = message.SerializeAsString();
  message.set_flag_key("object");
  const std::string object = message.SerializeAsString();
  EXPECT_EQ(allocations_of(kString, "application/grpc", net::rpc_frame(string)), 0u);
  EXPECT_EQ(allocations_of(kObject, "application/grpc+proto", net::rpc_frame(object)), 0u);
  EXPECT_EQ(allocations_of(kString, "application/proto", string), 0u);
  EXPECT_EQ(allocations_of(kObject, "application/json",
                           R"({"flagKey":"object","context":{"targetingKey":"user","n":[1,2]}})"),
            0u);
}

TEST_F(EvaluationAllocation, NoneForAllFlagsAtOnce) {
  constexpr std::string_view kAll = "/flagd.evaluation.v1.Service/ResolveAll";
  EXPECT_EQ(allocations_of(kAll, "application/grpc", net::rpc_frame("")), 0u);
  EXPECT_EQ(allocations_of(kAll, "application/json", R"({"context":{"a":1}})"), 0u);
}

// Counted, told in full and debugged, with a prerequisite, for contexts that are known; and for a
// flag that does not exist.
TEST(ReportAllocation, NoneInTheSteadyState) {
  constexpr std::string_view kMembers =
      R"(,"version":1,"on":true,"salt":"s","variations":["a","b"],"fallthrough":{"variation":1})"
      R"(,"trackEvents":true,"debugEventsUntilDate":9500000000000)";
  ReportedFlags flags({{"top", R"({"key":"top","prerequisites":[{"key":"below","variation":1}])" +
                                   std::string(kMembers) + "}"},
                       {"below", R"({"key":"below")" + std::string(kMembers) + "}"}});
  const net::RpcRequest asked(
      "application/json",
      R"({"context":{"kind":"multi","user":{"key":"a user with a long name","email":"e",)"
      R"("privateAttributes":["email"]},"org":{"key":"an organisation of many words"}}})");
  KeptResponse response;
  const auto ask = [&](std::string_view path) {
    net::Request request = *asked;
    request.path = path;
    response.text.clear();
    flags.router.handle(request, response);
  };
  // Each of the tables that go round has to grow once.
  for (int i = 0; i < 10; ++i) {
    ask("/ofrep/v1/evaluate/flags/top");
    EXPECT_EQ(response.status, 200);
    ask("/ofrep/v1/evaluate/flags/gone");
    EXPECT_EQ(response.status, 404);
    EXPECT_NE(flags.reported(), "");
  }
  allocations = 0;
  counting = true;
  for (int i = 0; i < 10; ++i) {
    ask("/ofrep/v1/evaluate/flags/top");
    ask("/ofrep/v1/evaluate/flags/gone");
  }
  flags.desk.hand_over_reports();
  ask("/ofrep/v1/evaluate/flags/top");
  counting = false;
  EXPECT_EQ(allocations, 0u);
  const std::string events = flags.reported();
  EXPECT_TRUE(events.contains(R"("kind":"debug")"));
  EXPECT_TRUE(events.contains(R"("count":11}],"contextKinds":["user","org"])")) << events;
}

}  // namespace
}  // namespace flagstone::sidecar
