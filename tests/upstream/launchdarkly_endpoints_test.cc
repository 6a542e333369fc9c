#include "upstream/launchdarkly_endpoints.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/upstream/source_fixture.h"
#include "upstream/instance_id.h"
#include "upstream/launchdarkly_cursor.h"

namespace flagstone::upstream {
namespace {

TEST(LaunchDarklyEndpointsTest, BasesAreTheVendorsOwnOrAllTheSame) {
  struct Row {
    std::string uri;
    std::string stream;
    std::string events;
  };
  const std::vector<Row> rows = {
      {"https://sdk.launchdarkly.com", "https://stream.launchdarkly.com",
       "https://events.launchdarkly.com"},
      {"https://sdk.launchdarkly.com/", "https://stream.launchdarkly.com",
       "https://events.launchdarkly.com"},
      {"https://sdk.eu.launchdarkly.com", "https://stream.eu.launchdarkly.com",
       "https://events.eu.launchdarkly.com"},
      {"https://sdk.launchdarkly.us", "https://stream.launchdarkly.us",
       "https://events.launchdarkly.us"},
      {"https://SDK.LaunchDarkly.com:8443/x", "https://stream.LaunchDarkly.com:8443/x",
       "https://events.LaunchDarkly.com:8443/x"},
      {"https://app.launchdarkly.com", "https://app.launchdarkly.com",
       "https://app.launchdarkly.com"},
      {"https://sdk.mylaunchdarkly.com", "https://sdk.mylaunchdarkly.com",
       "https://sdk.mylaunchdarkly.com"},
      {"https://sdk.launchdarkly.com.example.org", "https://sdk.launchdarkly.com.example.org",
       "https://sdk.launchdarkly.com.example.org"},
      {"http://relay:8030/base/", "http://relay:8030/base", "http://relay:8030/base"},
  };
  for (const Row& row : rows) {
    config::Source source;
    source.uri = row.uri;
    EXPECT_EQ(streaming_base(source).url, row.stream);
    EXPECT_EQ(events_base(source).url, row.events);
  }
  config::Source source;
  source.uri = "https://sdk.launchdarkly.com";
  source.launchdarkly.stream_uri = "https://s/";
  source.launchdarkly.events_uri = "http+unix://%2Frun%2Fe.sock/x";
  EXPECT_EQ(polling_base(source).url, "https://sdk.launchdarkly.com");
  EXPECT_EQ(streaming_base(source).url, "https://s");
  EXPECT_EQ(events_base(source).url, "http://localhost/x");
  EXPECT_EQ(events_base(source).unix_socket, "/run/e.sock");
}

TEST(LaunchDarklyEndpointsTest, AnInstanceIdIsARandomUuid) {
  EXPECT_EQ(make_instance_id(*std::make_unique<fakes::FixedRandom>(~std::uint64_t{0})),
            "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(make_instance_id(*std::make_unique<fakes::FixedRandom>(0)),
            "00000000-0000-4000-8000-000000000000");
  SystemRandom random;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(make_instance_id(random));
  EXPECT_EQ(ids.size(), 100U);
}

TEST(LaunchDarklyCursorTest, ComesBack) {
  for (const auto& cursor :
       {LaunchDarklyCursor{}, LaunchDarklyCursor{.digest = "d", .etag = "\"e\"", .selector = {}},
        LaunchDarklyCursor{.protocol = LaunchDarklyProtocol::kFdv2,
                           .digest = {},
                           .etag = "e",
                           .selector = "any\nthing "}}) {
    const auto back = launchdarkly_cursor_from_text(to_text(cursor));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->protocol, cursor.protocol);
    EXPECT_EQ(back->digest, cursor.digest);
    EXPECT_EQ(back->etag, cursor.etag);
    EXPECT_EQ(back->selector, cursor.selector);
  }
  for (const std::string text : {"", "launchdarkly/1", "launchdarkly/1\nfdv3\n\n\n",
                                 "document/1\nfdv1\n\n\n", "launchdarkly/1\nfdv1\n\n"}) {
    EXPECT_FALSE(launchdarkly_cursor_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace flagstone::upstream
