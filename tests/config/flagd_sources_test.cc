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
  result.sources = read_flagd_sources(json, problems, result.warnings);
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
               {"--sources: source 1: has no `provider`, known: file, fsnotify, fileinfo, http"}},
           Row{R"([{"uri": "h:1", "provider": "grpc"}])",
               {"--sources: source 1: provider `grpc` is not supported yet, known: file, http"}},
           Row{R"([{"uri": "ns/name", "provider": "kubernetes"}])",
               {"--sources: source 1: provider `kubernetes` is not supported yet, known: file, "
                "http"}},
           Row{R"([{"uri": "s3://b/o", "provider": "s3"}])",
               {"--sources: source 1: provider `s3` is not supported, give the object's https: "
                "address"}},
           Row{R"([{"uri": "x", "provider": "fiel"}])",
               {"--sources: source 1: unknown provider `fiel`, known: file, fsnotify, fileinfo, "
                "http"}},
           Row{R"([{"uri": "x", "provider": "file"}, {"uri": "x.json", "provider": "http"}])",
               {"--sources: source 2: provider `http` needs an http: or https: URI"}},
           Row{R"([{"uri": "https://h", "provider": "http", "interval": "30s"}])",
               {"--sources: source 1: `interval` takes whole seconds from 0 to 86400"}},
           Row{R"([{"uri": "https://h", "provider": "http", "timeoutS": -1}])",
               {"--sources: source 1: `timeoutS` takes whole seconds from 0 to 86400"}},
           Row{R"([{"uri": "https://h", "provider": "http", "oauth": {}}])",
               {"--sources: source 1: `oauth` is not supported yet, name a token in a file with "
                "`--credential-file`"}},
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
  const Read result =
      read(R"([{"uri": "x", "provider": "file", "tls": true, "intervall": 3, "certPath": "/c"}])");
  EXPECT_EQ(result.problems, Strings{});
  EXPECT_EQ(result.warnings,
            (Strings{"--sources: source 1: `tls` is not used for files and http, it is ignored",
                     "--sources: source 1: unknown key `intervall` is ignored, did you mean "
                     "`interval`?",
                     "--sources: source 1: `certPath` is not used for files and http, it is "
                     "ignored"}));
}

}  // namespace
}  // namespace flagstone::config
