#include "config/address.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

TEST(Address, TakesPathsAndPorts) {
  for (const std::string_view address :
       {"unix:/run/flagstone.sock", "unix:relative.sock", "127.0.0.1:8016", "localhost:0",
        "0.0.0.0:65535", "[::1]:8016", "[::]:8016", "[fe80::1%eth0]:80", "my-host.example_1:1"}) {
    EXPECT_EQ(address_problem(address), std::nullopt) << address;
  }
  EXPECT_EQ(address_problem("unix:" + std::string(107, 'x')), std::nullopt);
}

TEST(Address, SaysWhatIsWrong) {
  struct Row {
    std::string address;
    std::string_view problem;
  };
  for (const Row& row : {
           Row{"", "`` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"8016", "`8016` has no host, write `127.0.0.1:8016`"},
           Row{":8016",
               "`:8016` has no host, write `127.0.0.1:8016`, or `0.0.0.0:8016` for all interfaces"},
           Row{"localhost", "`localhost` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"h:65536", "`h:65536` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"h:", "`h:` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"h:-1", "`h:-1` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"http://h:80", "`http://h:80` is a URL, write only its `HOST:PORT`"},
           Row{"::1:8016", "`::1:8016` has an IPv6 host without brackets, write `[ADDRESS]:PORT`"},
           Row{"a b:1", "`a b:1` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"[]:1", "`[]:1` is not an address, write `HOST:PORT` or `unix:PATH`"},
           Row{"/run/x.sock", "`/run/x.sock` is a path, write `unix:/run/x.sock`"},
           Row{"unix:", "`unix:` needs a path, like `unix:/run/flagstone/flagstone.sock`"},
           Row{"unix:" + std::string(108, 'x'),
               "the socket's path is longer than 107 bytes, which the system does not allow"},
       }) {
    EXPECT_EQ(address_problem(row.address), row.problem) << row.address;
  }
}

TEST(Address, ReachesWildcardsThroughLoopback) {
  EXPECT_EQ(reachable_address("0.0.0.0:8014"), "127.0.0.1:8014");
  EXPECT_EQ(reachable_address("[::]:8014"), "[::1]:8014");
  EXPECT_EQ(reachable_address("10.0.0.1:8014"), "10.0.0.1:8014");
  EXPECT_EQ(reachable_address("unix:/x"), "unix:/x");
}

}  // namespace
}  // namespace flagstone::config
