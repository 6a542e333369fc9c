#include "sidecar/entity_tag.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace flagstone::sidecar {
namespace {

const evaluation::Digest128 kDigest = {.low = std::numeric_limits<std::uint64_t>::max(),
                                       .high = 0x0123456789abcdef};
const std::string kTag = "\"0123456789abcdefffffffffffffffff\"";

TEST(EntityTag, IsQuotedHexadecimal) { EXPECT_EQ(EntityTag(kDigest).text(), kTag); }

TEST(EntityTag, IfNoneMatchIsAListComparedWeakly) {
  struct Case {
    std::string header;
    bool matches;
  };
  const Case cases[] = {
      {kTag, true},
      {"W/" + kTag, true},
      {"\"b\", " + kTag, true},
      {"\"b\",W/" + kTag + " ", true},
      {"*", true},
      {"\"b\"", false},
      {"", false},
      {kTag.substr(1, 32), false},
      {"\"" + kTag, false},
      {",", false},
      {"\"b\" " + kTag, false},
      {"\t" + kTag + "\t", true},
      {"\"b\" , \"c\"", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(EntityTag(kDigest).matches(c.header), c.matches) << c.header;
}

}  // namespace
}  // namespace flagstone::sidecar
