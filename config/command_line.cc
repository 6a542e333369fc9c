#include "config/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "config/address.h"
#include "config/commands.h"
#include "config/file.h"
#include "config/flagd_mode.h"
#include "config/help.h"
#include "config/layer.h"
#include "config/nearest_name.h"
#include "config/validate.h"

namespace flagstone::config {
namespace {

// What file, variables and flags say together.
struct Loaded {
  Options options;
  std::string config_file;
  ProblemList problems;
  std::vector<std::string> warnings;
};

Problems problems_of(const ProblemList& list) {
  Problems problems;
  for (const Problem& problem : list) {
    problems.exit_code = std::max(problems.exit_code, problem.exit_code);
    problems.messages.push_back(to_string(problem));
  }
  return problems;
}

Problems usage_problem(std::string message) {
  return {.exit_code = kExitUsage, .messages = {std::move(message)}};
}

Problems with_help_hint(Problems problems, const CommandRow& command) {
  problems.messages.push_back("see `flagstone help " + std::string(command.word) + "`");
  return problems;
}

bool is_config(const OptionRow& row) { return long_flag(row) == "--config"; }

// Variables that options name as the place of a secret; they may begin with FLAGSTONE_.
std::vector<std::string> secret_variables(const Options& options) {
  std::vector<std::string> names;
  for (const Environment& environment : options.environments) {
    for (const SecretSource& secret : environment.accept) {
      names.push_back(secret.variable);
    }
    for (const Source& source : environment.sources) {
      names.push_back(source.credential.variable);
      for (const Header& header : source.headers) {
        names.push_back(header.value.variable);
      }
    }
  }
  return names;
}

Loaded load(Layer layer) {
  Loaded loaded;
  for (const auto& [row, written] : layer) {
    if (is_config(*row)) {
      loaded.config_file = written.items.back();
    }
  }
  if (!loaded.config_file.empty()) {
    layer = merge(
        read_config_file(loaded.config_file, loaded.options, loaded.problems, loaded.warnings),
        std::move(layer));
  }
  apply(layer, loaded.options, loaded.problems, loaded.warnings);
  return loaded;
}

Variables lookup_in(EnvironmentVariables environment) {
  return [environment](std::string_view name) -> std::optional<std::string> {
    for (const std::string_view variable : environment) {
      const std::size_t equals = variable.find('=');
      if (variable.substr(0, equals) == name && equals != std::string_view::npos) {
        return std::string(variable.substr(equals + 1));
      }
    }
    return std::nullopt;
  };
}

// Everything `start` runs with, or every problem there is.
std::expected<Loaded, Problems> load_all(const Words& words, EnvironmentVariables environment) {
  Loaded loaded = load(merge(read_variables(environment), words.options));
  // When the file could not be read at all, that it names no environment is nobody's mistake.
  const bool nothing_read = !loaded.problems.empty() && loaded.options.environments.empty();
  if (!nothing_read) {
    for (ProblemList more :
         {validate(loaded.options), validate_variables(loaded.options, lookup_in(environment))}) {
      std::ranges::move(more, std::back_inserter(loaded.problems));
    }
    sort_by_line(loaded.problems);
  }
  if (!loaded.problems.empty()) {
    return std::unexpected(problems_of(loaded.problems));
  }
  const std::vector<std::string> unknown =
      unknown_variables(environment, secret_variables(loaded.options));
  loaded.warnings.insert(loaded.warnings.end(), unknown.begin(), unknown.end());
  const std::vector<std::string> idle = flagd_mode_warnings(loaded.options);
  loaded.warnings.insert(loaded.warnings.end(), idle.begin(), idle.end());
  return loaded;
}

// What a client of the daemon needs to find it: the addresses, from the same places that `start`
// has them from. A mistake in the file is only warned about: the daemon goes on with what it read
// before, and a probe must not fail where it does not.
std::expected<Loaded, Problems> load_addresses(const Words& words,
                                               EnvironmentVariables environment) {
  Layer layer = merge(read_variables(environment), words.options);
  std::erase_if(layer, [](const auto& entry) {
    const OptionRow& row = *entry.first;
    return !is_config(row) && !row.flagd_mode && long_flag(row) != "--admin" &&
           long_flag(row) != "--listen" && long_flag(row) != "--bind" &&
           !row.key.starts_with("tls.");
  });
  for (auto& [row, written] : layer) {
    if (row->flagd_mode && row->field == nullptr) {
      written.items = {"[]"};  // The sources matter here only as they switch flagd mode on.
    }
  }
  Loaded loaded = load(std::move(layer));
  std::erase_if(loaded.problems, [&](const Problem& problem) {
    const bool is_file = problem.exit_code == kExitContent;
    if (is_file) {
      loaded.warnings.push_back(to_string(problem));
    }
    return is_file;
  });
  const auto check = [&](const std::string& path, const std::string& address) {
    if (const auto problem = address_problem(address)) {
      loaded.problems.push_back({.where = to_string(loaded.options.origins.find(path)),
                                 .message = *problem,
                                 .exit_code = kExitUsage});
    }
  };
  check("admin", loaded.options.admin);
  for (const std::string& address : loaded.options.listen) {
    check("listen", address);
  }
  if (!loaded.problems.empty()) {
    return std::unexpected(problems_of(loaded.problems));
  }
  return loaded;
}

std::expected<Command, Problems> start_or_check(const CommandRow& row, const Words& words,
                                                EnvironmentVariables environment) {
  auto loaded = load_all(words, environment);
  if (!loaded) {
    return std::unexpected(std::move(loaded).error());
  }
  Command command;
  command.warnings = std::move(loaded->warnings);
  if (row.name == CommandName::kStart) {
    command.action = StartCommand{std::move(loaded->options), std::move(loaded->config_file)};
  } else {
    command.action = CheckCommand{std::move(loaded->options), std::move(loaded->config_file)};
  }
  return command;
}

// The text of one of the command's own flags, empty when it was not given.
std::string flag_text(const Words& words, std::string_view flag) {
  const auto found = words.flags.find(flag);
  return found == words.flags.end() ? std::string() : found->second;
}

std::expected<Command, Problems> evaluate(const CommandRow& row, const Words& words,
                                          EnvironmentVariables environment,
                                          const Surroundings& surroundings) {
  EvaluateCommand command;
  command.key = words.argument;
  command.credential.file = flag_text(words, "--credential-file");
  command.credential.variable = flag_text(words, "--credential-env");
  if (!command.credential.file.empty() && !command.credential.variable.empty()) {
    return std::unexpected(with_help_hint(
        usage_problem("`--credential-file` and `--credential-env` are both given, keep one"), row));
  }
  if (const auto context = words.flags.find("--context"); context != words.flags.end()) {
    command.context_json = context->second;
  }
  if (const auto address = words.flags.find("--address"); address != words.flags.end()) {
    if (const auto problem = address_problem(address->second)) {
      return std::unexpected(with_help_hint(usage_problem("--address: " + *problem), row));
    }
    command.addresses.push_back(address->second);
    return Command{.action = std::move(command), .warnings = {}};
  }
  auto loaded = load_addresses(words, environment);
  if (!loaded) {
    return std::unexpected(std::move(loaded).error());
  }
  for (const ListenAddress& listen : listen_addresses(loaded->options, surroundings)) {
    if (!is_tls_address(listen.address)) {
      command.addresses.push_back(reachable_address(listen.address));
    }
  }
  return Command{.action = std::move(command), .warnings = std::move(loaded->warnings)};
}

Probe probe_of(const Words& words) {
  if (words.flags.contains("--startup")) {
    return Probe::kStartup;
  }
  return words.flags.contains("--live") ? Probe::kLive : Probe::kReady;
}

std::expected<Command, Problems> accept_or_health(const CommandRow& row, const Words& words,
                                                  EnvironmentVariables environment) {
  if (words.flags.size() > 1) {
    return std::unexpected(with_help_hint(
        usage_problem("`--startup`, `--ready` and `--live` exclude each other"), row));
  }
  auto loaded = load_addresses(words, environment);
  if (!loaded) {
    return std::unexpected(std::move(loaded).error());
  }
  Command command;
  command.warnings = std::move(loaded->warnings);
  const std::string admin = reachable_admin(loaded->options);
  if (row.name == CommandName::kAccept) {
    command.action = AcceptCommand{.environment = words.argument, .admin = admin};
  } else {
    command.action = HealthCommand{.probe = probe_of(words), .admin = admin};
  }
  return command;
}

std::expected<Command, Problems> unknown_command(std::string_view word) {
  std::vector<std::string_view> known;
  for (const CommandRow& row : command_table()) {
    known.push_back(row.word);
  }
  if (word.starts_with('-')) {
    return std::unexpected(usage_problem("`" + std::string(word) +
                                         "` comes before the command, write `flagstone start " +
                                         std::string(word) + " …`"));
  }
  return std::unexpected(
      usage_problem("unknown command `" + std::string(word) + "`" + did_you_mean(word, known)));
}

std::expected<Command, Problems> help(const Words& words) {
  if (words.argument.empty()) {
    return Command{.action = HelpCommand{overview_text()}, .warnings = {}};
  }
  const CommandRow* row = find_command(words.argument);
  if (row == nullptr) {
    return unknown_command(words.argument);
  }
  return Command{.action = HelpCommand{command_text(*row)}, .warnings = {}};
}

// The command's own word, `--help` and `--version` being words as well.
std::string_view command_word(std::string_view word) {
  if (word == "-h" || word == "--help") {
    return "help";
  }
  return word == "--version" ? "version" : word;
}

}  // namespace

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

std::expected<Command, Problems> parse(int argc, const char* const* argv,
                                       EnvironmentVariables environment,
                                       const Surroundings& surroundings) {
  if (argc < 2) {
    return Command{.action = HelpCommand{overview_text()}, .warnings = {}};
  }
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  const CommandRow* row = find_command(command_word(arguments.front()));
  if (row == nullptr) {
    return unknown_command(arguments.front());
  }
  const auto words = parse_words(*row, arguments.subspan(1));
  if (!words) {
    return std::unexpected(with_help_hint(problems_of(words.error()), *row));
  }
  if (words->help) {
    return Command{.action = HelpCommand{command_text(*row)}, .warnings = {}};
  }
  switch (row->name) {
    case CommandName::kStart:
    case CommandName::kCheck:
      return start_or_check(*row, *words, environment);
    case CommandName::kEvaluate:
      return evaluate(*row, *words, environment, surroundings);
    case CommandName::kAccept:
    case CommandName::kHealth:
      return accept_or_health(*row, *words, environment);
    case CommandName::kVersion:
      return Command{.action = VersionCommand{}, .warnings = {}};
    case CommandName::kHelp:
      break;
  }
  return help(*words);
}

}  // namespace flagstone::config
