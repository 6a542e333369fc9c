#include "tests/bench/request_sequence.h"

#include <gtest/gtest.h>

namespace flagstone::bench {
namespace {

TEST(RequestSequence, TheSameAlways) {
  RequestSequence requests("GET / HTTP/1.1\r\n\r\n");
  std::string room;
  EXPECT_FALSE(requests.empty());
  EXPECT_EQ(requests.next(room), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(requests.next(room), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(RequestSequence().empty());
}

TEST(RequestSequence, PathsInTurnAndAnew) {
  for (const char* lines : {"/a\n/long/b\n/c\n", "/a\n/long/b\n/c"}) {
    RequestSequence requests("POST ", lines, " HTTP/1.1\r\n\r\n");
    std::string first;
    std::string second;
    const std::string_view kept = requests.next(first);
    EXPECT_EQ(requests.next(second), "POST /long/b HTTP/1.1\r\n\r\n");
    EXPECT_EQ(kept, "POST /a HTTP/1.1\r\n\r\n");
    EXPECT_EQ(requests.next(first), "POST /c HTTP/1.1\r\n\r\n");
    EXPECT_EQ(requests.next(first), "POST /a HTTP/1.1\r\n\r\n");
  }
}

}  // namespace
}  // namespace flagstone::bench
