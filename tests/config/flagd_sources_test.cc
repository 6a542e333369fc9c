#include "config/flagd_sources.h"

#include <gtest/gtest.h>

namespace flagstone::config {
namespace {

using Strings = std::vector<std::string>;

struct Read {
  std::vector<Source> sources;
  Strings problems;
  Strings warnings;
};

Read read(std::string_view json) {
  Read result;
  ProblemList problems;
  const Origin origin{.kind = Origin::Kind::kOption, .name = "--sources", .line = 0};
  result.sources = read_flagd_sources(json, origin, problems, result.warnings);
  for (const Problem& problem : problems) {
    EXPECT_EQ(problem.exit_code, kExitUsage);
    result.problems.push_back(to_string(problem));
  }
  return result;
}

constexpr std::string_view kArgvWarning =
    "--sources: source 1: a credential on the command line can be read by every process of this "
    "user, name a file with `credential_file` instead";

TEST(FlagdSources, ReadsFilesAndHttp) {
  const Read result = read(R"([
    {"uri": "config/samples/flags.json", "provider": "file"},
    {"uri": "/etc/flags.json", "provider": "fsnotify"},
    {"uri": "file:b.json", "provider": "fileinfo", "interval": 0},
    {"uri": "https://h/flags", "provider": "http", "interval": 7, "timeoutS": 3,
     "selector": "flagSetId=web"},
    {"uri": "http://h/flags", "provider": "http"}])");
  EXPECT_EQ(result.problems, Strings{});
  EXPECT_EQ(result.warnings, Strings{});
  ASSERT_EQ(result.sources.size(), 5U);
  EXPECT_EQ(result.sources[0].uri, "file:config/samples/flags.json");
  EXPECT_EQ(result.sources[0].path, "config/samples/flags.json");
  EXPECT_EQ(result.sources[1].path, "/etc/flags.json");
  EXPECT_EQ(result.sources[2].path, "b.json");
  EXPECT_EQ(result.sources[3].interval, Milliseconds(7'000));
  EXPECT_EQ(result.sources[3].timeout, Milliseconds(3'000));
  EXPECT_EQ(result.sources[3].selector, "flagSetId=web");
  EXPECT_FALSE(result.sources[3].is_file());
  EXPECT_EQ(result.sources[4].interval, Milliseconds(5'000));  // flagd's default.
  EXPECT_EQ(result.sources[4].timeout, Milliseconds(30'000));
}

TEST(FlagdSources, ReadsCredentials) {
  Read result = read(R"([{"uri": "https://h", "provider": "http", "bearerToken": "t"}])");
  EXPECT_EQ(result.problems, Strings{});
  EXPECT_EQ(result.sources.at(0).credential.text.reveal(), "t");
  EXPECT_EQ(result.warnings, Strings{std::string(kArgvWarning)});

  result = read(R"([{"uri": "https://h", "provider": "http", "authHeader": "Bearer t"}])");
  EXPECT_EQ(result.sources.at(0).credential.text.reveal(), "t");
  EXPECT_TRUE(result.sources.at(0).headers.empty());

  result = read(R"([{"uri": "https://h", "provider": "http", "authHeader": "Basic dDp0",
                    "headers": {"X-Key": "k"}}])");
  EXPECT_TRUE(result.sources.at(0).credential.empty());
  ASSERT_EQ(result.sources.at(0).headers.size(), 2U);
  EXPECT_EQ(result.sources.at(0).headers[0].name, "Authorization");
  EXPECT_EQ(result.sources.at(0).headers[0].value.text.reveal(), "Basic dDp0");
  EXPECT_EQ(result.sources.at(0).headers[1].value.text.reveal(), "k");

  result =
      read(R"([{"uri": "https://h", "provider": "http", "authHeader": "", "bearerToken": ""}])");
  EXPECT_TRUE(result.sources.at(0).credential.empty());
  EXPECT_EQ(result.warnings, Strings{});
}

// As flagd does, whichever of the two is written first.
TEST(FlagdSources, AuthHeaderOutranksBearerToken) {
  const Strings warnings = {
      "--sources: source 1: `bearerToken` is ignored beside `authHeader`, keep one",
      std::string(kArgvWarning)};
  for (const std::string_view both : {R"("bearerToken": "a", "authHeader": "Bearer b")",
                                      R"("authHeader": "Bearer b", "bearerToken": "a")"}) {
    const Read result =
        read(R"([{"uri": "https://h", "provider": "http", )" + std::string(both) + "}]");
    EXPECT_EQ(result.problems, Strings{});
    EXPECT_EQ(result.warnings, warnings);
    EXPECT_EQ(result.sources.at(0).credential.text.reveal(), "b");
    EXPECT_TRUE(result.sources.at(0).headers.empty());
  }
  // Another scheme leaves no credential that would be sent as a second `Authorization`.
  const Read basic = read(R"([{"uri": "https://h", "provider": "http", "bearerToken": "a",
                              "authHeader": "Basic dDp0"}])");
  EXPECT_EQ(basic.problems, Strings{});
  EXPECT_EQ(basic.warnings, warnings);
  EXPECT_TRUE(basic.sources.at(0).credential.empty());
  ASSERT_EQ(basic.sources.at(0).headers.size(), 1U);
  EXPECT_EQ(basic.sources.at(0).headers[0].value.text.reveal(), "Basic dDp0");
}

TEST(FlagdSources, SaysWhatItCannotDo) {
  struct Row {
    std::string_view json;
    Strings problems;
  };
  for (const Row& row : {
           Row{R"({"uri": "x"})",
               {"--sources: must be a JSON array, like "
                "`[{\"uri\":\"flags.json\",\"provider\":\"file\"}]`"}},
           Row{"",
               {"--sources: must be a JSON array, like "
                "`[{\"uri\":\"flags.json\",\"provider\":\"file\"}]`"}},
           Row{R"(["x"])", {"--sources: source 1: must be an object, not text"}},
           Row{R"([{"uri": "x"}])",
               {"--sources: source 1: has no `provider`, known: file, fsnotify, fileinfo, http, "
                "grpc, kubernetes"}},
           Row{R"([{"uri": "h:1", "provider": "grpc", "tls": "maybe"}])",
               {"--sources: source 1: `tls`: `maybe` is none of true, false"}},
           Row{R"([{"uri": "h:1", "provider": "grpc", "maxMsgSize": "big"}])",
               {"--sources: source 1: `maxMsgSize`: `big` is not a whole number with a unit, write "
                "it like `64MiB`"}},
           Row{R"([{"uri": "s3://b/o", "provider": "s3"}])",
               {"--sources: source 1: provider `s3` is not supported, give the object's https: "
                "address"}},
           Row{R"([{"uri": "x", "provider": "fiel"}])",
               {"--sources: source 1: unknown provider `fiel`, known: file, fsnotify, fileinfo, "
                "http, grpc, kubernetes"}},
           Row{R"([{"uri": "x", "provider": "file"}, {"uri": "x.json", "provider": "http"}])",
               {"--sources: source 2: provider `http` needs an http: or https: URI"}},
           Row{R"([{"uri": "https://h", "provider": "http", "interval": "30s"}])",
               {"--sources: source 1: `interval` takes whole seconds from 0 to 86400"}},
           Row{R"([{"uri": "https://h", "provider": "http", "timeoutS": -1}])",
               {"--sources: source 1: `timeoutS` takes whole seconds from 0 to 86400"}},
           Row{R"([{"uri": "https://h", "provider": "http", "oauth": {}}])",
               {"--sources: source 1: `oauth` is not supported, have the token written into a file "
                "and name it with `credential_file`"}},
           Row{R"([{"uri": "https://h", "provider": "http", "headers": []}])",
               {"--sources: source 1: `headers` takes a map, not a list"}},
           Row{R"([{"uri": [], "provider": "file"}])",
               {"--sources: source 1: `uri` takes one value, not a list"}},
       }) {
    EXPECT_EQ(read(row.json).problems, row.problems) << row.json;
  }
  EXPECT_EQ(read(R"([{"uri": "x")").problems.size(), 1U);
}

TEST(FlagdSources, WarnsAboutWhatItLeavesOut) {
  const Read result = read(
      R"([{"uri": "x", "provider": "file", "tls": true, "intervall": 3, "certPath": "/c",
           "intervalSeed": "s", "authHeader": "Bearer canary", "providerID": "p"}])");
  EXPECT_EQ(result.problems, Strings{});
  EXPECT_EQ(result.warnings,
            (Strings{"--sources: source 1: unknown key `intervall` is ignored, did you mean "
                     "`interval`?",
                     "--sources: source 1: `intervalSeed` is ignored, it changes nothing here",
                     "--sources: source 1: `certPath` is ignored, this source speaks no gRPC over "
                     "TLS",
                     "--sources: source 1: credentials and headers are ignored, this kind of "
                     "source has no use for them"}));
  EXPECT_TRUE(result.sources.at(0).credential.empty());
  EXPECT_TRUE(result.sources.at(0).provider_id.empty());
}

TEST(FlagdSources, ReadsGrpcAndKubernetes) {
  struct Row {
    std::string_view json, uri, ca_file;
  };
  for (const Row& row : {
           Row{R"("uri": "h:8015", "provider": "grpc")", "grpc://h:8015", ""},
           Row{R"("uri": "h:8015", "provider": "grpc", "tls": false, "certPath": "")",
               "grpc://h:8015", ""},
           Row{R"("uri": "h:8015", "provider": "grpc", "tls": true, "certPath": "/ca")",
               "grpcs://h:8015", "/ca"},
           Row{R"("certPath": "/ca", "tls": true, "provider": "grpc", "uri": "grpc://h:1")",
               "grpcs://h:1", "/ca"},
           Row{R"("uri": "grpcs://h:1", "provider": "grpc", "certPath": "/ca")", "grpcs://h:1",
               "/ca"},
           Row{R"("uri": "unix:///run/s", "provider": "grpc")", "unix:///run/s", ""},
           Row{R"("uri": "dns:h:1", "provider": "grpc")", "dns:h:1", ""},
           Row{R"("uri": "dns:///h:1", "provider": "grpc")", "dns:///h:1", ""},
           Row{R"("uri": "dns:///h:1", "provider": "grpc", "tls": true)", "grpcs://h:1", ""},
           Row{R"("uri": "xds:///h", "provider": "grpc")", "xds:///h", ""},
           Row{R"("uri": "ns/name", "provider": "kubernetes")", "core.openfeature.dev/ns/name", ""},
           Row{R"("uri": "core.openfeature.dev/ns/name", "provider": "kubernetes")",
               "core.openfeature.dev/ns/name", ""},
       }) {
    const Read result = read("[{" + std::string(row.json) + "}]");
    EXPECT_EQ(result.problems, Strings{}) << row.json;
    EXPECT_EQ(result.warnings, Strings{}) << row.json;
    EXPECT_EQ(result.sources.at(0).uri, row.uri) << row.json;
    EXPECT_EQ(result.sources.at(0).ca_file, row.ca_file) << row.json;
    EXPECT_FALSE(result.sources.at(0).is_file());
  }
  const Read proxied = read(
      R"([{"uri": "proxy:8015", "provider": "grpc", "providerID": "pod", "maxMsgSize": 5000000,
           "selector": "core.openfeature.dev/ns/name", "bearerToken": "t"}])");
  EXPECT_EQ(proxied.problems, Strings{});
  EXPECT_EQ(proxied.sources.at(0).provider_id, "pod");
  EXPECT_EQ(proxied.sources.at(0).max_document_bytes, 5'000'000U);
  EXPECT_EQ(proxied.sources.at(0).selector, "core.openfeature.dev/ns/name");
  EXPECT_EQ(proxied.sources.at(0).credential.text.reveal(), "t");
}

// Only the command line can be read by others.
TEST(FlagdSources, AVariableMayHoldACredential) {
  ProblemList problems;
  Strings warnings;
  const Origin origin{.kind = Origin::Kind::kVariable, .name = "FLAGD_SOURCES", .line = 0};
  read_flagd_sources(R"([{"uri": "https://h", "provider": "http", "bearerToken": "t"}])", origin,
                     problems, warnings);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(warnings, Strings{});
  read_flagd_sources("x", origin, problems, warnings);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where, "FLAGD_SOURCES");
}

}  // namespace
}  // namespace flagstone::config
