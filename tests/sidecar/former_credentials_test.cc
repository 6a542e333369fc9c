#include "sidecar/former_credentials.h"

#include <gtest/gtest.h>

namespace flagstone::sidecar {
namespace {

using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

upstream::TimePoint at(int ms) { return upstream::TimePoint(milliseconds(ms)); }

Strings counting(const FormerCredentials& former, int ms, Strings all = {}) {
  former.append_to(all, at(ms));
  return all;
}

TEST(FormerCredentialsTest, TheOneBeforeCountsUntilItsGraceIsOver) {
  FormerCredentials former;
  former.note(0, "old", milliseconds(100), at(0));
  EXPECT_EQ(counting(former, 0), Strings{}) << "the current one is not a former one";
  former.note(0, "new", milliseconds(100), at(10));
  EXPECT_EQ(counting(former, 109), Strings{"old"});
  EXPECT_EQ(counting(former, 110), Strings{});
}

TEST(FormerCredentialsTest, AnEmptyOneChangesNothing) {
  FormerCredentials former;
  former.note(0, "old", milliseconds(100), at(0));
  former.note(0, "", milliseconds(100), at(1));
  EXPECT_EQ(counting(former, 1), Strings{});
  former.note(0, "new", milliseconds(100), at(2));
  EXPECT_EQ(counting(former, 3), Strings{"old"});
}

TEST(FormerCredentialsTest, SeveralRotationsInARowAllCount) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(0, "b", milliseconds(100), at(10));
  former.note(0, "c", milliseconds(100), at(20));
  EXPECT_EQ(counting(former, 30), (Strings{"a", "b"}));
  EXPECT_EQ(counting(former, 115), Strings{"b"});
}

TEST(FormerCredentialsTest, OneThatComesBackIsCurrent) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(0, "b", milliseconds(100), at(10));
  former.note(0, "a", milliseconds(100), at(20));
  EXPECT_EQ(counting(former, 30, {"a"}), (Strings{"a", "b"}));
}

TEST(FormerCredentialsTest, WithoutGraceThereIsNone) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(0), at(0));
  former.note(0, "b", milliseconds(0), at(1));
  EXPECT_EQ(counting(former, 1), Strings{});
}

TEST(FormerCredentialsTest, SourcesAreApart) {
  FormerCredentials former;
  former.note(0, "a", milliseconds(100), at(0));
  former.note(2, "x", milliseconds(100), at(0));
  former.note(2, "y", milliseconds(100), at(1));
  EXPECT_EQ(counting(former, 2, {"a", "y"}), (Strings{"a", "y", "x"}));
}

}  // namespace
}  // namespace flagstone::sidecar
