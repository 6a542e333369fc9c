#include "sidecar/credential_looks.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace flagstone::sidecar {
namespace {

// An hour stands for a pause that is never over, 0 for none.
constexpr std::int64_t kHourMs = 3'600'000;

class CredentialLooksTest : public testing::Test {
 protected:
  void make(std::int64_t pause_ms) {
    looks = std::make_unique<CredentialLooks>(
        loop,
        [this](const CredentialLooks::Found& found) {
          said += 'l';
          if (files > 0) reading.assign(files, found);
        },
        [this] { said += 'o'; }, pause_ms);
  }
  void ask() {
    looks->ask([this](bool found_all) { said += found_all ? '+' : '-'; });
  }
  void turn(int turns = 5) {
    for (int i = 0; i < turns; ++i) {
      net::Timer next(loop, [this] { loop.stop(); });
      next.start_once(1);
      loop.run();
    }
  }
  void read(bool found) {
    for (const CredentialLooks::Found& file : std::exchange(reading, {})) file(found);
  }

  net::Loop loop;
  std::size_t files = 2;
  std::vector<CredentialLooks::Found> reading;
  // l: a look begins; o: it is over; + and -: an answer.
  std::string said;
  std::unique_ptr<CredentialLooks> looks;
};

TEST_F(CredentialLooksTest, WhoAskedIsAnsweredOnceAllFilesWereRead) {
  make(0);
  ask();
  ask();
  turn();
  EXPECT_EQ(said, "l");
  reading[0](true);
  reading.erase(reading.begin());
  turn();
  EXPECT_EQ(said, "l");
  read(true);
  turn();
  EXPECT_EQ(said, "lo++");
}

TEST_F(CredentialLooksTest, OneFileWithoutACredentialIsSaid) {
  make(0);
  ask();
  turn();
  reading[1](false);
  read(true);
  turn();
  EXPECT_EQ(said, "lo-");
  ask();
  turn();
  read(true);
  turn();
  EXPECT_EQ(said, "lo-lo+");
}

TEST_F(CredentialLooksTest, WhoComesDuringALookIsForTheNext) {
  make(0);
  ask();
  turn();
  ask();
  turn();
  EXPECT_EQ(said, "l") << "one at a time";
  read(true);
  turn();
  EXPECT_EQ(said, "lo+l");
  read(true);
  turn();
  EXPECT_EQ(said, "lo+lo+");
}

TEST_F(CredentialLooksTest, HoweverManyAskThereIsOneLookInAPause) {
  make(kHourMs);
  for (int i = 0; i < 1000; ++i) {
    ask();
    turn(1);
    read(true);
  }
  EXPECT_TRUE(said.starts_with("lo"));
  EXPECT_EQ(said.find('l', 1), std::string::npos) << said;
}

TEST_F(CredentialLooksTest, QuestionsAreBounded) {
  make(0);
  ask();
  turn();
  for (std::size_t i = 0; i < 2 * CredentialLooks::kAskedMax; ++i) ask();
  read(true);
  turn();
  said.clear();
  read(true);
  turn();
  EXPECT_EQ(said.size(), CredentialLooks::kAskedMax + 1);
}

TEST_F(CredentialLooksTest, FilesThatAreDroppedEndItToo) {
  make(0);
  ask();
  turn();
  reading.clear();
  turn();
  EXPECT_EQ(said, "lo+");
  files = 0;
  ask();
  turn();
  EXPECT_EQ(said, "lo+lo+") << "and where there are none";
}

TEST_F(CredentialLooksTest, FilesMayBeReadWhenItIsGone) {
  make(0);
  ask();
  turn();
  looks.reset();
  read(true);
  turn();
  EXPECT_EQ(said, "l");
}

}  // namespace
}  // namespace flagstone::sidecar
