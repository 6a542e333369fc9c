// Health as its callers see it, by a router and both oracles.
#include "sidecar/api/grpc_health.h"

#include <gtest/gtest.h>

#include "net/loop.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/rpc_request.h"

namespace flagstone::sidecar {
namespace {

using net::rpc_frame;

const std::string kServing = rpc_frame("\x08\x01");
const std::string kNotServing = rpc_frame("\x08\x02");
const std::string kServiceUnknown = rpc_frame("\x08\x03");

// HealthCheckRequest{service} in a frame.
std::string asking(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message.append("\x0a").push_back(static_cast<char>(service.size()));
    message.append(service);
  }
  return rpc_frame(message);
}

struct Shape {
  bool has_snapshot = true;
  bool complete = true;
  bool optional = false;
};

std::shared_ptr<const cache::ServingState> state_of(std::initializer_list<Shape> shapes) {
  auto state = std::make_shared<cache::ServingState>();
  for (const Shape& shape : shapes) {
    cache::EnvironmentState environment;
    // Nobody looks into it; an alias of nothing will do.
    if (shape.has_snapshot) {
      environment.snapshot = std::shared_ptr<const cache::Snapshot>(
          std::shared_ptr<void>(), reinterpret_cast<const cache::Snapshot*>(&kServing));
    }
    environment.complete = shape.complete;
    environment.optional = shape.optional;
    state->environments.push_back(std::move(environment));
  }
  return state;
}

class DeskHealthTest : public ::testing::Test {
 protected:
  DeskHealthTest() { health.add_routes(router); }

  net::RecordingResponse ask(const char* method, const net::RpcRequest& request) {
    const std::string path = std::string("/grpc.health.v1.Health/") + method;
    net::Request asked = *request;
    asked.path = path;
    net::RecordingResponse response;
    router.handle(asked, response);
    return response;
  }
  net::RecordingResponse check(std::string_view service) {
    return ask("Check", net::RpcRequest("application/grpc", asking(service)));
  }
  net::RecordingResponse watch(std::string_view service) {
    return ask("Watch", net::RpcRequest("application/grpc", asking(service)));
  }
  void publish(std::initializer_list<Shape> shapes) {
    desk.state = state_of(shapes);
    health.on_published();
  }

  net::Loop loop;
  ServingDesk desk{loop};
  DeskHealth health{loop, desk};
  net::Router router;
};

TEST_F(DeskHealthTest, TellsTheTruth) {
  EXPECT_EQ(check("").text, kNotServing) << "before there is a state";
  struct Row {
    const char* what;
    std::shared_ptr<const cache::ServingState> state;
    std::string answer;
  };
  const Row rows[] = {
      {"no environment yet", state_of({}), kNotServing},
      {"complete", state_of({{}}), kServing},
      {"one source is missing", state_of({{.complete = false}}), kNotServing},
      {"nothing at all", state_of({{.has_snapshot = false, .complete = false}}), kNotServing},
      {"one of two", state_of({{}, {.has_snapshot = false, .complete = false}}), kNotServing},
      {"the other is optional",
       state_of({{}, {.has_snapshot = false, .complete = false, .optional = true}}), kServing},
  };
  for (const Row& row : rows) {
    desk.state = row.state;
    for (const char* service : {"", "flagd.evaluation.v1.Service", "flagd.evaluation.v2.Service",
                                "schema.v1.Service", "flagd.sync.v1.FlagSyncService"}) {
      const net::RecordingResponse response = check(service);
      EXPECT_EQ(response.text, row.answer) << row.what << " " << service;
      EXPECT_EQ(response.trailer("grpc-status"), "0");
    }
  }
  desk.stopping = true;
  EXPECT_EQ(check("").text, kNotServing);
}

TEST_F(DeskHealthTest, UnknownServicesAndMalformedRequests) {
  publish({{}});
  EXPECT_EQ(check("flagd.evaluation.v3.Service").header("grpc-status"), "5");
  const net::RpcRequest malformed("application/grpc", rpc_frame("\x0a\x09x"));
  EXPECT_EQ(ask("Check", malformed).header("grpc-status"), "3");
  EXPECT_EQ(ask("Watch", malformed).header("grpc-status"), "3");
  EXPECT_EQ(ask("List", net::RpcRequest("application/grpc", rpc_frame(""))).header("grpc-status"),
            "12");
  const net::RecordingResponse unknown = watch("no.such.Service");
  EXPECT_EQ(unknown.stream->all(), kServiceUnknown);
  EXPECT_TRUE(unknown.stream->open);
  publish({{.complete = false}});
  EXPECT_EQ(unknown.stream->all(), kServiceUnknown);
}

TEST_F(DeskHealthTest, SpeaksConnectAndItsJson) {
  publish({{}});
  net::RpcRequest json("application/json", R"({"service":"schema.v1.Service"})");
  const net::RecordingResponse response = ask("Check", json.over(net::HttpVersion::k11));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.text, R"({"status":"SERVING"})");
  const net::RecordingResponse stream =
      ask("Watch", net::RpcRequest("application/connect+json", rpc_frame("{}")));
  EXPECT_EQ(stream.stream->all(), rpc_frame(R"({"status":"SERVING"})"));
}

TEST_F(DeskHealthTest, WatchersHearOfEveryChangeOnce) {
  publish({{.complete = false}});
  const net::RecordingResponse first = watch("");
  const net::RecordingResponse second = watch("schema.v1.Service");
  EXPECT_EQ(first.stream->all(), kNotServing);
  publish({{.complete = false}});
  EXPECT_EQ(first.stream->all(), kNotServing);
  publish({{}});
  publish({{}});
  EXPECT_EQ(first.stream->all(), kNotServing + kServing);
  EXPECT_EQ(second.stream->all(), kNotServing + kServing);
}

TEST_F(DeskHealthTest, ASlowWatcherHearsTheLatest) {
  publish({{}});
  const net::RecordingResponse response = watch("");
  response.stream->refusing = true;
  publish({{.complete = false}});
  publish({{}});
  publish({{.complete = false}});
  response.stream->stream->drain();
  EXPECT_EQ(response.stream->all(), kServing + kNotServing);
}

TEST_F(DeskHealthTest, StoppingIsToldAndEndsThem) {
  publish({{}});
  const net::RecordingResponse response = watch("");
  const net::RecordingResponse unknown = watch("no.such.Service");
  health.on_leaving();  // the delay before the drain: requests are answered still
  EXPECT_EQ(response.stream->all(), kServing + kNotServing);
  desk.stopping = true;
  health.on_stopping();
  EXPECT_EQ(response.stream->all(), kServing + kNotServing);
  EXPECT_TRUE(response.stream->closed_by_api);
  ASSERT_FALSE(response.stream->trailers.empty());
  EXPECT_EQ(response.stream->trailers[0].second, "14");
  EXPECT_EQ(unknown.stream->all(), kServiceUnknown);
  EXPECT_TRUE(unknown.stream->closed_by_api);
  const net::RecordingResponse late = watch("");
  EXPECT_EQ(late.stream->all(), kNotServing);
  EXPECT_TRUE(late.stream->closed_by_api);
}

TEST_F(DeskHealthTest, WatchersThatGoMakeRoom) {
  publish({{}});
  std::vector<net::RecordingResponse> all;
  for (std::size_t i = 0; i < GrpcHealth::kWatchersMax; ++i) all.push_back(watch(""));
  EXPECT_EQ(watch("").header("grpc-status"), "8");
  all[7].stream->stream->lose();
  EXPECT_TRUE(all[7].stream->destroyed);
  EXPECT_EQ(watch("").stream->all(), kServing);
}

TEST(PolledHealth, AsksForEachCallAndTellsWatchersInTime) {
  net::Loop loop;
  bool serving = false;
  PolledHealth health(loop, [&] { return serving; });
  net::Router router;
  health.add_routes(router);
  const net::RpcRequest request("application/grpc", asking(""));
  const auto ask = [&](std::string_view path) {
    net::Request asked = *request;
    asked.path = path;
    net::RecordingResponse response;
    router.handle(asked, response);
    return response;
  };
  EXPECT_EQ(ask("/grpc.health.v1.Health/Check").text, kNotServing);
  const net::RecordingResponse watcher = ask("/grpc.health.v1.Health/Watch");
  serving = true;
  EXPECT_EQ(ask("/grpc.health.v1.Health/Check").text, kServing);
  net::Timer look(loop, [&] {
    if (watcher.stream->sent.size() == 2) loop.stop();
  });
  look.start_repeating(10, 10);
  loop.run();
  EXPECT_EQ(watcher.stream->all(), kNotServing + kServing);
  health.stop();
  EXPECT_EQ(watcher.stream->all(), kNotServing + kServing + kNotServing);
  EXPECT_EQ(ask("/grpc.health.v1.Health/Check").text, kNotServing);
}

}  // namespace
}  // namespace flagstone::sidecar
