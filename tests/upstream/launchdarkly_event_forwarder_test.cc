#include "upstream/launchdarkly_event_forwarder.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "net/gzip.h"
#include "net/resolver.h"
#include "net/rpc/gzip.h"
#include "tests/fakes/cache/fake_file_system.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/http_client.h"
#include "upstream/launchdarkly_places.h"

namespace flagstone::upstream {
namespace {

using launchdarkly::Forwarder;

struct MemoryFolder final : EventFolder {
  MemoryFolder() { (void)disk.make_folder("/events"); }
  cache::FileSystem& files() override { return disk; }
  std::string path() override { return is_there ? "/events" : ""; }
  bool make_room(std::uint64_t) override { return true; }
  void set_bytes(std::uint64_t) override {}
  void set_shrinkable(std::weak_ptr<ShrinkableEvents> its) override { shrinkable = its; }

  fakes::FakeFileSystem disk;
  std::weak_ptr<ShrinkableEvents> shrinkable;
  bool is_there = true;
};

// The writer: a thread of its own, that can be held up.
class Disk {
 public:
  explicit Disk(std::shared_ptr<MemoryFolder> in) : folder(std::move(in)) {}
  ~Disk() {
    hold(false);
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  bool submit(std::move_only_function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (refuses) return false;
    jobs_.push_back(std::move(job));
    wake_.notify_all();
    return true;
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    wake_.notify_all();
  }
  bool refuses = false;
  std::shared_ptr<MemoryFolder> folder;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return closed_ || (!held_ && !jobs_.empty()); });
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> jobs_;
  bool closed_ = false;
  bool held_ = false;
  std::thread thread_{[this] { run(); }};
};

struct DiskHandle final : EventDisk {
  explicit DiskHandle(Disk& to) : disk(to) {}
  std::shared_ptr<EventFolder> folder() override { return disk.folder; }
  bool submit(std::move_only_function<void()> job) override { return disk.submit(std::move(job)); }
  Disk& disk;
};

struct ShiftedClock final : Clock {
  TimePoint now() const override { return real.now() + ahead; }
  std::int64_t unix_ms() const override { return real.unix_ms() + ahead.count(); }
  SystemClock real;
  milliseconds ahead{0};
};

class EventForwarderTest : public testing::Test {
 protected:
  EventForwarderTest() {
    options.name = "prod";
    options.events.flush_interval = milliseconds(1);
  }

  void start() {
    if (options.sources.empty()) {
      config::Source source;
      source.uri = server.url("");
      source.credential.text = config::Secret("sdk-1");
      options.sources.push_back(source);
    }
    forwarder.reset();
    forwarder = std::make_unique<Forwarder>(
        options, EventForwarderTools{.sources = {.loop = loop.loop(),
                                                 .http = http,
                                                 .files = files,
                                                 .clock = clock,
                                                 .random = random},
                                     .disk = std::make_unique<DiskHandle>(disk),
                                     .memory_bytes = 16 * 1024 * 1024,
                                     .say = [this](bool is_warning, std::string_view text) {
                                       (is_warning ? warnings : notes).emplace_back(text);
                                     }});
  }
  PostedEvents events(std::string body) {
    return {.kind = PostedEvents::Kind::kEvents,
            .credential = "sdk-1",
            .schema = "4",
            .payload_id = "",
            .tags = "",
            .body = std::move(body)};
  }
  void post(PostedEvents posted) {
    ++asked;
    forwarder->post(std::move(posted), [this](PostResult result) {
      results.push_back(result);
      loop.nudge();
    });
  }
  bool wait(const std::function<bool()>& done) {
    // What the server does wakes nobody here.
    net::Timer timer(loop.loop(), [this] { loop.nudge(); });
    timer.start_repeating(2, 2);
    return loop.run_until(done);
  }
  bool all_answered() { return results.size() == asked; }
  // What arrived, by the bodies' text; a payload that comes twice counts once.
  std::vector<std::string> arrived() {
    std::vector<std::string> texts;
    std::set<std::string> ids;
    std::lock_guard lock(mutex);
    for (const auto& request : taken) {
      const std::string id = request.header("x-launchdarkly-payload-id");
      if (!id.empty() && !ids.insert(id).second) continue;
      std::string text;
      EXPECT_EQ(net::Gunzip().run(request.body, 1'000'000, text), net::Gunzip::Result::kDone);
      texts.push_back(text);
    }
    return texts;
  }
  std::size_t seen() { return server.requests().size(); }

  std::mutex mutex;
  std::vector<fakes::ServedRequest> taken;  // Answered with 202.
  int status = 202;
  std::string retry_after;
  std::string denied_key;
  std::string refused_text;  // With this in it, a body is answered with 400.
  fakes::ScriptedHttpServer server{[this](const fakes::ServedRequest& request, std::size_t) {
    const std::lock_guard lock(mutex);
    if (!denied_key.empty() && request.header("authorization") == denied_key) {
      return fakes::Reply{.status = 401, .headers = {{"Retry-After", retry_after}}};
    }
    std::string text;
    (void)net::Gunzip().run(request.body, 1'000'000, text);
    if (!refused_text.empty() && text.contains(refused_text)) return fakes::Reply{.status = 400};
    if (status == 202) taken.push_back(request);
    fakes::Reply reply{.status = status, .headers = {{"Date", "Tue, 03 Feb 2026 10:00:00 GMT"}}};
    if (!retry_after.empty() && status != 202)
      reply.headers.push_back({"Retry-After", retry_after});
    return reply;
  }};
  void answer(int with) {
    const std::lock_guard lock(mutex);
    status = with;
  }

  fakes::TestLoop loop;
  net::Resolver resolver{loop.loop()};
  HttpClient http{
      loop.loop(), resolver, {.user_agent = "flagstone/test", .ca_file = {}, .ca_folder = {}}};
  fakes::PostingFileReader files{loop.loop()};
  ShiftedClock clock;
  fakes::FixedRandom random;
  Disk disk{std::make_shared<MemoryFolder>()};
  fakes::TemporaryFolder folder;
  config::Environment options;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
  std::vector<PostResult> results;
  std::size_t asked = 0;
  std::unique_ptr<EventForwarder> forwarder;
};

std::string summary(int count) {
  return R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"f":{"default":0,"counters":[{"count":)" +
         std::to_string(count) + "}]}}}]";
}

TEST_F(EventForwarderTest, PostsAndOwnEventsGoOutInOneRequest) {
  options.events.flush_interval = milliseconds(300);
  options.sources.resize(1);
  options.sources[0].uri = server.url("/base/");
  options.sources[0].credential.text = config::Secret("sdk-1");
  options.sources[0].launchdarkly.wrapper = "wrap/1";
  options.sources[0].launchdarkly.tags = {{"application-id", "a"}};
  start();
  post(events(summary(1)));
  PostedEvents zipped = events(net::gzip(summary(2)));
  zipped.is_gzip = true;
  post(std::move(zipped));
  EXPECT_TRUE(forwarder->add("4", "", summary(4)));
  ASSERT_TRUE(wait([&] { return all_answered() && forwarder->facts().sent == 1; }));
  EXPECT_EQ(results, std::vector(2, PostResult::kTaken));
  EXPECT_EQ(arrived(), std::vector<std::string>{summary(7)});
  EXPECT_FALSE(disk.folder->shrinkable.expired()) << "who needs the folder's room asks for it";
  const fakes::ServedRequest request = server.requests().at(0);
  EXPECT_EQ(request.target, "/base/bulk");
  EXPECT_EQ(request.header("authorization"), "sdk-1");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("content-encoding"), "gzip");
  EXPECT_EQ(request.header("x-launchdarkly-event-schema"), "4");
  EXPECT_EQ(request.header("x-launchdarkly-payload-id").size(), 36U);
  EXPECT_EQ(request.header("x-launchdarkly-tags"), "application-id/a");
  EXPECT_EQ(request.header("x-launchdarkly-wrapper"), "wrap/1");
  EXPECT_EQ(request.header("user-agent"), "flagstone/test");
  const EventFacts facts = forwarder->facts();
  EXPECT_EQ(facts.received, 3U);
  EXPECT_EQ(facts.merged_away, 2U);
  EXPECT_EQ(facts.requests, 1U);
  EXPECT_EQ(facts.batches_waiting, 0U);
  EXPECT_EQ(facts.spool_bytes, 0U);
  EXPECT_EQ(forwarder->vendor_unix_ms() / 100'000, 1'770'112'800'000 / 100'000);
}

// PHP's SDK leaves it to upstream to add them up; also across a restart.
TEST_F(EventForwarderTest, WhatIsNotSummarizedIsSaidToBe) {
  answer(503);
  start();
  PostedEvents posted = events(R"([{"kind":"feature","key":"f"}])");
  posted.is_unsummarized = true;
  post(std::move(posted));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  start();
  post(events(R"([{"kind":"feature","key":"f"}])"));
  answer(202);
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  std::multiset<std::string> said;
  for (const auto& request : taken) said.insert(request.header("x-launchdarkly-unsummarized"));
  EXPECT_EQ(said, (std::multiset<std::string>{"", "true"}));
}

TEST_F(EventForwarderTest, ConfiguredHeadersGoAlong) {
  options.sources.resize(1);
  options.sources[0].uri = server.url("");
  options.sources[0].credential.text = config::Secret("sdk-1");
  fakes::write_file(folder.path("token"), "t-1");
  options.sources[0].headers.resize(1);
  options.sources[0].headers[0].name = "X-Gateway";
  options.sources[0].headers[0].value.file = folder.path("token");
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(server.requests().at(0).header("x-gateway"), "t-1");
}

// A reload with the right key does not wait for what the wrong one taught.
TEST_F(EventForwarderTest, AReloadTriesAtOnce) {
  answer(401);
  retry_after = "3600";
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 1; }));
  answer(202);
  options.sources[0].credential.text = config::Secret("sdk-2");
  forwarder->set_options(options);
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(server.requests().back().header("authorization"), "sdk-2");
}

TEST_F(EventForwarderTest, DiagnosticsGoToTheirOwnPlace) {
  start();
  PostedEvents diagnostic = events(R"({"kind":"diagnostic"})");
  diagnostic.kind = PostedEvents::Kind::kDiagnostic;
  post(std::move(diagnostic));
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 1; }));
  EXPECT_EQ(server.requests().at(0).target, "/diagnostic");
  EXPECT_EQ(server.requests().at(0).header("x-launchdarkly-payload-id").size(), 36U);
  EXPECT_EQ(arrived(), std::vector<std::string>{R"({"kind":"diagnostic"})"});
}

TEST_F(EventForwarderTest, WhatUpstreamDoesNotTakeIsKeptAndSentAgainWithTheSameId) {
  for (const int refusal : {401, 403, 404, 408, 429, 500, 503}) {
    answer(refusal);
    if (!forwarder) start();
    const std::size_t before = seen();
    const std::uint64_t sent = forwarder->facts().sent;
    post(events(summary(refusal)));
    ASSERT_TRUE(wait([&] { return seen() >= before + 3; })) << refusal;
    EXPECT_EQ(forwarder->facts().batches_waiting, 1U);
    answer(202);
    ASSERT_TRUE(wait([&] { return forwarder->facts().sent == sent + 1; })) << refusal;
    const auto requests = server.requests();
    for (std::size_t i = before + 1; i < requests.size(); ++i) {
      EXPECT_EQ(requests[i].header("x-launchdarkly-payload-id"),
                requests[before].header("x-launchdarkly-payload-id"));
    }
    EXPECT_EQ(arrived().back(), summary(refusal));
  }
  EXPECT_EQ(warnings.size(), 7U);  // Each once, though tried thrice or more.
  EXPECT_EQ(notes.size(), 7U);
  EXPECT_TRUE(std::ranges::all_of(results, [](auto r) { return r == PostResult::kTaken; }));
}

// A gateway may say 400 of everything, for a while; what is still refused after that is halved
// until the one event that is meant stands alone.
TEST_F(EventForwarderTest, WhatUpstreamCallsMalformedIsDroppedInTheEnd) {
  refused_text = "bad";
  start();
  post(events(R"([{"kind":"custom","key":"good"},{"kind":"custom","key":"bad"}])"));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures >= 3; }));
  const auto dropped = [&] {
    return forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kRefused)];
  };
  EXPECT_EQ(forwarder->facts().batches_waiting, 1U);
  EXPECT_EQ(dropped(), 0U);
  clock.ahead = launchdarkly::RefusedBatches::kPatience;
  ASSERT_TRUE(wait([&] { return dropped() == 1; }));
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  EXPECT_EQ(forwarder->facts().sent, 1U);
}

TEST_F(EventForwarderTest, NobodyThereAndBackAgain) {
  config::Source source;
  source.uri = "http://127.0.0.1:1";
  source.credential.text = config::Secret("sdk-1");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  post(events(R"([{"kind":"custom"}])"));
  ASSERT_TRUE(wait([&] { return all_answered() && forwarder->facts().send_failures > 1; }));
  forwarder.reset();
  // The next process finds them.
  options.sources.clear();
  start();
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0 && seen() > 0; }));
  std::string all;
  for (const std::string& text : arrived()) all += text;
  EXPECT_NE(all.find(R"("count":1)"), std::string::npos);
  EXPECT_NE(all.find("custom"), std::string::npos);
}

TEST_F(EventForwarderTest, TheCredentialFollowsItsFile) {
  answer(401);
  fakes::write_file(folder.path("key"), "sdk-1");
  config::Source source;
  source.uri = server.url("");
  source.credential.file = folder.path("key");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures > 0; }));
  fakes::replace_file(folder.path("key"), "sdk-2");
  ASSERT_TRUE(wait([&] { return server.requests().back().header("authorization") == "sdk-2"; }));
  answer(202);
  EXPECT_EQ(server.requests().front().header("authorization"), "sdk-1");
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  // Apps that still know the old key alone are heard.
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return arrived().back() == summary(2); }));
}

TEST_F(EventForwarderTest, EachSourceGetsItsOwnEvents) {
  options.sources.resize(3);
  options.sources[0].uri = "file:flags.json";
  options.sources[0].path = "flags.json";
  options.sources[1].uri = server.url("/one");
  options.sources[1].credential.text = config::Secret("sdk-1");
  options.sources[2].uri = server.url("/two");
  options.sources[2].credential.text = config::Secret("sdk-2");
  start();
  PostedEvents second = events(summary(2));
  second.credential = "sdk-2";
  post(std::move(second));
  PostedEvents other = events(summary(1));
  other.credential = "an app's";
  post(std::move(other));
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 2; }));
  std::map<std::string, std::string> keys;
  for (const auto& request : server.requests()) {
    keys[request.target] = request.header("authorization");
  }
  EXPECT_EQ(keys["/one/bulk"], "sdk-1");
  EXPECT_EQ(keys["/two/bulk"], "sdk-2");
}

// Neither a source whose key is refused nor a batch that upstream does not like is in the way.
TEST_F(EventForwarderTest, WhatIsNotTakenHoldsUpNothingElse) {
  options.sources.resize(2);
  options.sources[0].uri = server.url("/0");
  options.sources[0].credential.text = config::Secret("sdk-0");
  options.sources[1].uri = server.url("/1");
  options.sources[1].credential.text = config::Secret("sdk-1");
  denied_key = "sdk-0";
  retry_after = "3600";
  start();
  PostedEvents denied = events(summary(1));
  denied.credential = "sdk-0";
  post(std::move(denied));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 1; }));
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(arrived().back(), summary(2));
  retry_after.clear();
  refused_text = "bad";
  post(events(R"([{"kind":"custom","key":"bad"}])"));
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures >= 2; }));
  post(events(summary(3)));
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  EXPECT_EQ(arrived().back(), summary(3));
  EXPECT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 2; }));
}

// The first source goes and the second takes its place in the list: its events are still its own,
// and the other's are nobody's while two are there.
TEST_F(EventForwarderTest, EventsFollowTheirSourceAndNotItsPlace) {
  answer(503);
  retry_after = "3600";  // Nothing is under way when the first process ends.
  options.sources.resize(3);
  for (std::size_t i = 0; i < 3; ++i) {
    options.sources[i].uri = server.url("/" + std::to_string(i));
    options.sources[i].credential.text = config::Secret("sdk-" + std::to_string(i));
  }
  start();
  for (int i = 0; i < 3; ++i) {
    PostedEvents posted = events(summary(i + 1));
    posted.credential = "sdk-" + std::to_string(i);
    post(std::move(posted));
  }
  ASSERT_TRUE(wait([&] { return forwarder->facts().send_failures == 3; }));
  forwarder.reset();
  options.sources.erase(options.sources.begin());
  std::swap(options.sources[0], options.sources[1]);
  answer(202);
  start();
  ASSERT_TRUE(wait([&] { return forwarder->facts().sent == 2; }));
  ASSERT_TRUE(wait([&] { return forwarder->facts().batches_waiting == 0; }));
  std::map<std::string, std::string> keys;
  for (const auto& request : taken) keys[request.target] = request.header("authorization");
  EXPECT_EQ(keys, (std::map<std::string, std::string>{{"/1/bulk", "sdk-1"}, {"/2/bulk", "sdk-2"}}));
  EXPECT_EQ(forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kOffline)], 1U);
}

TEST_F(EventForwarderTest, WithoutAnyPlaceTheyAreTakenAndCounted) {
  options.sources.resize(1);
  options.sources[0].uri = "file:flags.json";
  start();
  post(events(summary(1)));
  const auto dropped = [&] {
    return forwarder->facts().dropped[static_cast<std::size_t>(DropReason::kOffline)];
  };
  ASSERT_TRUE(wait([&] { return all_answered() && dropped() == 1; }));
  EXPECT_EQ(results, std::vector(1, PostResult::kTaken));
}

TEST_F(EventForwarderTest, ADiskThatHangsFillsTheQueueAndNoMore) {
  start();
  disk.hold(true);
  for (std::size_t i = 0; i < launchdarkly::SpoolOnDisk::kQueuedMax + 10; ++i) post(events("[]"));
  ASSERT_TRUE(wait([&] { return results.size() == 10; }));
  EXPECT_EQ(results, std::vector(10, PostResult::kFull));
  disk.hold(false);
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  results.clear();
  asked = 0;
  disk.hold(true);
  for (std::size_t i = 0; i < 9; ++i) post(events("[" + std::string(1024 * 1024 - 2, ' ') + "]"));
  EXPECT_FALSE(forwarder->add("4", "", "[" + std::string(1024, ' ') + "]"));
  ASSERT_TRUE(wait([&] { return results.size() == 1; }));
  EXPECT_EQ(results, std::vector(1, PostResult::kFull));
  disk.hold(false);
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(forwarder->facts().posts_refused, 11U);
}

TEST_F(EventForwarderTest, MalformedIsSaidSo) {
  start();
  post(events("[{"));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results, std::vector(1, PostResult::kMalformed));
}

TEST_F(EventForwarderTest, AtTheEndWhatIsThereIsSealedAndTriedOnce) {
  options.events.flush_interval = std::chrono::hours(1);
  bool done = false;
  const auto finish = [&] {
    done = false;
    forwarder->finish(10'000, [&] { done = true; });
    EXPECT_TRUE(wait([&] { return done; }));
  };
  start();
  finish();
  EXPECT_EQ(seen(), 0U);
  start();
  post(events(summary(1)));
  finish();
  EXPECT_EQ(arrived(), std::vector<std::string>{summary(1)});
  // Nothing is taken behind that.
  post(events(summary(1)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results.back(), PostResult::kFull);
  answer(503);
  start();
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  finish();
  EXPECT_EQ(seen(), 2U);
  answer(202);
  start();
  ASSERT_TRUE(wait([&] { return arrived().size() == 2; }));
  EXPECT_EQ(arrived().back(), summary(2));
}

TEST_F(EventForwarderTest, FlushSendsAtOnceAndGoesOn) {
  options.events.flush_interval = std::chrono::hours(1);
  start();
  post(events(summary(1)));
  forwarder->flush();
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  post(events(summary(2)));
  ASSERT_TRUE(wait([&] { return all_answered(); }));
  EXPECT_EQ(results.back(), PostResult::kTaken);
}

TEST_F(EventForwarderTest, TheEndDoesNotWaitForAnUpstreamThatHangs) {
  options.events.flush_interval = std::chrono::hours(1);
  fakes::ScriptedHttpServer hanging(
      [](const fakes::ServedRequest&, std::size_t) { return fakes::Reply{.hang = true}; });
  config::Source source;
  source.uri = hanging.url("");
  source.credential.text = config::Secret("sdk-1");
  options.sources.push_back(source);
  start();
  post(events(summary(1)));
  bool done = false;
  forwarder->finish(50, [&] { done = true; });
  ASSERT_TRUE(wait([&] { return done; }));
  forwarder.reset();
  options.sources.clear();
  start();
  ASSERT_TRUE(wait([&] { return arrived().size() == 1; }));
  EXPECT_EQ(arrived().back(), summary(1));
}

TEST(EventsUri, FollowsTheSource) {
  const struct {
    const char* uri;
    const char* events_uri;
    const char* expected;
  } rows[] = {
      {"https://sdk.launchdarkly.com", "", "https://events.launchdarkly.com"},
      {"https://sdk.launchdarkly.com/", "", "https://events.launchdarkly.com"},
      {"https://sdk.eu.launchdarkly.com", "", "https://events.eu.launchdarkly.com"},
      {"https://sdk.launchdarkly.us", "", "https://events.launchdarkly.us"},
      {"https://sdk.example.com", "", "https://sdk.example.com"},
      {"http://relay:8030/", "", "http://relay:8030"},
      {"https://sdk.launchdarkly.com", "http://other/x/", "http://other/x"},
  };
  for (const auto& row : rows) {
    config::Source source;
    source.uri = row.uri;
    source.launchdarkly.events_uri = row.events_uri;
    EXPECT_EQ(events_base(source).url, row.expected) << row.uri;
    EXPECT_TRUE(launchdarkly::takes_events(source));
  }
}

}  // namespace
}  // namespace flagstone::upstream
