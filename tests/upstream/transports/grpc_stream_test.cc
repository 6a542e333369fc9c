#include "upstream/transports/grpc_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/resolver.h"
#include "tests/fakes/upstream/scripted_grpc_server.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

using fakes::grpc_frame;
using fakes::GrpcCall;
using fakes::GrpcRequest;
using fakes::ScriptedGrpcServer;

class GrpcStreamTest : public testing::Test {
 protected:
  GrpcStreamTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options.body = grpc_frame("question");
    sink.on_document = [this](const std::string&) {
      if (outcome) stream->settle(*outcome);
    };
  }
  ~GrpcStreamTest() override { stream.reset(); }

  void start(ScriptedGrpcServer::Script script) {
    server = std::make_unique<ScriptedGrpcServer>(std::move(script));
    options.url = "http://" + server->address() + "/S/M";
    start();
  }
  void start() {
    stream = std::make_unique<GrpcStream>(
        loop.loop(), client, clock, random, options,
        [this]() -> std::expected<std::vector<HttpHeader>, std::string> {
          if (!credential_problem.empty()) return std::unexpected(credential_problem);
          return std::vector<HttpHeader>{{"Authorization", credential, true}};
        },
        sink);
    stream->start();
  }
  bool brings(std::size_t documents) {
    return loop.run_until([&] { return sink.documents.size() >= documents; });
  }
  bool fails(std::size_t times) {
    return loop.run_until([&] { return sink.failures.size() >= times; });
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient client{loop.loop(), resolver, {.user_agent = "t/1", .ca_file = {}, .ca_folder = {}}};
  SystemClock clock;
  fakes::FixedRandom random;  // Zero: every back-off is over at once.
  fakes::RecordingSink sink{loop};
  GrpcStreamOptions options;
  std::string credential = "first";
  std::string credential_problem;
  std::optional<Outcome> outcome = Outcome::kAccepted;
  std::unique_ptr<ScriptedGrpcServer> server;
  std::unique_ptr<GrpcStream> stream;
};

TEST_F(GrpcStreamTest, EveryMessageIsADocument) {
  start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("one");
    call.data(grpc_frame("two") + grpc_frame("three"));
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(sink.failures.empty());
  const GrpcRequest seen = server->requests()[0];
  EXPECT_EQ(seen.header(":path"), "/S/M");
  EXPECT_EQ(seen.header("content-type"), "application/grpc");
  EXPECT_EQ(seen.header("te"), "trailers");
  EXPECT_EQ(seen.header("grpc-accept-encoding"), "identity");
  EXPECT_EQ(seen.header("user-agent"), "t/1");
  EXPECT_EQ(seen.header("authorization"), "first");
  EXPECT_EQ(seen.body, grpc_frame("question"));
}

TEST_F(GrpcStreamTest, TheSameInPiecesOfAnySize) {
  const std::string body = grpc_frame("hello") + grpc_frame("") + grpc_frame("world");
  start([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    for (std::size_t size = 1; size < 8; ++size) call.data(body, size);
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(7 * 3));
  for (std::size_t i = 0; i < sink.documents.size(); ++i) {
    EXPECT_EQ(sink.documents[i], i % 3 == 0 ? "hello" : i % 3 == 1 ? "" : "world") << i;
  }
}

TEST_F(GrpcStreamTest, OverAUnixSocket) {
  const fakes::TemporaryFolder folder;
  const ScriptedGrpcServer local(
      [](GrpcCall& call, const GrpcRequest&, std::size_t) {
        call.head();
        call.message("x");
        call.wait_for_end();
      },
      folder.path("s"));
  options.url = "http://localhost/S/M";
  options.unix_socket = folder.path("s");
  start();
  EXPECT_TRUE(brings(1));
  stream.reset();
}

TEST_F(GrpcStreamTest, WhatEndsAStreamIsNamedAndTriedAgain) {
  options.unimplemented_hint = "try the other port";
  options.message_bytes_max = 1000;
  struct Case {
    std::string name;
    std::function<void(GrpcCall&)> script;
    FailureKind kind;
    std::string message;
  };
  const Case cases[] = {
      {"unauthenticated", [](GrpcCall& c) { c.trailers_only(16, "who%20are you"); },
       FailureKind::kUnauthorized, "UNAUTHENTICATED: who are you"},
      {"denied",
       [](GrpcCall& c) {
         c.head();
         c.trailers(7);
       },
       FailureKind::kUnauthorized, "PERMISSION_DENIED"},
      {"unimplemented", [](GrpcCall& c) { c.trailers_only(12); }, FailureKind::kNotFound,
       "UNIMPLEMENTED; try the other port"},
      {"exhausted", [](GrpcCall& c) { c.trailers_only(8); }, FailureKind::kRateLimited,
       "RESOURCE_EXHAUSTED"},
      {"unavailable", [](GrpcCall& c) { c.trailers_only(14, "later"); }, FailureKind::kServerError,
       "UNAVAILABLE: later"},
      {"bad selector", [](GrpcCall& c) { c.trailers_only(3); }, FailureKind::kHttpStatus,
       "INVALID_ARGUMENT"},
      {"no status of gRPC's", [](GrpcCall& c) { c.trailers_only(99); }, FailureKind::kServerError,
       "UNKNOWN"},
      {"ended at once", [](GrpcCall& c) { c.trailers_only(0); }, FailureKind::kTruncated,
       "at once"},
      {"deadline at once", [](GrpcCall& c) { c.trailers_only(4); }, FailureKind::kTimeout,
       "DEADLINE_EXCEEDED"},
      {"ended inside a message",
       [](GrpcCall& c) {
         c.head();
         c.data(grpc_frame("hello").substr(0, 7));
         c.trailers(0);
       },
       FailureKind::kTruncated, "inside a message"},
      {"no status",
       [](GrpcCall& c) {
         c.head({{":status", "200"}, {"content-type", "application/grpc"}}, true);
       },
       FailureKind::kTruncated, "without a status"},
      {"cut",
       [](GrpcCall& c) {
         c.head();
         c.data(grpc_frame("hello").substr(0, 7));
       },
       FailureKind::kTruncated, ""},
      {"closed", [](GrpcCall&) {}, FailureKind::kConnect, ""},
      {"reset", [](GrpcCall& c) { c.reset(2); }, FailureKind::kConnect, "INTERNAL_ERROR"},
      {"garbage", [](GrpcCall& c) { c.raw(std::string(64, 'x')); }, FailureKind::kConnect, ""},
      {"html",
       [](GrpcCall& c) {
         c.head({{":status", "200"}, {"content-type", "text/html"}});
         c.data("<html>");
         c.wait_for_end();
       },
       FailureKind::kProtocol, "not gRPC"},
      {"502", [](GrpcCall& c) { c.head({{":status", "502"}}, true); }, FailureKind::kServerError,
       "status 502"},
      {"401", [](GrpcCall& c) { c.head({{":status", "401"}}, true); }, FailureKind::kUnauthorized,
       "status 401"},
      {"compressed",
       [](GrpcCall& c) {
         c.head();
         c.data(grpc_frame("x", 1));
         c.wait_for_end();
       },
       FailureKind::kEncoding, "compressed"},
      {"too large",
       [](GrpcCall& c) {
         c.head();
         c.data(grpc_frame(std::string(1001, 'x')));
         c.wait_for_end();
       },
       FailureKind::kTooLarge, "1001 bytes"},
      {"huge length",
       [](GrpcCall& c) {
         c.head();
         c.data(std::string(1, '\0') + "\xff\xff\xff\xff" + "x");
         c.wait_for_end();
       },
       FailureKind::kTooLarge, "4294967295 bytes"},
  };
  for (const Case& c : cases) {
    sink.failures.clear();
    sink.documents.clear();
    start([&](GrpcCall& call, const GrpcRequest&, std::size_t index) {
      if (index == 0) return c.script(call);
      call.head();
      call.message("good");
      call.wait_for_end();
    });
    const bool denied = c.kind == FailureKind::kUnauthorized;
    ASSERT_TRUE(fails(1)) << c.name;
    EXPECT_EQ(failure_kind_name(sink.failures[0].first), failure_kind_name(c.kind)) << c.name;
    EXPECT_NE(sink.failures[0].second.find(c.message), std::string::npos)
        << c.name << ": " << sink.failures[0].second;
    ASSERT_TRUE(brings(1)) << c.name << denied;
    EXPECT_EQ(sink.documents[0], "good");
    EXPECT_EQ(sink.failures.size(), 1U) << c.name;
    stream.reset();
  }
}

TEST_F(GrpcStreamTest, AServerThatSpeaksHttp1) {
  const fakes::ScriptedHttpServer old([](const fakes::ServedRequest&, std::size_t) {
    return fakes::Reply{.status = 400, .body = "what?"};
  });
  options.url = old.url("/S/M");
  start();
  ASSERT_TRUE(fails(1));
  stream.reset();
}

TEST_F(GrpcStreamTest, AStreamGoesOnAfterGoawayUntilTheConnectionEnds) {
  std::atomic<int> step = 0;
  start([&](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    call.head();
    call.message("first of " + std::to_string(index));
    if (index > 0) return call.wait_for_end();
    while (step < 1) std::this_thread::yield();
    call.goaway(1, 0);
    call.message("second");
    while (step < 2) std::this_thread::yield();
  });
  ASSERT_TRUE(brings(1));
  step = 1;
  ASSERT_TRUE(brings(2));
  step = 2;
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"first of 0", "second", "first of 1"}));
}

TEST_F(GrpcStreamTest, ALimitedLifeIsNoFailure) {
  for (const int status : {0, 4}) {
    sink.documents.clear();
    std::atomic<bool> end = false;
    start([&](GrpcCall& call, const GrpcRequest&, std::size_t index) {
      call.head();
      call.message("x");
      if (index > 0) return call.wait_for_end();
      while (!end) std::this_thread::yield();
      call.trailers(status);
    });
    ASSERT_TRUE(brings(1));
    loop.run_for(600);  // Such a life is long enough.
    end = true;
    ASSERT_TRUE(brings(2));
    EXPECT_TRUE(sink.failures.empty()) << status << sink.failures[0].second;
    stream.reset();
  }
}

TEST_F(GrpcStreamTest, SilenceIsLimitedOnlyBeforeAndInsideAMessage) {
  options.message = milliseconds(100);
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    if (index == 0) return call.wait_for_end();
    call.head();
    if (index == 1) return call.wait_for_end();
    if (index == 2) {
      call.data(grpc_frame("hello").substr(0, 8));
      return call.wait_for_end();
    }
    call.message("whole");
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(1));
  loop.run_for(250);
  ASSERT_EQ(sink.failures.size(), 3U);
  EXPECT_EQ(sink.failures[0].first, FailureKind::kTimeout);
  EXPECT_EQ(sink.failures[1].first, FailureKind::kTimeout);
  EXPECT_EQ(sink.failures[2].first, FailureKind::kSlow);
  EXPECT_EQ(sink.failures[2].second, "no complete message within 100 ms");
}

TEST_F(GrpcStreamTest, TooMuchBehindADocumentInWorkCostsTheStream) {
  outcome.reset();
  options.waiting_bytes_max = 1000;
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    call.head();
    call.message("first of " + std::to_string(index));
    if (index == 0) call.message(std::string(2000, 'x'));
    if (index == 1) call.message(std::string(900, 'y'));
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(1));
  loop.run_for(100);
  EXPECT_EQ(server->calls(), 1U) << "not before the work is done";
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(2));
  EXPECT_EQ(sink.documents[1], "first of 1");
  loop.run_for(100);
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(sink.documents[2], std::string(900, 'y'));
  EXPECT_TRUE(sink.failures.empty());
  EXPECT_EQ(server->calls(), 2U);
}

TEST_F(GrpcStreamTest, WhatCameDuringTheWorkComesAfterIt) {
  outcome.reset();
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    call.head();
    call.data(grpc_frame("a") + grpc_frame("b") + grpc_frame("c").substr(0, 3));
    call.data(grpc_frame("c").substr(3));
    if (index > 0) return call.wait_for_end();
    call.trailers(13, "end");
  });
  ASSERT_TRUE(brings(1));
  loop.run_for(50);
  EXPECT_TRUE(sink.failures.empty()) << "the end comes after what came before it";
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(2));
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(sink.failures.empty());
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].second, "INTERNAL: end");
}

TEST_F(GrpcStreamTest, TooLongInWorkCostsTheStream) {
  outcome.reset();
  options.stall = milliseconds(50);
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    call.head();
    call.message("of " + std::to_string(index));
    call.message("never seen of " + std::to_string(index));
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(1));
  loop.run_for(150);
  EXPECT_EQ(server->calls(), 1U);
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(2));
  EXPECT_EQ(sink.documents, (std::vector<std::string>{"of 0", "of 1"}));
  EXPECT_TRUE(sink.failures.empty());
}

TEST_F(GrpcStreamTest, WhatWasHeldOrRefusedIsAskedForAgain) {
  for (const Outcome bad : {Outcome::kHeld, Outcome::kRefused}) {
    sink.documents.clear();
    options.reopen = milliseconds(50);
    outcome = bad;
    start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
      call.head();
      call.message("same");
      call.wait_for_end();
    });
    ASSERT_TRUE(brings(3));
    EXPECT_EQ(server->calls(), 3U);
    EXPECT_TRUE(sink.failures.empty());
    outcome = Outcome::kAccepted;
    ASSERT_TRUE(brings(4));
    loop.run_for(150);
    EXPECT_EQ(server->calls(), 4U) << "all is well, and the stream stays";
    stream.reset();
  }
}

TEST_F(GrpcStreamTest, WhatIsRefusedForNowIsAskedForAgainSoon) {
  options.reopen = std::chrono::hours(1);
  outcome = Outcome::kRefusedForNow;
  start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("same");
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(server->calls(), 3U);
}

TEST_F(GrpcStreamTest, ABetterMessageAfterAHeldOneIsTakenOnTheSameStream) {
  options.reopen = milliseconds(10'000);
  sink.on_document = [this](const std::string& document) {
    stream->settle(document == "small" ? Outcome::kHeld : Outcome::kAccepted);
  };
  start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("small");
    call.message("whole");
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(2));
  EXPECT_EQ(server->calls(), 1U);
}

TEST_F(GrpcStreamTest, TheSinksObjectionCostsThatMessageOnly) {
  random = fakes::FixedRandom(1000);  // The longest first wait.
  std::atomic<bool> repaired = false;
  sink.objection = "no document";
  start([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message(std::string(100'000, 'x'));
    while (!repaired) std::this_thread::yield();
    call.message("good");
    call.wait_for_end();
  });
  ASSERT_TRUE(fails(1));
  EXPECT_EQ(sink.failures[0].first, FailureKind::kMalformed);
  EXPECT_EQ(sink.failures[0].second, "no document");
  EXPECT_EQ(sink.retries[0], milliseconds(1000));
  loop.run_for(50);
  sink.objection.clear();
  repaired = true;
  ASSERT_TRUE(brings(1));
  EXPECT_EQ(sink.documents[0], "good");
  EXPECT_EQ(server->calls(), 1U);
  loop.run_for(1100);
  EXPECT_EQ(server->calls(), 1U) << "the good one made asking again needless";
}

TEST_F(GrpcStreamTest, ABadMessageIsAskedForAgainWhenNothingBetterComes) {
  sink.objection = "no document";
  start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("x");
    call.wait_for_end();
  });
  ASSERT_TRUE(fails(3));
  EXPECT_GE(server->calls(), 2U);
}

TEST_F(GrpcStreamTest, BackOffGrowsToHalfAMinuteAndOnlyAGoodWhileEndsIt) {
  random = fakes::FixedRandom(11 * 21 * 41 - 1);  // The longest waits of 10, 20 and 40 ms.
  options.backoff.base = milliseconds(10);
  options.backoff.cap = milliseconds(40);
  start([](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("x");
    call.trailers(14);
  });
  ASSERT_TRUE(fails(5));
  const std::vector<milliseconds> expected = {milliseconds(10), milliseconds(20), milliseconds(40),
                                              milliseconds(40), milliseconds(40)};
  EXPECT_EQ(std::vector(sink.retries.begin(), sink.retries.begin() + 5), expected);
  EXPECT_EQ(GrpcStreamOptions{}.backoff.cap, milliseconds(30'000));
}

TEST_F(GrpcStreamTest, AnotherCredentialIsTriedAtOnceAndARefusedOneSeldom) {
  options.backoff.denied_ordinary = milliseconds(0);
  start([](GrpcCall& call, const GrpcRequest& request, std::size_t) {
    if (request.header("authorization") != "second") return call.trailers_only(16);
    call.head();
    call.message("x");
    call.wait_for_end();
  });
  ASSERT_TRUE(fails(1));
  EXPECT_GE(sink.retries[0], milliseconds(300'000));
  credential = "second";
  stream->ask_anew();
  ASSERT_TRUE(brings(1));
  credential_problem = "cannot be read";
  stream->ask_anew();
  ASSERT_TRUE(fails(2));
  EXPECT_EQ(sink.failures[1], std::pair(FailureKind::kCredential, std::string("cannot be read")));
}

TEST_F(GrpcStreamTest, OnAnOperatorsWordALongWaitEndsAndNoOther) {
  options.backoff.denied_ordinary = milliseconds(0);
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    if (index < 1) return call.trailers_only(16);
    call.head();
    call.message("x");
    call.wait_for_end();
  });
  ASSERT_TRUE(fails(1));
  EXPECT_TRUE(stream->is_denied());
  stream->try_now();
  ASSERT_TRUE(brings(1));
  stream->try_now();
  loop.run_for(30);
  EXPECT_EQ(server->calls(), 2U);
}

TEST_F(GrpcStreamTest, RefreshAsksAnewAndWaitsForWhatIsInWork) {
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    call.head();
    call.message(std::to_string(index));
    call.wait_for_end();
  });
  ASSERT_TRUE(brings(1));
  outcome.reset();
  stream->refresh();
  ASSERT_TRUE(brings(2));
  stream->refresh();
  loop.run_for(50);
  EXPECT_EQ(server->calls(), 2U);
  stream->settle(Outcome::kAccepted);
  ASSERT_TRUE(brings(3));
  EXPECT_EQ(server->calls(), 3U);
}

TEST_F(GrpcStreamTest, NothingComesAfterStop) {
  std::atomic<bool> stopped = false;
  start([&](GrpcCall& call, const GrpcRequest&, std::size_t) {
    call.head();
    call.message("x");
    while (!stopped) std::this_thread::yield();
    call.message("y");
    call.wait_for_end();
  });
  outcome.reset();
  ASSERT_TRUE(brings(1));
  stream->stop();
  stream->settle(Outcome::kAccepted);
  stream->refresh();
  stopped = true;
  loop.run_for(100);
  EXPECT_EQ(sink.documents.size(), 1U);
  EXPECT_EQ(server->calls(), 1U);
}

TEST_F(GrpcStreamTest, FlappingLeaksNoDescriptor) {
  options.backoff.base = milliseconds(1);
  start([](GrpcCall& call, const GrpcRequest&, std::size_t index) {
    if (index % 3 == 0) return;
    call.head();
    call.message("x");
    if (index % 3 == 1) call.reset(8);
  });
  ASSERT_TRUE(fails(10));
  const std::size_t before = fakes::open_descriptors();
  ASSERT_TRUE(fails(300));
  EXPECT_TRUE(loop.run_until([&] { return fakes::open_descriptors() <= before + 6; }));
}

}  // namespace
}  // namespace flagstone::upstream
