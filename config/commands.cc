#include "config/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "config/nearest_name.h"
#include "config/source_uri.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

constexpr std::array kEvaluateFlags = {
    CommandFlag{.flag = "--context",
                .value_name = "JSON",
                .help = "Who asks: {\"targetingKey\": \"user-1\", …}",
                .default_text = "{}"},
    CommandFlag{.flag = "--address",
                .value_name = "ADDRESS",
                .help = "Ask there: unix:PATH or HOST:PORT",
                .default_text = "where start listens"},
    CommandFlag{.flag = "--credential-file",
                .value_name = "FILE",
                .help = "Bearer token to ask with; it selects the environment"},
    CommandFlag{.flag = "--credential-env",
                .value_name = "NAME",
                .help = "Environment variable that holds it"},
};
constexpr std::array kHealthFlags = {
    CommandFlag{.flag = "--startup", .value_name = {}, .help = "Has data, or startup_wait is over"},
    CommandFlag{.flag = "--ready",
                .value_name = {},
                .help = "Every environment has data",
                .default_text = "this one"},
    CommandFlag{.flag = "--live", .value_name = {}, .help = "The daemon turns"},
};
constexpr std::array<std::string_view, 1> kEvaluateOptions = {"--config"};
constexpr std::array<std::string_view, 2> kAdminOptions = {"--config", "--admin"};

constexpr std::array kCommands = {
    CommandRow{.name = CommandName::kStart,
               .word = "start",
               .argument = {},
               .summary = "Serve flags until SIGTERM",
               .story = "Serves the flags of its sources over a Unix socket and localhost.",
               .flags = {},
               .option_flags = {},
               .all_options = true},
    CommandRow{.name = CommandName::kCheck,
               .word = "check",
               .argument = {},
               .summary = "Find every mistake in configuration and flag files",
               .story = "Reads what `start` would read, reports every problem, and starts nothing.",
               .flags = {},
               .option_flags = {},
               .all_options = true},
    CommandRow{.name = CommandName::kEvaluate,
               .word = "evaluate",
               .argument = "KEY",
               .argument_required = true,
               .summary = "Ask a running Flagstone for one flag",
               .story = "Asks a running Flagstone for the flag KEY and prints its answer.",
               .flags = kEvaluateFlags,
               .option_flags = kEvaluateOptions},
    CommandRow{.name = CommandName::kAccept,
               .word = "accept",
               .argument = "ENVIRONMENT",
               .argument_required = true,
               .summary = "Let in a document that the shrink guard holds back",
               .story = "Lets in the document that the shrink guard holds back in ENVIRONMENT.",
               .flags = {},
               .option_flags = kAdminOptions},
    CommandRow{.name = CommandName::kHealth,
               .word = "health",
               .argument = {},
               .summary = "Exit 0 when all is well, for probes",
               .story = "Exits 0 when a running Flagstone is well, 1 when not. Made for probes.",
               .flags = kHealthFlags,
               .option_flags = kAdminOptions},
    CommandRow{.name = CommandName::kVersion,
               .word = "version",
               .argument = {},
               .summary = "Print the version",
               .story = "Prints the version.",
               .flags = {},
               .option_flags = {}},
    CommandRow{.name = CommandName::kHelp,
               .word = "help",
               .argument = "COMMAND",
               .summary = "Print this, or the options of a command",
               .story = "Prints the options of a command.",
               .flags = {},
               .option_flags = {}},
};

// The values of one flag as they were typed. Not CLI11's own conversion, which reads `{}` and
// `[…]`, both good JSON, as lists.
std::vector<std::string> typed(const CLI::App& app, std::string_view flag) {
  return app.get_option(std::string(flag))->results();
}

// flagd's lists are also separated by commas: `--uri file:a,file:b`. A comma within a URI is left
// alone: a new one begins with a scheme.
std::vector<std::string> split_typed(const OptionRow& row, std::vector<std::string> values) {
  if (!is_list(row) || row.flagd.empty()) {
    return values;
  }
  std::vector<std::string> items;
  for (const std::string& value : values) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string_view rest = std::string_view(value).substr(i + 1);
      if (value[i] == ',' && (row.key != "uri" || source_kind(rest) != SourceKind::kUnknown)) {
        items.push_back(value.substr(begin, i - begin));
        begin = i + 1;
      }
    }
    items.push_back(value.substr(begin));
  }
  return items;
}

CLI::Option* add_flag(CLI::App& app, std::string_view names) {
  return app.add_option(std::string(names), CLI::callback_t([](const auto&) { return true; }))
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_flags(CLI::App& app, const CommandRow& command) {
  app.set_help_flag("-h,--help");
  app.allow_extras();
  for (const CommandFlag& flag : command.flags) {
    if (flag.value_name.empty()) {
      app.add_flag(std::string(flag.flag));
    } else {
      add_flag(app, flag.flag);
    }
  }
  for (const OptionRow& row : option_table()) {
    if (!takes_option(command, row)) {
      continue;
    }
    if (is_switch(row)) {
      app.add_flag(std::string(row.flag));
    } else {
      add_flag(app, row.flag);
    }
  }
}

std::vector<std::string_view> known_flags(const CommandRow& command) {
  std::vector<std::string_view> known = {"--help"};
  for (const CommandFlag& flag : command.flags) {
    known.push_back(flag.flag);
  }
  for (const OptionRow& row : option_table()) {
    if (takes_option(command, row)) {
      known.push_back(long_flag(row));
    }
  }
  return known;
}

Problem usage(std::string message) {
  return {.where = {}, .message = std::move(message), .exit_code = kExitUsage};
}

// What CLI11 knew no use for: the command's argument, and mistakes.
void take_rest(const CommandRow& command, const std::vector<std::string>& rest, Words& words,
               ProblemList& problems) {
  for (const std::string& word : rest) {
    if (word.starts_with('-') && word != "-") {
      const std::string name = word.substr(0, word.find('='));
      problems.push_back(
          usage("unknown option `" + name + "`" + did_you_mean(name, known_flags(command))));
    } else if (!command.argument.empty() && words.argument.empty() && !word.empty()) {
      words.argument = word;
    } else if (problems.empty()) {
      // After an unknown option this is most likely its value.
      problems.push_back(usage("`" + word + "` is one word too many"));
    }
  }
}

void take_options(const CLI::App& app, const CommandRow& command, Words& words,
                  ProblemList& problems) {
  for (const OptionRow& row : option_table()) {
    if (!takes_option(command, row) || app.count(std::string(long_flag(row))) == 0) {
      continue;
    }
    const std::string flag(long_flag(row));
    std::vector<std::string> values = split_typed(row, typed(app, flag));
    // flagd takes the last of several, and the operator repeats options of its own that are
    // ignored.
    const bool last_wins = row.scope == Scope::kFlagd || !row.ignored.empty();
    if (values.size() > 1 && last_wins && !takes_many(row)) {
      values.erase(values.begin(), values.end() - 1);
    }
    if (values.size() > 1 && !takes_many(row)) {
      problems.push_back(usage("`" + flag + "` is given " + std::to_string(values.size()) +
                               " times, it takes one value"));
    }
    words.options[&row] = {.items = std::move(values),
                           .origin = {.kind = Origin::Kind::kOption, .name = flag, .line = 0}};
  }
}

void take_flags(const CLI::App& app, const CommandRow& command, Words& words,
                ProblemList& problems) {
  for (const CommandFlag& flag : command.flags) {
    const std::size_t count = app.count(std::string(flag.flag));
    if (count == 0) {
      continue;
    }
    if (count > 1 && !flag.value_name.empty()) {
      problems.push_back(usage("`" + std::string(flag.flag) + "` is given " +
                               std::to_string(count) + " times, it takes one value"));
    }
    words.flags[flag.flag] = flag.value_name.empty() ? "" : typed(app, flag.flag).back();
  }
}

}  // namespace

std::span<const CommandRow> command_table() { return kCommands; }

const CommandRow* find_command(std::string_view word) {
  const auto found = std::ranges::find(kCommands, word, &CommandRow::word);
  return found == kCommands.end() ? nullptr : &*found;
}

bool takes_option(const CommandRow& command, const OptionRow& option) {
  if (option.flag.empty()) {
    return false;
  }
  return command.all_options ||
         std::ranges::find(command.option_flags, long_flag(option)) != command.option_flags.end();
}

std::expected<Words, ProblemList> parse_words(const CommandRow& command,
                                              std::span<const char* const> arguments) {
  Words words;
  ProblemList problems;
  CLI::App app;
  try {
    add_flags(app, command);
    // CLI11 takes the words from the back.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(std::move(reversed));
    take_rest(command, app.remaining(), words, problems);
    take_options(app, command, words, problems);
    take_flags(app, command, words, problems);
  } catch (const CLI::CallForHelp&) {
    words.help = true;
    return words;
  } catch (const CLI::ArgumentMismatch& error) {
    // "--admin: 1 required TEXT missing"
    const std::string text = error.what();
    problems.push_back(usage("`" + text.substr(0, text.find(':')) + "` needs a value"));
  } catch (const CLI::Error& error) {
    problems.push_back(usage(error.what()));
  }
  if (problems.empty() && command.argument_required && words.argument.empty()) {
    problems.push_back(
        usage("`" + std::string(command.word) + "` needs " + std::string(command.argument)));
  }
  if (!problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return words;
}

}  // namespace flagstone::config
