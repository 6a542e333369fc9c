// What tests of LaunchDarkly's network sources stand on: a server whose streams are a feed, and
// patience of milliseconds.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/event_feed.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/http_client.h"
#include "upstream/launchdarkly_network_source.h"

namespace flagstone::upstream {

class LaunchDarklyFixture : public testing::Test {
 protected:
  using Handler = std::function<std::optional<fakes::Reply>(const std::string& path,
                                                            const fakes::ServedRequest& request)>;

  LaunchDarklyFixture() {
    std::signal(SIGPIPE, SIG_IGN);
    options.interval = milliseconds(5);
    options.launchdarkly.protocol = config::LaunchDarklyProtocol::kFdv1;
    options.credential.text = config::Secret("sdk-key");
    patience.held = milliseconds(5);
    // No test waits for it; those of polling shorten it.
    patience.stream = milliseconds(60'000);
    patience.backoff.good = milliseconds(60'000);
    environment.instance_id = "instance";
    listener.after_update = [this] {
      if (outcome) source->settle(*outcome);
    };
  }

  // Streams are answered by the feed, polls by 404, unless the handler says something.
  void serve(Handler handler = [](const auto&, const auto&) { return std::nullopt; }) {
    server = std::make_unique<fakes::ScriptedHttpServer>(
        [this, handler = std::move(handler)](const fakes::ServedRequest& request, std::size_t) {
          const std::string path = request.target.substr(0, request.target.find('?'));
          if (auto reply = handler(path, request)) return *reply;
          const bool streams = path == "/all" || path == "/sdk/stream";
          return streams ? feed.reply() : fakes::Reply{.status = 404};
        });
    options.uri = server->url("");
  }
  void make(std::string_view cursor = {}) {
    source = std::make_unique<LaunchDarklyNetworkSource>(options, environment, listener, patience);
    if (!cursor.empty()) source->resume(cursor);
    source->start();
  }
  void start(Handler handler = [](const auto&, const auto&) { return std::nullopt; }) {
    serve(std::move(handler));
    make();
  }

  bool updates(std::size_t times) {
    return loop.run_until([&] { return listener.updates.size() >= times; });
  }
  bool fails(std::size_t times) {
    return loop.run_until([&] { return listener.failures.size() >= times; });
  }
  bool asks(std::size_t times) {
    return loop.run_until([&] { return server->requests().size() >= times; });
  }
  // What is said from now on is read by that stream, and not by one that is just being given up.
  bool streams(int number) {
    return loop.run_until([&] { return feed.streams() >= number; });
  }
  std::vector<std::string> targets() const {
    std::vector<std::string> all;
    for (const auto& request : server->requests()) all.push_back(request.target);
    return all;
  }
  // "full a@1 b@2-": kind, then key, version and whether it is gone.
  std::string update(std::size_t index) const {
    const evaluation::Update& update = listener.updates.at(index);
    std::string text = update.kind == evaluation::UpdateKind::kFull ? "full" : "delta";
    for (const evaluation::Record& record : update.records) {
      text += " " + record.id.key + "@" + std::to_string(record.version);
      if (record.tombstone) text += "-";
    }
    return text;
  }
  std::string failure(std::size_t index) const {
    return std::string(failure_kind_name(listener.failures.at(index).kind)) + ": " +
           listener.failures.at(index).message;
  }

  static std::string flag(int version) { return R"({"version":)" + std::to_string(version) + "}"; }
  static std::string data(const std::string& flags) {
    return R"({"flags":{)" + flags + R"(},"segments":{}})";
  }
  static std::string flags(const std::string& key, int version) {
    return "\"" + key + "\":" + flag(version);
  }
  void put(const std::string& flags) {
    feed.event("put", R"({"path":"/","data":)" + data(flags) + "}");
  }
  void patch(const std::string& key, int version) {
    feed.event("patch", R"({"path":"/flags/)" + key + R"(","data":)" + flag(version) + "}");
  }
  void intent(const std::string& code) {
    feed.event("server-intent", R"({"payloads":[{"id":"p","target":1,"intentCode":")" + code +
                                    R"(","reason":"stale"}]})");
  }
  void put_object(const std::string& key, int version) {
    feed.event("put-object", R"({"version":1,"kind":"flag","key":")" + key + R"(","object":)" +
                                 flag(version) + "}");
  }
  void transferred(const std::string& state) {
    feed.event("payload-transferred", R"({"state":")" + state + R"(","version":1})");
  }
  // A whole transfer of nothing, and of one flag.
  void transfer(const std::string& code, const std::string& state) {
    intent(code);
    transferred(state);
  }
  void transfer(const std::string& code, const std::string& key, int version,
                const std::string& state) {
    intent(code);
    put_object(key, version);
    transferred(state);
  }
  // The feed, with the word to leave FDv2 in its head.
  fakes::Reply stream_with_the_word_to_leave(const std::string& ttl = {}) {
    fakes::Reply reply = feed.reply();
    reply.headers.emplace_back("X-LD-FD-Fallback", "true");
    if (!ttl.empty()) reply.headers.emplace_back("X-LD-FD-Fallback-TTL", ttl);
    return reply;
  }

  // The credential comes from that file then.
  std::string key_file(const std::string& key) {
    const std::string path = folder.path("key");
    fakes::write_file(path, key);
    options.credential = {};
    options.credential.file = path;
    return path;
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  fakes::PostingFileReader files{loop.loop()};
  SystemClock clock;
  fakes::FixedRandom random;  // Zero: ordinary back-off is over at once.
  fakes::TemporaryFolder folder;
  fakes::RecordingListener listener{loop};
  SourceEnvironment environment{loop.loop(), client, files, clock, random};
  config::Source options;
  LaunchDarklyPatience patience;
  std::optional<Outcome> outcome = Outcome::kAccepted;
  fakes::EventFeed feed;
  std::unique_ptr<fakes::ScriptedHttpServer> server;
  std::unique_ptr<LaunchDarklyNetworkSource> source;

  void TearDown() override { feed.close(); }
};

}  // namespace flagstone::upstream
