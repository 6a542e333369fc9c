#include "net/router.h"

#include <gtest/gtest.h>

#include "net/percent.h"
#include "tests/fakes/net/recording_response.h"

namespace flagstone::net {
namespace {

class Api {
 public:
  void one(const Request&, std::string_view parameter, Response& response) {
    response.body().append("one:").append(parameter);
    response.send(200, {});
  }
  void all(const Request&, std::string_view parameter, Response& response) {
    response.body().append("all:").append(parameter);
    response.send(200, {});
  }
  void shape(const Refusal& refusal, const Request&, Response& response) {
    response.body().append("{\"error\":").append(std::to_string(refusal.status)).append("}");
    response.send(refusal.status, "application/json", refusal.headers);
  }
};

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router.add<&Api::one>(Method::kPost, "/v1/flags/{key}", api);
    router.add<&Api::all>(Method::kPost, "/v1/flags", api);
    router.add<&Api::all>(Method::kGet, "/healthz", api);
    router.add<&Api::all>(Method::kPost, "/healthz", api);
    router.add<&Api::all>(Method::kPost, "/v1/flags/special", api);
    router.add<&Api::all>(Method::kOptions, "/v1/flags", api);
    router.set_refusals<&Api::shape>("/v1/", api);
  }
  RecordingResponse ask(Method method, std::string_view path) {
    RecordingResponse response;
    Request request;
    request.method = method;
    request.path = path;
    router.handle(request, response);
    EXPECT_EQ(response.sends, 1);
    return response;
  }
  Api api;
  Router router;
};

TEST_F(RouterTest, FindsTheRoute) {
  struct Row {
    Method method;
    const char* path;
    int status;
    const char* body;
  };
  const Row rows[] = {
      {Method::kPost, "/v1/flags", 200, "all:"},
      {Method::kPost, "/v1/flags/a", 200, "one:a"},
      {Method::kPost, "/v1/flags/special", 200, "all:"},
      {Method::kPost, "/v1/flags/a%2Fb%20c", 200, "one:a/b c"},
      {Method::kPost, "/v1/flags/a+b", 200, "one:a+b"},
      {Method::kPost, "/v1/flags/%F0%9F%9A%80", 200, "one:\xF0\x9F\x9A\x80"},
      {Method::kPost, "/v1/flags/", 404, "{\"error\":404}"},
      {Method::kPost, "/v1/flags/a/b", 404, "{\"error\":404}"},
      {Method::kPost, "/v1/flagsx", 404, "{\"error\":404}"},
      {Method::kPost, "/v1/flags/a%2", 400, "{\"error\":400}"},
      {Method::kPost, "/v1/flags/%zz", 400, "{\"error\":400}"},
      {Method::kPost, "/v1/flags/%", 400, "{\"error\":400}"},
      {Method::kGet, "/v1/flags/a", 405, "{\"error\":405}"},
      {Method::kOptions, "/v1/flags", 200, "all:"},
      {Method::kOptions, "/v1/flags/a", 405, "{\"error\":405}"},
      {Method::kGet, "/healthz", 200, "all:"},
      {Method::kHead, "/healthz", 200, "all:"},
      {Method::kDelete, "/healthz", 405, "this path does not take that method\n"},
      {Method::kOther, "/healthz", 405, "this path does not take that method\n"},
      {Method::kGet, "/nothing", 404, "there is nothing at this path\n"},
      {Method::kGet, "", 404, "there is nothing at this path\n"},
      {Method::kOptions, "*", 404, "there is nothing at this path\n"},
  };
  // Each behind each other, and behind itself: what was asked before decides nothing.
  for (const Row& before : rows) {
    for (const Row& row : rows) {
      ask(before.method, before.path);
      for (int i = 0; i < 2; ++i) {
        const RecordingResponse response = ask(row.method, row.path);
        EXPECT_EQ(response.status, row.status) << row.path;
        EXPECT_EQ(response.text, row.body) << row.path;
      }
    }
  }
}

TEST_F(RouterTest, ARouteAddedLaterIsFoundWhereAPatternWasBefore) {
  EXPECT_EQ(ask(Method::kPost, "/v1/flags/new").text, "one:new");
  router.add<&Api::all>(Method::kPost, "/v1/flags/new", api);
  EXPECT_EQ(ask(Method::kPost, "/v1/flags/new").text, "all:");
}

TEST_F(RouterTest, PathsTooLongToBeRememberedAreFound) {
  for (const std::size_t size : {502u, 503u, 2000u}) {
    const std::string key(size, 'k');
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(ask(Method::kPost, "/v1/flags/" + key).text, "one:" + key);
      EXPECT_EQ(ask(Method::kPost, "/v1/flags/a").text, "one:a");
    }
  }
}

TEST_F(RouterTest, EachOfManyPathsIsFound) {
  const auto path = [](int i) { return "/flagd.evaluation.v1.Service/Method" + std::to_string(i); };
  constexpr int kPaths = 100;
  for (int i = 0; i < kPaths; ++i) router.add<&Api::all>(Method::kPost, path(i), api);
  for (int i = 0; i < kPaths; ++i) EXPECT_EQ(ask(Method::kPost, path(i)).status, 200) << i;
  EXPECT_EQ(ask(Method::kPost, path(kPaths)).status, 404);
  EXPECT_EQ(ask(Method::kPost, "/v1/flags/a").text, "one:a");
}

TEST_F(RouterTest, SaysWhatIsAllowed) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ask(Method::kGet, "/v1/flags/a").headers, (Fields{{"Allow", "POST"}}));
  EXPECT_EQ(ask(Method::kDelete, "/healthz").headers, (Fields{{"Allow", "GET, HEAD, POST"}}));
}

TEST_F(RouterTest, TheLongestRefusalPrefixWins) {
  class Inner {
   public:
    void shape(const Refusal& refusal, const Request&, Response& response) {
      response.body() = "inner";
      response.send(refusal.status, {});
    }
  } inner;
  router.set_refusals<&Inner::shape>("/v1/flags/", inner);
  EXPECT_EQ(ask(Method::kPost, "/v1/flags/a/b").text, "inner");
  EXPECT_EQ(ask(Method::kPost, "/v1/other").text, "{\"error\":404}");
}

TEST(Percent, FindsQueryParameters) {
  EXPECT_EQ(query_parameter("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(query_parameter("a=1&b=2&a=3", "b"), "2");
  EXPECT_EQ(query_parameter("a&b", "b"), "");
  EXPECT_EQ(query_parameter("a=x=y", "a"), "x=y");
  EXPECT_EQ(query_parameter("ab=1", "a"), std::nullopt);
  EXPECT_EQ(query_parameter("", "a"), std::nullopt);
  EXPECT_EQ(query_parameter("&&c=", "c"), "");
}

}  // namespace
}  // namespace flagstone::net
