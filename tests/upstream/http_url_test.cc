#include "upstream/http_url.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "upstream/http_proxies.h"

namespace flagstone::upstream {
namespace {

TEST(HttpUrl, TakesApart) {
  const auto url = HttpUrl::parse("HTTPS://Example.COM/x?y=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(HttpUrl::parse("http://[::1]:8080/")->host, "::1");
  EXPECT_EQ(HttpUrl::parse("http://[::1]:8080/")->port, 8080);
  for (const char* text : {"", "x", "/x", "ftp://h/x", "file:///etc/passwd", "http://"}) {
    EXPECT_FALSE(HttpUrl::parse(text)) << text;
  }
}

TEST(HttpUrl, FollowsAndKnowsWhereSecretsMayGo) {
  struct Case {
    std::string from, location, to;
    bool secrets;
  };
  const Case cases[] = {
      {"https://a/x/y", "z", "https://a/x/z", true},
      {"https://a/x/y", "/z?q", "https://a/z?q", true},
      {"https://a/x", "https://A:443/y", "https://A:443/y", true},
      {"https://a/x", "https://b/x", "https://b/x", false},
      {"https://a/x", "https://a:8443/x", "https://a:8443/x", false},
      {"https://a/x", "//b/x", "https://b/x", false},
      {"https://me:pw@a/x", "https://b/x", "https://b/x", false},
      {"http://a/x", "https://a/x", "https://a/x", true},
      {"http://a:81/x", "https://a/x", "https://a/x", false},
      {"https://sub.a/x", "https://a/x", "https://a/x", false},
  };
  for (const Case& c : cases) {
    const auto from = HttpUrl::parse(c.from);
    const auto to = from->follow(c.location);
    ASSERT_TRUE(to) << c.location;
    EXPECT_EQ(HttpUrl::parse(c.to)->url, to->url) << c.location;
    EXPECT_EQ(from->shares_secrets_with(*to), c.secrets) << c.from << " " << c.location;
  }
  EXPECT_FALSE(HttpUrl::parse("https://a/")->follow("file:///etc/passwd"));
}

TEST(HttpProxies, AsTheEnvironmentSays) {
  const auto select = [](std::map<std::string, std::string, std::less<>> variables,
                         std::string_view scheme, std::string_view host) {
    const HttpProxies proxies =
        HttpProxies::from([&](std::string_view name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          if (found == variables.end()) return std::nullopt;
          return found->second;
        });
    const auto proxy = proxies.select(scheme, host);
    return proxy ? proxy->host + ":" + std::to_string(proxy->port) : std::string("direct");
  };
  EXPECT_EQ(select({}, "http", "h"), "direct");
  EXPECT_EQ(select({{"http_proxy", "http://p:3128"}}, "http", "h"), "p:3128");
  EXPECT_EQ(select({{"http_proxy", "p:3128"}}, "http", "h"), "p:3128");
  EXPECT_EQ(select({{"http_proxy", "p:3128"}}, "https", "h"), "direct");
  EXPECT_EQ(select({{"HTTP_PROXY", "p:3128"}}, "http", "h"), "direct");
  EXPECT_EQ(select({{"HTTPS_PROXY", "http://u:pw@p"}}, "https", "h"), "p:1080");
  EXPECT_EQ(select({{"all_proxy", "socks5://p:9"}}, "https", "h"), "p:9");
  const auto with = [&](const std::string& no_proxy, std::string_view host) {
    return select({{"https_proxy", "p:1"}, {"no_proxy", no_proxy}}, "https", host);
  };
  for (const char* list : {"*", "a.example.com", "example.com", ".example.com", "x, example.com"}) {
    EXPECT_EQ(with(list, "a.example.com"), "direct") << list;
  }
  for (const char* list : {"", "xample.com", "b.example.com", "com.", "10.0.0.0/8"}) {
    EXPECT_EQ(with(list, "a.example.com"), "p:1") << list;
  }
  for (const char* list : {"10.1.2.3", "10.0.0.0/8", "10.1.2.0/23", "0.0.0.0/0"}) {
    EXPECT_EQ(with(list, "10.1.2.3"), "direct") << list;
  }
  for (const char* list : {"10.1.2.4", "10.1.2.4/31x", "10.1.3.0/24", "3", "::/0", "10.0.0.0/99"}) {
    EXPECT_EQ(with(list, "10.1.2.3"), "p:1") << list;
  }
  EXPECT_EQ(with("fd00::/8", "fd00::1"), "direct");
}

}  // namespace
}  // namespace flagstone::upstream
