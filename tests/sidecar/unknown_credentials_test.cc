#include "sidecar/unknown_credentials.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "sidecar/credential_looks.h"
#include "tests/fakes/net/recording_response.h"
#include "tests/fakes/net/running_timers.h"

namespace flagstone::sidecar {
namespace {

using Verdict = UnknownCredentials::Verdict;

// An api that knows nobody.
class Strict final : public net::Handler {
 public:
  explicit Strict(UnknownCredentials& unknown) : unknown_(unknown) {}
  void handle(const net::Request&, net::Response& response) override {
    const Verdict verdict = unknown_.judge(response);
    if (verdict == Verdict::kWait) return;
    response.send(verdict == Verdict::kUnknown ? 401 : 503, "");
  }
  void refuse(const net::Refusal&, const net::Request&, net::Response&) override {}

 private:
  UnknownCredentials& unknown_;
};

class UnknownCredentialsTest : public testing::Test {
 protected:
  UnknownCredentialsTest() {
    unknown.set_ask(api, [this](UnknownCredentials::Done done) {
      if (refusing) return false;
      ++asked;
      questions.push_back(std::move(done));
      return true;
    });
  }
  net::RecordingResponse& request() {
    net::RecordingResponse& response = responses.emplace_back();
    api.handle(response.request, response);
    return response;
  }
  // 0: it waits.
  static int status(const net::RecordingResponse& response) {
    return response.deferred == nullptr ? response.status : response.deferred->response->status;
  }
  void run_until_answered(const net::RecordingResponse& response) {
    net::Timer next(loop, [this] { loop.stop(); });
    next.start_repeating(20, 20);
    while (status(response) == 0) loop.run();
  }
  void answer_all(bool found_all) {
    for (UnknownCredentials::Done& done : std::exchange(questions, {})) done(found_all);
  }

  net::Loop loop;
  UnknownCredentials unknown{loop};
  Strict api{unknown};
  std::list<net::RecordingResponse> responses;
  std::vector<UnknownCredentials::Done> questions;
  int asked = 0;
  bool refusing = false;
};

TEST_F(UnknownCredentialsTest, IsUnknownOnceAllFilesWereLookedAt) {
  const net::RecordingResponse& first = request();
  EXPECT_EQ(status(first), 0);
  answer_all(true);
  EXPECT_EQ(status(first), 401);
  EXPECT_EQ(unknown.waiting(), 0u);
}

TEST_F(UnknownCredentialsTest, MayTryAgainWhereSomeFileHadNone) {
  const net::RecordingResponse& first = request();
  answer_all(false);
  EXPECT_EQ(status(first), 503);
}

TEST_F(UnknownCredentialsTest, WhoComesDuringALookWaitsForTheNext) {
  const net::RecordingResponse& first = request();
  const net::RecordingResponse& second = request();
  const net::RecordingResponse& third = request();
  EXPECT_EQ(asked, 1);
  answer_all(true);
  EXPECT_EQ(status(first), 401);
  EXPECT_EQ(status(second), 0) << "that look may have begun before it came";
  EXPECT_EQ(asked, 2);
  answer_all(true);
  EXPECT_EQ(status(second), 401);
  EXPECT_EQ(status(third), 401);
  EXPECT_EQ(asked, 2);
}

TEST_F(UnknownCredentialsTest, StrangersAreBoundedAndCostOneQuestion) {
  for (std::size_t i = 0; i < 10 * UnknownCredentials::kWaitingMax; ++i) request();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(unknown.waiting(), UnknownCredentials::kWaitingMax);
  EXPECT_EQ(status(responses.back()), 503) << "and never 401";
  answer_all(true);
  answer_all(true);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(unknown.waiting(), 0u);
}

TEST_F(UnknownCredentialsTest, ADiskThatHangsIsNotWaitedFor) {
  const net::RecordingResponse& first = request();
  run_until_answered(first);
  EXPECT_EQ(status(first), 503);
  const net::RecordingResponse& second = request();
  EXPECT_EQ(asked, 1) << "the question is still there";
  answer_all(true);
  EXPECT_EQ(status(second), 0);
  answer_all(true);
  EXPECT_EQ(status(second), 401);
}

// The files rest between two looks; what a question waits for, the next may wait for again.
TEST_F(UnknownCredentialsTest, AStrangerBeforeHimCostsNobodyHisAnswer) {
  std::int64_t disk_ms = 0;
  std::vector<CredentialLooks::Found> reading;
  net::Timer disk(loop, [&] { reading.clear(); });
  CredentialLooks looks(
      loop,
      [&](const CredentialLooks::Found& found) {
        reading.push_back(found);
        disk.start_once(disk_ms);
      },
      [] {});
  unknown.set_ask(api, [&](UnknownCredentials::Done done) {
    looks.ask([kept = std::make_shared<UnknownCredentials::Done>(std::move(done))](bool found_all) {
      (*kept)(found_all);
    });
    return true;
  });
  const net::RecordingResponse& first = request();
  run_until_answered(first);
  // The files are at rest now.
  const net::RecordingResponse& stranger = request();
  const net::RecordingResponse& just_after = request();
  disk_ms = 200;
  run_until_answered(just_after);
  EXPECT_EQ(status(first), 401);
  EXPECT_EQ(status(stranger), 401);
  EXPECT_EQ(status(just_after), 401);
}

TEST_F(UnknownCredentialsTest, WhereNobodyCanBeAskedNothingIsRefusedForGood) {
  refusing = true;
  EXPECT_EQ(status(request()), 503);
  EXPECT_EQ(unknown.waiting(), 0u);
}

TEST_F(UnknownCredentialsTest, WithoutAnyoneWhoLooksItIsUnknownAtOnce) {
  UnknownCredentials alone(loop);
  net::RecordingResponse response;
  EXPECT_EQ(alone.judge(response), Verdict::kUnknown);
}

TEST_F(UnknownCredentialsTest, NobodyIsAnsweredWhoHasGone) {
  const net::RecordingResponse& first = request();
  const net::RecordingResponse& second = request();
  EXPECT_EQ(net::running_timers(loop), 1u);
  first.deferred->deferral->lose();
  EXPECT_EQ(net::running_timers(loop), 1u) << "somebody waits yet";
  second.deferred->deferral->lose();
  EXPECT_EQ(unknown.waiting(), 0u);
  EXPECT_EQ(net::running_timers(loop), 0u) << "nothing is waited for";
  answer_all(true);
  EXPECT_EQ(status(first), 0);
}

}  // namespace
}  // namespace flagstone::sidecar
