#include "config/nearest_name.h"

#include <gtest/gtest.h>

#include <array>

namespace flagstone::config {
namespace {

TEST(NearestName, CountsEdits) {
  struct Row {
    std::string_view a, b;
    std::size_t distance;
  };
  for (const Row& row :
       {Row{"", "", 0}, Row{"", "abc", 3}, Row{"abc", "", 3}, Row{"interval", "interval", 0},
        Row{"intervall", "interval", 1}, Row{"inetrval", "interval", 1},
        Row{"kitten", "sitting", 3}, Row{"ab", "ba", 1}, Row{"a", "b", 1}}) {
    EXPECT_EQ(edit_distance(row.a, row.b), row.distance) << row.a << " " << row.b;
    EXPECT_EQ(edit_distance(row.b, row.a), row.distance) << row.b << " " << row.a;
  }
}

TEST(NearestName, FindsWhatWasMeant) {
  constexpr std::array<std::string_view, 5> kKnown = {"interval", "uri", "credential_file",
                                                      "credential_env", "optional"};
  struct Row {
    std::string_view name, nearest;
  };
  for (const Row& row : {Row{"intervall", "interval"}, Row{"url", "uri"}, Row{"urls", ""},
                         Row{"optionnal", "optional"}, Row{"credentialfile", "credential_file"},
                         Row{"credential", "credential_file"}, Row{"", ""}, Row{"zzzzzz", ""}}) {
    EXPECT_EQ(nearest_name(row.name, kKnown), row.nearest) << row.name;
  }
  EXPECT_EQ(nearest_name(std::string(10'000, 'i'), kKnown), "");
  EXPECT_EQ(did_you_mean("intervall", kKnown), ", did you mean `interval`?");
  EXPECT_EQ(did_you_mean("zzzzzz", kKnown), "");
}

}  // namespace
}  // namespace flagstone::config
