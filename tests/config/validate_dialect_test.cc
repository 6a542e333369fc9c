// What only one dialect's sources have is refused in the others', with the remedy.
#include "config/validate_dialect.h"

#include <gtest/gtest.h>

#include <functional>

#include "config/validate.h"

namespace flagstone::config {
namespace {

using Strings = std::vector<std::string>;

Options good() {
  Options options;
  Environment environment;
  environment.name = "payments";
  environment.dialect = "launchdarkly";
  Source source;
  source.uri = "https://sdk.launchdarkly.com";
  source.credential.variable = "LAUNCHDARKLY_SDK_KEY";
  source.launchdarkly.tags = {{"application-id", std::string(kTagBytesMax, 'a')}};
  source.launchdarkly.stream_uri = "http+unix://%2Frun%2Fother.sock";
  source.launchdarkly.wrapper = "platform/1.2";
  environment.sources = {source};
  options.environments = {environment};
  return options;
}

Strings problems_of(const Options& options) {
  Strings lines;
  for (const Problem& problem : validate(options)) lines.push_back(to_string(problem));
  return lines;
}

Source& source_of(Options& options) { return options.environments[0].sources[0]; }

void make_file(Options& options) {
  Source file;
  file.uri = "file:flags.json";
  file.path = "flags.json";
  options.environments[0].sources = {file};
}

TEST(ValidateDialect, TakesWhatIsRight) {
  Options options = good();
  EXPECT_EQ(problems_of(options), Strings{});
  source_of(options).interval = kLaunchDarklyIntervalMin;
  source_of(options).launchdarkly.filter = "checkout-2";
  source_of(options).launchdarkly.protocol = LaunchDarklyProtocol::kFdv2;
  EXPECT_EQ(problems_of(options), Strings{});
  make_file(options);
  EXPECT_EQ(problems_of(options), Strings{});
}

TEST(ValidateDialect, OnlyTheVendorsOwnHostsAreSparedOftenPolls) {
  const std::vector<std::pair<std::string, bool>> rows = {
      {"https://sdk.launchdarkly.com", true}, {"https://sdk.eu.launchdarkly.com:443/x", true},
      {"https://sdk.launchdarkly.us", true},  {"https://launchdarkly.us", true},
      {"https://SDK.LaunchDarkly.COM", true}, {"https://launchdarkly.com.example.org", false},
      {"https://mylaunchdarkly.com", false},  {"https://h/sdk.launchdarkly.com", false},
      {"http://relay:8030", false},           {"https://gateway/flags", false},
  };
  for (const auto& [uri, own] : rows) {
    Options options = good();
    source_of(options).uri = uri;
    source_of(options).interval = Milliseconds(1'000);
    EXPECT_EQ(problems_of(options).size(), own ? 1U : 0U) << uri;
  }
}

TEST(ValidateDialect, ThePayloadFilterIsPartOfWhichSourceItIs) {
  Options options = good();
  options.environments[0].sources.push_back(source_of(options));
  EXPECT_EQ(problems_of(options).size(), 1U);
  options.environments[0].sources[1].launchdarkly.filter = "other";
  EXPECT_EQ(problems_of(options), Strings{});
}

// Each spool is within the state's limit, and all of them together are not.
TEST(ValidateDialect, TheSpoolsTogetherAreWithinTheStatesLimit) {
  Options options = good();
  const auto add = [&options](const char* name) {
    options.environments.push_back(options.environments[0]);
    options.environments.back().name = name;
    options.environments.back().sources[0].credential = {.file = name, .variable = {}, .text = {}};
  };
  for (const char* name : {"b", "c", "d", "e"}) add(name);
  EXPECT_EQ(problems_of(options), Strings{}) << "what is usual is no mistake";
  options.environments[0].events.spool_limit_bytes = 65 * kMiB;
  EXPECT_EQ(problems_of(options),
            Strings{"the events of 5 environments may take 321MiB together, and `state.limit` is "
                    "256MiB: raise it to more than that, or lower `events.spool_limit` of "
                    "`payments` to `e`"});
  options.environments.back().events.spool_limit_bytes = kMiB;
  options.environments[3].events.spool_limit_bytes = 62 * kMiB;
  EXPECT_EQ(problems_of(options), Strings{});
  // What sends no events keeps none.
  options.environments[0].events.spool_limit_bytes = 128 * kMiB;
  EXPECT_EQ(problems_of(options).size(), 1U);
  make_file(options);
  EXPECT_EQ(problems_of(options), Strings{});
}

TEST(ValidateDialect, SdksTellEnvironmentsApartByKeyAndFilter) {
  struct Pair {
    SecretSource key;
    std::string filter, dialect;
    bool refused;
  };
  const SecretSource same = {.file = {}, .variable = "LAUNCHDARKLY_SDK_KEY", .text = {}};
  for (const Pair& other :
       {Pair{same, "f", "launchdarkly", true}, Pair{same, "", "launchdarkly", false},
        Pair{same, "g", "launchdarkly", false},
        Pair{{.file = "k", .variable = {}, .text = {}}, "f", "launchdarkly", false},
        Pair{same, "", "flagd", false}}) {
    Options options = good();
    source_of(options).launchdarkly.filter = "f";
    Environment second = options.environments[0];
    second.name = "second";
    second.dialect = other.dialect;
    second.sources[0].credential = other.key;
    second.sources[0].launchdarkly = {};
    second.sources[0].launchdarkly.filter = other.filter;
    if (other.dialect == "flagd") second.sources[0].uri = "https://h";
    options.environments.push_back(second);
    EXPECT_EQ(problems_of(options),
              other.refused
                  ? Strings{"environments `payments` and `second` have the same SDK key and the "
                            "same `filter`, by which SDKs say which one they mean; give one of "
                            "them another"}
                  : Strings{})
        << other.filter << other.dialect;
    options.environments[0].listen = {"unix:one.sock"};
    options.environments[1].listen = {"unix:two.sock"};
    EXPECT_EQ(problems_of(options), Strings{}) << "their listeners tell them apart";
  }
}

struct Row {
  std::function<void(Options&)> change;
  std::string problem;
};

TEST(ValidateDialect, NamesEveryMistake) {
  const auto only = [](const std::string& key) {
    return "only `dialect: launchdarkly` knows `" + key +
           "`, give the environment that or remove it";
  };
  const auto flagd = [](Options& o) -> LaunchDarklySource& {
    o.environments[0].dialect = "flagd";
    source_of(o).uri = "https://flags.example.com";
    source_of(o).launchdarkly = {};
    return source_of(o).launchdarkly;
  };
  const std::vector<Row> rows = {
      {[&](Options& o) { flagd(o).stream_uri = "https://h"; }, only("stream_uri")},
      {[&](Options& o) { flagd(o).events_uri = "https://h"; }, only("events_uri")},
      {[&](Options& o) { flagd(o).filter = "f"; }, only("filter")},
      {[&](Options& o) { flagd(o).protocol = LaunchDarklyProtocol::kFdv1; }, only("protocol")},
      {[&](Options& o) { flagd(o).streaming = false; }, only("streaming")},
      {[&](Options& o) { flagd(o).wrapper = "w"; }, only("wrapper")},
      {[&](Options& o) { flagd(o).tags = {{"a", "b"}}; }, only("tags")},
      {[&](Options& o) { flagd(o).rotation_grace = Milliseconds(1); }, only("rotation_grace")},
      {[&](Options& o) {
         flagd(o);
         o.environments[0].events.enabled = false;
       },
       only("events")},
      {[&](Options& o) {
         flagd(o);
         source_of(o).uri = "https://sdk.eu.launchdarkly.com";
       },
       "`https://sdk.eu.launchdarkly.com` is LaunchDarkly's, give environment `payments` its "
       "`dialect: launchdarkly` (`--dialect launchdarkly`)"},
      {[&](Options& o) {
         flagd(o).streaming = false;
         o.environments[0].dialect = "launch-darkly";
         o.environments[0].events.enabled = false;
       },
       "unknown dialect `launch-darkly`, known: flagd, launchdarkly"},
      {[](Options& o) { source_of(o).selector = "s"; },
       "LaunchDarkly knows no `selector`, remove it; a payload filter is `filter`"},
      {[](Options& o) { source_of(o).format = DocumentFormat::kYaml; },
       "LaunchDarkly's documents are JSON, remove `format`"},
      {[](Options& o) { o.environments[0].fractional = Fractional::kV1; },
       "only `dialect: flagd` knows `fractional`, remove it"},
      {[](Options& o) { source_of(o).uri = "grpc://h:8015"; },
       "LaunchDarkly's flags come by HTTP or from a file, write `https://sdk.launchdarkly.com` or "
       "`file:PATH`"},
      {[](Options& o) { source_of(o).uri = "https://h?filter=f"; },
       "paths are put behind `uri`, write it without `?` and `#`"},
      {[](Options& o) { source_of(o).uri = "https://h/relay/sdk/latest-all/"; },
       "paths are put behind `uri`, leave the path out: `https://h/relay`"},
      {[](Options& o) { source_of(o).uri = "https://sdk.launchdarkly.com/all"; },
       "paths are put behind `uri`, leave the path out: `https://sdk.launchdarkly.com`"},
      {[](Options& o) { source_of(o).launchdarkly.stream_uri = "https://h/sdk/stream"; },
       "paths are put behind `stream_uri`, leave the path out: `https://h`"},
      {[](Options& o) { source_of(o).launchdarkly.events_uri = "https://h/bulk"; },
       "paths are put behind `events_uri`, leave the path out: `https://h`"},
      {[](Options& o) { source_of(o).uri = "https://Stream.eu.launchdarkly.com:443"; },
       "no flags are polled from `https://Stream.eu.launchdarkly.com:443`, write "
       "`https://sdk.eu.launchdarkly.com:443`: where they are streamed from follows from it"},
      {[](Options& o) { source_of(o).credential = {}; },
       "the LaunchDarkly source of environment `payments` needs an SDK key, give `credential_file` "
       "or `credential_env`"},
      {[](Options& o) { source_of(o).interval = Milliseconds(29'999); },
       "`interval` is 29999ms, it must be at least 30s"},
      {[](Options& o) { source_of(o).launchdarkly.stream_uri = "grpc://h:1"; },
       "LaunchDarkly speaks HTTP, write `https://HOST`"},
      {[](Options& o) { source_of(o).launchdarkly.events_uri = "https:///x"; },
       "`https:///x` has no host, write `https://HOST/PATH`"},
      {[](Options& o) { source_of(o).launchdarkly.filter = "-f"; },
       "`-f` is not the key of a payload filter: a letter or digit, then letters, digits, `.`, `_` "
       "and `-`"},
      {[](Options& o) { source_of(o).launchdarkly.wrapper = "a\nb"; },
       "`wrapper` must be one line of ASCII, write `NAME/VERSION`"},
      {[](Options& o) {
         source_of(o).launchdarkly.tags = {{"id", std::string(kTagBytesMax + 1, 'a')}};
       },
       "the tag `id` and its value must be made of 1 to 64 letters, digits, `.`, `_` and `-`"},
      {[](Options& o) { source_of(o).launchdarkly.tags = {{"id", "a b"}}; },
       "the tag `id` and its value must be made of 1 to 64 letters, digits, `.`, `_` and `-`"},
      {[](Options& o) { o.environments[0].events.flush_interval = Milliseconds(99); },
       "`flush_interval` is 99ms, it must be at least 100ms"},
      {[](Options& o) { o.environments[0].events.batch_bytes = 9 * kMiB; },
       "`batch_bytes` is 9MiB, it must be at most 8MiB"},
      {[](Options& o) { o.state.limit_bytes = 32 * kMiB; },
       "`spool_limit` is 64MiB, it must be at most 32MiB"},
      {[](Options& o) { o.environments[0].events.spool_limit_bytes = kKiB; },
       "`spool_limit` is 1KiB, it must be at least 1MiB"},
      {[](Options& o) {
         o.environments[0].events.private_attributes = {"email", "/a~1b/c~0", "/a/0", ""};
       },
       "`` is no attribute, write a name (`email`) or a path (`/address/street`, a slash in a name "
       "as `~1`, a tilde as `~0`)"},
      {[](Options& o) { o.environments[0].events.private_attributes = {"/a~2"}; },
       "`/a~2` is no attribute, write a name (`email`) or a path (`/address/street`, a slash in a "
       "name as `~1`, a tilde as `~0`)"},
      {[](Options& o) { o.environments[0].events.private_attributes = {"/key"}; },
       "`/key` cannot be private, for it says which context it is: remove it"},
      {[](Options& o) {
         o.environments[0].events.private_attributes.assign(kPrivateAttributesMax + 1, "a");
       },
       "there are more than 64, write `all_attributes_private: true` instead"},
      {[&](Options& o) {
         flagd(o);
         o.environments[0].events.omit_anonymous_contexts = true;
       },
       only("events")},
      {[](Options& o) { source_of(o).launchdarkly.rotation_grace = std::chrono::hours(721); },
       "`rotation_grace` is 721h, it must be at most 720h"},
      {[](Options& o) {
         make_file(o);
         source_of(o).launchdarkly.streaming = false;
       },
       "a file needs no `streaming`, remove it"},
      {[](Options& o) { source_of(o).proxy = "socks5://h:1"; },
       "`socks5://h:1` is no HTTP proxy, write `http://HOST:PORT`"},
      {[](Options& o) { source_of(o).proxy = "http://user:word@h:1"; },
       "the proxy's user and password belong into the variable `https_proxy` or `http_proxy`, "
       "write "
       "them there and remove `proxy`"},
      {[](Options& o) {
         make_file(o);
         source_of(o).proxy = "http://h:1";
       },
       "this source goes through no proxy, remove `proxy`"},
  };
  for (const Row& row : rows) {
    Options options = good();
    row.change(options);
    EXPECT_EQ(problems_of(options), Strings{row.problem});
  }
}

}  // namespace
}  // namespace flagstone::config
