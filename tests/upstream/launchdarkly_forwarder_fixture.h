// A forwarder, its disk and who it sends to. For tests.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/gzip.h"
#include "net/resolver.h"
#include "tests/fakes/cache/fake_file_system.h"
#include "tests/fakes/upstream/scripted_http_server.h"
#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/http_client.h"
#include "upstream/launchdarkly_event_forwarder.h"

namespace flagstone::upstream {

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
    forwarder = std::make_unique<launchdarkly::Forwarder>(
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

inline std::string summary(int count) {
  return R"([{"kind":"summary","startDate":1,"endDate":2,"features":{"f":{"default":0,"counters":[{"count":)" +
         std::to_string(count) + "}]}}}]";
}

}  // namespace flagstone::upstream
