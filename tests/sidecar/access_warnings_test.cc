#include "sidecar/access_warnings.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <string>

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

using Kind = AccessNote::Kind;

constexpr std::int64_t kMinuteMs = AccessWarnings::kPauseMs;

class AccessWarningsTest : public testing::Test {
 protected:
  AccessWarningsTest() { log.set_pattern("%v"); }
  // What it says to a request that was refused.
  std::string said_of(std::string credential, std::int64_t now_ms,
                      RoutingError error = RoutingError::kUnknownCredential) {
    warnings.take({.kind = Kind::kUnauthorized,
                   .api = AccessApi::kLaunchDarklySdk,
                   .error = error,
                   .credential = std::move(credential)},
                  {}, now_ms);
    return std::exchange(said, std::ostringstream()).str();
  }
  std::string said_of_filter(Kind kind, std::string filter, std::string_view environment) {
    warnings.take({.kind = kind, .filter = std::move(filter)}, environment, 0);
    return std::exchange(said, std::ostringstream()).str();
  }

  std::ostringstream said;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)};
  AccessWarnings warnings{log};
};

TEST(EndOfCredential, OfALongOneAlone) {
  EXPECT_EQ(end_of_credential("sdk-0123-abcd"), "abcd");
  EXPECT_EQ(end_of_credential("sdk-0123abcd"), "abcd");
  EXPECT_EQ(end_of_credential("sdk-012abcd"), "");
  EXPECT_EQ(end_of_credential("sdk-0123-a\nb\x01"), "a?b?") << "nothing that a log cannot bear";
  EXPECT_EQ(end_of_credential(""), "");
}

TEST_F(AccessWarningsTest, ACredentialIsWarnedOfOnceAndAllOnceAMinute) {
  const std::string first = said_of("sdk-wrong-0001", 0);
  EXPECT_NE(first.find("launchdarkly_sdk"), std::string::npos) << first;
  EXPECT_NE(first.find("(…0001)"), std::string::npos) << first;
  EXPECT_EQ(first.find("wrong"), std::string::npos) << first;
  EXPECT_EQ(said_of("sdk-wrong-0001", 1000), "");
  EXPECT_EQ(said_of("sdk-wrong-0002", 1000), "") << "within the minute";
  EXPECT_NE(said_of("sdk-wrong-0002", kMinuteMs).find("0002"), std::string::npos);
  EXPECT_EQ(said_of("sdk-wrong-0001", 2 * kMinuteMs), "") << "nothing has changed";
  EXPECT_EQ(said_of("short", 3 * kMinuteMs).find("short"), std::string::npos);
  const std::int64_t later_ms = 4 * kMinuteMs + AccessWarnings::kSilenceMs;
  EXPECT_NE(said_of("sdk-wrong-0001", later_ms), "") << "it is back";
  EXPECT_NE(said_of("", later_ms + kMinuteMs).find("without a credential"), std::string::npos);
}

TEST_F(AccessWarningsTest, AFormerCredentialIsKnownForWhatItWas) {
  cache::Routes routes;
  routes.by_credential["sdk-former-0001"] = {.environment = 1, .is_former = true};
  routes.by_credential["sdk-present-0001"] = {.environment = 1};
  routes.former = {
      {.salt = "s", .hash = cache::credential_hash("s", "sdk-former-0002"), .environment = 0}};
  warnings.remember_former(routes, {"one", "two"});
  const std::string text = said_of("sdk-former-0001", 0);
  EXPECT_NE(text.find("of two, whose grace is over"), std::string::npos) << text;
  const std::string hashed = said_of("sdk-former-0002", kMinuteMs);
  EXPECT_NE(hashed.find("of one, whose grace is over"), std::string::npos) << hashed;
  EXPECT_EQ(said_of("sdk-present-0001", 2 * kMinuteMs).find("grace"), std::string::npos);
  AccessWarnings others{log};
  others.remember_former(routes, {"one", "two"});
  others.take({.kind = Kind::kUnauthorized,
               .error = RoutingError::kForeignCredential,
               .credential = "sdk-former-0001"},
              {}, 0);
  EXPECT_EQ(said.str().find("grace"), std::string::npos) << "another's listener: it still counts";
}

TEST_F(AccessWarningsTest, AFilterIsWarnedOfOnce) {
  const std::string first = said_of_filter(Kind::kUnfilteredServed, "web", "all");
  EXPECT_NE(first.find("all: an SDK asks for the payload filter `web`"), std::string::npos);
  EXPECT_EQ(said_of_filter(Kind::kUnfilteredServed, "web", "all"), "");
  EXPECT_NE(said_of_filter(Kind::kUnfilteredServed, "web", "others"), "");
  EXPECT_NE(said_of_filter(Kind::kFilteredOnlyServed, "", "all").find("fewer"), std::string::npos);
  EXPECT_NE(said_of_filter(Kind::kFilterRefused, "app", "").find("`app`"), std::string::npos);
  EXPECT_NE(said_of_filter(Kind::kFilterRefused, "", "").find("404"), std::string::npos);
  for (std::size_t i = 0; i < AccessWarnings::kFiltersMax; ++i) {
    (void)said_of_filter(Kind::kUnfilteredServed, std::to_string(i), "all");
  }
  EXPECT_EQ(said_of_filter(Kind::kUnfilteredServed, "one more", "all"), "");
}

}  // namespace
}  // namespace flagstone::sidecar
