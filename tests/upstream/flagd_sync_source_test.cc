// flagd's source on a SyncFlags stream, with a server that is scripted.
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_grpc_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/flagd_source.h"
#include "upstream/http_client.h"

namespace flagstone::upstream {
namespace {

using fakes::GrpcCall;
using fakes::GrpcRequest;
using fakes::ScriptedGrpcServer;

constexpr const char* kOne =
    R"({"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}}})";

// A SyncFlagsResponse, with a sync_context that is nobody's business.
std::string response(const std::string& document) {
  std::string message = "\x12\3abc\x0a";
  for (std::size_t size = document.size();; size >>= 7) {
    message += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  return message + document;
}

class FlagdSyncSourceTest : public testing::Test {
 protected:
  FlagdSyncSourceTest() {
    std::signal(SIGPIPE, SIG_IGN);
    listener.after_update = [this] { source->settle(outcome); };
  }

  void make(ScriptedGrpcServer::Script script) {
    source.reset();
    server = std::make_unique<ScriptedGrpcServer>(std::move(script));
    options.uri = "grpc://" + server->address();
    auto made = make_flagd_source(options, environment, listener);
    ASSERT_TRUE(made) << made.error();
    source = std::move(*made);
  }
  static void serve(GrpcCall& call, const std::string& document) {
    call.head();
    call.message(response(document));
    call.wait_for_end();
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t", .ca_file = {}, .ca_folder = {}}};
  fakes::PostingFileReader files{loop.loop()};
  SystemClock clock;
  fakes::FixedRandom random;
  fakes::RecordingListener listener{loop};
  SourceEnvironment environment{loop.loop(), client, files, clock, random};
  config::Source options;
  Outcome outcome = Outcome::kAccepted;
  std::unique_ptr<ScriptedGrpcServer> server;
  std::unique_ptr<Source> source;
};

TEST_F(FlagdSyncSourceTest, ADocumentBecomesRecordsAndItsCursorHoldsAcrossARestart) {
  options.provider_id = "me";
  options.selector = "flagSetId=x";
  make([](GrpcCall& call, const GrpcRequest&, std::size_t) { serve(call, kOne); });
  EXPECT_EQ(source->kind(), SourceKind::kStream);
  EXPECT_EQ(source->interval().count(), 0);
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return listener.updates.size() == 1; }));
  ASSERT_EQ(listener.updates[0].records.size(), 1U);
  EXPECT_EQ(listener.updates[0].records[0].id.key, "a");
  const GrpcRequest seen = server->requests()[0];
  EXPECT_EQ(seen.header(":path"), "/flagd.sync.v1.FlagSyncService/SyncFlags");
  EXPECT_EQ(seen.header("flagd-selector"), "flagSetId=x");
  EXPECT_EQ(seen.body, fakes::grpc_frame("\x0a\2me\x12\x0b"
                                         "flagSetId=x"));

  const std::string cursor = listener.updates[0].cursor;
  make([](GrpcCall& call, const GrpcRequest&, std::size_t) { serve(call, kOne); });
  source->resume(cursor);
  source->start();
  EXPECT_TRUE(loop.run_until([&] { return listener.unchanged == 1; }));
  EXPECT_EQ(listener.updates.size(), 1U);
}

TEST_F(FlagdSyncSourceTest, WhatIsNoResponseIsMalformed) {
  struct Case {
    std::string message;
    std::string cause;
  };
  const Case cases[] = {
      {"", ""},
      {"\x12\1x", ""},
      {response(""), ""},
      {response("{"), ""},
      {response("<html>"), ""},
      {"\x0f", "not a SyncFlagsResponse"},
      {response(kOne) + "\x12\5x", "inside a field"},
  };
  for (const Case& c : cases) {
    listener.failures.clear();
    make([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
      call.head();
      call.message(c.message);
      call.wait_for_end();
    });
    source->start();
    ASSERT_TRUE(loop.run_until([&] { return !listener.failures.empty(); })) << c.message;
    EXPECT_EQ(listener.failures[0].kind, FailureKind::kMalformed) << c.message;
    EXPECT_NE(listener.failures[0].message.find(c.cause), std::string::npos)
        << listener.failures[0].message;
    EXPECT_TRUE(listener.updates.empty());
  }
}

TEST_F(FlagdSyncSourceTest, TheLimitOfADocumentIsThatOfAMessage) {
  options.max_document_bytes = 100;
  make([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    serve(call, kOne + std::string(100, ' '));
  });
  source->start();
  ASSERT_TRUE(loop.run_until([&] { return !listener.failures.empty(); }));
  EXPECT_EQ(listener.failures[0].kind, FailureKind::kTooLarge);
  EXPECT_TRUE(listener.failures[0].message.starts_with(options.uri + ": announces"));
}

}  // namespace
}  // namespace flagstone::upstream
