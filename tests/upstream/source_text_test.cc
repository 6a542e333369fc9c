#include "upstream/source_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace flagstone::upstream {
namespace {

TEST(DocumentCursor, RoundTrip) {
  for (const Validators& validators :
       {Validators{}, Validators{"W/\"a b\"", ""}, Validators{"\"x\"", "Sun, 06 Nov 1994"}}) {
    const auto read = cursor_from_text(to_text({"00ff", validators}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->digest, "00ff");
    EXPECT_EQ(read->validators.etag, validators.etag);
    EXPECT_EQ(read->validators.last_modified, validators.last_modified);
  }
}

TEST(DocumentCursor, AnotherFormIsNone) {
  for (const std::string_view text :
       {"", "\"etag\"", "document/1", "document/1\nd\ne", "document/1\nd\ne\nl\nmore",
        "document/2\nd\ne\nl", "document/1\n\ne\nl"}) {
    EXPECT_FALSE(cursor_from_text(text)) << text;
  }
}

TEST(FailureText, SaysWhoWhyAndWhatNext) {
  using std::chrono::milliseconds;
  EXPECT_EQ(failure_text("https://h/x", "status 503", milliseconds(2'540)),
            "https://h/x: status 503; trying again in 2.5 s");
  EXPECT_EQ(failure_text("file:x.json", "an empty file", milliseconds(0)),
            "file:x.json: an empty file; waiting for it to change");
  EXPECT_EQ(failure_text("https://h", "status 401", milliseconds(300'000), true),
            "https://h: status 401; trying again in 300.0 s; SIGHUP tries now");
  EXPECT_EQ(failure_text("https://h", "status 401", milliseconds(59'999), true),
            "https://h: status 401; trying again in 60.0 s");
}

TEST(FailureKinds, EachHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kFailureKindCount; ++i) {
    names.insert(failure_kind_name(static_cast<FailureKind>(i)));
  }
  EXPECT_EQ(names.size(), kFailureKindCount);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(failure_kind_name(FailureKind::kCredential), "credential");
}

}  // namespace
}  // namespace flagstone::upstream
