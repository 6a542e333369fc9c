// The fixed script whose instructions `make guard` counts: bytes go into an HTTP/1 and an HTTP/2
// session of a real serving side, and a document is taken in; no sockets, no other threads. Only
// what lies between the toggles is collected, after a warm-up, so that the counts repeat.
//
//   valgrind --tool=callgrind --collect-atstart=no instruction_script FOLDER
//
// FOLDER holds flagd documents: one_hundred.json; one_thousand.json and one_thousand_changed.json,
// in which every flag differs. Each case ends with a dump of callgrind named after it and a line
// on stdout: its name and how many times it was done. The first line names compiler and
// architecture, which the budgets are kept by. A wrong answer ends the script.

#include <gtest/gtest.h>
#include <valgrind/callgrind.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"
#include "net/host_guard.h"
#include "net/http1_session.h"
#include "net/http2_session.h"
#include "sidecar/api/flagd_evaluation.h"
#include "sidecar/api/ofrep.h"
#include "tests/fakes/cache/promoted.h"
#include "tests/fakes/net/http2_bench.h"
#include "tests/fakes/net/session_bench.h"
#include "tests/sidecar/api/flagd_bench.h"
#include "tests/sidecar/api/flagd_served.h"

#ifdef __clang__
#define FLAGSTONE_COMPILER "clang"
constexpr int kCompilerMajor = __clang_major__;
#else
#define FLAGSTONE_COMPILER "gcc"
constexpr int kCompilerMajor = __GNUC__;
#endif
#ifdef __x86_64__
#define FLAGSTONE_ARCHITECTURE "x86_64"
#elifdef __aarch64__
#define FLAGSTONE_ARCHITECTURE "aarch64"
#else
#define FLAGSTONE_ARCHITECTURE "other"
#endif

namespace flagstone {
namespace {

constexpr int kWarmUps = 20;
constexpr int kRequests = 200;
constexpr int kDocuments = 4;

constexpr std::string_view kContext =
    R"({"context":{"targetingKey":"user-48151623","email":"ada@example.org","country":"DE",)"
    R"("plan":"premium","appVersion":"4.8.15"}})";

void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "instruction_script: wrong: %s\n", what);
  std::exit(1);
}

std::string read_document(const std::string& folder, const char* name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  require(!bytes.empty(), name);
  return bytes;
}

// Does a step so many times; what `counted` does is collected, what is around it is not.
template <typename Before, typename Counted, typename After>
void repeat(int times, bool collect, Before&& before, Counted&& counted, After&& after) {
  for (int i = 0; i < times; ++i) {
    before(i);
    if (collect) CALLGRIND_TOGGLE_COLLECT;
    counted();
    if (collect) CALLGRIND_TOGGLE_COLLECT;
    after();
  }
}

void end_case(const char* name, int times) {
  CALLGRIND_DUMP_STATS_AT(name);
  std::printf("%s %d\n", name, times);
}

// As a connection reads them: behind the bytes lies the promised padding.
class ReadBuffer {
 public:
  std::string_view hold(std::string_view bytes) {
    bytes_.reserve(bytes.size() + net::Request::kBodyPaddingBytes);
    bytes_.assign(bytes);
    return bytes_;
  }

 private:
  std::string bytes_;
};

// What a serving thread has between its sessions and its flags.
struct ServingSide {
  explicit ServingSide(std::string_view document)
      : served(document),
        ofrep(loop, served.desk),
        evaluation(served.desk),
        guard(served.router, {}) {
    // Time must not decide what is counted: nothing ends for having taken long, and everything is
    // compiled as the keeper would have it by then.
    served.desk.settings.bulk_slice = std::chrono::hours(1);
    fakes::promote_all(*served.state.environments[0].snapshot);
    ofrep.add_routes(served.router);
    evaluation.add_routes(served.router);
  }

  sidecar::FlagdServed served;
  net::Loop loop;
  sidecar::Ofrep ofrep;
  sidecar::FlagdEvaluation evaluation;
  net::HostGuard guard;
};

void ask_over_http1(ServingSide& side, const char* name, std::string_view path,
                    std::string_view expected) {
  net::SessionBench host;
  net::SessionResources resources(side.guard, {}, host.counters);
  net::Http1Session session(resources, host, 0, net::ListenerKind::kLoopbackTcp);
  ReadBuffer buffer;
  const std::string_view request = buffer.hold(
      "POST " + std::string(path) +
      " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load-client\r\nAccept: application/json\r\n"
      "Content-Type: application/json\r\nContent-Length: " +
      std::to_string(kContext.size()) + "\r\n\r\n" + std::string(kContext));
  std::string output;
  const auto before = [&](int) { output.clear(); };
  const auto serve = [&] {
    std::string_view rest = request;
    while (!rest.empty()) rest.remove_prefix(session.consume(rest, output));
  };
  const auto check = [&] {
    require(output.starts_with("HTTP/1.1 200 OK\r\n"), name);
    require(output.contains(expected), name);
  };
  repeat(kWarmUps, false, before, serve, check);
  repeat(kRequests, true, before, serve, check);
  end_case(name, kRequests);
}

std::string boolean_request(std::string_view key) {
  flagd_wire::evaluation_v1::ResolveBooleanRequest message;
  message.set_flag_key(std::string(key));
  auto& fields = *message.mutable_context()->mutable_fields();
  fields["targetingKey"].set_string_value("user-48151623");
  fields["email"].set_string_value("ada@example.org");
  fields["country"].set_string_value("DE");
  fields["plan"].set_string_value("premium");
  fields["appVersion"].set_string_value("4.8.15");
  return net::rpc_frame(message.SerializeAsString());
}

void ask_over_http2(ServingSide& side, const char* name) {
  net::Http2Bench host;
  net::SessionResources resources(side.guard, {}, host.counters);
  net::Http2Session session(resources, host, 0, net::ListenerKind::kLoopbackTcp);
  const std::string message = boolean_request("checkout-enabled");
  ReadBuffer buffer;
  std::string_view asked;
  std::string said;
  std::string output;
  std::int32_t stream = 0;
  const auto before = [&](int) {
    stream = host.client.post(
        "/flagd.evaluation.v1.Service/ResolveBoolean", message,
        {{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "load-client"}});
    asked = buffer.hold(host.client.bytes());
    said.clear();
  };
  const auto serve = [&] {
    while (!asked.empty()) {
      output.clear();
      asked.remove_prefix(session.consume(asked, output));
      said += output;
    }
    do {
      output.clear();
      session.produce(output);
      said += output;
    } while (!output.empty());
  };
  const auto check = [&] {
    require(host.client.give(said), name);
    const auto& answer = host.client.answers[stream];
    require(answer.closed && answer.trailer("grpc-status") == "0" && !answer.body.empty(), name);
    host.client.answers.clear();
  };
  repeat(kWarmUps, false, before, serve, check);
  repeat(kRequests, true, before, serve, check);
  end_case(name, kRequests);
}

void take_documents_in(const std::string& folder, const char* name) {
  const std::string documents[] = {read_document(folder, "one_thousand.json"),
                                   read_document(folder, "one_thousand_changed.json")};
  sidecar::FlagdBench bench;
  std::size_t next = 0;
  const auto before = [&](int) { next = 1 - next; };
  const auto take = [&] { bench.take(documents[next]); };
  const auto check = [&] { require(bench.snapshot().find_flag("checkout-flow"), name); };
  repeat(2, false, before, take, check);
  repeat(kDocuments, true, before, take, check);
  end_case(name, kDocuments);
}

void run(const std::string& folder) {
  std::printf("%s-%d-%s\n", FLAGSTONE_COMPILER, kCompilerMajor, FLAGSTONE_ARCHITECTURE);
  ServingSide side(read_document(folder, "one_hundred.json"));
  ask_over_http1(side, "ofrep_single", "/ofrep/v1/evaluate/flags/checkout-flow",
                 R"("key":"checkout-flow")");
  ask_over_http1(side, "ofrep_bulk_100", "/ofrep/v1/evaluate/flags", R"("key":"checkout-flow")");
  ask_over_http2(side, "grpc_boolean");
  take_documents_in(folder, "document_1000");
}

}  // namespace
}  // namespace flagstone

int main(int argc, char** argv) {
  flagstone::require(argc == 2, "the folder of documents is its one argument");
  flagstone::run(argv[1]);
}
