// The one table of every option: its key in the file, its variable, its flag, its help. The file
// reader, the command line, the help and the README's table are all made from it.
//
// Pure, constant. Defaults are read off the option structs themselves, so they are written once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/options.h"

namespace flagstone::config {

// What an option belongs to, and so where its key stands in the file.
enum class Scope : std::uint8_t {
  kProcess,      // At the top, or in the sections `cache` and `state`.
  kEnvironment,  // In `environments: {NAME: …}`; as flag or variable: of the environment `default`.
  kSource,       // In `sources: [{…}]`; as flag or variable: of the sources that `--uri` names.
  kFlagd,        // One of flagd's own flags; no key.
};

// What an option writes to; the alternative decides how its text is read.
using Field = std::variant<std::string*, std::vector<std::string>*, bool*, std::optional<bool>*,
                           std::uint32_t*, std::uint64_t*, std::optional<std::uint64_t>*,
                           Milliseconds*, DocumentFormat*, Fractional*, LogLevel*, LogFormat*>;

// Where a row's field is looked for; only what the row's scope names is used.
struct Target {
  Options* options = nullptr;
  Environment* environment = nullptr;
  Source* source = nullptr;
};

enum class PathKind : std::uint8_t {
  kNone,
  kPath,     // In a file: relative to the file's folder.
  kAddress,  // "unix:PATH" likewise.
};

// Options that a reader of the help wants to see together; the titles are in help.cc.
enum class Group : std::uint8_t { kFlags, kServing, kMemory, kLifetime, kLog, kFlagd };

struct OptionRow {
  Scope scope = Scope::kProcess;
  Group group = Group::kFlags;
  std::string_view key;         // "cache.memory_limit", inside its scope; empty: not in the file.
  std::string_view variable;    // "FLAGSTONE_MEMORY_LIMIT"; empty: none.
  std::string_view flag;        // "--memory-limit" or "--port,-p"; empty: none.
  std::string_view value_name;  // "SIZE"
  std::string_view help;        // One line.
  // nullptr: not a single value (`--config`, `--sources`, `headers`, `accept`); its reader knows.
  Field (*field)(const Target&) = nullptr;
  std::string_view default_text = {};  // Only where the field's own default does not say it.
  PathKind path = PathKind::kNone;
};

// In the order in which help and README show them.
std::span<const OptionRow> option_table();
const OptionRow* find_option(Scope scope, std::string_view key);

// Whether the flag repeats, and the variable holds a comma-separated list.
bool takes_many(const OptionRow& row);

// "64MiB", "30s", "none": what holds when nothing is written.
std::string default_text(const OptionRow& row);

// "--port" of "--port,-p".
std::string_view long_flag(const OptionRow& row);

// The whole path in the file: "environments.NAME.sources[].interval".
std::string full_key(const OptionRow& row);

// The README's configuration table.
std::string option_table_markdown();

}  // namespace flagstone::config
