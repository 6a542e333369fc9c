#include "upstream/flagd_source.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {
namespace {

using fakes::Reply;
using fakes::ScriptedHttpServer;
using fakes::ServedRequest;

constexpr const char* kOne =
    R"({"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}})";
constexpr const char* kTwo =
    R"({"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"},
                 "b":{"state":"DISABLED","variants":{"x":1},"defaultVariant":"x"}}})";

class FlagdSourceTest : public testing::Test {
 protected:
  FlagdSourceTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options.interval = std::chrono::milliseconds(10);
    listener.after_update = [this] {
      if (outcome) source->settle(*outcome);
    };
  }

  void make() {
    auto made = make_flagd_source(options, environment, listener);
    ASSERT_TRUE(made) << made.error();
    source = std::move(*made);
  }
  void follow(const std::string& path) {
    options.uri = "file:" + path;
    options.path = path;
    make();
  }
  void poll(ScriptedHttpServer::Handler handler, const std::string& target = "/flags.json") {
    server = std::make_unique<ScriptedHttpServer>(std::move(handler));
    options.uri = server->url(target);
    make();
  }
  bool updates(std::size_t times) {
    return loop.run_until([&] { return listener.updates.size() >= times; });
  }
  bool fails(std::size_t times) {
    return loop.run_until([&] { return listener.failures.size() >= times; });
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  fakes::PostingFileReader files{loop.loop()};
  SystemClock clock;
  fakes::FixedRandom random;
  fakes::TemporaryFolder folder;
  fakes::RecordingListener listener{loop};
  SourceEnvironment environment{loop.loop(), client, files, clock, random};
  config::Source options;
  std::optional<Outcome> outcome = Outcome::kAccepted;
  std::unique_ptr<ScriptedHttpServer> server;
  std::unique_ptr<Source> source;
};

TEST_F(FlagdSourceTest, AFileBecomesRecordsAndItsCursorHoldsAcrossARestart) {
  fakes::write_file(folder.path("flags.json"), kTwo);
  follow(folder.path("flags.json"));
  EXPECT_EQ(source->kind(), SourceKind::kFile);
  EXPECT_EQ(source->interval().count(), 0);
  source->start();
  ASSERT_TRUE(updates(1));
  const evaluation::Update& update = listener.updates[0];
  EXPECT_EQ(update.kind, evaluation::UpdateKind::kFull);
  ASSERT_EQ(update.records.size(), 2U);
  EXPECT_EQ(update.records[0].id.key, "a");
  EXPECT_EQ(update.records[1].id.key, "b");
  const std::string cursor = update.cursor;

  make();  // Another run.
  source->resume(cursor);
  source->start();
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged == 1; }));
  EXPECT_EQ(listener.updates.size(), 1U);
  fakes::write_file(folder.path("flags.json"), kOne);
  EXPECT_TRUE(updates(2));
}

TEST_F(FlagdSourceTest, YamlByItsNameOrItsMediaTypeOrAsTold) {
  const std::string yaml =
      "flags:\n  a:\n    state: ENABLED\n    variants: {on: true}\n    defaultVariant: on\n";
  const auto serve = [&](const std::string& type) {
    return [&yaml, type](const ServedRequest&, std::size_t) {
      return Reply{.headers = {{"Content-Type", type}}, .body = yaml};
    };
  };
  fakes::write_file(folder.path("flags.yaml"), yaml);
  follow(folder.path("flags.yaml"));
  source->start();
  ASSERT_TRUE(updates(1));
  options.path.clear();
  poll(serve("application/yaml"), "/flags");
  source->start();
  ASSERT_TRUE(updates(2));
  poll(serve("text/plain"), "/flags.yml?x=.json");
  source->start();
  ASSERT_TRUE(updates(3));
  options.format = config::DocumentFormat::kYaml;
  poll(serve("application/json"), "/flags.json");
  source->start();
  ASSERT_TRUE(updates(4));
  for (const evaluation::Update& update : listener.updates) {
    ASSERT_EQ(update.records.size(), 1U);
    EXPECT_EQ(update.records[0].id.key, "a");
  }
  EXPECT_TRUE(listener.failures.empty());
}

TEST_F(FlagdSourceTest, APollIsConditionalOnceAcceptedAndAfterARestart) {
  const auto handler = [](const ServedRequest& request, std::size_t) {
    if (request.header("if-none-match") == "\"1\"") return Reply{.status = 304};
    return Reply{.headers = {{"ETag", "\"1\""}}, .body = kOne};
  };
  poll(handler);
  EXPECT_EQ(source->kind(), SourceKind::kPoll);
  EXPECT_EQ(source->interval(), options.interval);
  source->start();
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged >= 2; }));
  EXPECT_EQ(listener.updates.size(), 1U);

  poll(handler);
  source->resume(listener.updates[0].cursor);
  source->start();
  const int unchanged = listener.unchanged;
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged > unchanged; }));
  EXPECT_EQ(server->requests()[0].header("if-none-match"), "\"1\"");
  EXPECT_EQ(listener.updates.size(), 1U);
}

TEST_F(FlagdSourceTest, EqualBytesAreNoNewsUnlessAskedFor) {
  poll([](const ServedRequest&, std::size_t) { return Reply{.body = kOne}; });
  source->start();
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged >= 3; }));
  EXPECT_EQ(listener.updates.size(), 1U);
  source->refresh();
  EXPECT_TRUE(updates(2));
  EXPECT_EQ(listener.updates[0].cursor, listener.updates[1].cursor);
}

TEST_F(FlagdSourceTest, AHeldDocumentComesAgainWithTheSameCursor) {
  outcome = Outcome::kHeld;
  poll([](const ServedRequest&, std::size_t) { return Reply{.body = R"({"flags":{}})"}; });
  source->start();
  EXPECT_TRUE(updates(3));
  EXPECT_EQ(listener.updates[0].cursor, listener.updates[2].cursor);
  EXPECT_EQ(listener.unchanged, 0);
}

TEST_F(FlagdSourceTest, InvalidJsonUnderANewETagIsReportedEachPollAndHeals) {
  poll([](const ServedRequest& request, std::size_t index) {
    if (index == 0) return Reply{.headers = {{"ETag", "\"1\""}}, .body = kOne};
    if (request.header("if-none-match") == "\"2\"") return Reply{.status = 304};
    return Reply{.headers = {{"ETag", "\"2\""}}, .body = index < 4 ? "{\"flags\":{" : kTwo};
  });
  source->start();
  EXPECT_TRUE(updates(2));
  ASSERT_EQ(listener.failures.size(), 3U);
  EXPECT_EQ(listener.failures[0].kind, FailureKind::kMalformed);
  EXPECT_EQ(listener.updates[1].records.size(), 2U);
}

TEST_F(FlagdSourceTest, DocumentsOverTheLimitAreRefused) {
  options.max_document_bytes = 4096;
  poll([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"Content-Encoding", "gzip"}}, .stream = fakes::gzip_of_zeros()};
  });
  source->start();
  EXPECT_TRUE(fails(1));
  EXPECT_TRUE(listener.failures[0].kind == FailureKind::kTooLarge ||
              listener.failures[0].kind == FailureKind::kMalformed);
  EXPECT_TRUE(listener.updates.empty());
}

TEST_F(FlagdSourceTest, SendsCredentialSelectorAndHeaders) {
  options.credential.text = config::Secret("k3y-of-the-app");
  options.selector = "flagSetId=x";
  options.headers = {{"X-Token", {.file = {}, .variable = {}, .text = config::Secret("t0ken")}}};
  poll([](const ServedRequest&, std::size_t) { return Reply{.body = kOne}; });
  EXPECT_EQ(source->credential().reveal(), "k3y-of-the-app");
  source->start();
  ASSERT_TRUE(updates(1));
  const ServedRequest seen = server->requests()[0];
  EXPECT_EQ(seen.header("authorization"), "Bearer k3y-of-the-app");
  EXPECT_EQ(seen.header("flagd-selector"), "flagSetId=x");
  EXPECT_EQ(seen.header("x-token"), "t0ken");
}

TEST_F(FlagdSourceTest, FailuresNameThePlaceTheCauseAndWhatIsNextButNoSecret) {
  options.credential.text = config::Secret("s3cret-key");
  poll([](const ServedRequest&, std::size_t) { return Reply{.status = 503}; },
       "/s3cret-key/flags.json?token=t0psecret");
  source->start();
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(listener.failures[0].kind, FailureKind::kServerError);
  EXPECT_EQ(listener.failures[0].message,
            server->url("/***/flags.json?token=***: status 503; trying again in 0.0 s"));
  EXPECT_EQ(listener.failures[0].message.find("s3cret"), std::string::npos);
  EXPECT_EQ(listener.failures[0].message.find("t0psecret"), std::string::npos);
  EXPECT_EQ(source->uri().find("t0psecret"), std::string::npos);
}

TEST_F(FlagdSourceTest, ARotatedCredentialIsUsedAtOnceAndItsDocumentIsNews) {
  const std::string key = folder.path("key");
  fakes::write_file(key, "first");
  options.credential.file = key;
  options.interval = std::chrono::hours(1);
  poll([](const ServedRequest&, std::size_t) {
    return Reply{.headers = {{"ETag", "\"1\""}}, .body = kOne};
  });
  source->start();
  ASSERT_TRUE(updates(1));
  fakes::replace_file(key, "second\n");
  ASSERT_TRUE(updates(2)) << "within the 5 s of Credential::kLookEvery";
  EXPECT_EQ(listener.credential_changes, 1);
  EXPECT_EQ(source->credential().reveal(), "second");
  const ServedRequest seen = server->requests()[1];
  EXPECT_EQ(seen.header("authorization"), "Bearer second");
  EXPECT_EQ(seen.header("if-none-match"), "");
}

TEST_F(FlagdSourceTest, PollsAUnixSocket) {
  const std::string socket = folder.path("s");
  ScriptedHttpServer unix_server(
      [](const ServedRequest&, std::size_t) { return Reply{.body = kOne}; }, socket);
  std::string host;
  for (const char c : socket) host += c == '/' ? "%2F" : std::string(1, c);
  options.uri = "http+unix://" + host + "/flags.json";
  make();
  source->start();
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(unix_server.requests()[0].target, "/flags.json");
  source.reset();
}

TEST_F(FlagdSourceTest, OtherPlacesAreRefusedWithoutTheirSecrets) {
  for (const char* uri : {"grpc://me:pw@host", "ftp://me:pw@host", "http+unix://relative/x", ""}) {
    options.uri = uri;
    const auto made = make_flagd_source(options, environment, listener);
    ASSERT_FALSE(made) << uri;
    EXPECT_EQ(made.error().find("pw"), std::string::npos);
  }
}

}  // namespace
}  // namespace flagstone::upstream
