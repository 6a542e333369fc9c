#include "sidecar/routing.h"

#include <gtest/gtest.h>

#include <vector>

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

// Environments: 0 `default`, 1 and 2 with credentials; listener 1 is bound to environment 1.
cache::Routes three_environments() {
  cache::Routes routes;
  routes.default_environment = 0;
  routes.by_listener = {std::nullopt, 1};
  routes.by_credential = {{"key-1", 1}, {"key-2", 2}};
  return routes;
}

struct Case {
  const char* what;
  unsigned listener;
  std::vector<net::HeaderField> headers;
  bool may_fall_back;
  std::expected<std::size_t, RoutingError> wanted;
};

TEST(Routing, BindingThenCredentialThenDefault) {
  const Case cases[] = {
      {"nothing names one", 0, {}, true, 0},
      {"bearer", 0, {{"authorization", "Bearer key-2"}}, true, 2},
      {"raw token", 0, {{"authorization", "key-2"}}, true, 2},
      {"api key", 0, {{"x-api-key", "key-1"}}, true, 1},
      {"authorization before api key",
       0,
       {{"x-api-key", "key-1"}, {"authorization", "Bearer key-2"}},
       true,
       2},
      {"unknown credential falls back", 0, {{"authorization", "Bearer no"}}, true, 0},
      {"a vendor's api never falls back",
       0,
       {{"authorization", "no"}},
       false,
       std::unexpected(RoutingError::kUnknownCredential)},
      {"a vendor's api needs a credential",
       0,
       {},
       false,
       std::unexpected(RoutingError::kForeignCredential)},
      {"bound listener", 1, {}, true, 1},
      {"bound listener, own credential", 1, {{"x-api-key", "key-1"}}, true, 1},
      {"bound listener, foreign credential",
       1,
       {{"x-api-key", "key-2"}},
       true,
       std::unexpected(RoutingError::kForeignCredential)},
      {"a listener that came later is unbound", 7, {}, true, 0},
      {"a scheme without a token", 0, {{"authorization", "Bearer "}}, true, 0},
  };
  cache::Routes routes = three_environments();
  for (const Case& c : cases) {
    net::Request request;
    request.listener_index = c.listener;
    request.headers = c.headers;
    EXPECT_EQ(find_environment(routes, request, c.may_fall_back), c.wanted) << c.what;
  }
}

TEST(Routing, WhatIsUnknownMayBeWhatCouldNotBeReadYet) {
  cache::Routes routes = three_environments();
  routes.awaits_credentials = true;
  const Case cases[] = {
      {"unknown",
       0,
       {{"authorization", "no"}},
       false,
       std::unexpected(RoutingError::kUnreadCredential)},
      {"none", 0, {}, false, std::unexpected(RoutingError::kForeignCredential)},
      {"known", 0, {{"authorization", "key-2"}}, false, 2},
      {"known, and the listener is another's",
       1,
       {{"authorization", "key-2"}},
       false,
       std::unexpected(RoutingError::kForeignCredential)},
      {"whoever may fall back does", 0, {{"authorization", "no"}}, true, 0},
  };
  for (const Case& c : cases) {
    net::Request request;
    request.listener_index = c.listener;
    request.headers = c.headers;
    EXPECT_EQ(find_environment(routes, request, c.may_fall_back), c.wanted) << c.what;
  }
}

TEST(Routing, AFormerOneIsKnownByItsHash) {
  cache::Routes routes = three_environments();
  routes.former = {{.salt = "s", .hash = cache::credential_hash("s", "old-1"), .environment = 1},
                   {.salt = "t", .hash = cache::credential_hash("t", "old-2"), .environment = 2},
                   {.salt = "t", .hash = cache::credential_hash("t", "key-1"), .environment = 2}};
  const Case cases[] = {
      {"former", 0, {{"authorization", "old-2"}}, false, 2},
      {"former, where others may fall back", 0, {{"authorization", "old-1"}}, true, 1},
      {"by now another's", 0, {{"authorization", "key-1"}}, false, 1},
      {"a bound listener", 1, {{"authorization", "old-1"}}, false, 1},
      {"a bound listener, and another's former one",
       1,
       {{"authorization", "old-2"}},
       false,
       std::unexpected(RoutingError::kForeignCredential)},
      {"unknown",
       0,
       {{"authorization", "no"}},
       false,
       std::unexpected(RoutingError::kUnknownCredential)},
      {"its hash opens nothing",
       0,
       {{"authorization", routes.former[0].hash}},
       false,
       std::unexpected(RoutingError::kUnknownCredential)},
  };
  for (const Case& c : cases) {
    net::Request request;
    request.listener_index = c.listener;
    request.headers = c.headers;
    EXPECT_EQ(find_environment(routes, request, c.may_fall_back), c.wanted) << c.what;
  }
}

TEST(Routing, SeveralWithoutDefaultAreAmbiguous) {
  cache::Routes routes = three_environments();
  routes.default_environment.reset();
  net::Request request;
  EXPECT_EQ(find_environment(routes, request), std::unexpected(RoutingError::kAmbiguous));
}

}  // namespace
}  // namespace flagstone::sidecar
