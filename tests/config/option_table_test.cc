#include "config/option_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "config/command_line.h"
#include "config/file.h"
#include "config/layer.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

// A good value for a row that is not its default, by the kind of the field, else by the key.
std::string sample(const OptionRow& row) {
  static const std::map<std::string_view, std::string> kByKey = {
      {"uri", "https://sample.example/flags.json"},
      {"listen", "127.0.0.1:7001"},
      {"admin", "127.0.0.1:7002"},
      {"allowed_hosts", "sample.example"},
      {"allowed_origins", "https://sample.example"},
      {"credential_env", "SAMPLE"},
      {"dialect", "launchdarkly"},
      {"proxy", "http://proxy.sample.example:3128"},
      {"stream_uri", "https://stream.sample.example"},
      {"events_uri", "https://events.sample.example"},
      {"selector", "flagSetId=sample"},
      {"events.private_attributes", "email"},
      {"bind", "::1"},
      {"cors_origins", "https://sample.example"}};
  if (const auto found = kByKey.find(row.key); found != kByKey.end()) {
    return found->second;
  }
  Options options;
  Environment environment;
  Source source;
  const Field field = row.field({&options, &environment, &source});
  if (std::holds_alternative<std::string*>(field)) return "/sample/path";
  if (std::holds_alternative<std::uint32_t*>(field)) return "7";
  if (std::holds_alternative<std::uint64_t*>(field)) return "9MiB";
  if (std::holds_alternative<std::optional<std::uint64_t>*>(field)) return "9MiB";
  if (std::holds_alternative<Milliseconds*>(field)) return "7s";
  if (std::holds_alternative<bool*>(field)) return **std::get_if<bool*>(&field) ? "false" : "true";
  if (std::holds_alternative<Pairs*>(field)) return "a=b";
  if (std::holds_alternative<std::optional<bool>*>(field)) return "true";
  if (std::holds_alternative<Fractional*>(field)) return "v3";
  if (std::holds_alternative<LaunchDarklyProtocol*>(field)) return "fdv1";
  if (std::holds_alternative<LogLevel*>(field)) return "error";
  if (std::holds_alternative<LogFormat*>(field)) return "json";
  if (std::holds_alternative<DocumentFormat*>(field)) return "yaml";
  ADD_FAILURE() << "no sample for " << row.key;
  return {};
}

// What the options hold for the row, seen at the environment `default` and its first source.
std::string held(const OptionRow& row, Options& options) {
  Environment none;
  Environment& environment = options.environments.empty() ? none : options.environments.front();
  Source no_source;
  Source& source = environment.sources.empty() ? no_source : environment.sources.front();
  return format_field(row.field({&options, &environment, &source}));
}

std::string default_held(const OptionRow& row) {
  Options options;
  return held(row, options);
}

std::string file_text(const OptionRow& row, const std::string& text) {
  const std::string key(row.key);
  const bool is_map = row.value_name.contains('=');
  const std::string value =
      is_map ? "{" + text.substr(0, text.find('=')) + ": " + text.substr(text.find('=') + 1) + "}"
             : "\"" + text + "\"";
  const std::size_t dot = key.find('.');
  switch (row.scope) {
    case Scope::kProcess:
      return dot == std::string::npos
                 ? key + ": " + value + "\n"
                 : key.substr(0, dot) + ": {" + key.substr(dot + 1) + ": " + value + "}\n";
    case Scope::kEnvironment:
      if (dot != std::string::npos) {
        const std::string section = key.substr(0, dot);
        return "environments: {default: {" + section + ": {" + key.substr(dot + 1) + ": " + value +
               "}}}\n";
      }
      return "environments: {default: {" + key + ": " + value + "}}\n";
    case Scope::kSource:
      return "environments: {default: {sources: [{" + key + ": " + value + "}]}}\n";
    case Scope::kFlagd:
      break;
  }
  return {};
}

Options start(std::vector<std::string> arguments, std::vector<std::string> environment) {
  environment.insert(environment.end(), {"K=key", "SAMPLE=key"});
  std::vector<const char*> argv = {"flagstone", "start"};
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  const auto command = parse(static_cast<int>(argv.size()), argv.data(), environment);
  if (!command) {
    ADD_FAILURE() << command.error().messages.front();
    return {};
  }
  return std::get<StartCommand>(command->action).options;
}

// A source that the row can be about, and what else it takes.
std::vector<std::string> beside(const OptionRow& row) {
  if (row.key == "uri") return {};
  if (row.key == "client_certificate_file") {
    return {"--uri", "https://h/f", "--client-key-file", "/key"};
  }
  if (row.key == "client_key_file") {
    return {"--uri", "https://h/f", "--client-certificate-file", "/certificate"};
  }
  if (row.key == "tls.certificate_file") return {"--uri", "https://h/f", "-k", "/key"};
  if (row.key == "tls.key_file") return {"--uri", "https://h/f", "-c", "/certificate"};
  if (row.key == "tls.client_ca_file") return {"--uri", "https://h/f", "-k", "/k", "-c", "/c"};
  if (row.key == "dialect") return {"--uri", "https://h", "--credential-env", "K"};
  if (row.key == "stream_uri" || row.key == "events_uri" || row.key == "protocol") {
    return {"--uri", "https://h", "--credential-env", "K", "--dialect", "launchdarkly"};
  }
  if (row.key == "provider_id") return {"--uri", "grpc://h:8015"};
  return {"--uri", "https://sample.example/flags.json"};
}

TEST(OptionTable, EveryKeyIsReadFromTheFile) {
  int rows = 0;
  for (const OptionRow& row : option_table()) {
    if (row.key.empty() || row.field == nullptr) {
      continue;
    }
    const std::string value = sample(row);
    Options options;
    ProblemList problems;
    read_config_text(file_text(row, value), "f.yaml", options, problems);
    EXPECT_TRUE(problems.empty()) << file_text(row, value) << to_string(problems.front());
    EXPECT_NE(default_held(row), value) << full_key(row);
    EXPECT_EQ(held(row, options), value) << full_key(row);
    ++rows;
  }
  EXPECT_GT(rows, 30);
}

TEST(OptionTable, EveryVariableIsRead) {
  int rows = 0;
  for (const OptionRow& row : option_table()) {
    if (row.variable.empty() || row.field == nullptr) {
      continue;
    }
    const std::string value = sample(row);
    Options options = start(beside(row), {std::string(row.variable) + "=" + value});
    EXPECT_EQ(held(row, options), value) << row.variable;
    ++rows;
  }
  EXPECT_GT(rows, 20);
}

TEST(OptionTable, EveryFlagIsRead) {
  int rows = 0;
  for (const OptionRow& row : option_table()) {
    if (row.flag.empty() || row.field == nullptr) {
      continue;
    }
    const std::string value = sample(row);
    // By its long name, and by its short one where it has one.
    std::stringstream names{std::string(row.flag)};
    for (std::string name; std::getline(names, name, ',');) {
      std::vector<std::string> arguments = beside(row);
      if (is_switch(row)) {
        arguments.push_back((name.starts_with("--") ? name : std::string(long_flag(row))) + "=" +
                            value);
      } else {
        arguments.insert(arguments.end(), {name, value});
      }
      Options options = start(arguments, {});
      EXPECT_EQ(held(row, options), value) << name;
      ++rows;
    }
  }
  EXPECT_GT(rows, 25);
}

TEST(OptionTable, NamesFollowOneRule) {
  std::set<std::string_view> flags;
  for (const OptionRow& row : option_table()) {
    EXPECT_FALSE(row.help.empty()) << row.flag;
    EXPECT_FALSE(row.value_name.empty()) << row.flag;
    EXPECT_FALSE(default_text(row).empty()) << full_key(row) << row.flag;
    if (row.flag.empty()) {
      EXPECT_TRUE(row.variable.empty()) << row.key;
      continue;
    }
    EXPECT_TRUE(flags.insert(long_flag(row)).second) << row.flag;
    std::string variable = "FLAGSTONE_" + std::string(long_flag(row).substr(2));
    std::ranges::replace(variable, '-', '_');
    std::ranges::transform(variable, variable.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(row.variable, row.scope == Scope::kFlagd ? "" : variable);
  }
}

TEST(OptionTable, DefaultsAreTheOnesOfTheContract) {
  const std::map<std::string_view, std::string_view> expected = {
      {"admin", "127.0.0.1:8014"},
      {"interval", "30s"},
      {"confirm_shrink", "3"},
      {"serving_threads", "1"},
      {"max_connections", "1024"},
      {"request_header_limit", "64KiB"},
      {"request_body_limit", "1MB"},
      {"shutdown_delay", "0s"},
      {"drain_time", "4s"},
      {"startup_wait", "10s"},
      {"cache.memory_limit", "64MiB"},
      {"cache.max_document_bytes", "64MiB"},
      {"state.limit", "256MiB"},
      {"fractional", "v2"},
      {"dialect", "flagd"}};
  std::size_t seen = 0;
  for (const OptionRow& row : option_table()) {
    if (const auto found = expected.find(row.key); found != expected.end()) {
      EXPECT_EQ(default_text(row), found->second) << row.key;
      ++seen;
    }
  }
  EXPECT_EQ(seen, expected.size());
}

TEST(OptionTable, TheReadmesTableIsThisOne) {
  std::ifstream file(FLAGSTONE_SOURCE_DIR "/README.md");
  std::stringstream readme;
  readme << file.rdbuf();
  const std::string text = readme.str();
  const std::string begin = "<!-- options:begin -->\n";
  const std::string end = "<!-- options:end -->";
  const std::size_t first = text.find(begin);
  const std::size_t last = text.find(end);
  if (first == std::string::npos || last == std::string::npos) {
    GTEST_SKIP() << "README.md has no option markers yet; the table between them would be\n"
                 << option_table_markdown();
  }
  const std::size_t table = first + begin.size();
  EXPECT_TRUE(text.substr(table, last - table) == option_table_markdown())
      << "between the markers there must be\n"
      << option_table_markdown();
}

TEST(OptionTable, MarkdownHasARowForEveryOption) {
  const std::string table = option_table_markdown();
  const auto lines = std::ranges::count(table, '\n');
  const auto ignored = std::ranges::count_if(
      option_table(), [](const OptionRow& row) { return !row.ignored.empty(); });
  EXPECT_EQ(static_cast<std::size_t>(lines + ignored), option_table().size() + 2);
  EXPECT_NE(table.find("| `cache.memory_limit` | `--memory-limit` | 64MiB | Memory for"),
            std::string::npos);
  std::stringstream stream(table);
  for (std::string line; std::getline(stream, line);) {
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1U : 0U;
    }
    EXPECT_EQ(bars, 5U) << line;
  }
}

}  // namespace
}  // namespace flagstone::config
