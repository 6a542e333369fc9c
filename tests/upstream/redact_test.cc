#include "upstream/redact.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::upstream {
namespace {

TEST(RedactedUri, ShowsThePlaceAndNoSecret) {
  struct Case {
    std::string uri;
    std::string shown;
  };
  const Case cases[] = {
      {"https://flags.example.com/prod.json", "https://flags.example.com/prod.json"},
      {"https://me:pass@host:8443/x", "https://host:8443/x"},
      {"https://token@host", "https://host"},
      {"https://a@b@host/p@th", "https://host/p@th"},
      {"https://host/x?token=secret&env=prod", "https://host/x?token=***&env=***"},
      {"https://host?secret", "https://host?secret"},
      {"https://host/x#fragment", "https://host/x"},
      {"file:/etc/flags?a=b.json", "file:/etc/flags?a=b.json"},
      {"https://host/a b\n\x1b[31m", "https://host/a%20b%0A%1B[31m"},
      {"http+unix://%2Frun%2Fx.sock/flags", "http+unix://%2Frun%2Fx.sock/flags"},
  };
  for (const Case& c : cases) EXPECT_EQ(redacted_uri(c.uri), c.shown);
}

TEST(WithoutSecret, HidesEveryOccurrence) {
  EXPECT_EQ(without_secret("s3cret and s3cret, s3cret", "s3cret"), "*** and ***, ***");
  EXPECT_EQ(without_secret("nothing here", "s3cret"), "nothing here");
  EXPECT_EQ(without_secret("abc", ""), "abc");
  EXPECT_EQ(without_secret("a banana", "a"), "a banana");
}

}  // namespace
}  // namespace flagstone::upstream
