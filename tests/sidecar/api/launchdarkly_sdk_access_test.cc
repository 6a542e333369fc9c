#include "sidecar/api/launchdarkly_sdk_access.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sidecar/api/launchdarkly_events.h"
#include "sidecar/api/launchdarkly_sdk.h"
#include "sidecar/api/launchdarkly_sdk_evalx.h"
#include "sidecar/api/ofrep.h"
#include "tests/sidecar/api/launchdarkly_bench.h"

namespace flagstone::sidecar {
namespace {

using Kind = AccessNote::Kind;

std::uint64_t unauthorized(LaunchDarklyBench& bench, AccessApi api) {
  return bench.desk().counters.unauthorized[static_cast<std::size_t>(api)].read();
}

// Three environments of one key; the flag of each is called by its number.
class SdkAccessTest : public testing::Test {
 protected:
  void serve(std::vector<std::string> filters) {
    bench.desk().access.set_tell([this](AccessNote note) { notes.push_back(std::move(note)); });
    bench.serve<LaunchDarklySdk>(std::uint64_t{1});
    bench.serve<LaunchDarklySdkEvalx>();
    bench.serve<Ofrep>();
    bench.serve<LaunchDarklyEvents>();
    bench.one_key = true;
    bench.filters = std::move(filters);
    for (std::size_t i = 0; i < 3; ++i) {
      bench.take({flag_record("flag-" + std::to_string(i), 1, "1")}, 0, i);
    }
  }
  // Whose flags they are; -1: it is refused.
  int served_by(std::string_view target) {
    auto response = bench.get(target);
    const std::string text = bench.text_of(response);
    last_text = text;
    if (response.status != 200) return -response.status;
    for (int i = 0; i < 3; ++i) {
      if (text.find("flag-" + std::to_string(i)) != std::string::npos) return i;
    }
    return -1;
  }

  LaunchDarklyBench bench{3};
  std::vector<AccessNote> notes;
  std::string last_text;
};

TEST_F(SdkAccessTest, EveryPathTakesTheFilter) {
  serve({"a", "", "b"});
  for (const std::string path :
       {"/sdk/latest-all", "/sdk/flags", "/sdk/poll", "/sdk/evalx/contexts/eyJrZXkiOiJ1In0"}) {
    EXPECT_EQ(served_by(path), 1) << path;
    EXPECT_EQ(served_by(path + "?filter=a"), 0) << path;
    EXPECT_EQ(served_by(path + "?x=1&filter=%62"), 2) << path;
    EXPECT_EQ(served_by(path + "?filter="), 1) << path;
  }
  EXPECT_EQ(bench.get("/sdk/flags/flag-2?filter=b").status, 200);
  EXPECT_EQ(bench.get("/sdk/flags/flag-2").status, 404);
  for (const std::string path : {"/all", "/flags", "/sdk/stream"}) {
    auto response = bench.get(path + "?filter=b");
    ASSERT_NE(response.stream, nullptr) << path;
    bench.turn();
    EXPECT_NE(response.stream->all().find("flag-2"), std::string::npos) << path;
  }
  EXPECT_TRUE(notes.empty());
}

TEST_F(SdkAccessTest, AnUnknownFilterGetsAllWhereThereIsAll) {
  serve({"a", "", "b"});
  EXPECT_EQ(served_by("/sdk/latest-all?filter=c"), 1);
  EXPECT_EQ(served_by("/sdk/latest-all?filter=c"), 1);
  ASSERT_EQ(notes.size(), 1U) << "once of each name";
  EXPECT_EQ(notes[0].kind, Kind::kUnfilteredServed);
  EXPECT_EQ(notes[0].filter, "c");
  EXPECT_EQ(notes[0].environment, 1U);
  for (int i = 0; i < 200; ++i) (void)served_by("/sdk/flags?filter=x" + std::to_string(i));
  EXPECT_EQ(notes.size(), AccessNotes::kFiltersMax);
}

TEST_F(SdkAccessTest, WhereAllHaveOtherFiltersItIs404) {
  serve({"a", "b", "c"});
  EXPECT_EQ(served_by("/sdk/latest-all?filter=nope%22"), -404);
  EXPECT_NE(last_text.find(R"(nope\")"), std::string::npos) << last_text;
  EXPECT_EQ(served_by("/sdk/latest-all"), -404);
  EXPECT_NE(last_text.find("payload filter"), std::string::npos) << last_text;
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].kind, Kind::kFilterRefused);
  EXPECT_EQ(unauthorized(bench, AccessApi::kLaunchDarklySdk), 0U) << "the key is right";
}

TEST_F(SdkAccessTest, TheOnlyFilterIsServedToWhoNamesNone) {
  serve({"a", "a", "a"});
  EXPECT_EQ(served_by("/sdk/latest-all"), 0);
  EXPECT_EQ(served_by("/sdk/latest-all"), 0);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].kind, Kind::kFilteredOnlyServed);
}

TEST_F(SdkAccessTest, EventsGoOutOnceByTheWholeEnvironment) {
  serve({"a", "", "b"});
  std::vector<std::size_t> posted;
  bench.desk().events.set_post(bench.loop,
                               [&](std::size_t environment, const upstream::PostedEvents&,
                                   const std::function<void(EventInlet::Result)>& done) {
                                 posted.push_back(environment);
                                 done(upstream::PostResult::kTaken);
                               });
  for (const std::string_view path : {"/bulk", "/diagnostic"}) {
    (void)bench.request(net::Method::kPost, path, {}, "[1]");
    bench.turn();
  }
  EXPECT_EQ(posted, (std::vector<std::size_t>{1, 1}));
}

// One of the environments has seen that the key is another, the one with this filter has not.
TEST_F(SdkAccessTest, AFilterIsUnknownOnceAllKeysFilesWereLookedAt) {
  serve({"a", "b", "c"});
  UnknownCredentials::Done question;
  bench.desk().unknown_credentials.set_ask(bench.router(), [&](UnknownCredentials::Done done) {
    question = std::move(done);
    return true;
  });
  std::uint32_t looked = 0;
  bench.change_routes = [&](cache::Routes& routes) {
    for (std::uint32_t i = 0; i < looked; ++i) (void)add_credential(routes, "sdk-new", i);
  };
  for (const std::string path : {"/sdk/latest-all", "/sdk/flags", "/sdk/poll", "/all",
                                 "/sdk/evalx/contexts/eyJrZXkiOiJ1In0"}) {
    for (const bool is_found : {true, false}) {
      looked = 1;
      bench.publish();
      notes.clear();
      const auto response = bench.get(path + "?filter=b", {}, "sdk-new");
      ASSERT_NE(response.deferred, nullptr) << path << " is answered before";
      EXPECT_TRUE(notes.empty());
      if (is_found) looked = 3;
      bench.publish();
      std::exchange(question, {})(true);
      net::RecordingResponse& late = *response.deferred->response;
      EXPECT_EQ(late.status, is_found ? 200 : 404) << path;
      if (late.stream != nullptr) bench.turn();
      const std::string text = late.text + (late.stream != nullptr ? late.stream->all() : "");
      EXPECT_EQ(text.find("flag-1") != std::string::npos, is_found) << path << ": " << text;
    }
  }
}

TEST_F(SdkAccessTest, WhoIsRefusedAndWhoComesWithAFormerKeyIsCounted) {
  bench.change_routes = [](cache::Routes& routes) { add_former_credential(routes, "old", 2); };
  serve({"a", "", "b"});
  EXPECT_EQ(bench.get("/sdk/latest-all", {}, "old").status, 200);
  EXPECT_EQ(bench.get("/sdk/flags", {}, "old").status, 200);
  EXPECT_EQ(bench.desk().counters.former_credential_requests[2].read(), 2U);
  EXPECT_EQ(bench.desk().counters.sdk_requests[2].read(), 2U);
  EXPECT_EQ(bench.get("/sdk/flags", {}, "wrong").status, 401);
  EXPECT_EQ(bench.get("/sdk/flags", {}, "").status, 401);
  EXPECT_EQ(bench.request(net::Method::kPost, "/bulk", {}, "[1]", "wrong").status, 401);
  EXPECT_EQ(bench.request(net::Method::kPost, "/ofrep/v1/evaluate/flags/flag-1", {}, "{}", "wrong")
                .status,
            401)
      << "none is called `default`";
  EXPECT_EQ(unauthorized(bench, AccessApi::kLaunchDarklySdk), 2U);
  EXPECT_EQ(unauthorized(bench, AccessApi::kLaunchDarklyEvents), 1U);
  EXPECT_EQ(unauthorized(bench, AccessApi::kOfrep), 1U);
  EXPECT_EQ(std::ranges::count(notes, Kind::kUnauthorized, &AccessNote::kind), 1)
      << "once a second";
  EXPECT_EQ(notes.back().credential, "wrong");
  bench.awaits_credentials = true;
  bench.publish();
  EXPECT_EQ(bench.get("/sdk/flags", {}, "wrong").status, 503);
  EXPECT_EQ(unauthorized(bench, AccessApi::kLaunchDarklySdk), 2U) << "it may yet open one";
}

}  // namespace
}  // namespace flagstone::sidecar
