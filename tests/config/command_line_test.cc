#include "config/command_line.h"

#include <gtest/gtest.h>

#include <fstream>

namespace flagstone::config {
namespace {

using Strings = std::vector<std::string>;

// A machine where nothing is writable and no variable set.
Surroundings bare_machine() {
  return {.can_write = [](const std::string&) { return false; },
          .variable = [](std::string_view) { return std::nullopt; }};
}

std::expected<Command, Problems> run(const Strings& arguments, const Strings& environment = {}) {
  std::vector<const char*> argv = {"flagstone"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  return parse(static_cast<int>(argv.size()), argv.data(), environment, bare_machine());
}

Options options_of(const Strings& arguments, const Strings& environment = {}) {
  const auto command = run(arguments, environment);
  if (!command) {
    ADD_FAILURE() << command.error().messages.front();
    return {};
  }
  return std::get<StartCommand>(command->action).options;
}

// The exit code and the messages, "64: a | b".
std::string refusal(const Strings& arguments, const Strings& environment = {}) {
  const auto command = run(arguments, environment);
  if (command) {
    return "accepted";
  }
  std::string text = std::to_string(command.error().exit_code) + ":";
  for (const std::string& message : command.error().messages) {
    text += (text.ends_with(':') ? " " : " | ") + message;
  }
  return text;
}

class CommandLineFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = testing::TempDir() + "flagstone_" +
                             testing::UnitTest::GetInstance()->current_test_info()->name() +
                             ".yaml";
    std::ofstream(path) << text;
    return path;
  }
};

TEST(CommandLine, StartsWithoutAFile) {
  const Options o =
      options_of({"start", "--uri", "file:flags.json", "--listen", "127.0.0.1:8016", "--listen",
                  "unix:/run/flagstone.sock", "--admin", "127.0.0.1:9014", "--state-dir", "/state",
                  "--memory-limit", "32MiB", "--pins", "pins.json", "--uri", "https://h/x"});
  EXPECT_EQ(o.listen, (Strings{"127.0.0.1:8016", "unix:/run/flagstone.sock"}));
  EXPECT_EQ(o.admin, "127.0.0.1:9014");
  EXPECT_EQ(o.state.dir, "/state");
  EXPECT_EQ(o.cache.memory_limit_bytes, 32 * kMiB);
  ASSERT_EQ(o.environments.size(), 1U);
  EXPECT_EQ(o.environments[0].name, "default");
  EXPECT_EQ(o.environments[0].pins, "pins.json");
  ASSERT_EQ(o.environments[0].sources.size(), 2U);
  EXPECT_EQ(o.environments[0].sources[0].path, "flags.json");
  EXPECT_EQ(o.environments[0].sources[1].uri, "https://h/x");
  EXPECT_FALSE(o.flagd.on);
}

TEST_F(CommandLineFile, CommandLineOverVariablesOverFile) {
  const std::string file = write(
      "admin: \"127.0.0.1:1\"\nmax_connections: 1\nlog_level: debug\nlisten: [\"127.0.0.1:4\"]\n"
      "environments: {default: {sources: [{uri: \"https://h/file\"}], pins: f}}\n");
  const Strings environment = {"FLAGSTONE_ADMIN=127.0.0.1:2", "FLAGSTONE_MAX_CONNECTIONS=2",
                               "FLAGSTONE_LISTEN=127.0.0.1:5, 127.0.0.1:6",
                               "FLAGSTONE_PINS=", "FLAGSTONE_CONFIG=" + file};
  const Options o =
      options_of({"start", "--admin=127.0.0.1:3", "--uri", "https://h/flag"}, environment);
  EXPECT_EQ(o.admin, "127.0.0.1:3");
  EXPECT_EQ(o.max_connections, 2U);
  EXPECT_EQ(o.log_level, LogLevel::kDebug);
  EXPECT_EQ(o.listen, (Strings{"127.0.0.1:5", "127.0.0.1:6"}));
  EXPECT_EQ(o.environments[0].pins, testing::TempDir() + "f");  // An empty variable says nothing.
  ASSERT_EQ(o.environments[0].sources.size(), 2U);              // --uri adds to the file's.
  EXPECT_EQ(o.environments[0].sources[0].uri, "https://h/file");
  EXPECT_EQ(o.environments[0].sources[1].uri, "https://h/flag");
  EXPECT_EQ(to_string(o.origins.find("admin")), "--admin");
  EXPECT_EQ(to_string(o.origins.find("max_connections")), "FLAGSTONE_MAX_CONNECTIONS");
  EXPECT_EQ(to_string(o.origins.find("log_level")), file + ":3");
}

TEST_F(CommandLineFile, TheDefaultEnvironmentKeepsItsPlace) {
  const std::string file = write(
      "environments:\n  zeta: {sources: [{uri: \"file:z\"}]}\n"
      "  alpha: {sources: [{uri: \"file:a\"}]}\n");
  const auto command = run({"start", "--config", file, "--uri", "file:d"});
  ASSERT_TRUE(command);
  const StartCommand& start = std::get<StartCommand>(command->action);
  EXPECT_EQ(start.config_file, file);
  ASSERT_EQ(start.options.environments.size(), 3U);
  EXPECT_EQ(start.options.environments[0].name, "alpha");
  EXPECT_EQ(start.options.environments[1].name, "default");
  EXPECT_EQ(start.options.environments[2].name, "zeta");
  EXPECT_EQ(start.options.find_environment("zeta"), &start.options.environments[2]);
  EXPECT_EQ(start.options.find_environment("none"), nullptr);
}

TEST_F(CommandLineFile, ATokenOnlyGoesToTheSourcesOfTheUriFlag) {
  const std::string file =
      write("environments: {default: {sources: [{uri: \"https://other/file\", interval: 7s}]}}\n");
  const Options o = options_of({"start", "--config", file, "--uri", "https://h/x", "--uri",
                                "file:local.json", "--credential-file", "t", "--interval", "3s"});
  ASSERT_EQ(o.environments[0].sources.size(), 3U);
  EXPECT_TRUE(o.environments[0].sources[0].credential.empty());
  EXPECT_EQ(o.environments[0].sources[0].interval, Milliseconds(7'000));
  EXPECT_EQ(o.environments[0].sources[1].credential.file, "t");
  EXPECT_EQ(o.environments[0].sources[1].interval, Milliseconds(3'000));
  EXPECT_TRUE(o.environments[0].sources[2].credential.empty());  // A file needs none.
  EXPECT_EQ(refusal({"start", "--config", file, "--credential-file", "t"}),
            "64: --credential-file: belongs to the sources given by `--uri`, and there is none");
}

TEST(CommandLine, OneCredentialReplacesTheOther) {
  const Options o = options_of({"start", "--uri", "https://h", "--credential-env", "TOKEN"},
                               {"FLAGSTONE_CREDENTIAL_FILE=/f", "TOKEN=t"});
  EXPECT_EQ(o.environments[0].sources[0].credential.file, "");
  EXPECT_EQ(o.environments[0].sources[0].credential.variable, "TOKEN");
}

TEST(CommandLine, UsageProblems) {
  const Strings uri = {"start", "--uri", "file:x"};
  const auto with = [&](const Strings& more) {
    Strings all = uri;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  struct Row {
    Strings arguments;
    std::string_view refusal;
  };
  const std::vector<Row> rows = {
      {{"strat"}, "64: unknown command `strat`, did you mean `start`?"},
      {{"--uri", "x"}, "64: `--uri` comes before the command, write `flagstone start --uri …`"},
      {with({"--lisen", "127.0.0.1:1"}),
       "64: unknown option `--lisen`, did you mean `--listen`? | see `flagstone help start`"},
      {with({"--lisen=1", "--admn=2"}),
       "64: unknown option `--lisen`, did you mean `--listen`? | unknown option `--admn`, did you "
       "mean `--admin`? | see `flagstone help start`"},
      {with({"flags.json"}), "64: `flags.json` is one word too many | see `flagstone help start`"},
      {with({"--admin"}), "64: `--admin` needs a value | see `flagstone help start`"},
      {with({"--admin", "h:1", "--admin", "h:2"}),
       "64: `--admin` is given 2 times, it takes one value | see `flagstone help start`"},
      {with({"--drain-time", "4"}), "64: --drain-time: `4` has no unit, write `4s` for seconds"},
      {with({"--admin", "8014", "--max-connections", "x", "--memory-limit", "1KiB"}),
       "64: --max-connections: `x` is not a whole number | --admin: `8014` has no host, write "
       "`127.0.0.1:8014` | --memory-limit: `memory_limit` is 1KiB, it must be at least 4MiB"},
      {{"start"},
       "64: nothing to serve, say where flags come from: `--uri file:flags.json`, or "
       "`environments` in the file given by `--config`"},
      {{"start", "--uri", "flags.json"},
       "64: --uri: `flags.json` has no scheme, write `file:flags.json` for a file"},
      {{"start", "--uri", ""},
       "64: --uri: the source has no URI, write `{uri: \"file:flags.json\"}`"},
      {{"start", "--pins", "p"},
       "64: environment `default` has no sources, give it `sources: [{uri: \"file:flags.json\"}]` "
       "or `--uri`"},
      {{"start", "--uri", "https://h", "--credential-file", "a", "--credential-env", "B"},
       "64: --credential-file: the credential comes from several places, keep one of "
       "`credential_file` and `credential_env`"},
      {{"start", "--uri", "https://h", "--credential-env", "NONE"},
       "64: --credential-env: credential variable NONE is not set; a variable does not change "
       "while "
       "Flagstone runs, set it before the start"},
      {with({"--credential-file", "a"}),
       "64: --credential-file: a file needs no credential, remove it"},
      {{"evaluate"}, "64: `evaluate` needs KEY | see `flagstone help evaluate`"},
      {{"evaluate", "a", "b"}, "64: `b` is one word too many | see `flagstone help evaluate`"},
      {{"evaluate", "a", "--address", "8016"},
       "64: --address: `8016` has no host, write `127.0.0.1:8016` | see `flagstone help evaluate`"},
      {{"evaluate", "a", "--credential-file", "x", "--credential-env", "Y"},
       "64: `--credential-file` and `--credential-env` are both given, keep one | see `flagstone "
       "help evaluate`"},
      {{"accept"}, "64: `accept` needs ENVIRONMENT | see `flagstone help accept`"},
      {{"health", "--live", "--ready"},
       "64: `--startup`, `--ready` and `--live` exclude each other | see `flagstone help health`"},
      {{"version", "x"}, "64: `x` is one word too many | see `flagstone help version`"},
      {{"help", "strat"}, "64: unknown command `strat`, did you mean `start`?"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(refusal(row.arguments), row.refusal);
  }
}

TEST(CommandLine, ProblemsOfVariablesNameThem) {
  EXPECT_EQ(refusal({"start", "--uri", "file:x"}, {"FLAGSTONE_DRAIN_TIME=4"}),
            "64: FLAGSTONE_DRAIN_TIME: `4` has no unit, write `4s` for seconds");
  EXPECT_EQ(refusal({"start"}, {"FLAGSTONE_URI=file:a,b"}),
            "64: FLAGSTONE_URI: `b` has no scheme, write `file:b` for a file");
  EXPECT_EQ(refusal({"health"}, {"FLAGSTONE_ADMIN=8014"}),
            "64: FLAGSTONE_ADMIN: `8014` has no host, write `127.0.0.1:8014`");
}

TEST_F(CommandLineFile, ProblemsOfTheFileAreContent) {
  const std::string file = write(
      "admni: x\nenvironments:\n  Default:\n    sources:\n      - uri: \"https://u:canary@h\"\n");
  const auto command = run({"check", "--config", file});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().exit_code, kExitContent);
  EXPECT_EQ(command.error().messages,
            (Strings{file + ":1: unknown key `admni`, did you mean `admin`?",
                     file + ":3: environment name `Default` must be made of a-z, 0-9, `.`, `_` and "
                            "`-`, not begin with `.`, and have at most 63 characters",
                     file + ":5: the URI contains a user or password, put the secret into a file "
                            "and name it with `credential_file`"}));
}

TEST_F(CommandLineFile, ProblemsComeInTheOrderOfTheLines) {
  const std::string file = write(
      "environments:\n  a:\n    dialect: launch-darkly\n    sources:\n"
      "      - {uri: relay.example, streaming: false, credential_env: NONE}\n"
      "admni: x\n");
  const auto command = run({"start", "--config", file});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().messages,
            (Strings{file + ":3: unknown dialect `launch-darkly`, known: flagd, launchdarkly",
                     file + ":5: `relay.example` has no scheme, write `https://relay.example`",
                     file + ":5: credential variable NONE is not set; a variable does not change "
                            "while Flagstone runs, set it before the start",
                     file + ":6: unknown key `admni`, did you mean `admin`?"}));
}

TEST_F(CommandLineFile, AFileThatIsNotYamlIsTheOnlyProblem) {
  const auto command = run({"start", "--config", write("environments: [\n")});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().exit_code, kExitContent);
  EXPECT_EQ(command.error().messages.size(), 1U);
}

TEST(CommandLine, AMissingFileIsTheOnlyProblem) {
  EXPECT_EQ(refusal({"start", "--config", "/nowhere.yaml"}),
            "65: /nowhere.yaml: cannot be read: No such file or directory");
}

TEST(CommandLine, UnknownVariablesWarn) {
  const auto command = run(
      {"start", "--uri", "https://h", "--credential-env", "FLAGSTONE_TOKEN"},
      {"FLAGSTONE_LISTN=canary", "FLAGSTONE_XYZZY=canary", "PATH=/bin", "FLAGSTONE_TOKEN=canary",
       "FLAGSTONE_SERVICE_HOST=10.0.0.1", "FLAGSTONE_SERVICE_PORT=8016",
       "FLAGSTONE_SERVICE_PORT_HTTP=8016", "FLAGSTONE_PORT=tcp://10.0.0.1:8016",
       "FLAGSTONE_PORT_8016_TCP=tcp://10.0.0.1:8016", "FLAGSTONE_PORT_8016_TCP_PROTO=tcp",
       "FLAGSTONE_PORT_8016_TCP_PORT=8016", "FLAGSTONE_PORT_8016_TCP_ADDR=10.0.0.1",
       "FLAGSTONE_HUB_SERVICE_HOST=10.0.0.2", "FLAGSTONE_HUB_PORT=tcp://10.0.0.2:1"});
  ASSERT_TRUE(command);
  EXPECT_EQ(
      command->warnings,
      (Strings{"unknown variable FLAGSTONE_LISTN is ignored, did you mean `FLAGSTONE_LISTEN`?",
               "unknown variable FLAGSTONE_XYZZY is ignored"}));
}

TEST(CommandLine, APortThatIsNoServiceLinkWarns) {
  const auto command = run({"start", "--uri", "file:x"}, {"FLAGSTONE_PORT=8016"});
  ASSERT_TRUE(command);
  EXPECT_EQ(command->warnings.size(), 1U);
}

TEST(CommandLine, Evaluates) {
  const auto command = run({"evaluate", "my-flag", "--context", "{}", "--credential-env", "T"});
  ASSERT_TRUE(command);
  const auto& evaluate = std::get<EvaluateCommand>(command->action);
  EXPECT_EQ(evaluate.key, "my-flag");
  EXPECT_EQ(evaluate.context_json, "{}");
  EXPECT_EQ(evaluate.credential.variable, "T");
  EXPECT_EQ(evaluate.addresses, (Strings{"unix:/run/flagstone/flagstone.sock", "127.0.0.1:8016"}));
}

TEST(CommandLine, ContextsArriveAsTheyWereTyped) {
  for (const std::string context : {"{}", "[]", "[1,2]", "{\"a\":[1,2]}", "", "-1", "%%", "a b"}) {
    const auto command = run({"evaluate", "k", "--context", context});
    ASSERT_TRUE(command) << context;
    EXPECT_EQ(std::get<EvaluateCommand>(command->action).context_json, context);
  }
}

TEST_F(CommandLineFile, ClientsFindTheDaemonWhereItWasToldToListen) {
  const std::string file = write("admin: \"0.0.0.0:9014\"\nlisten: [\"unix:/s\", \"[::]:9016\"]\n");
  auto command = run({"evaluate", "k", "--config", file});
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<EvaluateCommand>(command->action).addresses,
            (Strings{"unix:/s", "[::1]:9016"}));
  command = run({"evaluate", "k", "--config", file, "--address", "unix:/t"});
  EXPECT_EQ(std::get<EvaluateCommand>(command->action).addresses, Strings{"unix:/t"});
  command = run({"accept", "prod"}, {"FLAGSTONE_CONFIG=" + file});
  EXPECT_EQ(std::get<AcceptCommand>(command->action).environment, "prod");
  EXPECT_EQ(std::get<AcceptCommand>(command->action).admin, "127.0.0.1:9014");
  command = run({"health"}, {"FLAGSTONE_ADMIN=127.0.0.1:7", "FLAGSTONE_CONFIG=" + file,
                             "FLAGSTONE_INTERVAL=nonsense"});
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<HealthCommand>(command->action).admin, "127.0.0.1:7");
  command = run({"health", "--admin", "127.0.0.1:8"}, {"FLAGSTONE_ADMIN=127.0.0.1:7"});
  EXPECT_EQ(std::get<HealthCommand>(command->action).admin, "127.0.0.1:8");
}

// The daemon keeps the configuration it had; its probes must not fail before it does.
TEST_F(CommandLineFile, ProbesOutliveABadFile) {
  const auto command = run({"health", "--config", write("admin: \"127.0.0.1:9\"\nnonsense: 1\n")});
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<HealthCommand>(command->action).admin, "127.0.0.1:9");
  EXPECT_EQ(command->warnings.size(), 1U);
}

TEST(CommandLine, Probes) {
  const auto probe = [](const Strings& arguments) {
    return std::get<HealthCommand>(run(arguments).value().action).probe;
  };
  EXPECT_EQ(probe({"health"}), Probe::kReady);
  EXPECT_EQ(probe({"health", "--ready"}), Probe::kReady);
  EXPECT_EQ(probe({"health", "--startup"}), Probe::kStartup);
  EXPECT_EQ(probe({"health", "--live"}), Probe::kLive);
}

TEST(CommandLine, HelpAndVersion) {
  for (const Strings& arguments :
       {Strings{}, Strings{"help"}, Strings{"-h"}, Strings{"--help"}, Strings{"help", "start"},
        Strings{"start", "--help"}, Strings{"evaluate", "-h"}, Strings{"help", "help"}}) {
    const auto command = run(arguments);
    ASSERT_TRUE(command);
    EXPECT_FALSE(std::get<HelpCommand>(command->action).text.empty());
  }
  for (const Strings& arguments : {Strings{"version"}, Strings{"--version"}}) {
    EXPECT_TRUE(std::holds_alternative<VersionCommand>(run(arguments).value().action));
  }
}

TEST(CommandLine, FlagdSourcesFollowTheUris) {
  const Options o = options_of(
      {"start", "--sources", R"([{"uri":"flags.json","provider":"file"}])", "--uri", "file:a"});
  ASSERT_EQ(o.environments[0].sources.size(), 2U);
  EXPECT_EQ(o.environments[0].sources[0].uri, "file:a");
  EXPECT_EQ(o.environments[0].sources[1].uri, "file:flags.json");
  EXPECT_TRUE(o.flagd.on);
}

// Whatever goes wrong, no message shows a secret.
TEST_F(CommandLineFile, SecretsAreNeverPrinted) {
  const std::string file = write(
      "environments:\n  default:\n    sources:\n      - uri: \"https://u:canary@h\"\n"
      "        headers: {X-Key: \"canary\\ncanary\", \"bad name\": canary}\n"
      "        credential_env: \"canary-token\"\n        token: canary\n"
      "    accept: [canary]\n");
  const Strings environment = {"FLAGSTONE_TOKEN=canary", "FLAGSTONE_CREDENTIAL=canary"};
  for (
      const Strings& arguments : {
          Strings{"start", "--config", file},
          Strings{"check", "--config", file},
          Strings{"health", "--config", file},
          Strings{"evaluate", "k", "--config", file},
          Strings{"start", "--uri", "canary@h/x"},
          Strings{"start", "--uri", "https://u:canary@h", "--credential-env", "canary-x"},
          Strings{
              "start", "--sources",
              R"([{"uri":"https://h","provider":"http","bearerToken":"canary","nope":"canary"}])"},
          Strings{
              "start", "--sources",
              R"([{"uri":"https://h","provider":"http","authHeader":"Basic canary","bearerToken":"canary\ncanary"}])"},
          Strings{
              "start", "--sources",
              R"([{"uri":"https://h","provider":"http","bearerToken":"canary","authHeader":"Bearer canary","headers":{"a b":"canary"}}])"},
          Strings{"start", "--sources", R"([{"bearerToken":"canary)"},
      }) {
    const auto command = run(arguments, environment);
    std::string said;
    if (command) {
      for (const std::string& warning : command->warnings) said += warning + "\n";
    } else {
      for (const std::string& message : command.error().messages) said += message + "\n";
    }
    EXPECT_FALSE(said.empty());
    EXPECT_EQ(said.find("canary"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace flagstone::config
