#include "sidecar/accepted_credentials.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/sidecar/upstream_surroundings.h"

namespace flagstone::sidecar {
namespace {

using Strings = std::vector<std::string>;

class AcceptedCredentialsTest : public testing::Test {
 protected:
  AcceptedCredentialsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "accepted-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~AcceptedCredentialsTest() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / (name + ".new")) << text;
    std::filesystem::rename(folder / (name + ".new"), folder / name);
  }
  void read() {
    const auto file = [this](const char* name) {
      return config::SecretSource{.file = folder / name, .variable = {}, .text = {}};
    };
    accepted = std::make_unique<AcceptedCredentials>(std::vector{file("a"), file("b")},
                                                     around.environment(), [this] { ++changes; });
  }
  // What each file's look said.
  std::vector<bool> look() {
    std::vector<bool> found;
    accepted->look_now([&](bool one) { found.push_back(one); });
    around.run_until([&] { return found.size() == 2; });
    return found;
  }
  Strings known(Strings all = {}) const {
    accepted->append_to(all);
    return all;
  }

  std::filesystem::path folder;
  UpstreamSurroundings around;
  int changes = 0;
  std::unique_ptr<AcceptedCredentials> accepted;
};

TEST_F(AcceptedCredentialsTest, OneThatCannotBeReadCountsAsItWasAndHoldsUpNoOther) {
  write("a", "a-1");
  write("b", "b-1");
  read();
  EXPECT_EQ(known({"source"}), (Strings{"source", "a-1", "b-1"}));
  EXPECT_EQ(accepted->new_problems(), Strings{});
  std::filesystem::remove(folder / "a");
  write("b", "b-2");
  EXPECT_EQ(look(), (std::vector<bool>{false, true}));
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(known(), (Strings{"a-1", "b-2"}));
  EXPECT_FALSE(accepted->awaits_some());
  EXPECT_EQ(accepted->new_problems().size(), 1u);
  EXPECT_EQ(accepted->new_problems(), Strings{}) << "said once";
  write("a", "a-2");
  EXPECT_EQ(look(), (std::vector<bool>{true, true}));
  EXPECT_EQ(known(), (Strings{"a-2", "b-2"}));
  EXPECT_EQ(accepted->new_problems(), Strings{});
  std::filesystem::remove(folder / "a");
  look();
  EXPECT_EQ(accepted->new_problems().size(), 1u) << "it is wrong again";
}

TEST_F(AcceptedCredentialsTest, OneThatWasNeverReadIsAwaited) {
  write("b", "b-1");
  read();
  EXPECT_EQ(accepted->new_problems().size(), 1u);
  EXPECT_EQ(known(), Strings{"b-1"});
  EXPECT_TRUE(accepted->awaits_some());
  write("a", "a-1");
  look();
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(accepted->new_problems(), Strings{});
  EXPECT_FALSE(accepted->awaits_some());
}

}  // namespace
}  // namespace flagstone::sidecar
