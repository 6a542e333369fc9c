#include "config/help.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace flagstone::config {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kHelpColumn = 36;
constexpr std::size_t kLineWidth = 100;

constexpr std::array kGroupTitles = {
    std::pair{Group::kFlags, "Flags, of the environment `default`"},
    std::pair{Group::kServing, "Serving"},
    std::pair{Group::kMemory, "Memory and disk"},
    std::pair{Group::kLifetime, "Start and stop"},
    std::pair{Group::kLog, "Log"},
    std::pair{Group::kFlagd,
              "flagd's own options: with a port, a socket or sources it listens on flagd's ports"},
};

// Length on a screen, where a UTF-8 sequence is one character.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// `left` in its column, `right` beside it, both wrapped at the line's end.
std::string two_columns(std::string_view left, std::string_view right, std::size_t column) {
  std::string text = std::string(kIndent, ' ') + std::string(left);
  std::size_t at = kIndent + width(left);
  if (at + 2 > column) {
    text += "\n";
    at = 0;
  }
  text += std::string(column - at, ' ');
  at = column;
  while (!right.empty()) {
    const std::string_view word = right.substr(0, right.find(' '));
    right.remove_prefix(std::min(right.size(), word.size() + 1));
    if (at > column && at + 1 + width(word) > kLineWidth) {
      text += "\n" + std::string(column, ' ');
      at = column;
    }
    if (at > column) {
      text += ' ';
      ++at;
    }
    text += word;
    at += width(word);
  }
  return text + "\n";
}

std::string help_with_default(std::string_view help, std::string_view default_text) {
  std::string text(help);
  if (!default_text.empty() && default_text != "none") {
    text += " [" + std::string(default_text) + "]";
  }
  return text;
}

// "-p, --port PORT", "    --admin ADDRESS" or "    --loose-types".
std::string flag_column(const OptionRow& row) {
  const std::string letter(short_flag(row));
  return (letter.empty() ? "    " : letter + ", ") + std::string(long_flag(row)) +
         (is_switch(row) ? "" : " " + std::string(row.value_name));
}

std::string usage_line(const CommandRow& command) {
  std::string line = "flagstone " + std::string(command.word);
  if (!command.argument.empty()) {
    line += command.argument_required ? " " + std::string(command.argument)
                                      : " [" + std::string(command.argument) + "]";
  }
  return line;
}

bool has_options(const CommandRow& command) {
  return command.all_options || !command.flags.empty() || !command.option_flags.empty();
}

std::string options_of_group(const CommandRow& command, Group group) {
  std::string text;
  for (const OptionRow& row : option_table()) {
    if (row.group == group && row.ignored.empty() && takes_option(command, row)) {
      text += two_columns(flag_column(row), help_with_default(row.help, default_text(row)),
                          kHelpColumn);
    }
  }
  return text;
}

// flagd's options that change nothing here, in a paragraph.
std::string ignored_options(const CommandRow& command) {
  std::string names;
  for (const OptionRow& row : option_table()) {
    if (!row.ignored.empty() && takes_option(command, row)) {
      names += (names.empty() ? "" : ", ") + std::string(long_flag(row));
    }
  }
  return "\nAccepted for flagd's sake, without effect\n" + two_columns("", names, 2 * kIndent);
}

std::string own_flags(const CommandRow& command) {
  std::string text;
  for (const CommandFlag& flag : command.flags) {
    const std::string value =
        flag.value_name.empty() ? std::string() : " " + std::string(flag.value_name);
    text += two_columns("    " + std::string(flag.flag) + value,
                        help_with_default(flag.help, flag.default_text), kHelpColumn);
  }
  return text;
}

}  // namespace

std::string overview_text() {
  constexpr std::size_t kSummaryColumn = 34;
  std::string text =
      "Flagstone keeps your feature flags beside your app and answers from there,\n"
      "whether or not the place they come from can be reached.\n\n";
  for (const CommandRow& command : command_table()) {
    text += two_columns(usage_line(command), command.summary, kSummaryColumn);
  }
  text +=
      "\nTry it:\n"
      "  flagstone start --uri file:flags.json\n"
      "  flagstone evaluate my-flag --context '{\"targetingKey\": \"user-1\"}'\n"
      "\nThe options of a command: flagstone help start\n";
  return text;
}

std::string command_text(const CommandRow& command) {
  std::string text = "Usage: " + usage_line(command) + (has_options(command) ? " [options]" : "") +
                     "\n\n" + std::string(command.story) + "\n";
  if (!has_options(command)) {
    return text;
  }
  if (!command.all_options) {
    text += "\n" + own_flags(command);
    for (const auto& [group, title] : kGroupTitles) {
      text += options_of_group(command, group);
    }
    return text;
  }
  for (const auto& [group, title] : kGroupTitles) {
    text += "\n" + std::string(title) + "\n" + options_of_group(command, group);
  }
  text += ignored_options(command);
  text +=
      "\nDURATION is 500ms, 30s, 5m or 1h. SIZE is 64KiB, 64MiB, 1GiB or a number of bytes.\n"
      "Every option but flagd's is a variable too: --state-dir is FLAGSTONE_STATE_DIR; lists are\n"
      "separated by commas. flagd's options are variables as in flagd: --cors-origin is\n"
      "FLAGD_CORS_ORIGIN. The command line goes before variables, variables before the file.\n"
      "Several environments, and more for each source: see config/example.yaml in the sources.\n";
  return text;
}

}  // namespace flagstone::config
