#include "upstream/flagd_sync_place.h"

#include <gtest/gtest.h>

#include <string>

namespace flagstone::upstream {
namespace {

TEST(FlagdSyncPlaceTest, WhereUrisLead) {
  struct Case {
    std::string uri;
    std::string url;
    std::string unix_socket = {};
  };
  const Case cases[] = {
      {"grpc://flags:8015", "http://flags:8015"},
      {"grpc://flags:8015/", "http://flags:8015"},
      {"grpc://flags", "http://flags:8015"},
      {"GRPC://flags:1", "http://flags:1"},
      {"grpc://[::1]:9", "http://[::1]:9"},
      {"grpc://[::1]", "http://[::1]:8015"},
      {"grpcs://flags:8015", "https://flags:8015"},
      {"grpcs://flags", "https://flags"},
      {"dns:flags:8015", "http://flags:8015"},
      {"dns:///flags:8015", "http://flags:8015"},
      {"unix:/run/flagd.sock", "http://localhost", "/run/flagd.sock"},
      {"unix:///run/flagd.sock", "http://localhost", "/run/flagd.sock"},
      {"unix:flagd.sock", "http://localhost", "flagd.sock"},
      {"uds:/run/flagd.sock", "http://localhost", "/run/flagd.sock"},
      {"grpc+unix://%2Frun%2Fa%20b.sock", "http://localhost", "/run/a b.sock"},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(is_sync_uri(c.uri)) << c.uri;
    const auto place = sync_place(c.uri);
    ASSERT_TRUE(place) << c.uri << ": " << place.error();
    EXPECT_EQ(place->url, c.url) << c.uri;
    EXPECT_EQ(place->unix_socket, c.unix_socket) << c.uri;
  }
}

TEST(FlagdSyncPlaceTest, WhatCannotBeUsedIsNamed) {
  struct Case {
    std::string uri;
    std::string message;
  };
  const Case cases[] = {
      {"grpc:flags:8015", "write `grpc://`"},
      {"grpc://", "no host"},
      {"grpc://flags:8015/path", "a path is no part of it"},
      {"grpc://flags:port", "no host and port"},
      {"grpcs://me:pw@flags:1", "a credential is"},
      {"dns://8.8.8.8/flags:8015", "name server"},
      {"unix:", "no socket"},
      {"unix://host/run/x", "a host, not a path"},
      {"unix:/" + std::string(120, 'x'), "longer"},
      {"grpc+unix://%2", "percent"},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(is_sync_uri(c.uri)) << c.uri;
    const auto place = sync_place(c.uri);
    ASSERT_FALSE(place) << c.uri;
    EXPECT_NE(place.error().find(c.message), std::string::npos) << place.error();
  }
}

TEST(FlagdSyncPlaceTest, OtherUrisAreOthers) {
  for (const char* uri : {"http://x", "https://x", "file:x", "http+unix://%2Fx", "", "xds:x"}) {
    EXPECT_FALSE(is_sync_uri(uri)) << uri;
  }
}

}  // namespace
}  // namespace flagstone::upstream
