#include "sidecar/event_inlet.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flagstone::sidecar {
namespace {

using upstream::PostResult;

class EventInletTest : public testing::Test {
 protected:
  EventInletTest() {
    inlet->set_post(loop, [this](std::size_t environment, upstream::PostedEvents events,
                                 std::function<void(EventInlet::Result)> done) {
      environments.push_back(environment);
      bodies.push_back(std::move(events.body));
      waiting.push_back(std::move(done));
    });
  }
  bool post(std::size_t bytes) {
    upstream::PostedEvents events;
    events.body = std::string(bytes, 'x');
    return inlet->post(3, std::move(events),
                       [this](EventInlet::Result result) { results.push_back(result); });
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(loop.post([this] { loop.stop(); }));
      loop.run();
    }
  }

  net::Loop loop;
  std::unique_ptr<EventInlet> inlet = std::make_unique<EventInlet>(loop);
  std::vector<std::size_t> environments;
  std::vector<std::string> bodies;
  std::vector<std::function<void(EventInlet::Result)>> waiting;
  std::vector<EventInlet::Result> results;
};

TEST_F(EventInletTest, ThereAndBack) {
  EXPECT_TRUE(post(10));
  EXPECT_TRUE(post(20));
  EXPECT_EQ(inlet->waiting_bytes(), 30U);
  turn();
  EXPECT_EQ(environments, (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(bodies[1], std::string(20, 'x'));
  EXPECT_TRUE(results.empty());
  waiting[1](PostResult::kMalformed);
  waiting[0](std::nullopt);
  // Answers count once.
  waiting[0](PostResult::kTaken);
  turn();
  EXPECT_EQ(results, (std::vector<EventInlet::Result>{PostResult::kMalformed, std::nullopt}));
  EXPECT_EQ(inlet->waiting_bytes(), 0U);
}

TEST_F(EventInletTest, IsBoundedInBytesAndNumber) {
  // The first goes whatever its size, so that what is taken at all is taken sometime.
  EXPECT_TRUE(post(EventInlet::kWaitingBytesMax * 2));
  EXPECT_FALSE(post(1));
  turn();
  waiting[0](PostResult::kTaken);
  turn();
  waiting.clear();
  results.clear();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(post(EventInlet::kWaitingBytesMax / 4));
  EXPECT_FALSE(post(1));
  EXPECT_EQ(inlet->refused(), 2U);
  turn();
  for (auto& done : waiting) done(PostResult::kTaken);
  turn();
  waiting.clear();
  for (std::size_t i = 0; i < EventInlet::kWaitingMax; ++i) EXPECT_TRUE(post(0));
  EXPECT_FALSE(post(0));
  turn();
  waiting.clear();
  turn();
  // What was given up on the way is answered too.
  EXPECT_EQ(results.size(), 4 + EventInlet::kWaitingMax);
  EXPECT_EQ(results.back(), PostResult::kFull);
  EXPECT_TRUE(post(1));
}

TEST_F(EventInletTest, AnswersFindNobodyOnceItIsGone) {
  EXPECT_TRUE(post(1));
  turn();
  inlet.reset();
  waiting[0](PostResult::kTaken);
  waiting.clear();
  turn();
  EXPECT_TRUE(results.empty());
}

}  // namespace
}  // namespace flagstone::sidecar
