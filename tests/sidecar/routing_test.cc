#include "sidecar/routing.h"

#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "cache/state_files.h"

namespace flagstone::sidecar {
namespace {

// Environments: 0 `default`, 1 and 2 with credentials; listener 1 is bound to environment 1.
cache::Routes three_environments() {
  cache::Routes routes;
  routes.default_environment = 0;
  routes.by_listener = {std::nullopt, 1};
  (void)add_credential(routes, "key-1", 1);
  (void)add_credential(routes, "key-2", 2);
  return routes;
}

std::expected<std::size_t, RoutingError> environment_of(const cache::Routes& routes,
                                                        const net::Request& request,
                                                        bool may_fall_back) {
  const auto route = find_environment(routes, request, may_fall_back);
  if (!route) return std::unexpected(route.error());
  return route->environment;
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
    EXPECT_EQ(environment_of(routes, request, c.may_fall_back), c.wanted) << c.what;
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
    EXPECT_EQ(environment_of(routes, request, c.may_fall_back), c.wanted) << c.what;
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
    EXPECT_EQ(environment_of(routes, request, c.may_fall_back), c.wanted) << c.what;
  }
}

// Environments of key `k`: 0 with filter `a`, 1 whole, 2 with filter `b`. Of `two`: 3 with `a`, 4
// with `b`. Of `one`: 5 with `a`, 6 with `a` as well. Listener 1 is bound to 2, listener 2 to 6.
cache::Routes filtered_environments() {
  cache::Routes routes;
  routes.filters = {"a", "", "b", "a", "b", "a", "a"};
  routes.by_listener = {std::nullopt, 2, 6};
  EXPECT_EQ(add_credential(routes, "k", 0), std::nullopt);
  EXPECT_EQ(add_credential(routes, "k", 1), 0U);
  EXPECT_EQ(add_credential(routes, "k", 2), 0U);
  (void)add_credential(routes, "two", 3);
  (void)add_credential(routes, "two", 4);
  (void)add_credential(routes, "one", 5);
  EXPECT_EQ(add_credential(routes, "one", 6), 5U);
  return routes;
}

TEST(Routing, APayloadFilterTellsEnvironmentsOfOneKeyApart) {
  using Found = std::expected<FilteredRoute, RoutingError>;
  const auto found = [](std::uint32_t environment, FilterMatch match = FilterMatch::kExact) {
    return Found(FilteredRoute{.route = {.environment = environment}, .match = match});
  };
  const auto refused = [](RoutingError error) { return Found(std::unexpected(error)); };
  struct FilterCase {
    const char* what;
    unsigned listener;
    const char* key;
    const char* filter;
    Found wanted;
  };
  const FilterCase cases[] = {
      {"its own", 0, "k", "b", found(2)},
      {"none asked for", 0, "k", "", found(1)},
      {"the first is found by its own too", 0, "k", "a", found(0)},
      {"unknown, and there is more", 0, "k", "c", found(1, FilterMatch::kUnfiltered)},
      {"unknown, and all have others", 0, "two", "c", refused(RoutingError::kUnknownFilter)},
      {"none asked for, and there are two", 0, "two", "", refused(RoutingError::kFilterNeeded)},
      {"none asked for, and there is one", 0, "one", "", found(5, FilterMatch::kFilteredOnly)},
      {"an unknown key", 0, "no", "a", refused(RoutingError::kUnknownCredential)},
      {"no key", 0, "", "a", refused(RoutingError::kForeignCredential)},
      {"a listener of its own", 1, "k", "b", found(2)},
      {"there, and none asked for", 1, "k", "", found(2, FilterMatch::kFilteredOnly)},
      {"there, and another's", 1, "k", "a", refused(RoutingError::kUnknownFilter)},
      {"there, and another key", 1, "two", "b", refused(RoutingError::kForeignCredential)},
      {"a listener of the second with that filter", 2, "one", "a", found(6)},
  };
  const cache::Routes routes = filtered_environments();
  for (const FilterCase& c : cases) {
    const net::HeaderField header{"authorization", c.key};
    net::Request request;
    request.listener_index = c.listener;
    request.headers = std::span(&header, 1);
    EXPECT_EQ(find_filtered_environment(routes, request, c.filter), c.wanted) << c.what;
  }
}

TEST(Routing, AFilterMayBeOfWhatCouldNotBeReadYet) {
  cache::Routes routes = filtered_environments();
  routes.awaits_credentials = true;
  const net::HeaderField header{"authorization", "two"};
  net::Request request;
  request.headers = std::span(&header, 1);
  for (const char* filter : {"c", ""}) {
    EXPECT_EQ(find_filtered_environment(routes, request, filter),
              std::unexpected(RoutingError::kUnreadCredential))
        << filter;
  }
  EXPECT_TRUE(find_filtered_environment(routes, request, "b").has_value());
}

TEST(Routing, WhoNamesNoFilterGetsTheWholeOrTheFirst) {
  const Case cases[] = {
      {"the whole", 0, {{"x-api-key", "k"}}, true, 1},
      {"the first", 0, {{"x-api-key", "two"}}, true, 3},
      {"events", 0, {{"authorization", "k"}}, false, 1},
      {"a listener of its own", 1, {{"x-api-key", "k"}}, true, 2},
  };
  const cache::Routes routes = filtered_environments();
  for (const Case& c : cases) {
    net::Request request;
    request.listener_index = c.listener;
    request.headers = c.headers;
    EXPECT_EQ(environment_of(routes, request, c.may_fall_back), c.wanted) << c.what;
  }
}

TEST(Routing, AFormerKeyIsKnownAsOneAndMeansWhoeverHasItNow) {
  cache::Routes routes = filtered_environments();
  add_former_credential(routes, "old", 0);
  add_former_credential(routes, "old", 1);
  add_former_credential(routes, "one", 3);  // `a` of `one` is 5 by now.
  routes.former = {{.salt = "s", .hash = cache::credential_hash("s", "older"), .environment = 0},
                   {.salt = "s", .hash = cache::credential_hash("s", "older"), .environment = 1}};
  const std::tuple<const char*, const char*, Route> rows[] = {
      {"old", "a", {.environment = 0, .by_former = true}},
      {"old", "", {.environment = 1, .by_former = true}},
      {"older", "a", {.environment = 0, .by_former = true}},
      {"older", "", {.environment = 1, .by_former = true}},
      {"one", "a", {.environment = 5, .by_former = false}},
  };
  for (const auto& [key, filter, wanted] : rows) {
    const net::HeaderField header{"authorization", key};
    net::Request request;
    request.headers = std::span(&header, 1);
    const auto found = find_filtered_environment(routes, request, filter);
    ASSERT_TRUE(found.has_value()) << key << filter;
    EXPECT_EQ(found->route, wanted) << key << filter;
    if (*filter != 0) continue;
    EXPECT_EQ(find_environment(routes, request), wanted) << key;
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
