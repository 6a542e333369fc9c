#include "config/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "config/file.h"
#include "config/option_table.h"

namespace flagstone::config {
namespace {

using Strings = std::vector<std::string>;

// Options that are fine, for one thing at a time to be broken.
Options good() {
  Options options;
  Environment environment;
  environment.name = "default";
  Source poll;
  poll.uri = "https://flags.example.com/prod.json";
  Source file;
  file.uri = "file:flags.json";
  file.path = "flags.json";
  environment.sources = {poll, file};
  options.environments = {environment};
  return options;
}

Strings problems_of(const Options& options) {
  Strings lines;
  for (const Problem& problem : validate(options)) {
    lines.push_back(to_string(problem));
  }
  return lines;
}

TEST(Validate, TakesTheDefaults) { EXPECT_EQ(problems_of(good()), Strings{}); }

TEST(Validate, TakesTheEdges) {
  Options o = good();
  o.cache.memory_limit_bytes = kMemoryLimitBytesMin;
  o.state.limit_bytes = kStateLimitBytesMin;
  o.serving_threads = kServingThreadsMax;
  o.max_connections = 1;
  o.drain_time = Milliseconds(0);
  o.environments[0].sources[0].interval = kIntervalMin;
  o.environments[0].name = "a-b_c.9";
  o.allowed_origins = {"*", "https://app.example.com:8443"};
  o.listen = {"127.0.0.1:0", "127.0.0.1:0"};  // Any free port, twice.
  EXPECT_EQ(problems_of(o), Strings{});
}

struct Row {
  std::function<void(Options&)> change;
  std::string problem;
};

TEST(Validate, NamesEveryMistake) {
  const auto source = [](Options& o) -> Source& { return o.environments[0].sources[0]; };
  const std::vector<Row> rows = {
      {[](Options& o) { o.environments[0].name = ""; },
       "environment name `` must be made of a-z, 0-9, `.`, `_` and `-`, not begin with `.`, and "
       "have at most 63 characters"},
      {[](Options& o) { o.environments[0].name = "../etc"; },
       "environment name `../etc` must be made of a-z, 0-9, `.`, `_` and `-`, not begin with `.`, "
       "and have at most 63 characters"},
      {[](Options& o) { o.environments.push_back(o.environments[0]); },
       "there are two environments `default`, rename one"},
      {[](Options& o) { o.environments[0].dialect = "fladg"; },
       "unknown dialect `fladg`, known: flagd, launchdarkly"},
      {[](Options& o) { o.environments[0].confirm_shrink = 0; },
       "`confirm_shrink` is 0, it must be at least 1"},
      {[](Options& o) { o.environments[0].sources.push_back(o.environments[0].sources[0]); },
       "this source is in the environment already, remove one"},
      {[](Options& o) { o.environments[0].accept.emplace_back().variable = "a-b"; },
       "this is not the name of an environment variable; a secret itself belongs into a file or "
       "variable"},
      {[&](Options& o) { source(o).interval = Milliseconds(99); },
       "`interval` is 99ms, it must be at least 100ms"},
      {[&](Options& o) { source(o).interval = std::chrono::hours(25); },
       "`interval` is 25h, it must be at most 24h"},
      {[&](Options& o) { source(o).timeout = Milliseconds(0); },
       "`timeout` is 0s, it must be at least 100ms"},
      {[&](Options& o) { source(o).max_document_bytes = 1; },
       "`max_document_bytes` is 1, it must be at least 1KiB"},
      {[&](Options& o) { source(o).selector = "a\r\nb"; }, "the selector must be one line of text"},
      {[&](Options& o) { source(o).credential = {.file = "f", .variable = "V", .text = {}}; },
       "the credential comes from several places, keep one of `credential_file` and "
       "`credential_env`"},
      {[&](Options& o) { source(o).credential.text = Secret("a\nb"); },
       "the credential must be one line of text"},
      {[&](Options& o) { source(o).headers = {{.name = "X Y", .value = {}}}; },
       "`X Y` is not the name of a header"},
      {[&](Options& o) {
         source(o).credential.file = "f";
         source(o).headers = {{.name = "authorization", .value = {}}};
       },
       "the credential is sent as `Authorization` already, remove the header"},
      {[](Options& o) { o.environments[0].sources[1].headers = {{.name = "X", .value = {}}}; },
       "a file needs no `headers`, remove them"},
      {[](Options& o) { o.admin = "h"; },
       "`h` is not an address, write `HOST:PORT` or `unix:PATH`"},
      {[](Options& o) { o.listen = {"127.0.0.1:8014"}; },
       "`127.0.0.1:8014` is used twice, every address serves once"},
      {[](Options& o) { o.environments[0].listen = {"8016"}; },
       "`8016` has no host, write `127.0.0.1:8016`"},
      {[](Options& o) { o.allowed_hosts = {"http://x"}; },
       "`http://x` is not a host, write `flags.example.com`"},
      {[](Options& o) { o.allowed_origins = {"app.example.com"}; },
       "`app.example.com` is not an origin, write `https://app.example.com`"},
      {[](Options& o) { o.serving_threads = 0; }, "`serving_threads` is 0, it must be at least 1"},
      {[](Options& o) { o.serving_threads = 65; },
       "`serving_threads` is 65, it must be at most 64"},
      {[](Options& o) { o.max_connections = 0; }, "`max_connections` is 0, it must be at least 1"},
      {[](Options& o) { o.request_header_limit_bytes = 1023; },
       "`request_header_limit` is 1023, it must be at least 1KiB"},
      {[](Options& o) { o.request_body_limit_bytes = 2048 * kMiB; },
       "`request_body_limit` is 2GiB, it must be at most 1GiB"},
      {[](Options& o) { o.cache.memory_limit_bytes = kMiB; },
       "`memory_limit` is 1MiB, it must be at least 4MiB"},
      {[](Options& o) { o.cache.max_document_bytes = 0; },
       "`max_document_bytes` is 0, it must be at least 1KiB"},
      {[](Options& o) { o.state.limit_bytes = 1; }, "`limit` is 1, it must be at least 1MiB"},
      {[](Options& o) { o.drain_time = std::chrono::hours(2); },
       "`drain_time` is 2h, it must be at most 1h"},
      {[](Options& o) { o.shutdown_delay = std::chrono::hours(2); },
       "`shutdown_delay` is 2h, it must be at most 1h"},
      {[](Options& o) { o.startup_wait = std::chrono::hours(2); },
       "`startup_wait` is 2h, it must be at most 1h"},
  };
  for (const Row& row : rows) {
    Options options = good();
    row.change(options);
    EXPECT_EQ(problems_of(options), Strings{row.problem});
  }
}

TEST(Validate, ReportsAllAtOnceWithTheirLines) {
  Options options;
  ProblemList problems;
  read_config_text(
      "cache: {memory_limit: 1MiB}\n"
      "environments:\n"
      "  a:\n"
      "    sources:\n"
      "      - uri: \"flags.json\"\n"
      "      - interval: 1ms\n"
      "  b:\n"
      "    dialect: other\n"
      "    listen: [\"1\"]\n",
      "f.yaml", options, problems);
  ASSERT_TRUE(problems.empty());
  EXPECT_EQ(problems_of(options),
            (Strings{"f.yaml:1: `memory_limit` is 1MiB, it must be at least 4MiB",
                     "f.yaml:5: `flags.json` has no scheme, write `file:flags.json` for a file",
                     "f.yaml:6: the source has no URI, write `{uri: \"file:flags.json\"}`",
                     "f.yaml:6: `interval` is 1ms, it must be at least 100ms",
                     "f.yaml:7: environment `b` has no sources, give it `sources: [{uri: "
                     "\"file:flags.json\"}]`",
                     "f.yaml:8: unknown dialect `other`, known: flagd, launchdarkly",
                     "f.yaml:9: `1` has no host, write `127.0.0.1:1`"}));
  for (const Problem& problem : validate(options)) {
    EXPECT_EQ(problem.exit_code, kExitContent);
  }
}

TEST(Validate, VariablesThatHoldNoSecretAreNamedWithTheirPlace) {
  Options options;
  ProblemList problems;
  read_config_text(
      "environments:\n"
      "  a:\n"
      "    accept: [{env: NONE}, {env: SET}]\n"
      "    sources:\n"
      "      - uri: \"https://h\"\n"
      "        credential_env: EMPTY\n"
      "        headers: {X-A: {env: TWO_LINES}, X-B: {file: nowhere}, X-C: {env: not-a-name}}\n",
      "f.yaml", options, problems);
  ASSERT_TRUE(problems.empty());
  Strings lines;
  for (const Problem& problem : validate_variables(options, [](std::string_view name) {
         std::optional<std::string> value;
         if (name == "SET") value = "secret";
         if (name == "EMPTY") value = "";
         if (name == "TWO_LINES") value = "a\nb";
         return value;
       })) {
    lines.push_back(to_string(problem));
    EXPECT_EQ(problem.exit_code, kExitContent);
  }
  const std::string remedy =
      "; a variable does not change while Flagstone runs, set it before the start";
  EXPECT_EQ(lines,
            (Strings{"f.yaml:6: credential variable EMPTY is empty" + remedy,
                     "f.yaml:7: credential variable TWO_LINES must hold one line of text" + remedy,
                     "f.yaml:3: credential variable NONE is not set" + remedy}));
}

TEST(Validate, KnowsTheDialectsItIsGiven) {
  constexpr std::array<std::string_view, 2> kTwo = {"flagd", "other"};
  Options options = good();
  options.environments[0].dialect = "other";
  EXPECT_EQ(validate(options).size(), 1U);
  EXPECT_TRUE(validate(options, kTwo).empty());
}

TEST(NeedsRestart, SortsChanges) {
  struct ChangeRow {
    std::function<void(Options&)> change;
    Strings names;
  };
  const std::vector<ChangeRow> rows = {
      {[](Options&) {}, {}},
      {[](Options& o) { o.listen = {"127.0.0.1:1"}; }, {"listen"}},
      {[](Options& o) { o.flagd.on = true; },
       {"--port", "--management-port", "--sync-port", "--ofrep-port"}},
      {[](Options& o) { o.environments[0].listen = {"127.0.0.1:1"}; }, {"environments.*.listen"}},
      {[](Options& o) { o.admin = "127.0.0.1:1"; }, {"admin"}},
      {[](Options& o) { o.serving_threads = 2; }, {"serving_threads"}},
      {[](Options& o) { o.state.dir = "/x"; }, {"state.dir"}},
      {[](Options& o) {
         o.admin = "127.0.0.1:1";
         o.state.dir = "/x";
       },
       {"admin", "state.dir"}},
      {[](Options& o) { o.environments[0].sources.pop_back(); }, {}},
      {[](Options& o) { o.environments.emplace_back().name = "new"; }, {}},
      {[](Options& o) { o.cache.memory_limit_bytes = 8 * kMiB; }, {}},
      {[](Options& o) { o.state.limit_bytes = 8 * kMiB; }, {"state.limit"}},
      {[](Options& o) { o.log_level = LogLevel::kDebug; }, {}},
      {[](Options& o) { o.origins.by_path["admin"] = {}; }, {}},
  };
  for (const ChangeRow& row : rows) {
    Options wanted = good();
    row.change(wanted);
    EXPECT_EQ(needs_restart(good(), wanted), row.names);
  }
}

// Another value than the field has, whatever that is.
struct Change {
  void operator()(std::string* field) const { *field += "x"; }
  void operator()(std::vector<std::string>* field) const { field->emplace_back("x"); }
  void operator()(bool* field) const { *field = !*field; }
  void operator()(std::optional<bool>* field) const { *field = !field->value_or(false); }
  void operator()(std::uint32_t* field) const { ++*field; }
  void operator()(std::uint64_t* field) const { ++*field; }
  void operator()(std::optional<std::uint64_t>* field) const { *field = field->value_or(0) + 1; }
  void operator()(Milliseconds* field) const { ++*field; }
  void operator()(DocumentFormat* field) const { *field = DocumentFormat::kYaml; }
  void operator()(Fractional* field) const { *field = Fractional::kV3; }
  void operator()(LaunchDarklyProtocol* field) const { *field = LaunchDarklyProtocol::kFdv1; }
  void operator()(LogLevel* field) const { *field = LogLevel::kOff; }
  void operator()(LogFormat* field) const { *field = LogFormat::kJson; }
  void operator()(Pairs* field) const { field->emplace("x", "y"); }
};

// What the daemon takes over must be known here by name: no other option of the process may be
// ignored in silence.
TEST(NeedsRestart, NamesEveryOptionThatIsNotTakenOver) {
  Strings taken_over;
  Strings named;
  for (const OptionRow& row : option_table()) {
    const bool of_process = row.scope == Scope::kProcess || row.scope == Scope::kFlagd;
    if (!of_process || row.field == nullptr) {
      continue;
    }
    const std::string name(row.key.empty() ? long_flag(row) : row.key);
    Options wanted = good();
    std::visit(Change(), row.field({.options = &wanted}));
    ASSERT_NE(wanted, good()) << name;
    const Strings names = needs_restart(good(), wanted);
    if (names.empty()) {
      taken_over.push_back(name);
    } else {
      EXPECT_EQ(names, Strings{name});
      named.push_back(name);
    }
  }
  EXPECT_EQ(taken_over, (Strings{"cache.memory_limit", "shutdown_delay", "drain_time", "log_level",
                                 "--debug"}));
  EXPECT_EQ(named, (Strings{"listen",
                            "admin",
                            "allowed_hosts",
                            "allowed_origins",
                            "cors_origins",
                            "tls.certificate_file",
                            "tls.key_file",
                            "tls.client_ca_file",
                            "context_values",
                            "context_from_headers",
                            "loose_types",
                            "stream_deadline",
                            "sync_metadata",
                            "serving_threads",
                            "max_connections",
                            "request_header_limit",
                            "request_body_limit",
                            "cache.max_document_bytes",
                            "state.dir",
                            "state.limit",
                            "startup_wait",
                            "log_format",
                            "bind",
                            "--port",
                            "--management-port",
                            "--sync-port",
                            "--ofrep-port",
                            "--socket-path",
                            "--sync-socket-path",
                            "--disable-sync-metadata"}));
}

TEST(NeedsRestart, MovingLinesIsNoChange) {
  Options moved = good();
  moved.origins.by_path["admin"] = {.kind = Origin::Kind::kFile, .name = "f", .line = 7};
  EXPECT_EQ(moved, good());
}

}  // namespace
}  // namespace flagstone::config
