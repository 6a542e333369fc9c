#include "upstream/credential.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "tests/fakes/upstream/source_fixture.h"

namespace flagstone::upstream {
namespace {

std::optional<std::string> variables(std::string_view name) {
  if (name == "KEY") return "from the environment";
  if (name == "BROKEN") return "two\nlines";
  return std::nullopt;
}

class CredentialTest : public testing::Test {
 protected:
  fakes::TestLoop loop;
  fakes::PostingFileReader files{loop.loop()};
  fakes::TemporaryFolder folder;
  const std::string path = folder.path("key");
  int changes = 0;
  int rewritten = 0;
  int troubles = 0;

  std::unique_ptr<Credential> make(config::SecretSource source) {
    auto made = std::make_unique<Credential>(
        loop.loop(), files, std::move(source), variables,
        [this] {
          ++changes;
          loop.nudge();
        },
        milliseconds(5));
    made->tell({.on_rewritten =
                    [this] {
                      ++rewritten;
                      loop.nudge();
                    },
                .on_trouble =
                    [this] {
                      ++troubles;
                      loop.nudge();
                    }});
    made->start();
    return made;
  }
};

TEST_F(CredentialTest, WhereItComesFrom) {
  fakes::write_file(path, "  from a file \n");
  const auto secret_of = [&](config::SecretSource source) {
    return make(source)->secret().reveal();
  };
  EXPECT_EQ(secret_of({}), "");
  EXPECT_EQ(secret_of({.file = path, .variable = {}, .text = {}}), "from a file");
  EXPECT_EQ(secret_of({.file = {}, .variable = "KEY", .text = {}}), "from the environment");
  EXPECT_EQ(secret_of({.file = {}, .variable = {}, .text = config::Secret("x y")}), "x y");
}

TEST_F(CredentialTest, ProblemsNameTheCauseAndNotTheSecret) {
  EXPECT_EQ(make({})->problem(), "");
  EXPECT_NE(make({.file = path, .variable = {}, .text = {}})->problem(), "");
  EXPECT_NE(make({.file = {}, .variable = "NONE", .text = {}})->problem(), "");
  const auto broken = make({.file = {}, .variable = "BROKEN", .text = {}});
  EXPECT_EQ(broken->secret().reveal(), "");
  EXPECT_NE(broken->problem(), "");
  EXPECT_EQ(broken->problem().find("lines\n"), std::string::npos);
}

TEST_F(CredentialTest, FollowsItsFileThroughEveryKindOfRotation) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  const auto becomes = [&](std::string_view text) {
    return loop.run_until([&] { return credential->secret().reveal() == text; });
  };
  fakes::replace_file(path, "second\n");
  EXPECT_TRUE(becomes("second"));
  fakes::write_file(path, "third");
  EXPECT_TRUE(becomes("third"));
  EXPECT_EQ(changes, 2);

  // Gone, or empty for a moment: the last one stays.
  std::filesystem::remove(path);
  const int reads = files.reads();
  EXPECT_TRUE(loop.run_until([&] { return files.reads() > reads + 3; }));
  EXPECT_EQ(credential->secret().reveal(), "third");
  fakes::write_file(path, "");
  loop.run_for(30);
  EXPECT_EQ(credential->secret().reveal(), "third");
  fakes::write_file(path, "fourth");
  EXPECT_TRUE(becomes("fourth"));
  EXPECT_EQ(changes, 3);
}

TEST_F(CredentialTest, TheSameSecretWrittenAgainIsNoChange) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  EXPECT_TRUE(loop.run_until([&] { return files.reads() > 1; }));
  EXPECT_EQ(rewritten, 0) << "the first look is at what is known";
  fakes::replace_file(path, "first\n");
  EXPECT_TRUE(loop.run_until([&] { return rewritten == 1; })) << "somebody wants it tried again";
  loop.run_for(50);
  EXPECT_EQ(rewritten, 1);
  EXPECT_EQ(changes, 0);
  EXPECT_GT(files.reads(), 2);
  EXPECT_GT(files.unchanged(), 0) << "an untouched file is read over and over";
}

TEST_F(CredentialTest, AReadThatFailsMakesNoRewrittenSecretOfTheSameOne) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  ASSERT_TRUE(loop.run_until([&] { return files.unchanged() > 0; }));
  for (const FileError::Kind kind : {FileError::Kind::kUnreadable, FileError::Kind::kMissing,
                                     FileError::Kind::kTooLarge, FileError::Kind::kChanged}) {
    files.fail(FileError{.kind = kind, .message = "for a moment"});
    const int failed = files.reads();
    ASSERT_TRUE(loop.run_until([&] { return files.reads() > failed + 1; }));
    files.fail(std::nullopt);
    const int unchanged = files.unchanged();
    ASSERT_TRUE(loop.run_until([&] { return files.unchanged() > unchanged; }));
    EXPECT_EQ(credential->trouble(), "") << "the file is read although it is as it was";
  }
  ASSERT_EQ(rewritten, 0);
  // Written while it could not be read.
  files.fail(FileError{.kind = FileError::Kind::kUnreadable, .message = "for a moment"});
  const int failed = files.reads();
  ASSERT_TRUE(loop.run_until([&] { return files.reads() > failed + 1; }));
  fakes::replace_file(path, "first");
  files.fail(std::nullopt);
  EXPECT_TRUE(loop.run_until([&] { return rewritten == 1; }));
  EXPECT_EQ(changes, 0);
}

TEST_F(CredentialTest, AFileThatLosesItsSecretIsToldOnceUntilItHasOneAgain) {
  const auto emptied = [&] { fakes::write_file(path, "\n"); };
  const auto removed = [&] { std::filesystem::remove(path); };
  const auto broken = [&] { fakes::write_file(path, "two\nlines"); };
  for (const auto& [lose, why] :
       {std::pair<std::function<void()>, std::string>(emptied, " is empty"),
        std::pair<std::function<void()>, std::string>(removed, " cannot be read: "),
        std::pair<std::function<void()>, std::string>(broken, " has a line break")}) {
    troubles = 0;
    fakes::write_file(path, "first");
    const auto credential = make({.file = path, .variable = {}, .text = {}});
    EXPECT_EQ(credential->trouble(), "");
    lose();
    ASSERT_TRUE(loop.run_until([&] { return troubles == 1; })) << why;
    EXPECT_TRUE(credential->trouble().starts_with("credential file " + path + why))
        << credential->trouble();
    EXPECT_EQ(credential->problem(), "");
    EXPECT_EQ(credential->secret().reveal(), "first");
    loop.run_for(30);
    EXPECT_EQ(troubles, 1);
    fakes::replace_file(path, "first");
    EXPECT_TRUE(loop.run_until([&] { return credential->trouble().empty(); })) << why;
  }
}

TEST_F(CredentialTest, AFileThatComesLaterHealsTheProblem) {
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  EXPECT_NE(credential->problem(), "");
  fakes::write_file(path, "late");
  EXPECT_TRUE(loop.run_until([&] { return changes == 1; }));
  EXPECT_EQ(credential->secret().reveal(), "late");
  EXPECT_EQ(credential->problem(), "");
}

// A credential that looks by itself once in an hour: what it finds it was asked for.
class CredentialLookTest : public CredentialTest {
 protected:
  std::unique_ptr<Credential> make(config::SecretSource source) {
    auto made = std::make_unique<Credential>(
        loop.loop(), files, std::move(source), variables, [this] { ++changes; },
        milliseconds(3'600'000));
    made->start();
    return made;
  }
  Credential::Looked note() {
    return [this](bool found) {
      looked.push_back(found);
      loop.nudge();
    };
  }

  std::vector<bool> looked;
};

TEST_F(CredentialLookTest, FindsWhatIsThereWhenItIsAsked) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  credential->look_now(note());
  // The read that this is answered by has begun, so the next is for another one.
  fakes::write_file(path, "other");
  credential->look_now([&](bool) { EXPECT_EQ(credential->secret().reveal(), "other"); });
  credential->look_now(note());
  EXPECT_TRUE(loop.run_until([&] { return looked.size() == 2; }));
  EXPECT_EQ(looked, (std::vector<bool>{true, true}));
  EXPECT_EQ(files.reads(), 2) << "one for all who asked meanwhile";
  EXPECT_EQ(files.unchanged(), 0) << "the stamp is not trusted";
}

TEST_F(CredentialLookTest, SaysWhenThereIsNone) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  EXPECT_EQ(credential->trouble(), "");
  std::filesystem::remove(path);
  credential->look_now(note());
  EXPECT_TRUE(loop.run_until([&] { return looked.size() == 1; }));
  EXPECT_NE(credential->trouble(), "");
  EXPECT_EQ(credential->problem(), "") << "the one before is in use";
  fakes::write_file(path, " ");
  credential->look_now(note());
  EXPECT_TRUE(loop.run_until([&] { return looked.size() == 2; }));
  fakes::write_file(path, "second");
  credential->look_now(note());
  EXPECT_TRUE(loop.run_until([&] { return looked.size() == 3; }));
  EXPECT_EQ(looked, (std::vector<bool>{false, false, true}));
  EXPECT_EQ(credential->trouble(), "");
  EXPECT_EQ(changes, 1);
}

TEST_F(CredentialLookTest, WithoutAFileThereIsNothingToLookAt) {
  make({.file = {}, .variable = "KEY", .text = {}})->look_now(note());
  make({})->look_now(note());
  EXPECT_EQ(looked, (std::vector<bool>{true, true}));
  EXPECT_EQ(files.reads(), 0);
}

TEST_F(CredentialLookTest, StoppedItAnswersNobody) {
  fakes::write_file(path, "first");
  const auto credential = make({.file = path, .variable = {}, .text = {}});
  const auto alive = std::make_shared<int>();
  credential->look_now([alive](bool) { ADD_FAILURE() << "nobody waits any more"; });
  credential->look_now([alive](bool) { ADD_FAILURE() << "nobody waits any more"; });
  credential->stop();
  EXPECT_EQ(alive.use_count(), 1);
  loop.run_for(20);
}

}  // namespace
}  // namespace flagstone::upstream
