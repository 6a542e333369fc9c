#include "upstream/launchdarkly_refusal.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace flagstone::upstream {
namespace {

using enum LaunchDarklyProtocol;

struct Case {
  FailureKind kind;
  std::string cause;
  bool streamed;
  LaunchDarklyProtocol protocol;
  std::function<void(config::Source&)> change;
  std::string told;
};

TEST(LaunchDarklyRefusal, SaysWhatWasRefusedAndWhatHelps) {
  const std::string refused = " is refused, check that it is this environment's and valid";
  const std::string base = "is `uri` the base of LaunchDarkly's or of a relay, without a path";
  const auto as_it_is = [](config::Source&) {};
  for (const Case& c : {
           Case{FailureKind::kUnauthorized, "status 401", true, kFdv2, as_it_is,
                "status 401 at /sdk/stream: the SDK key in /keys/prod (…5555)" + refused},
           Case{FailureKind::kUnauthorized, "status 403", false, kFdv1,
                [](config::Source& s) { s.credential = {.file = {}, .variable = "K", .text = {}}; },
                "status 403 at /sdk/latest-all: the SDK key in the variable K (…5555)" + refused},
           Case{FailureKind::kUnauthorized, "status 401", false, kFdv2,
                [](config::Source& s) { s.credential.file.clear(); },
                "status 401 at /sdk/poll: the SDK key (…5555)" + refused},
           Case{FailureKind::kNotFound, "status 404", true, kFdv1, as_it_is,
                "status 404 at /all: " + base + "?"},
           Case{FailureKind::kNotFound, "status 410", false, kFdv1,
                [](config::Source& s) { s.launchdarkly.filter = "f"; },
                "status 410 at /sdk/latest-all: " + base + ", and is there a payload filter `f`?"},
           Case{FailureKind::kNotFound, "status 404", true, kFdv2, as_it_is,
                "status 404 at /sdk/stream: where FDv2 is not known, `protocol: auto` goes on by "
                "FDv1"},
           Case{FailureKind::kServerError, "status 503", true, kFdv2, as_it_is, "status 503"},
           Case{FailureKind::kCredential, "no file", true, kFdv2, as_it_is, "no file"},
       }) {
    config::Source source;
    source.credential.file = "/keys/prod";
    c.change(source);
    const config::Secret key("sdk-0000-1111-5555");
    EXPECT_EQ(launchdarkly_cause(
                  c.kind, c.cause,
                  {.source = source, .key = key, .streamed = c.streamed, .protocol = c.protocol}),
              c.told);
  }
}

TEST(LaunchDarklyRefusal, AShortKeyShowsNothing) {
  config::Source source;
  const config::Secret key("sdk-prod-1");
  EXPECT_FALSE(
      launchdarkly_cause(FailureKind::kUnauthorized, "status 401", {.source = source, .key = key})
          .contains("od-1"));
}

}  // namespace
}  // namespace flagstone::upstream
