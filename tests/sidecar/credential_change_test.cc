#include "sidecar/credential_change.h"

#include <gtest/gtest.h>

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kNowUnixMs = 1'700'000'000'999;  // 2023-11-14T22:13:20.999Z

TEST(CredentialChange, SaysWhichIsNewAndHowLongTheOldOneCounts) {
  struct Case {
    std::string key;
    bool had_one;
    std::chrono::milliseconds grace;
    std::string told;
  };
  for (const Case& c : {
           Case{"sdk-0000-1111-5555", true, std::chrono::hours(1),
                "the credential file of https://h changed, its new key (…5555) is in use; apps may "
                "use the one before until 2023-11-14T23:13:20Z"},
           Case{"sdk-0000-1111-5555", true, std::chrono::hours(0),
                "the credential file of https://h changed, its new key (…5555) is in use; the one "
                "before counts no more"},
           Case{"short", true, std::chrono::hours(0),
                "the credential file of https://h changed, its new key is in use; the one before "
                "counts no more"},
           Case{"sdk-0000-1111-5555", false, std::chrono::hours(1),
                "the credential file of https://h holds a key now (…5555)"},
       }) {
    EXPECT_EQ(
        credential_change_text("https://h", config::Secret(c.key), c.had_one, c.grace, kNowUnixMs),
        c.told);
  }
}

}  // namespace
}  // namespace flagstone::sidecar
