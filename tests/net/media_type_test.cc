#include "net/media_type.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

TEST(MediaType, JsonIsKnownHoweverItIsWritten) {
  for (const std::string_view json :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json ;charset=utf-8", "application/json;"}) {
    EXPECT_TRUE(is_json_type(json)) << json;
  }
  for (const std::string_view other :
       {"", ";", "text/json", "application/json+x", "application/jso", " application/json",
        "application/ json"}) {
    EXPECT_FALSE(is_json_type(other)) << other;
  }
}

}  // namespace
}  // namespace flagstone::net
