#include "sidecar/api/launchdarkly_sdk_status.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/sidecar/api/launchdarkly_bench.h"

namespace flagstone::sidecar {
namespace {

TEST(LaunchDarklySdkStatus, ObscuredKeys) {
  EXPECT_EQ(obscured_key("sdk-" + std::string("98e2b0b4-0c62-4d59-2688-05b2e42d1f0a")),
            "sdk-********-****-****-****-*******d1f0a");
  EXPECT_EQ(obscured_key("mob-0123456789"), "mob-********89");
  EXPECT_EQ(obscured_key("sdk-prod-1"), "sdk-****-1");
  EXPECT_EQ(obscured_key("sdk-key"), "sdk-***");
  EXPECT_EQ(obscured_key("plain-key"), "*****-*ey");
  EXPECT_EQ(obscured_key("abc"), "***");
  EXPECT_EQ(obscured_key(""), "");
}

TEST(LaunchDarklySdkStatus, EnvironmentsAsTheRelayShowsThem) {
  LaunchDarklyBench bench{2};
  bench.serve<LaunchDarklySdkStatus>(std::string_view("1.2.3"));
  bench.take({flag_record("a", 1, "1")});
  const auto answer = bench.get("/status", {}, "");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  simdjson::dom::parser parser;
  const auto json = parser.parse(answer.text);
  EXPECT_EQ(std::string_view(json["status"]), "degraded");
  EXPECT_EQ(std::string_view(json["version"]), "1.2.3");
  EXPECT_EQ(simdjson::dom::object(json["environments"]).size(), 2u) << "flagd's is not in it";
  const auto first = json["environments"]["env-0"];
  EXPECT_EQ(std::string_view(first["status"]), "connected");
  EXPECT_EQ(std::string_view(first["sdkKey"]), "sdk-***-0");
  EXPECT_EQ(std::string_view(first["connectionStatus"]["state"]), "VALID");
  EXPECT_GT(std::int64_t(first["connectionStatus"]["stateSince"]), 1'600'000'000'000);
  EXPECT_EQ(std::string_view(first["dataStoreStatus"]["state"]), "VALID");
  const auto second = json["environments"]["env-1"];
  EXPECT_EQ(std::string_view(second["status"]), "disconnected");
  EXPECT_EQ(std::string_view(second["connectionStatus"]["state"]), "INITIALIZING");
  bench.take({flag_record("z", 1, "1")}, 0, 1);
  bench.stale = true;
  bench.publish();
  const std::string stale = bench.get("/status").text;
  const auto after = parser.parse(stale);
  EXPECT_EQ(std::string_view(after["status"]), "healthy") << "for a minute it may be a hiccup";
  EXPECT_EQ(std::string_view(after["environments"]["env-0"]["connectionStatus"]["state"]),
            "INTERRUPTED");
}

TEST(LaunchDarklySdkStatus, KeysAreShownForWhatTheyAre) {
  LaunchDarklyBench bench;
  bench.serve<LaunchDarklySdkStatus>(std::string_view("1.2.3"));
  bench.change_routes = [](cache::Routes& routes) {
    routes.credentials[0] = {.current = "sdk-zzzz", .former = "sdk-aaaa", .accepted = {"0123456"}};
  };
  bench.take({flag_record("a", 1, "1")});
  simdjson::dom::parser parser;
  const std::string text = bench.get("/status", {}, "").text;
  const auto shown = parser.parse(text)["environments"]["env-0"];
  EXPECT_EQ(std::string_view(shown["sdkKey"]), "sdk-***z")
      << "whatever their order in the alphabet";
  EXPECT_EQ(std::string_view(shown["expiringSdkKey"]), "sdk-***a");
  EXPECT_EQ(std::string_view(shown["acceptedSdkKeys"].at(0)), "******6");
  EXPECT_EQ(simdjson::dom::array(shown["acceptedSdkKeys"]).size(), 1u);
}

TEST(LaunchDarklySdkStatus, TheLastErrorIsNamedAsTheRelayNamesIt) {
  LaunchDarklyBench bench;
  bench.serve<LaunchDarklySdkStatus>(std::string_view("1.2.3"));
  bench.take({flag_record("a", 1, "1")});
  simdjson::dom::parser parser;
  std::string text;
  const auto connection = [&] {
    bench.publish();
    text = bench.get("/status", {}, "").text;
    return parser.parse(text)["environments"]["env-0"]["connectionStatus"];
  };
  EXPECT_EQ(connection()["lastError"].error(), simdjson::NO_SUCH_FIELD);
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"connect", "NETWORK_ERROR"},       {"timeout", "NETWORK_ERROR"},
      {"unauthorized", "ERROR_RESPONSE"}, {"server_error", "ERROR_RESPONSE"},
      {"malformed", "INVALID_DATA"},      {"mostly_quarantined", "INVALID_DATA"},
      {"credential", "UNKNOWN"}};
  for (const auto& [kind, name] : rows) {
    bench.last_failure = {kind, 1'700'000'000'123};
    const auto error = connection()["lastError"];
    EXPECT_EQ(std::string_view(error["kind"]), name);
    EXPECT_EQ(std::int64_t(error["time"]), 1'700'000'000'123);
    EXPECT_EQ(std::string_view(connection()["state"]), "VALID") << "it stays when all is well";
  }
}

}  // namespace
}  // namespace flagstone::sidecar
