#include "cache/staleness.h"

#include <gtest/gtest.h>

#include <vector>

namespace flagstone::cache {
namespace {

struct Case {
  const char* name;
  SourceFacts facts;
  std::int64_t now_ms;
  bool stale;
  std::optional<std::int64_t> stale_at_ms;
};

SourceFacts poll(std::int64_t interval_ms, std::optional<std::int64_t> last_contact_ms) {
  SourceFacts facts;
  facts.interval_ms = interval_ms;
  facts.last_contact_ms = last_contact_ms;
  return facts;
}

SourceFacts stream(std::optional<std::int64_t> disconnected_since_ms) {
  SourceFacts facts;
  facts.kind = SourceKind::kStream;
  facts.disconnected_since_ms = disconnected_since_ms;
  return facts;
}

SourceFacts from(Origin origin, SourceFacts facts) {
  facts.origin = origin;
  return facts;
}

SourceFacts file(bool readable) {
  SourceFacts facts;
  facts.kind = SourceKind::kFile;
  facts.readable = readable;
  return facts;
}

TEST(StalenessTest, Rules) {
  const std::vector<Case> cases = {
      {"fresh poll", poll(30'000, 0), 0, false, 90'001},
      {"three intervals", poll(30'000, 1000), 91'000, false, 91'001},
      {"past three intervals", poll(30'000, 1000), 91'001, true, std::nullopt},
      {"short intervals have a minute", poll(1000, 0), 60'000, false, 60'001},
      {"and no more", poll(1000, 0), 60'001, true, std::nullopt},
      {"never contacted", poll(1000, std::nullopt), 0, true, std::nullopt},
      {"state, however fresh", from(Origin::kState, poll(30'000, 0)), 0, true, std::nullopt},
      {"bootstrap", from(Origin::kBootstrap, stream(std::nullopt)), 0, true, std::nullopt},
      {"connected", stream(std::nullopt), 1'000'000, false, std::nullopt},
      {"just disconnected", stream(5000), 65'000, false, 65'001},
      {"disconnected over a minute", stream(5000), 65'001, true, std::nullopt},
      {"file", file(true), 0, false, std::nullopt},
      {"unreadable file", file(false), 0, true, std::nullopt},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(is_stale(c.facts, c.now_ms), c.stale) << c.name;
    EXPECT_EQ(stale_at_ms(c.facts, c.now_ms), c.stale_at_ms) << c.name;
  }
}

}  // namespace
}  // namespace flagstone::cache
