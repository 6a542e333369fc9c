// What is said of the way by which flags come, and when.
#include "upstream/launchdarkly_way_news.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace flagstone::upstream {
namespace {

using enum LaunchDarklyProtocol;
using Facts = LaunchDarklyWayNews::Facts;

constexpr Facts kStreamed2{.protocol = kFdv2};
constexpr Facts kStreamed1{.protocol = kFdv1, .left_fdv2 = true};
constexpr Facts kHelped2{.protocol = kFdv2, .is_polled = true};
constexpr Facts kHelped1{.protocol = kFdv1, .is_polled = true, .left_fdv2 = true};
constexpr Facts kSentAway{
    .protocol = kFdv1, .is_polled = true, .left_fdv2 = true, .left_stream = true};
constexpr Facts kPollsByChoice{.protocol = kFdv2, .is_polled = true, .wants_stream = false};

// "!text" is a warning, empty is nothing.
std::string noted(LaunchDarklyWayNews& news, const Facts& facts) {
  const auto said = news.note(facts);
  return said ? (said->is_warning ? "!" : "") + said->text : "";
}

TEST(LaunchDarklyWayNews, SaysHowAndWhy) {
  const std::string signal = "; SIGHUP has FDv2 tried again now";
  const std::vector<std::pair<Facts, std::string>> rows = {
      {kStreamed2, "streamed by FDv2"},
      {{.protocol = kFdv1}, "streamed by FDv1"},
      {kStreamed1, "streamed by FDv1, since the other side does not know FDv2" + signal},
      {kHelped2, "!polled by FDv2, since the stream does not work"},
      {kHelped1,
       "!polled by FDv1, since the other side does not know FDv2 and its stream does not work" +
           signal},
      {kSentAway, "!polled by FDv1, since the other side asks for that" + signal},
      {kPollsByChoice, "polled by FDv2"},
  };
  for (const auto& [facts, text] : rows) {
    LaunchDarklyWayNews news;
    EXPECT_EQ(noted(news, facts), text);
    EXPECT_EQ(noted(news, facts), "") << "once";
    news.forget();
    EXPECT_EQ(noted(news, facts), text);
  }
}

TEST(LaunchDarklyWayNews, AStepDownIsAWarning) {
  const std::vector<Facts> best_first = {kStreamed2, kStreamed1, kHelped2, kSentAway};
  for (std::size_t from = 0; from < best_first.size(); ++from) {
    for (std::size_t to = 0; to < best_first.size(); ++to) {
      LaunchDarklyWayNews news;
      (void)news.note(best_first[from]);
      const auto said = news.note(best_first[to]);
      ASSERT_EQ(said.has_value(), from != to) << from << " " << to;
      EXPECT_EQ(said && said->is_warning, to > from) << from << " " << to;
    }
  }
}

}  // namespace
}  // namespace flagstone::upstream
