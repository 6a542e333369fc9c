#include "sidecar/accepted_credentials.h"

#include <gtest/gtest.h>

#include <map>

namespace flagstone::sidecar {
namespace {

using Strings = std::vector<std::string>;

class AcceptedCredentialsTest : public testing::Test {
 protected:
  Strings read() {
    return accepted.read(
        {{.file = {}, .variable = "A", .text = {}}, {.file = {}, .variable = "B", .text = {}}},
        [this](std::string_view name) -> std::optional<std::string> {
          const auto at = variables.find(std::string(name));
          if (at == variables.end()) return std::nullopt;
          return at->second;
        });
  }
  Strings known(Strings all = {}) const {
    accepted.append_to(all);
    return all;
  }

  std::map<std::string, std::string> variables;
  AcceptedCredentials accepted;
};

TEST_F(AcceptedCredentialsTest, OneThatCannotBeReadCountsAsItWasAndHoldsUpNoOther) {
  variables = {{"A", "a-1"}, {"B", "b-1"}};
  EXPECT_EQ(read(), Strings{});
  EXPECT_EQ(known({"source"}), (Strings{"source", "a-1", "b-1"}));
  variables = {{"B", "b-2"}};
  EXPECT_EQ(read().size(), 1u);
  EXPECT_EQ(known(), (Strings{"a-1", "b-2"}));
  EXPECT_FALSE(accepted.awaits_some());
  EXPECT_EQ(read(), Strings{}) << "said once";
  variables["A"] = "a-2";
  EXPECT_EQ(read(), Strings{});
  EXPECT_EQ(known(), (Strings{"a-2", "b-2"}));
  variables.erase("A");
  EXPECT_EQ(read().size(), 1u) << "it is wrong again";
}

TEST_F(AcceptedCredentialsTest, OneThatWasNeverReadIsAwaited) {
  variables = {{"B", "b-1"}};
  EXPECT_EQ(read().size(), 1u);
  EXPECT_EQ(known(), Strings{"b-1"});
  EXPECT_TRUE(accepted.awaits_some());
  variables["A"] = "a-1";
  EXPECT_EQ(read(), Strings{});
  EXPECT_FALSE(accepted.awaits_some());
}

}  // namespace
}  // namespace flagstone::sidecar
