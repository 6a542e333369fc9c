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
                           Milliseconds*, DocumentFormat*, Fractional*, LaunchDarklyProtocol*,
                           LogLevel*, LogFormat*, Pairs*>;

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
  std::string_view key;       // "cache.memory_limit", inside its scope; empty: not in the file.
  std::string_view variable;  // "FLAGSTONE_MEMORY_LIMIT"; empty: none.
  // "--memory-limit" or "--port,-p": the long name first, then others for the same; empty: none.
  std::string_view flag;
  std::string_view value_name;  // "SIZE"
  std::string_view help;        // One line.
  // nullptr: not a single value (`--config`, `--sources`, `headers`, `accept`), whose reader knows;
  // or `ignored`.
  Field (*field)(const Target&) = nullptr;
  std::string_view default_text = {};  // Only where the field's own default does not say it.
  PathKind path = PathKind::kNone;
  // What flagd calls it: a key of flagd's file, "cors-origin", and as FLAGD_CORS_ORIGIN a variable.
  std::string_view flagd = {};
  bool flagd_mode = false;  // Switches flagd mode on.
  // Accepted for flagd's sake and without effect: what is said when it is given.
  std::string_view ignored = {};
};

// In the order in which help and README show them.
std::span<const OptionRow> option_table();
const OptionRow* find_option(Scope scope, std::string_view key);

const OptionRow* find_flagd_option(std::string_view flagd);

// Whether the flag repeats.
bool takes_many(const OptionRow& row);
// Whether it is many texts, which a variable separates by commas.
bool is_list(const OptionRow& row);
// Whether the flag alone says yes; `--flag=false` says no.
bool is_switch(const OptionRow& row);

// "64MiB", "30s", "none": what holds when nothing is written.
std::string default_text(const OptionRow& row);

// "--port" of "--port,-p".
std::string_view long_flag(const OptionRow& row);
// The one-letter name, "-p"; empty: none.
std::string_view short_flag(const OptionRow& row);
// "FLAGD_CORS_ORIGIN"; empty: flagd has no such option.
std::string flagd_variable(const OptionRow& row);

// The whole path in the file: "environments.NAME.sources[].interval".
std::string full_key(const OptionRow& row);

// The README's configuration table, and the one of docs/flagd.md. What is ignored is only in the
// latter.
std::string option_table_markdown();
std::string flagd_table_markdown();

}  // namespace flagstone::config
