// Data that comes faster than the disk takes it: it waits with the other side, by whichever way it
// comes.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cache/document_spool.h"
#include "cache/memory_budget.h"
#include "tests/upstream/launchdarkly_fixture.h"

namespace flagstone::upstream {
namespace {

constexpr std::size_t kLimitBytes = std::size_t{4} << 20;
constexpr int kFlags = 12'000;
// Enough for a stream to begin; then polling would help out, were nothing arriving.
constexpr milliseconds kStreamPatience{1'000};

// A disk that takes nothing until it is told to.
class LateSpools final : public cache::DocumentSpools {
 public:
  std::unique_ptr<cache::DocumentSpool> open() override {
    bytes = 0;
    ++opened;
    return std::make_unique<Spool>(*this);
  }

  bool takes = false;
  std::size_t bytes = 0;
  int opened = 0;
  std::function<void()> on_append = [] {};

 private:
  class Spool final : public cache::DocumentSpool {
   public:
    explicit Spool(LateSpools& spools) : spools_(spools) {}
    std::expected<void, cache::SpoolProblem> append(std::string more) override {
      spools_.bytes += more.size();
      spools_.on_append();
      return {};
    }
    std::size_t waiting_bytes() const override { return spools_.takes ? 0 : spools_.bytes; }
    std::shared_ptr<cache::SpoolFile> file() const override {
      return std::make_shared<cache::SpoolFile>();
    }

   private:
    LateSpools& spools_;
  };
};

enum class By { kFdv1Stream, kFdv2Stream, kFdv1Poll, kFdv2Poll };

class LaunchDarklyDiskTest : public LaunchDarklyFixture, public testing::WithParamInterface<By> {
 protected:
  LaunchDarklyDiskTest() {
    environment.incoming = {&budget, &spools};
    spools.on_append = [this] { loop.nudge(); };
    outcome.reset();
    options.launchdarkly.streaming = streams_by_choice();
    const bool fdv2 = GetParam() == By::kFdv2Stream || GetParam() == By::kFdv2Poll;
    options.launchdarkly.protocol =
        fdv2 ? config::LaunchDarklyProtocol::kFdv2 : config::LaunchDarklyProtocol::kFdv1;
    patience.stream = kStreamPatience;
    patience.held = std::chrono::hours(1);
    options.interval = std::chrono::hours(1);
  }
  static bool streams_by_choice() {
    return GetParam() == By::kFdv1Stream || GetParam() == By::kFdv2Stream;
  }

  // Some 24 MB: more than sockets and curl hold by themselves.
  static std::string large_flag(int i) {
    return R"({"version":1,"key":"f)" + std::to_string(i) + R"(","x":")" + std::string(2'000, 'x') +
           "\"}";
  }
  static std::string large_data() {
    std::string text;
    for (int i = 0; i < kFlags; ++i) {
      text += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":" + large_flag(i);
    }
    return data(text);
  }
  static std::string put_of(int i) {
    return R"({"version":1,"kind":"flag","key":"f)" + std::to_string(i) + R"(","object":)" +
           large_flag(i) + "}";
  }
  static std::string polled_events() {
    std::string text = R"({"events":[{"event":"server-intent","data":{"payloads":[{"id":"p",)"
                       R"("target":1,"intentCode":"xfer-full","reason":"r"}]}})";
    for (int i = 0; i < kFlags; ++i) {
      text += R"(,{"event":"put-object","data":)" + put_of(i) + "}";
    }
    return text + R"(,{"event":"payload-transferred","data":{"state":"s","version":1}}]})";
  }
  void bring() {
    start([](const std::string& path, const auto&) -> std::optional<fakes::Reply> {
      if (path == "/sdk/latest-all") return fakes::Reply{.body = large_data()};
      if (path == "/sdk/poll") return fakes::Reply{.body = polled_events()};
      return std::nullopt;
    });
    say();
  }
  void say() {
    if (GetParam() == By::kFdv1Stream) {
      feed.event("put", R"({"path":"/","data":)" + large_data() + "}");
    }
    if (GetParam() == By::kFdv2Stream) {
      intent("xfer-full");
      std::string all;
      for (int i = 0; i < kFlags; ++i) all += "event: put-object\ndata: " + put_of(i) + "\n\n";
      feed.say(all);
      transferred("s");
    }
  }
  bool is_behind() {
    return loop.run_until(
        [&] { return spools.bytes >= environment.incoming.spool_waiting_bytes(); });
  }
  const cache::SpooledDocument& spooled(std::size_t index) const {
    return static_cast<const cache::SpooledDocument&>(*listener.updates.at(index).elsewhere);
  }

  cache::MemoryBudget budget{kLimitBytes};
  LateSpools spools;
};

TEST_P(LaunchDarklyDiskTest, WaitsUntilTheDiskHasTakenWhatCame) {
  bring();
  ASSERT_TRUE(is_behind());
  loop.run_for(streams_by_choice() ? 2 * kStreamPatience.count() + 100 : 100);
  EXPECT_LT(spools.bytes, 2 * environment.incoming.spool_waiting_bytes());
  EXPECT_LT(budget.used_bytes(), kLimitBytes / 2);
  EXPECT_TRUE(listener.updates.empty());
  spools.takes = true;
  ASSERT_TRUE(updates(1));
  EXPECT_EQ(spooled(0).records, std::size_t{kFlags});
  EXPECT_FALSE(spooled(0).given_up);
  EXPECT_EQ(spools.opened, 1);
  EXPECT_EQ(targets().size(), 1U) << "and nothing is fetched a second time beside it";
  EXPECT_TRUE(listener.failures.empty());
}

TEST_P(LaunchDarklyDiskTest, ADiskThatHangsCostsTheDocumentWhichIsAskedForAgain) {
  patience.disk = milliseconds(20);
  bring();
  ASSERT_TRUE(updates(1));
  EXPECT_TRUE(spooled(0).given_up);
  ASSERT_TRUE(spooled(0).spool->problem);
  EXPECT_TRUE(spooled(0).spool->problem->passes);
  spools.takes = true;
  source->settle(Outcome::kRefusedForNow);
  if (streams_by_choice()) {
    ASSERT_TRUE(streams(2));
    say();
  }
  ASSERT_TRUE(updates(2));
  EXPECT_FALSE(spooled(1).given_up);
  EXPECT_EQ(spooled(1).records, std::size_t{kFlags});
}

INSTANTIATE_TEST_SUITE_P(Ways, LaunchDarklyDiskTest,
                         testing::Values(By::kFdv1Stream, By::kFdv2Stream, By::kFdv1Poll,
                                         By::kFdv2Poll),
                         [](const auto& way) {
                           switch (way.param) {
                             case By::kFdv1Stream:
                               return "Fdv1Stream";
                             case By::kFdv2Stream:
                               return "Fdv2Stream";
                             case By::kFdv1Poll:
                               return "Fdv1Poll";
                             case By::kFdv2Poll:
                               return "Fdv2Poll";
                           }
                           return "";
                         });

}  // namespace
}  // namespace flagstone::upstream
