// The table of commands, and the words typed after one. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/layer.h"
#include "config/problem.h"

namespace flagstone::config {

enum class CommandName : std::uint8_t {
  kStart,
  kCheck,
  kEvaluate,
  kAccept,
  kHealth,
  kVersion,
  kHelp
};

// A flag that is not an option of the daemon.
struct CommandFlag {
  std::string_view flag;        // "--context"
  std::string_view value_name;  // Empty: takes no value.
  std::string_view help;
  std::string_view default_text = {};
};

struct CommandRow {
  CommandName name = CommandName::kHelp;
  std::string_view word;      // "evaluate"
  std::string_view argument;  // "KEY"; empty: none.
  bool argument_required = false;
  std::string_view summary;  // In the list of commands.
  std::string_view story;    // In its own help.
  std::span<const CommandFlag> flags;
  // Flags of the option table that it takes.
  std::span<const std::string_view> option_flags;
  bool all_options = false;  // Every one of them.
};

std::span<const CommandRow> command_table();
const CommandRow* find_command(std::string_view word);
// Whether the command takes this option.
bool takes_option(const CommandRow& command, const OptionRow& option);

struct Words {
  bool help = false;
  std::string argument;
  std::map<std::string_view, std::string> flags;  // By CommandFlag::flag.
  Layer options;
};

// `arguments` are those after the command. The problems are sentences without place.
std::expected<Words, ProblemList> parse_words(const CommandRow& command,
                                              std::span<const char* const> arguments);

}  // namespace flagstone::config
