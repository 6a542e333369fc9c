#include "config/file.h"

#include <gtest/gtest.h>

#include "config/validate.h"

namespace flagstone::config {
namespace {

struct Read {
  Options options;
  std::vector<std::string> problems;
};

Read read(std::string_view text, const std::string& file_name = "f.yaml") {
  Read result;
  ProblemList problems;
  read_config_text(text, file_name, result.options, problems);
  for (const Problem& problem : problems) {
    EXPECT_EQ(problem.exit_code, kExitContent);
    result.problems.push_back(to_string(problem));
  }
  return result;
}

TEST(File, ReadsTheContract) {
  const Read result = read(R"(
listen: ["unix:/run/flagstone/flagstone.sock", "127.0.0.1:8016"]
admin: "127.0.0.1:9014"
environments:
  payments:
    sources: [{uri: "https://flags.example.com/payments.json"}]
    listen: "127.0.0.1:8116"
    optional: true
    confirm_shrink: 5
    fractional: v1
  default:
    dialect: flagd
    sources:
      - {uri: "https://flags.example.com/prod.json", interval: 10s, timeout: 5s,
         credential_file: /run/secrets/flags-token, selector: "flagSetId=web",
         headers: {X-Team: search, X-Key: {file: key.txt}, X-Env: {env: KEY}}}
      - {uri: "file:local.json", optional: true, shrink_guard: true, format: yaml,
         max_document_bytes: 1MiB}
    pins: pins.yaml
    bootstrap: /etc/flagstone/bootstrap.json
    accept: [{file: /run/secrets/app}, {env: APP_TOKEN}]
cache: {memory_limit: 32MiB, max_document_bytes: 16MiB}
state: {dir: state, limit: 1GiB}
serving_threads: 2
request_header_limit: 32KiB
request_body_limit: 2MB
max_connections: 10
shutdown_delay: 1s
drain_time: 2s
startup_wait: 3s
allowed_hosts: [flags.internal]
allowed_origins: ["https://app.example.com"]
log_level: debug
log_format: json
)",
                           "/etc/flagstone/f.yaml");
  ASSERT_EQ(result.problems, std::vector<std::string>{});
  const Options& o = result.options;
  EXPECT_EQ(o.listen,
            (std::vector<std::string>{"unix:/run/flagstone/flagstone.sock", "127.0.0.1:8016"}));
  EXPECT_EQ(o.admin, "127.0.0.1:9014");
  ASSERT_EQ(o.environments.size(), 2U);  // Ordered by name.
  const Environment& first = o.environments[0];
  EXPECT_EQ(first.name, "default");
  EXPECT_EQ(first.pins, "/etc/flagstone/pins.yaml");
  EXPECT_EQ(first.bootstrap, "/etc/flagstone/bootstrap.json");
  ASSERT_EQ(first.accept.size(), 2U);
  EXPECT_EQ(first.accept[0].file, "/run/secrets/app");
  EXPECT_EQ(first.accept[1].variable, "APP_TOKEN");
  ASSERT_EQ(first.sources.size(), 2U);
  const Source& poll = first.sources[0];
  EXPECT_FALSE(poll.is_file());
  EXPECT_EQ(poll.interval, Milliseconds(10'000));
  EXPECT_EQ(poll.timeout, Milliseconds(5'000));
  EXPECT_EQ(poll.credential.file, "/run/secrets/flags-token");
  EXPECT_EQ(poll.selector, "flagSetId=web");
  EXPECT_TRUE(poll.guards_shrinking());
  ASSERT_EQ(poll.headers.size(), 3U);
  EXPECT_EQ(poll.headers[0].value.text.reveal(), "search");
  EXPECT_EQ(poll.headers[1].value.file, "/etc/flagstone/key.txt");
  EXPECT_EQ(poll.headers[2].value.variable, "KEY");
  const Source& file = first.sources[1];
  EXPECT_EQ(file.uri, "file:local.json");
  EXPECT_EQ(file.path, "/etc/flagstone/local.json");
  EXPECT_TRUE(file.optional);
  EXPECT_TRUE(file.guards_shrinking());
  EXPECT_EQ(file.format, DocumentFormat::kYaml);
  EXPECT_EQ(file.max_document_bytes, kMiB);
  const Environment& second = o.environments[1];
  EXPECT_EQ(second.listen, std::vector<std::string>{"127.0.0.1:8116"});
  EXPECT_TRUE(second.optional);
  EXPECT_EQ(second.confirm_shrink, 5U);
  EXPECT_EQ(second.fractional, Fractional::kV1);
  EXPECT_EQ(o.cache.memory_limit_bytes, 32 * kMiB);
  EXPECT_EQ(o.cache.max_document_bytes, 16 * kMiB);
  EXPECT_EQ(o.state.dir, "/etc/flagstone/state");
  EXPECT_EQ(o.state.limit_bytes, 1024 * kMiB);
  EXPECT_EQ(o.serving_threads, 2U);
  EXPECT_EQ(o.request_header_limit_bytes, 32 * kKiB);
  EXPECT_EQ(o.request_body_limit_bytes, 2'000'000U);
  EXPECT_EQ(o.max_connections, 10U);
  EXPECT_EQ(o.shutdown_delay, Milliseconds(1'000));
  EXPECT_EQ(o.drain_time, Milliseconds(2'000));
  EXPECT_EQ(o.startup_wait, Milliseconds(3'000));
  EXPECT_EQ(o.allowed_hosts, std::vector<std::string>{"flags.internal"});
  EXPECT_EQ(o.allowed_origins, std::vector<std::string>{"https://app.example.com"});
  EXPECT_EQ(o.log_level, LogLevel::kDebug);
  EXPECT_EQ(o.log_format, LogFormat::kJson);
  EXPECT_TRUE(validate(o).empty());
}

TEST(File, ReadsWhatBecomesOfEvents) {
  const Read result = read(R"(
environments:
  payments:
    dialect: launchdarkly
    sources: [{uri: "https://sdk.launchdarkly.com", credential_env: KEY}]
    events: {enabled: false, flush_interval: 5s, batch_bytes: 1MiB, spool_limit: 2MiB,
      all_attributes_private: true, private_attributes: [email, /address/street],
      omit_anonymous_contexts: true}
)");
  ASSERT_EQ(result.problems, std::vector<std::string>{});
  const EventOptions expected{.enabled = false,
                              .flush_interval = Milliseconds(5000),
                              .batch_bytes = kMiB,
                              .spool_limit_bytes = 2 * kMiB,
                              .all_attributes_private = true,
                              .private_attributes = {"email", "/address/street"},
                              .omit_anonymous_contexts = true};
  EXPECT_EQ(result.options.environments[0].events, expected);
  EXPECT_EQ(result.options.origins.find("environments.payments.events.batch_bytes").line, 6U);
  EXPECT_TRUE(validate(result.options).empty());
}

TEST(File, ReadsJson) {
  const Read result = read(
      R"({"environments": {"default": {"sources": [{"uri": "file:flags.json"}]}}, "max_connections": 5})");
  EXPECT_EQ(result.problems, std::vector<std::string>{});
  EXPECT_EQ(result.options.max_connections, 5U);
  EXPECT_EQ(result.options.environments.at(0).sources.at(0).path, "flags.json");
}

TEST(File, PathsAreSeenFromTheFilesFolder) {
  const Read result = read(
      "listen: [\"unix:a.sock\", \"unix:/b.sock\", \"127.0.0.1:1\"]\n"
      "environments: {x: {pins: p, sources: [{uri: \"file:f\"}]}}\n",
      "conf/f.yaml");
  EXPECT_EQ(result.options.listen,
            (std::vector<std::string>{"unix:conf/a.sock", "unix:/b.sock", "127.0.0.1:1"}));
  EXPECT_EQ(result.options.environments.at(0).pins, "conf/p");
  EXPECT_EQ(result.options.environments.at(0).sources.at(0).path, "conf/f");
}

TEST(File, RemembersWhereValuesStand) {
  const Read result = read(
      "admin: \"h:1\"\n"
      "cache:\n"
      "  memory_limit: 64MiB\n"
      "environments:\n"
      "  default:\n"
      "    sources:\n"
      "      - uri: \"file:x\"\n"
      "        interval: 5s\n");
  const auto place = [&](std::string_view path) {
    return to_string(result.options.origins.find(path));
  };
  EXPECT_EQ(place("admin"), "f.yaml:1");
  EXPECT_EQ(place("cache.memory_limit"), "f.yaml:3");
  EXPECT_EQ(place("cache.max_document_bytes"), "f.yaml:2");  // The section it would stand in.
  EXPECT_EQ(place("environments.default.sources[0].interval"), "f.yaml:8");
  EXPECT_EQ(place("environments.default.sources[0].timeout"), "f.yaml:7");
  EXPECT_EQ(place("environments.default.pins"), "f.yaml:5");
  EXPECT_EQ(place("max_connections"), "default");
}

struct ProblemRow {
  std::string_view text;
  std::vector<std::string> problems;
};

TEST(File, ReportsEveryProblemWithItsLine) {
  const std::vector<ProblemRow> rows = {
      {"", {}},
      {"# nothing\n", {}},
      {"- a\n", {"f.yaml:1: the configuration must be a map, not a list"}},
      {"adminn: \"h:1\"\n", {"f.yaml:1: unknown key `adminn`, did you mean `admin`?"}},
      {"zzzzzzzz: 1\n", {"f.yaml:1: unknown key `zzzzzzzz`"}},
      {"environment: {}\n", {"f.yaml:1: unknown key `environment`, did you mean `environments`?"}},
      {"cache:\n  memory_limits: 1MiB\n",
       {"f.yaml:2: unknown key `memory_limits`, did you mean `memory_limit`?"}},
      {"cache.memory_limit: 1MiB\n", {"f.yaml:1: unknown key `cache.memory_limit`"}},
      {"cache: 64MiB\n", {"f.yaml:1: `cache` must be a map, not text"}},
      {"state:\n  dir: [a]\n", {"f.yaml:2: `dir` takes one value, not a list"}},
      {"admin:\n", {"f.yaml:1: `admin` has no value, give one or leave the key out"}},
      {"admin: {}\n", {"f.yaml:1: `admin` takes one value, not a map"}},
      {"listen: [a, [b]]\n", {"f.yaml:1: `listen` is a list of text, not of a list"}},
      {"environments: []\n", {"f.yaml:1: `environments` must be a map, not a list"}},
      {"environments:\n  default: x\n", {"f.yaml:2: `default` must be a map, not text"}},
      {"environments:\n  default:\n    source: []\n",
       {"f.yaml:3: unknown key `source`, did you mean `sources`?"}},
      {"environments:\n  default:\n    events.enabled: true\n",
       {"f.yaml:3: unknown key `events.enabled`"}},
      {"environments:\n  default:\n    events: true\n",
       {"f.yaml:3: `events` must be a map, not text"}},
      {"environments:\n  default:\n    events:\n      spool_limits: 1MiB\n",
       {"f.yaml:4: unknown key `spool_limits`, did you mean `spool_limit`?"}},
      {"environments:\n  default:\n    events: {flush_interval: 5}\n",
       {"f.yaml:3: `flush_interval`: `5` has no unit, write `5s` for seconds"}},
      {"environments:\n  default:\n    sources: {uri: x}\n",
       {"f.yaml:3: `sources` must be a list, not a map"}},
      {"environments:\n  d:\n    sources:\n      - uri: \"https://h\"\n        intervall: 3s\n",
       {"f.yaml:5: unknown key `intervall`, did you mean `interval`?"}},
      {"environments:\n  d:\n    sources:\n      - uri: \"https://h\"\n        credential: x\n",
       {"f.yaml:5: unknown key `credential`, did you mean `credential_file`?"}},
      {"environments:\n  a:\n    sources:\n      - uri: \"file:x\"\n        sdk_key: canary\n",
       {"f.yaml:5: unknown key `sdk_key`, write the key into a file and name it with the source's "
        "`credential_file`"}},
      {"environments:\n  a:\n    apiKey: canary\n    base_url: x\n",
       {"f.yaml:3: unknown key `apiKey`, write the key into a file and name it with the source's "
        "`credential_file`",
        "f.yaml:4: unknown key `base_url`, write it as the source's `uri`"}},
      {"environments:\n  d:\n    sources:\n      - uri: \"https://h\"\n        interval: 30\n",
       {"f.yaml:5: `interval`: `30` has no unit, write `30s` for seconds"}},
      {"environments:\n  d:\n    sources:\n      - headers: [x]\n",
       {"f.yaml:4: `headers` must be a map, not a list"}},
      {"environments:\n  d:\n    sources:\n      - headers: {X: {path: y}}\n",
       {"f.yaml:4: unknown key `path`, write `{file: PATH}` or `{env: NAME}`"}},
      {"environments:\n  d:\n    sources:\n      - headers: {X: {file: y, env: z}}\n",
       {"f.yaml:4: a secret comes from one place, write `{file: PATH}` or `{env: NAME}`"}},
      {"environments:\n  d:\n    accept:\n      - canary\n",
       {"f.yaml:4: a secret does not belong into this file, write `{file: PATH}` or `{env: "
        "NAME}`"}},
      {"environments:\n  d:\n    accept: [{env: }]\n",
       {"f.yaml:3: `env` needs text, write `{file: PATH}` or `{env: NAME}`"}},
      {"max_connections: many\ndrain_time: 5\nlog_level: loud\nserving_threads: -1\n",
       {"f.yaml:1: `max_connections`: `many` is not a whole number",
        "f.yaml:2: `drain_time`: `5` has no unit, write `5s` for seconds",
        "f.yaml:3: `log_level`: `loud` is none of trace, debug, info, warn, error, off",
        "f.yaml:4: `serving_threads`: `-1` is not a whole number"}},
      {"admin: \"h:1\"\nadmin: \"h:2\"\n",
       {"f.yaml:2: duplicate key `admin`, it stands in line 1 already"}},
      {"a: &x {}\nstate: *x\n",
       {"f.yaml:2: aliases (`*name`) are not allowed, write the value out",
        "f.yaml:1: unknown key `a`", "f.yaml:2: `state` must be a map, not nothing"}},
  };
  for (const ProblemRow& row : rows) {
    EXPECT_EQ(read(row.text).problems, row.problems) << row.text;
  }
}

TEST(File, ReportsThatItCannotBeRead) {
  Options options;
  ProblemList problems;
  std::vector<std::string> warnings;
  read_config_file("/nowhere/f.yaml", options, problems, warnings);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_string(problems[0]), "/nowhere/f.yaml: cannot be read: No such file or directory");
  problems.clear();
  read_config_file("/", options, problems, warnings);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_string(problems[0]), "/: is not a regular file");
}

}  // namespace
}  // namespace flagstone::config
