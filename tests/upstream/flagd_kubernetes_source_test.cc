#include "upstream/flagd_kubernetes_source.h"

#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/flagd_source.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ScriptedHttpServer;
using fakes::ServedRequest;

constexpr const char* kFlags =
    R"({"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}})";

TEST(KubernetesNameTest, EveryFormOfTheUri) {
  const struct {
    const char* uri;
    std::optional<KubernetesName> name;
  } cases[] = {
      {"core.openfeature.dev/shop/flags", KubernetesName{"shop", "flags"}},
      {"core.openfeature.dev/flags", KubernetesName{"", "flags"}},
      {"core.openfeature.dev/s-1/a.b-2", KubernetesName{"s-1", "a.b-2"}},
      {"core.openfeature.dev", std::nullopt},
      {"core.openfeature.dev/", std::nullopt},
      {"core.openfeature.dev//flags", std::nullopt},
      {"core.openfeature.dev/shop/", std::nullopt},
      {"core.openfeature.dev/shop/flags/more", std::nullopt},
      {"core.openfeature.dev/shop/flags?watch=1", std::nullopt},
      {"core.openfeature.dev/Shop/flags", std::nullopt},
      {"core.openfeature.device/shop/flags", std::nullopt},
      {"file:core.openfeature.dev/shop/flags", std::nullopt},
      {"https://core.openfeature.dev/shop/flags", std::nullopt},
  };
  for (const auto& [uri, name] : cases) EXPECT_EQ(kubernetes_name(uri), name) << uri;
}

class FlagdKubernetesSourceTest : public testing::Test {
 protected:
  FlagdKubernetesSourceTest() {
    std::signal(SIGPIPE, SIG_IGN);
    listener.after_update = [this] { source->settle(Outcome::kAccepted); };
    fakes::write_file(folder.path("token"), "first-token\n");
    options.uri = "core.openfeature.dev/shop/flags";
    place.token_file = folder.path("token");
  }

  void make(ScriptedHttpServer::Handler handler) {
    server = std::make_unique<ScriptedHttpServer>(std::move(handler));
    place.server = server->url("");
    auto made = make_flagd_kubernetes_source(options, place, environment, listener);
    ASSERT_TRUE(made) << made.error();
    source = std::move(*made);
  }
  // Lists one resource with these flags; watches say nothing.
  static ScriptedHttpServer::Handler holding(const std::string& flags) {
    return [flags](const ServedRequest& request, std::size_t) {
      if (request.target.contains("&watch=1")) return Reply{.hang = true};
      return Reply{.body = R"({"items":[{"metadata":{"name":"flags"},"spec":{"flagSpec":)" + flags +
                           R"(}}],"metadata":{"resourceVersion":"5"}})"};
    };
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  fakes::PostingFileReader files{loop.loop()};
  SystemClock clock;
  fakes::FixedRandom random;
  fakes::TemporaryFolder folder;
  fakes::RecordingListener listener{loop};
  std::map<std::string, std::string, std::less<>> variables;
  SourceEnvironment environment{
      .loop = loop.loop(),
      .http = client,
      .files = files,
      .clock = clock,
      .random = random,
      .variables = [this](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      }};
  config::Source options;
  KubernetesPlace place;
  std::unique_ptr<ScriptedHttpServer> server;
  std::unique_ptr<Source> source;
};

TEST_F(FlagdKubernetesSourceTest, AResourceBecomesRecordsAndItsCursorHoldsAcrossARestart) {
  make(holding(kFlags));
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_EQ(source->interval().count(), 0);
  EXPECT_EQ(source->uri(), "core.openfeature.dev/shop/flags");
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return listener.updates.size() == 1; }));
  EXPECT_EQ(server->requests()[0].header("authorization"), "Bearer first-token");
  EXPECT_TRUE(server->requests()[0].target.starts_with(
      "/apis/core.openfeature.dev/v1beta1/namespaces/shop/featureflags?"));
  ASSERT_EQ(listener.updates[0].records.size(), 1U);
  EXPECT_EQ(listener.updates[0].records[0].id.key, "a");

  const std::string cursor = listener.updates[0].cursor;
  make(holding(kFlags));
  source->resume(cursor);
  source->start();
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged == 1; }));
  EXPECT_EQ(listener.updates.size(), 1U);
}

TEST_F(FlagdKubernetesSourceTest, TheTokenIsNoCredentialOfTheFlags) {
  make(holding(kFlags));
  EXPECT_TRUE(source->credential().empty());
  options.credential.file = folder.path("other");
  fakes::write_file(folder.path("other"), "other-token");
  make([](const ServedRequest&, std::size_t) {
    return Reply{.status = 500, .body = R"({"kind":"Status","message":"other-token is no good"})"};
  });
  EXPECT_TRUE(source->credential().empty());
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return !listener.failures.empty(); }));
  EXPECT_EQ(server->requests()[0].header("authorization"), "Bearer other-token");
  EXPECT_TRUE(listener.failures[0].message.starts_with(
      "core.openfeature.dev/shop/flags: status 500 (*** is no good); trying again in "))
      << listener.failures[0].message;
}

TEST_F(FlagdKubernetesSourceTest, ADocumentThatIsNoneWaitsForAnother) {
  make(holding(R"({"flags":7})"));
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return !listener.failures.empty(); }));
  EXPECT_EQ(listener.failures[0].kind, FailureKind::kMalformed);
  EXPECT_TRUE(listener.failures[0].message.ends_with("; waiting for it to change"));
}

TEST_F(FlagdKubernetesSourceTest, WithoutATokenItSaysSo) {
  place.token_file = folder.path("nothing");
  make(holding(kFlags));
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return !listener.failures.empty(); }));
  EXPECT_EQ(listener.failures[0].kind, FailureKind::kCredential);
}

TEST_F(FlagdKubernetesSourceTest, ThePlaceIsThePods) {
  EXPECT_FALSE(kubernetes_place(environment.variables, folder.path()));
  auto made = make_flagd_source(options, environment, listener);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().contains("KUBERNETES_SERVICE_HOST")) << made.error();

  variables = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  fakes::write_file(folder.path("namespace"), "own\n");
  auto found = kubernetes_place(environment.variables, folder.path());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->server, "https://10.0.0.1:443");
  EXPECT_EQ(found->ca_file, folder.path("ca.crt"));
  EXPECT_EQ(found->token_file, folder.path("token"));
  EXPECT_EQ(found->name_space, "own");
  variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(kubernetes_place(environment.variables, folder.path())->server,
            "https://[fd00::1]:443");
  EXPECT_TRUE(make_flagd_source(options, environment, listener));
}

TEST_F(FlagdKubernetesSourceTest, ANameAloneIsOfThePodsNamespace) {
  options.uri = "core.openfeature.dev/flags";
  EXPECT_FALSE(make_flagd_kubernetes_source(options, place, environment, listener));
  place.name_space = "own";
  make(holding(kFlags));
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return listener.updates.size() == 1; }));
  EXPECT_TRUE(server->requests()[0].target.contains("/namespaces/own/featureflags?"));
}

}  // namespace
}  // namespace flagstone::upstream
