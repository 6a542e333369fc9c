#include "config/option_table.h"

#include <array>

#include "config/values.h"

namespace flagstone::config {
namespace {

using enum Scope;

constexpr std::array kTable = {
    OptionRow{.scope = kProcess,
              .key = {},
              .variable = "FLAGSTONE_CONFIG",
              .flag = "--config",
              .value_name = "FILE",
              .help = "Configuration file, YAML or JSON; start watches it",
              .default_text = "none"},
    OptionRow{.scope = kSource,
              .key = "uri",
              .variable = "FLAGSTONE_URI",
              .flag = "--uri,-f",
              .value_name = "URI",
              .help = "Where flags come from: file:, http: or https:; repeats",
              .field = [](const Target& t) -> Field { return &t.source->uri; },
              .default_text = "none"},
    OptionRow{.scope = kSource,
              .key = "interval",
              .variable = "FLAGSTONE_INTERVAL",
              .flag = "--interval",
              .value_name = "DURATION",
              .help = "Time between polls; files are watched instead",
              .field = [](const Target& t) -> Field { return &t.source->interval; }},
    OptionRow{.scope = kSource,
              .key = "timeout",
              .variable = "FLAGSTONE_TIMEOUT",
              .flag = "--timeout",
              .value_name = "DURATION",
              .help = "Longest a whole poll may take",
              .field = [](const Target& t) -> Field { return &t.source->timeout; }},
    OptionRow{.scope = kSource,
              .key = "credential_file",
              .variable = "FLAGSTONE_CREDENTIAL_FILE",
              .flag = "--credential-file",
              .value_name = "FILE",
              .help = "Bearer token for the source; read again when the file changes",
              .field = [](const Target& t) -> Field { return &t.source->credential.file; },
              .default_text = "none",
              .path = PathKind::kPath},
    OptionRow{.scope = kSource,
              .key = "credential_env",
              .variable = "FLAGSTONE_CREDENTIAL_ENV",
              .flag = "--credential-env",
              .value_name = "NAME",
              .help = "Environment variable that holds the bearer token",
              .field = [](const Target& t) -> Field { return &t.source->credential.variable; },
              .default_text = "none"},
    OptionRow{.scope = kSource,
              .key = "headers",
              .variable = {},
              .flag = {},
              .value_name = "MAP",
              .help = "Request headers, each a text, {file: PATH} or {env: NAME}",
              .default_text = "none"},
    OptionRow{.scope = kSource,
              .key = "selector",
              .variable = {},
              .flag = {},
              .value_name = "TEXT",
              .help = "Sent to the source as Flagd-Selector",
              .field = [](const Target& t) -> Field { return &t.source->selector; },
              .default_text = "none"},
    OptionRow{.scope = kSource,
              .key = "format",
              .variable = {},
              .flag = {},
              .value_name = "auto|json|yaml",
              .help = "How the document is spelled; auto goes by its name",
              .field = [](const Target& t) -> Field { return &t.source->format; }},
    OptionRow{.scope = kSource,
              .key = "optional",
              .variable = {},
              .flag = {},
              .value_name = "BOOL",
              .help = "Be ready without this source",
              .field = [](const Target& t) -> Field { return &t.source->optional; }},
    OptionRow{.scope = kSource,
              .key = "shrink_guard",
              .variable = {},
              .flag = {},
              .value_name = "BOOL",
              .help = "Hold back a document that drops more than half of the flags",
              .field = [](const Target& t) -> Field { return &t.source->shrink_guard; },
              .default_text = "true, for files false"},
    OptionRow{.scope = kSource,
              .key = "max_document_bytes",
              .variable = {},
              .flag = {},
              .value_name = "SIZE",
              .help = "Largest document from this source",
              .field = [](const Target& t) -> Field { return &t.source->max_document_bytes; },
              .default_text = "the cache's"},
    OptionRow{.scope = kEnvironment,
              .key = "dialect",
              .variable = {},
              .flag = {},
              .value_name = "flagd",
              .help = "Whose flag definitions the sources hold",
              .field = [](const Target& t) -> Field { return &t.environment->dialect; }},
    OptionRow{.scope = kEnvironment,
              .key = "pins",
              .variable = "FLAGSTONE_PINS",
              .flag = "--pins",
              .value_name = "FILE",
              .help = "Flags set by hand, {\"flag-key\": value}, above all sources",
              .field = [](const Target& t) -> Field { return &t.environment->pins; },
              .default_text = "none",
              .path = PathKind::kPath},
    OptionRow{.scope = kEnvironment,
              .key = "bootstrap",
              .variable = "FLAGSTONE_BOOTSTRAP",
              .flag = "--bootstrap",
              .value_name = "FILE",
              .help = "Document to start with, before any state or source",
              .field = [](const Target& t) -> Field { return &t.environment->bootstrap; },
              .default_text = "none",
              .path = PathKind::kPath},
    OptionRow{.scope = kEnvironment,
              .key = "fractional",
              .variable = "FLAGSTONE_FRACTIONAL",
              .flag = "--fractional",
              .value_name = "v1|v2|v3",
              .help = "Version of flagd's percentage rollout",
              .field = [](const Target& t) -> Field { return &t.environment->fractional; }},
    OptionRow{.scope = kEnvironment,
              .key = "listen",
              .variable = {},
              .flag = {},
              .value_name = "ADDRESS, …",
              .help = "Addresses that answer for this environment alone",
              .field = [](const Target& t) -> Field { return &t.environment->listen; },
              .default_text = "none",
              .path = PathKind::kAddress},
    OptionRow{.scope = kEnvironment,
              .key = "accept",
              .variable = {},
              .flag = {},
              .value_name = "LIST",
              .help = "Credentials of apps that mean this one: [{file: PATH}, {env: NAME}]",
              .default_text = "none"},
    OptionRow{.scope = kEnvironment,
              .key = "optional",
              .variable = {},
              .flag = {},
              .value_name = "BOOL",
              .help = "Be ready without this environment",
              .field = [](const Target& t) -> Field { return &t.environment->optional; }},
    OptionRow{.scope = kEnvironment,
              .key = "confirm_shrink",
              .variable = {},
              .flag = {},
              .value_name = "N",
              .help = "Equal polls until a document held by shrink_guard is believed",
              .field = [](const Target& t) -> Field { return &t.environment->confirm_shrink; }},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "listen",
              .variable = "FLAGSTONE_LISTEN",
              .flag = "--listen",
              .value_name = "ADDRESS",
              .help = "Serve here: unix:PATH or HOST:PORT; repeats",
              .field = [](const Target& t) -> Field { return &t.options->listen; },
              .default_text = "unix:/run/flagstone/flagstone.sock and 127.0.0.1:8016",
              .path = PathKind::kAddress},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "admin",
              .variable = "FLAGSTONE_ADMIN",
              .flag = "--admin",
              .value_name = "ADDRESS",
              .help = "Probes, metrics and status",
              .field = [](const Target& t) -> Field { return &t.options->admin; },
              .path = PathKind::kAddress},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "allowed_hosts",
              .variable = "FLAGSTONE_ALLOWED_HOSTS",
              .flag = "--allowed-hosts",
              .value_name = "HOST",
              .help = "Host headers answered on loopback beside localhost; repeats",
              .field = [](const Target& t) -> Field { return &t.options->allowed_hosts; },
              .default_text = "none"},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "allowed_origins",
              .variable = "FLAGSTONE_ALLOWED_ORIGINS",
              .flag = "--allowed-origins",
              .value_name = "ORIGIN",
              .help = "Web origins whose requests are answered; repeats",
              .field = [](const Target& t) -> Field { return &t.options->allowed_origins; },
              .default_text = "none"},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "serving_threads",
              .variable = "FLAGSTONE_SERVING_THREADS",
              .flag = "--serving-threads",
              .value_name = "N",
              .help = "Threads that answer",
              .field = [](const Target& t) -> Field { return &t.options->serving_threads; }},
    OptionRow{.scope = kProcess,
              .group = Group::kServing,
              .key = "max_connections",
              .variable = "FLAGSTONE_MAX_CONNECTIONS",
              .flag = "--max-connections",
              .value_name = "N",
              .help = "Connections at once",
              .field = [](const Target& t) -> Field { return &t.options->max_connections; }},
    OptionRow{
        .scope = kProcess,
        .group = Group::kServing,
        .key = "request_header_limit",
        .variable = "FLAGSTONE_REQUEST_HEADER_LIMIT",
        .flag = "--request-header-limit",
        .value_name = "SIZE",
        .help = "Largest request header",
        .field = [](const Target& t) -> Field { return &t.options->request_header_limit_bytes; }},
    OptionRow{
        .scope = kProcess,
        .group = Group::kServing,
        .key = "request_body_limit",
        .variable = "FLAGSTONE_REQUEST_BODY_LIMIT",
        .flag = "--request-body-limit",
        .value_name = "SIZE",
        .help = "Largest request body",
        .field = [](const Target& t) -> Field { return &t.options->request_body_limit_bytes; }},
    OptionRow{
        .scope = kProcess,
        .group = Group::kMemory,
        .key = "cache.memory_limit",
        .variable = "FLAGSTONE_MEMORY_LIMIT",
        .flag = "--memory-limit",
        .value_name = "SIZE",
        .help = "Memory for flags, buffers and streams together",
        .field = [](const Target& t) -> Field { return &t.options->cache.memory_limit_bytes; }},
    OptionRow{
        .scope = kProcess,
        .group = Group::kMemory,
        .key = "cache.max_document_bytes",
        .variable = "FLAGSTONE_MAX_DOCUMENT_BYTES",
        .flag = "--max-document-bytes",
        .value_name = "SIZE",
        .help = "Largest document from a source",
        .field = [](const Target& t) -> Field { return &t.options->cache.max_document_bytes; }},
    OptionRow{.scope = kProcess,
              .group = Group::kMemory,
              .key = "state.dir",
              .variable = "FLAGSTONE_STATE_DIR",
              .flag = "--state-dir",
              .value_name = "DIR",
              .help = "Where the last known state outlives a restart",
              .field = [](const Target& t) -> Field { return &t.options->state.dir; },
              .default_text = "/var/lib/flagstone, else $XDG_STATE_HOME/flagstone",
              .path = PathKind::kPath},
    OptionRow{.scope = kProcess,
              .group = Group::kMemory,
              .key = "state.limit",
              .variable = "FLAGSTONE_STATE_LIMIT",
              .flag = "--state-limit",
              .value_name = "SIZE",
              .help = "Disk space for it",
              .field = [](const Target& t) -> Field { return &t.options->state.limit_bytes; }},
    OptionRow{.scope = kProcess,
              .group = Group::kLifetime,
              .key = "startup_wait",
              .variable = "FLAGSTONE_STARTUP_WAIT",
              .flag = "--startup-wait",
              .value_name = "DURATION",
              .help = "After this, the startup probe passes even without data",
              .field = [](const Target& t) -> Field { return &t.options->startup_wait; }},
    OptionRow{.scope = kProcess,
              .group = Group::kLifetime,
              .key = "shutdown_delay",
              .variable = "FLAGSTONE_SHUTDOWN_DELAY",
              .flag = "--shutdown-delay",
              .value_name = "DURATION",
              .help = "Keep serving this long after SIGTERM",
              .field = [](const Target& t) -> Field { return &t.options->shutdown_delay; }},
    OptionRow{.scope = kProcess,
              .group = Group::kLifetime,
              .key = "drain_time",
              .variable = "FLAGSTONE_DRAIN_TIME",
              .flag = "--drain-time",
              .value_name = "DURATION",
              .help = "Then finish what is in flight within this time",
              .field = [](const Target& t) -> Field { return &t.options->drain_time; }},
    OptionRow{.scope = kProcess,
              .group = Group::kLog,
              .key = "log_level",
              .variable = "FLAGSTONE_LOG_LEVEL",
              .flag = "--log-level",
              .value_name = "LEVEL",
              .help = "What is worth a line: trace, debug, info, warn, error or off",
              .field = [](const Target& t) -> Field { return &t.options->log_level; }},
    OptionRow{.scope = kProcess,
              .group = Group::kLog,
              .key = "log_format",
              .variable = "FLAGSTONE_LOG_FORMAT",
              .flag = "--log-format",
              .value_name = "text|json",
              .help = "How lines look",
              .field = [](const Target& t) -> Field { return &t.options->log_format; }},
    OptionRow{.scope = kFlagd,
              .group = Group::kFlagd,
              .key = {},
              .variable = {},
              .flag = "--port,-p",
              .value_name = "PORT",
              .help = "flagd's evaluation port",
              .field = [](const Target& t) -> Field { return &t.options->flagd.port; }},
    OptionRow{.scope = kFlagd,
              .group = Group::kFlagd,
              .key = {},
              .variable = {},
              .flag = "--management-port,-m",
              .value_name = "PORT",
              .help = "flagd's name for the admin address",
              .field = [](const Target& t) -> Field { return &t.options->flagd.management_port; }},
    OptionRow{.scope = kFlagd,
              .group = Group::kFlagd,
              .key = {},
              .variable = {},
              .flag = "--sync-port,-g",
              .value_name = "PORT",
              .help = "flagd's sync port",
              .field = [](const Target& t) -> Field { return &t.options->flagd.sync_port; }},
    OptionRow{.scope = kFlagd,
              .group = Group::kFlagd,
              .key = {},
              .variable = {},
              .flag = "--ofrep-port,-r",
              .value_name = "PORT",
              .help = "flagd's OFREP port",
              .field = [](const Target& t) -> Field { return &t.options->flagd.ofrep_port; }},
    OptionRow{.scope = kFlagd,
              .group = Group::kFlagd,
              .key = {},
              .variable = {},
              .flag = "--sources,-s",
              .value_name = "JSON",
              .help = "flagd's list of sources: file and http",
              .default_text = "none"},
};

std::string_view scope_prefix(Scope scope) {
  switch (scope) {
    case kEnvironment:
      return "environments.NAME.";
    case kSource:
      return "environments.NAME.sources[].";
    case kProcess:
    case kFlagd:
      break;
  }
  return "";
}

// A table cell: `|` would end it.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return escaped;
}

std::string code_cell(std::string_view text) { return text.empty() ? "–" : "`" + cell(text) + "`"; }

}  // namespace

std::span<const OptionRow> option_table() { return kTable; }

const OptionRow* find_option(Scope scope, std::string_view key) {
  for (const OptionRow& row : kTable) {
    if (row.scope == scope && row.key == key && !key.empty()) {
      return &row;
    }
  }
  return nullptr;
}

bool takes_many(const OptionRow& row) {
  if (row.field == nullptr) {
    return false;
  }
  Options options;
  Environment environment;
  Source source;
  const bool is_uri = row.scope == kSource && row.key == "uri";
  return is_uri || is_list(row.field({&options, &environment, &source}));
}

std::string default_text(const OptionRow& row) {
  if (!row.default_text.empty() || row.field == nullptr) {
    return std::string(row.default_text);
  }
  Options options;
  Environment environment;
  Source source;
  return format_field(row.field({&options, &environment, &source}));
}

std::string_view long_flag(const OptionRow& row) { return row.flag.substr(0, row.flag.find(',')); }

std::string full_key(const OptionRow& row) {
  return row.key.empty() ? std::string()
                         : std::string(scope_prefix(row.scope)) + std::string(row.key);
}

std::string option_table_markdown() {
  std::string text =
      "| key in the file | flag | default | what it is |\n"
      "|---|---|---|---|\n";
  for (const OptionRow& row : kTable) {
    std::string key = full_key(row);
    if (row.scope == kEnvironment || row.scope == kSource) {
      // The whole path would make the column wider than the page.
      key = (row.scope == kSource ? "source: " : "environment: ") + std::string(row.key);
    }
    text += "| " + code_cell(key) + " | " + code_cell(long_flag(row)) + " | " +
            cell(default_text(row)) + " | " + cell(row.help) + " |\n";
  }
  return text;
}

}  // namespace flagstone::config
