#include "sidecar/selector.h"

#include <gtest/gtest.h>

namespace flagstone::sidecar {
namespace {

struct Case {
  const char* text;
  Selector::Kind kind;
  const char* value;
};

TEST(Selector, ReadsWhatFlagdReads) {
  const Case cases[] = {
      {"", Selector::Kind::kEverything, ""},
      {"flagSetId=web", Selector::Kind::kSet, "web"},
      {"flagSetId=", Selector::Kind::kSet, ""},
      {"flagSetId=a=b", Selector::Kind::kSet, "a=b"},
      {"source=flags.json", Selector::Kind::kSource, "flags.json"},
      {"source=file:flags.json", Selector::Kind::kSource, "flags.json"},
      {"flags.json", Selector::Kind::kSource, "flags.json"},
      {"source=grpc://hub:8015", Selector::Kind::kSource, "hub:8015"},
      {"source=core.openfeature.dev/shop/web", Selector::Kind::kSource, "shop/web"},
      {"source=https://flags.example.com/a.json", Selector::Kind::kSource,
       "https://flags.example.com/a.json"},
  };
  for (const Case& c : cases) {
    auto selector = Selector::parse(c.text);
    ASSERT_TRUE(selector) << c.text;
    EXPECT_EQ(selector->kind, c.kind) << c.text;
    EXPECT_EQ(selector->value, c.value) << c.text;
  }
}

TEST(Selector, NamesAnUnknownKey) {
  auto selector = Selector::parse("flagset=web");
  ASSERT_FALSE(selector);
  EXPECT_NE(selector.error().find("`flagset`"), std::string::npos);
  // Also an unknown key's name is repeated in JSON, so no text may be anything but UTF-8.
  EXPECT_FALSE(Selector::parse("flagSetId=\xff"));
}

}  // namespace
}  // namespace flagstone::sidecar
