// What flagd's users write, as flags, variables and in flagd's file, and what becomes of it.
#include "config/flagd_mode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "config/command_line.h"
#include "config/option_table.h"

namespace flagstone::config {
namespace {

using Strings = std::vector<std::string>;

const Strings kUri = {"--uri", "file:x"};

std::string write_file(const std::string& text) {
  const std::string path = testing::TempDir() + "flagd_mode_" +
                           testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
  std::ofstream(path) << text;
  return path;
}

std::expected<Command, Problems> start(const Strings& arguments, const Strings& environment = {}) {
  std::vector<const char*> argv = {"flagd", "start"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  return parse(static_cast<int>(argv.size()), argv.data(), environment);
}

Strings operator+(Strings a, const Strings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Options options_of(const Strings& arguments, const Strings& environment = {}) {
  const auto command = start(arguments, environment);
  if (!command) {
    ADD_FAILURE() << command.error().messages.front();
    return {};
  }
  return std::get<StartCommand>(command->action).options;
}

Strings warnings_of(const Strings& arguments, const Strings& environment = {}) {
  const auto command = start(arguments, environment);
  if (!command) {
    return command.error().messages;
  }
  return command->warnings;
}

std::string refusal(const Strings& arguments, const Strings& environment = {}) {
  const auto command = start(arguments, environment);
  if (command) {
    return "accepted";
  }
  std::string text = std::to_string(command.error().exit_code) + ":";
  for (const std::string& message : command.error().messages) {
    text += (text.ends_with(':') ? " " : " | ") + message;
  }
  return text;
}

Strings addresses_of(const Options& options) {
  Strings addresses;
  for (const ListenAddress& listen : listen_addresses(options, real_surroundings())) {
    EXPECT_TRUE(listen.required);
    addresses.push_back(listen.address);
  }
  return addresses;
}

// One of flagd's options: three values, to see which place goes before which.
struct OptionCase {
  std::string_view name;  // As flagd calls it.
  std::string flag, variable, file;
  std::function<std::string(const Options&)> held;
  std::string from_flag, from_variable, from_file;
  bool flagd_mode = false;
};

std::string joined(const Strings& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : " ") + item;
  return text;
}

std::string joined(const Pairs& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) text += (text.empty() ? "" : " ") + key + "=" + value;
  return text;
}

std::string uris(const Options& options) {
  Strings found;
  for (const Source& source : options.environments.at(0).sources) found.push_back(source.uri);
  return joined(found);
}

std::vector<OptionCase> cases() {
  const auto port = [](std::string_view name, std::uint32_t FlagdMode::* field) {
    return OptionCase{name,
                      "7001",
                      "7002",
                      "7003",
                      [field](const Options& o) { return std::to_string(o.flagd.*field); },
                      "7001",
                      "7002",
                      "7003",
                      true};
  };
  const auto text = [](std::string_view name, std::function<std::string(const Options&)> held,
                       bool mode = false) {
    return OptionCase{name, "/a", "/b", "/c", std::move(held), "/a", "/b", "/c", mode};
  };
  const auto source = [](const std::string& path) {
    return R"([{"uri":")" + path + R"(","provider":"file"}])";
  };
  return {
      port("port", &FlagdMode::port),
      port("management-port", &FlagdMode::management_port),
      port("sync-port", &FlagdMode::sync_port),
      port("ofrep-port", &FlagdMode::ofrep_port),
      text(
          "socket-path", [](const Options& o) { return o.flagd.socket_path; }, true),
      text(
          "sync-socket-path", [](const Options& o) { return o.flagd.sync_socket_path; }, true),
      text("server-cert-path", [](const Options& o) { return o.tls.certificate_file; }),
      text("server-key-path", [](const Options& o) { return o.tls.key_file; }),
      {"uri", "file:a", "file:b file:bb", "[file:c, \"https://h/c\"]", uris, "file:a",
       "file:b file:bb", "file:c https://h/c"},
      {"sources", source("a"), source("b"), "[{uri: c, provider: file}]", uris, "file:x file:a",
       "file:x file:b", "file:x file:c", true},
      {"cors-origin", "https://a,https://aa", "https://b https://bb", "[\"*\"]",
       [](const Options& o) { return joined(o.cors_origins); }, "https://a https://aa",
       "https://b https://bb", "*"},
      {"log-format", "json", "console", "json",
       [](const Options& o) { return o.log_format == LogFormat::kJson ? "json" : "text"; }, "json",
       "text", "json"},
      {"context-value", "k=a,b", R"({"k":"b","n":1})", "{k: c, other: 2}",
       [](const Options& o) { return joined(o.context_values); }, "k=a,b", "k=b n=1",
       "k=c other=2"},
      {"context-from-header", "X-A=a,X-B=b", "X-C=c", "{X-D: d}",
       [](const Options& o) { return joined(o.context_from_headers); }, "X-A=a X-B=b", "X-C=c",
       "X-D=d"},
      {"stream-deadline", "1h30m", "500ms", "2s",
       [](const Options& o) { return std::to_string(o.stream_deadline.count()); }, "5400000", "500",
       "2000"},
      {"disable-sync-metadata", "true", "1", "TRUE",
       [](const Options& o) { return o.sync_metadata ? "on" : "off"; }, "off", "off", "off"},
      {"debug", "true", "false", "true",
       [](const Options& o) { return o.log_level == LogLevel::kDebug ? "debug" : "info"; }, "debug",
       "info", "debug"},
      {"max-request-body", "2000000", "3000000", "4000000",
       [](const Options& o) { return std::to_string(o.request_body_limit_bytes); }, "2000000",
       "3000000", "4000000"},
      {"max-request-header", "20000", "30000", "40000",
       [](const Options& o) { return std::to_string(o.request_header_limit_bytes); }, "20000",
       "30000", "40000"},
  };
}

// What else has to be given so that the options are right as a whole.
Strings beside(const OptionCase& c) {
  if (c.name == "uri") return {};
  if (c.name == "server-cert-path") return kUri + Strings{"--server-key-path", "/k"};
  if (c.name == "server-key-path") return kUri + Strings{"--server-cert-path", "/c"};
  return kUri;
}

TEST(FlagdMode, EveryOptionAsFlagVariableAndKey) {
  std::size_t seen = 0;
  for (const OptionCase& c : cases()) {
    const std::string name(c.name);
    const OptionRow* row = find_flagd_option(name);
    ASSERT_NE(row, nullptr) << name;
    const std::string flag = "--" + name + "=" + c.flag;
    const std::string variable = flagd_variable(*row) + "=" + c.variable;
    const Strings file = {"--config", write_file("\"" + name + "\": " + c.file + "\n")};
    const Strings others = beside(c);
    EXPECT_EQ(c.held(options_of(others + Strings{flag})), c.from_flag) << name;
    EXPECT_EQ(c.held(options_of(others, {variable})), c.from_variable) << name;
    EXPECT_EQ(c.held(options_of(others + file)), c.from_file) << name;
    EXPECT_EQ(c.held(options_of(others + file + Strings{flag}, {variable})), c.from_flag) << name;
    EXPECT_EQ(c.held(options_of(others + file, {variable})), c.from_variable) << name;
    // An empty variable is none.
    EXPECT_EQ(c.held(options_of(others + file, {flagd_variable(*row) + "="})), c.from_file) << name;
    EXPECT_EQ(options_of(others + Strings{flag}).flagd.on, c.flagd_mode) << name;
    EXPECT_EQ(options_of(others, {variable}).flagd.on, c.flagd_mode) << name;
    EXPECT_TRUE(options_of(others + file).flagd.on) << name;  // A file of flagd's.
    ++seen;
  }
  std::size_t honoured = 0;
  for (const OptionRow& row : option_table()) {
    honoured += !row.flagd.empty() && row.ignored.empty() && row.flagd != "bind" ? 1U : 0U;
  }
  EXPECT_EQ(seen, honoured);
}

TEST(FlagdMode, ShortNames) {
  const Options o =
      options_of({"-p", "1",   "-m", "2",     "-g", "3",    "-r",     "4",    "-d", "/d", "-e",
                  "/e", "-c",  "/c", "-k",    "/k", "-f",   "file:f", "-C",   "*",  "-z", "json",
                  "-X", "a=b", "-H", "X-Y=z", "-B", "5000", "-R",     "6000", "-x", "-X", "c=d=e"});
  EXPECT_EQ(addresses_of(o),
            (Strings{"tls:127.0.0.1:1", "tls:127.0.0.1:3", "127.0.0.1:4", "unix:/d", "unix:/e"}));
  EXPECT_EQ(o.admin, "[::]:2");
  EXPECT_EQ(joined(o.context_values), "a=b c=d=e");
  EXPECT_EQ(joined(o.context_from_headers), "X-Y=z");
  EXPECT_EQ(o.log_level, LogLevel::kDebug);
}

TEST(FlagdMode, WhatIsIgnoredSaysSo) {
  int rows = 0;
  for (const OptionRow& row : option_table()) {
    if (row.ignored.empty()) {
      continue;
    }
    const std::string flag(long_flag(row));
    const std::string value = is_switch(row) ? "false" : "something";
    const std::string rest = " is ignored: " + std::string(row.ignored);
    EXPECT_EQ(warnings_of(kUri + Strings{flag + "=" + value}), Strings{flag + rest});
    EXPECT_EQ(warnings_of(kUri, {flagd_variable(row) + "=" + value}),
              Strings{flagd_variable(row) + rest});
    const std::string file = write_file(std::string(row.flagd) + ": " + value + "\n");
    EXPECT_EQ(warnings_of(kUri + Strings{"--config", file}), Strings{file + ":1" + rest});
    // What holds anyway needs no word.
    const std::string same = default_text(row) == "none" ? "" : default_text(row);
    EXPECT_EQ(warnings_of(kUri, {flagd_variable(row) + "=" + same}), Strings{}) << flag;
    EXPECT_FALSE(options_of(kUri + Strings{flag + "=" + value}).flagd.on) << flag;
    ++rows;
  }
  EXPECT_GT(rows, 10);
}

TEST(FlagdMode, UriAndConfigAloneAreNot) {
  EXPECT_FALSE(options_of(kUri).flagd.on);
  EXPECT_FALSE(options_of({}, {"FLAGD_URI=file:x", "FLAGD_LOG_FORMAT=json"}).flagd.on);
  EXPECT_FALSE(options_of({"--config",
                           write_file("environments: {default: {sources: [{uri: \"file:x\"}]}}\n")})
                   .flagd.on);
  EXPECT_FALSE(options_of(kUri + Strings{"--config", write_file("")}).flagd.on);
  EXPECT_TRUE(options_of({"--config", write_file("uri: \"file:x\"\n")}).flagd.on);
}

TEST(FlagdMode, Addresses) {
  struct Row {
    Strings arguments, addresses;
    std::string admin;
  };
  for (const Row& row : {
           Row{{"-p", "9013"}, {"127.0.0.1:9013", "127.0.0.1:8015", "127.0.0.1:8016"}, "[::]:8014"},
           Row{{"-p", "9013", "--bind", "0.0.0.0"},
               {"0.0.0.0:9013", "0.0.0.0:8015", "0.0.0.0:8016"},
               "0.0.0.0:8014"},
           Row{{"-m", "1", "--bind", "::1"}, {"[::1]:8013", "[::1]:8015", "[::1]:8016"}, "[::1]:1"},
           Row{{"-p", "9013", "--listen", "unix:/u", "--admin", "127.0.0.1:7"},
               {"127.0.0.1:9013", "127.0.0.1:8015", "127.0.0.1:8016", "unix:/u"},
               "127.0.0.1:7"},
           Row{{"-d", "/s", "-c", "/c", "-k", "/k"},
               {"tls:127.0.0.1:8013", "tls:127.0.0.1:8015", "127.0.0.1:8016", "unix:/s"},
               "[::]:8014"},
           Row{{"-p", "0", "-m", "0", "-g", "0", "-r", "0", "--bind", "127.0.0.1"},
               {"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"},
               "127.0.0.1:0"},
       }) {
    const Options options = options_of(kUri + row.arguments);
    EXPECT_EQ(addresses_of(options), row.addresses);
    EXPECT_EQ(options.admin, row.admin);
  }
}

TEST(FlagdMode, AdminAndManagementPort) {
  // The place that goes before decides; at the same place ours does.
  EXPECT_EQ(options_of(kUri + Strings{"-m", "1"}, {"FLAGSTONE_ADMIN=127.0.0.1:2"}).admin, "[::]:1");
  EXPECT_EQ(options_of(kUri + Strings{"--admin", "127.0.0.1:2"}, {"FLAGD_MANAGEMENT_PORT=1"}).admin,
            "127.0.0.1:2");
  EXPECT_EQ(options_of(kUri, {"FLAGSTONE_ADMIN=127.0.0.1:2", "FLAGD_MANAGEMENT_PORT=1"}).admin,
            "127.0.0.1:2");
  EXPECT_EQ(refusal(kUri + Strings{"-m", "1", "--admin", "h:2"}),
            "64: --management-port: is flagd's name for `--admin`, keep one of them");
  EXPECT_EQ(options_of(kUri + Strings{"--log-level", "warn", "--debug"}).log_level,
            LogLevel::kWarn);
  EXPECT_EQ(options_of(kUri + Strings{"-x"}, {"FLAGSTONE_LOG_LEVEL=warn"}).log_level,
            LogLevel::kDebug);
}

TEST(FlagdMode, Problems) {
  EXPECT_EQ(refusal(kUri + Strings{"-p", "70000"}),
            "64: --port: `70000` is not a port, they end at 65535");
  EXPECT_EQ(refusal(kUri + Strings{"-m", "70000"}),
            "64: --management-port: `[::]:70000` is not an address, write `HOST:PORT` or "
            "`unix:PATH` | --management-port: `70000` is not a port, they end at 65535");
  EXPECT_EQ(refusal(kUri + Strings{"-p", "8015"}),
            "64: `127.0.0.1:8015` is used twice, every address serves once");
  EXPECT_EQ(refusal(kUri + Strings{"-p", "8014"}),
            "64: --port: `8014` is the management port too, every address serves once");
  EXPECT_EQ(refusal(kUri + Strings{"-c", "/c"}),
            "64: --tls-certificate-file: a certificate and its key belong together, give "
            "`tls.certificate_file` and `tls.key_file`");
  EXPECT_EQ(refusal(kUri + Strings{"--listen", "tls:127.0.0.1:1"}),
            "64: --listen: `tls:127.0.0.1:1` needs a certificate, give `tls.certificate_file` and "
            "`tls.key_file`");
  EXPECT_EQ(refusal(kUri + Strings{"-X", "novalue"}),
            "64: --context-values: `novalue` is no pair, write `key=text`");
  EXPECT_EQ(refusal(kUri + Strings{"-H", "a b=c"}),
            "64: --context-from-headers: `a b` is not the name of a header");
  EXPECT_EQ(refusal({"--uri", "s3://bucket/object"}),
            "64: --uri: `s3:` is not read, write the object's `https:` address: one that is public "
            "or pre-signed, or with `credential_file`");
  EXPECT_EQ(refusal(kUri, {"FLAGD_PORT=many"}), "64: FLAGD_PORT: `many` is not a whole number");
  EXPECT_EQ(warnings_of(kUri + Strings{"--bind", "0.0.0.0"}),
            Strings{"--bind: `bind` is ignored, it is for flagd's ports and none of them is used"});
  EXPECT_EQ(warnings_of(kUri + Strings{"-c", "/c", "-k", "/k"}),
            Strings{"--tls-certificate-file: the certificate is not used, no address begins with "
                    "`tls:`"});
}

TEST(FlagdMode, AFileIsOfOneKind) {
  const std::string mixed = write_file("admin: \"127.0.0.1:1\"\nport: 8013\n");
  EXPECT_EQ(refusal(kUri + Strings{"--config", mixed}),
            "65: " + mixed + ":2: `port` is a key of flagd's file and `admin` (line 1) one of " +
                "Flagstone's, write one kind of file");
  const std::string other = write_file("Port: 1\nPROT: 2\nbind: \"::1\"\nsocket-path: \"\"\n");
  EXPECT_EQ(warnings_of(kUri + Strings{"--config", other}),
            Strings{other + ":2: unknown key `PROT` is ignored, as flagd does"});
  EXPECT_EQ(addresses_of(options_of(kUri + Strings{"--config", other})),
            (Strings{"[::1]:1", "[::1]:8015", "[::1]:8016"}));
  const std::string bad = write_file("port: [1]\ncontext-value: text\nuri: [[a]]\nsources: 1\n");
  EXPECT_EQ(
      refusal({"--config", bad}),
      "65: " + bad + ":1: `port` takes one value, not a list | " + bad +
          ":3: `uri` is a list of text, not of a list | " + bad +
          ":2: `text` is no pair, write `key=text` | " + bad +
          ":4: must be a JSON array, like `[{\"uri\":\"flags.json\",\"provider\":\"file\"}]`");
  // Ours beside flagd's flags is no mixture.
  const Options both = options_of(
      kUri + Strings{"-p", "1", "--config", write_file("bind: \"::1\"\nlog_level: warn\n")});
  EXPECT_EQ(both.admin, "[::1]:8014");
  EXPECT_EQ(both.log_level, LogLevel::kWarn);
}

TEST(FlagdMode, ServiceLinksAreNoOptions) {
  const Strings links = {"FLAGD_PORT=tcp://10.0.0.1:8013",
                         "FLAGD_SERVICE_HOST=10.0.0.1",
                         "FLAGD_SERVICE_PORT=8013",
                         "FLAGD_SERVICE_PORT_GRPC=8013",
                         "FLAGD_PORT_8013_TCP=tcp://10.0.0.1:8013",
                         "FLAGD_PORT_8013_TCP_PROTO=tcp",
                         "FLAGD_PORT_8013_TCP_PORT=8013",
                         "FLAGD_PORT_8013_TCP_ADDR=10.0.0.1",
                         "FLAGD_SYNC_PORT=tcp://10.0.0.2:8015",
                         "FLAGD_MANAGEMENT_PORT=tcp://10.0.0.3:8014",
                         "FLAGD_OFREP_PORT=tcp://10.0.0.4:8016"};
  EXPECT_EQ(warnings_of(kUri, links), Strings{});
  EXPECT_FALSE(options_of(kUri, links).flagd.on);
}

TEST(FlagdMode, UnknownVariablesWarn) {
  EXPECT_EQ(warnings_of(kUri, {"FLAGD_PROT=canary", "FLAGD_XYZZY=canary", "FLAGD_RESOLVER=rpc",
                               "FLAGD_HOST=localhost", "FLAGD_TLS=false", "FLAGD_DEADLINE_MS=500"}),
            (Strings{"unknown variable FLAGD_PROT is ignored, did you mean `FLAGD_PORT`?",
                     "unknown variable FLAGD_XYZZY is ignored"}));
}

TEST(FlagdMode, OursGoBeforeFlagdsVariables) {
  for (const Strings& environment :
       {Strings{"FLAGSTONE_LOG_FORMAT=json", "FLAGD_LOG_FORMAT=console"},
        Strings{"FLAGD_LOG_FORMAT=console", "FLAGSTONE_LOG_FORMAT=json"}}) {
    EXPECT_EQ(options_of(kUri, environment).log_format, LogFormat::kJson);
  }
}

TEST(FlagdMode, CommasWithinAUriStay) {
  EXPECT_EQ(uris(options_of({"-f", "https://h/f?ids=1,b:2,file:c,core.openfeature.dev/n"})),
            "https://h/f?ids=1,b:2 file:c core.openfeature.dev/n");
}

// flagd's operator (0.9.2) starts the container like this.
TEST(FlagdMode, TheOperatorsArguments) {
  const Strings arguments = {
      "--management-port",
      "8014",
      "--port",
      "8013",
      "--sources",
      R"([{"uri":"/etc/flagd/flags.json","provider":"file"},)"
      R"({"uri":"core.openfeature.dev/ns/end-to-end","provider":"kubernetes"},)"
      R"({"uri":"https://h/flags","provider":"http","bearerToken":"t","interval":10},)"
      R"({"uri":"proxy:8015","provider":"grpc","tls":false,"certPath":"","providerID":"p",)"
      R"("selector":"core.openfeature.dev/ns/name"}])",
      "--debug",
      "--metrics-exporter",
      "otel",
      "--otel-collector-uri",
      "otel:4317",
      "--context-value",
      "region=eu",
      "--context-from-header",
      "X-Tenant=tenant",
      "--cors-origin",
      "*",
      "--sync-provider-args",
      "key=value",
      "--sync-provider-args",
      "another=value",
      "--ofrep-port",
      "8016"};
  const Strings environment = {
      "FLAGD_MANAGEMENT_PORT=8014",      "FLAGD_PORT=8013",    "FLAGD_EVALUATOR=json",
      "FLAGD_LOG_FORMAT=json",           "FLAGD_RESOLVER=rpc", "FLAGD_SOCKET_PATH=",
      "KUBERNETES_SERVICE_HOST=10.0.0.1"};
  const Options o = options_of(arguments, environment);
  EXPECT_EQ(addresses_of(o), (Strings{"127.0.0.1:8013", "127.0.0.1:8015", "127.0.0.1:8016"}));
  EXPECT_EQ(o.admin, "[::]:8014");
  EXPECT_EQ(uris(o),
            "file:/etc/flagd/flags.json core.openfeature.dev/ns/end-to-end https://h/flags "
            "grpc://proxy:8015");
  EXPECT_EQ(o.log_format, LogFormat::kJson);
  EXPECT_EQ(o.log_level, LogLevel::kDebug);
  const std::string otel =
      " is ignored: nothing is pushed to a collector, Prometheus metrics are at /metrics";
  Strings warnings = warnings_of(arguments, environment);
  std::ranges::sort(warnings);
  EXPECT_EQ(warnings,
            (Strings{"--metrics-exporter" + otel, "--otel-collector-uri" + otel,
                     "--sources: source 3: a credential on the command line can be read by every "
                     "process of this user, name a file with `credential_file` instead",
                     "--sync-provider-args is ignored: flagd has no such option any more either, "
                     "see --sources"}));
}

TEST(FlagdMode, ClientsFindTheDaemon) {
  const auto client = [](const Strings& words, const Strings& environment) {
    std::vector<const char*> argv = {"flagstone"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    return parse(static_cast<int>(argv.size()), argv.data(), environment).value();
  };
  const Command health =
      client({"health"}, {"FLAGD_MANAGEMENT_PORT=7014", "FLAGD_SOURCES=nonsense"});
  EXPECT_EQ(std::get<HealthCommand>(health.action).admin, "127.0.0.1:7014");
  const Command bound = client({"health"}, {"FLAGD_PORT=1", "FLAGSTONE_BIND=::1"});
  EXPECT_EQ(std::get<HealthCommand>(bound.action).admin, "[::1]:8014");
  const std::string file = write_file("port: 7013\nserver-cert-path: /c\nserver-key-path: /k\n");
  const Command evaluate = client({"evaluate", "k", "--config", file}, {"FLAGD_SOCKET_PATH=/s"});
  EXPECT_EQ(std::get<EvaluateCommand>(evaluate.action).addresses,
            (Strings{"127.0.0.1:8016", "unix:/s"}));  // The others speak TLS.
}

TEST(FlagdMode, TheTableInTheDocumentIsThisOne) {
  std::ifstream file(FLAGSTONE_SOURCE_DIR "/docs/flagd.md");
  std::stringstream document;
  document << file.rdbuf();
  const std::string text = document.str();
  const std::string begin = "<!-- flagd:begin -->\n";
  const std::size_t first = text.find(begin);
  const std::size_t last = text.find("<!-- flagd:end -->");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  const std::size_t table = first + begin.size();
  EXPECT_TRUE(text.substr(table, last - table) == flagd_table_markdown())
      << "between the markers there must be\n"
      << flagd_table_markdown();
}

}  // namespace
}  // namespace flagstone::config
