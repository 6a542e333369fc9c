#include "net/http1_head.h"

#include <gtest/gtest.h>

namespace flagstone::net {
namespace {

// Each beginning behind each other: what was made before decides nothing.
TEST(Http1Head, BeginsWithStatusDateAndType) {
  struct Row {
    int status;
    const char* type;
    const char* beginning;
  };
  const Row rows[] = {
      {200, "text/plain", "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/plain\r\n"},
      {404, "text/plain", "HTTP/1.1 404 Not Found\r\nDate: x\r\nContent-Type: text/plain\r\n"},
      {200, "text/plaiN", "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/plaiN\r\n"},
      {200, "", "HTTP/1.1 200 OK\r\nDate: x\r\n"},
      {299, "a", "HTTP/1.1 299 \r\nDate: x\r\nContent-Type: a\r\n"},
      {200, "a\r\nSet-Cookie: b", "HTTP/1.1 200 OK\r\nDate: x\r\n"},
  };
  Http1HeadBeginning beginning;
  beginning.set_date_line("Date: x\r\n");
  for (const Row& before : rows) {
    for (const Row& row : rows) {
      EXPECT_EQ(beginning.of(before.status, before.type), before.beginning);
      EXPECT_EQ(beginning.of(row.status, row.type), row.beginning);
    }
  }
}

TEST(Http1Head, ANewDateIsSaidAtOnce) {
  Http1HeadBeginning beginning;
  for (const char* date : {"Date: 1\r\n", "Date: 2\r\n", "Date: 2\r\n", "Date: 1\r\n"}) {
    beginning.set_date_line(date);
    EXPECT_EQ(beginning.date_line(), date);
    EXPECT_EQ(beginning.of(200, {}), "HTTP/1.1 200 OK\r\n" + std::string(date));
  }
}

}  // namespace
}  // namespace flagstone::net
