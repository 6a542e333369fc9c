#include "sidecar/late_answers.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/running_timers.h"

namespace flagstone::sidecar {
namespace {

class LateAnswersTest : public ::testing::Test {
 protected:
  LateAnswersTest() {
    late.set_bring([this](cache::TextPlace place, LateAnswers::Done done) {
      asked.push_back(place.offset());
      brought.push_back(std::move(done));
    });
  }
  static std::vector<cache::TextPlace> places(std::initializer_list<std::uint64_t> offsets) {
    std::vector<cache::TextPlace> all;
    for (const std::uint64_t offset : offsets) {
      all.push_back(*cache::TextPlace::in_file(1, offset, 100));
    }
    return all;
  }
  // Answers at the `tries`th time that it is asked, by waiting before.
  LateAnswers::Again answer_after(int tries) {
    return [this, tries](const net::Request&, net::Response& response) {
      ++asked_again;
      if (tries > 1 && late.wait(places({7}), response, answer_after(tries - 1))) return;
      response.send(tries > 1 ? 503 : 200, "");
    };
  }
  void bring_all() {
    std::vector<LateAnswers::Done> now = std::move(brought);
    brought.clear();
    for (LateAnswers::Done& done : now) done();
  }

  net::Loop loop;
  LateAnswers late{loop};
  std::vector<std::uint64_t> asked;
  std::vector<LateAnswers::Done> brought;
  int asked_again = 0;
};

TEST_F(LateAnswersTest, AnswersOnceEveryPlaceWasRead) {
  net::RecordingResponse response;
  ASSERT_TRUE(late.wait(places({10, 20}), response, answer_after(1)));
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{10, 20}));
  brought[0]();
  EXPECT_EQ(asked_again, 0);
  brought[1]();
  EXPECT_EQ(asked_again, 1);
  EXPECT_EQ(response.deferred->response->status, 200);
  EXPECT_EQ(late.waiting(), 0U);
}

TEST_F(LateAnswersTest, TriesAreBounded) {
  net::RecordingResponse response;
  ASSERT_TRUE(late.wait(places({1}), response, answer_after(100)));
  for (unsigned i = 0; i < LateAnswers::kTriesMax; ++i) bring_all();
  EXPECT_EQ(asked_again, static_cast<int>(LateAnswers::kTriesMax));
  EXPECT_EQ(late.waiting(), 0U);
  EXPECT_TRUE(brought.empty());
}

TEST_F(LateAnswersTest, TheNumberIsBounded) {
  std::vector<net::RecordingResponse> responses(LateAnswers::kWaitingMax);
  for (net::RecordingResponse& response : responses) {
    ASSERT_TRUE(late.wait(places({1}), response, answer_after(1)));
  }
  net::RecordingResponse one_more;
  EXPECT_FALSE(late.wait(places({1}), one_more, answer_after(1)));
  EXPECT_EQ(one_more.deferred, nullptr);
}

TEST_F(LateAnswersTest, NobodyIsAnsweredWhoHasGone) {
  net::RecordingResponse response;
  ASSERT_TRUE(late.wait(places({1}), response, answer_after(1)));
  EXPECT_EQ(net::running_timers(loop), 1U);
  response.deferred->deferral->lose();
  EXPECT_EQ(late.waiting(), 0U);
  EXPECT_EQ(net::running_timers(loop), 0U) << "nobody is waited for";
  bring_all();
  EXPECT_EQ(asked_again, 0);
}

TEST_F(LateAnswersTest, BringsForNobodyInParticular) {
  std::vector<bool> told;
  late.bring(places({10, 20}), [&](bool in_time) { told.push_back(in_time); });
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{10, 20}));
  brought[0]();
  EXPECT_TRUE(told.empty());
  brought[1]();
  EXPECT_EQ(told, std::vector<bool>{true});
  late.bring(places({}), [&](bool in_time) { told.push_back(in_time); });
  EXPECT_EQ(told, (std::vector<bool>{true, true}));
}

TEST_F(LateAnswersTest, ADiskThatHangsIsNotWaitedFor) {
  std::vector<bool> told;
  net::RecordingResponse response;
  ASSERT_TRUE(late.wait(places({1}), response, answer_after(100)));
  late.bring(places({2, 3}), [&](bool in_time) {
    told.push_back(in_time);
    loop.stop();
  });
  brought[1]();
  while (told.empty()) loop.run();
  EXPECT_EQ(told, std::vector<bool>{false});
  EXPECT_EQ(asked_again, 1) << "and told that there is no more waiting";
  EXPECT_EQ(response.deferred->response->status, 503);
  // What it brings at last is nobody's.
  bring_all();
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(asked_again, 1);
}

TEST_F(LateAnswersTest, WithoutADiskToAskThereIsNoWaiting) {
  LateAnswers none(loop);
  net::RecordingResponse response;
  EXPECT_FALSE(none.wait(places({1}), response, answer_after(1)));
}

}  // namespace
}  // namespace flagstone::sidecar
