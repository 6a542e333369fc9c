#include "config/validate.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "config/address.h"
#include "config/flagd_mode.h"
#include "config/option_table.h"
#include "config/validate_dialect.h"
#include "config/validate_source.h"

namespace flagstone::config {
namespace {

constexpr std::uint32_t kPortMax = 65535;
// The dialect whose vendor counts events.
constexpr std::string_view kLaunchDarkly = "launchdarkly";

bool is_environment_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  // The name is a folder's name in the state directory, so "." and ".." are out.
  return !name.empty() && name.size() <= kEnvironmentNameBytesMax &&
         std::ranges::all_of(name, allowed) && !name.starts_with('.');
}

class Validator {
 public:
  Validator(const Options& options, ProblemList& problems)
      : options_(options), report_(options.origins, problems) {}

  void check_limits();
  void check_addresses();
  void check_flagd_ports();
  void check_browsers();
  void check_contexts();
  void check_tls();
  void check_environments(std::span<const std::string_view> dialects);

 private:
  void check_address(const std::string& path, const std::string& address);
  void check_environment(const Environment& environment,
                         std::span<const std::string_view> dialects);
  void check_events(const Environment& environment, const std::string& path);
  void check_spools();

  const Options& options_;
  Report report_;
  std::set<std::string, std::less<>> addresses_;
};

void Validator::check_limits() {
  const Options& o = options_;
  report_.range("serving_threads", o.serving_threads, 1U, kServingThreadsMax);
  report_.range("max_connections", o.max_connections, 1U, kConnectionsMax);
  report_.range("request_header_limit", o.request_header_limit_bytes, kRequestLimitBytesMin,
                kRequestHeaderLimitBytesMax);
  report_.range("request_body_limit", o.request_body_limit_bytes, std::uint64_t{1},
                kRequestBodyLimitBytesMax);
  report_.range("cache.memory_limit", o.cache.memory_limit_bytes, kMemoryLimitBytesMin,
                kSizeBytesMax);
  report_.range("cache.max_document_bytes", o.cache.max_document_bytes, kDocumentBytesMin,
                kSizeBytesMax);
  report_.range("state.limit", o.state.limit_bytes, kStateLimitBytesMin, kSizeBytesMax);
  report_.range("shutdown_delay", o.shutdown_delay, Milliseconds(0), kShutdownPhaseMax);
  report_.range("drain_time", o.drain_time, Milliseconds(0), kShutdownPhaseMax);
  report_.range("startup_wait", o.startup_wait, Milliseconds(0), kShutdownPhaseMax);
}

void Validator::check_address(const std::string& path, const std::string& address) {
  if (const auto problem = address_problem(address)) {
    report_.add(path, *problem);
    return;
  }
  if (!address.ends_with(":0") && !addresses_.emplace(endpoint_of(address)).second) {
    report_.add(path, "`" + address + "` is used twice, every address serves once");
  }
  const bool has_certificate =
      !options_.tls.certificate_file.empty() && !options_.tls.key_file.empty();
  if (is_tls_address(address) && !has_certificate) {
    report_.add(path, "`" + address +
                          "` needs a certificate, give `tls.certificate_file` and `tls.key_file`");
  }
}

void Validator::check_addresses() {
  check_address("admin", options_.admin);
  if (is_tls_address(options_.admin)) {
    report_.add("admin", "the admin address speaks no TLS, write `" +
                             std::string(endpoint_of(options_.admin)) + "`");
  }
  for (const std::string& address : options_.listen) {
    check_address("listen", address);
  }
  for (const Environment& environment : options_.environments) {
    for (const std::string& address : environment.listen) {
      check_address("environments." + environment.name + ".listen", address);
    }
  }
}

void Validator::check_flagd_ports() {
  const FlagdMode& flagd = options_.flagd;
  if (!flagd.on) {
    return;
  }
  bool ports_fit = true;
  for (const auto& [path, port] : {std::pair("flagd.port", flagd.port),
                                   std::pair("flagd.management_port", flagd.management_port),
                                   std::pair("flagd.sync_port", flagd.sync_port),
                                   std::pair("flagd.ofrep_port", flagd.ofrep_port)}) {
    if (port > kPortMax) {
      report_.add(path, "`" + std::to_string(port) + "` is not a port, they end at 65535");
      ports_fit = false;
    }
  }
  if (!ports_fit) {
    return;
  }
  for (const FlagdListener& listener : flagd_listeners(options_)) {
    check_address(std::string(listener.path), listener.address);
    // All interfaces hold every other's port; no other address of ours is like that.
    const std::string port = listener.address.substr(listener.address.rfind(':') + 1);
    if (port != "0" && options_.admin == "[::]:" + port) {
      report_.add(std::string(listener.path),
                  "`" + port + "` is the management port too, every address serves once");
    }
  }
}

void Validator::check_browsers() {
  for (const std::string& host : options_.allowed_hosts) {
    if (host.empty() || host.find_first_of("/ @") != std::string::npos) {
      report_.add("allowed_hosts", "`" + host + "` is not a host, write `flags.example.com`");
    }
  }
  for (const auto& [path, origins] : {std::pair("allowed_origins", &options_.allowed_origins),
                                      std::pair("cors_origins", &options_.cors_origins)}) {
    for (const std::string& origin : *origins) {
      const std::size_t host = origin.find("://");
      const bool is_origin = host != std::string::npos && host + 3 < origin.size() &&
                             origin.find_first_of("/ @", host + 3) == std::string::npos;
      if (origin != "*" && !is_origin) {
        report_.add(path, "`" + origin + "` is not an origin, write `https://app.example.com`");
      }
    }
  }
}

void Validator::check_contexts() {
  for (const auto& [header, key] : options_.context_from_headers) {
    if (!is_header_name(header)) {
      report_.add("context_from_headers", "`" + header + "` is not the name of a header");
    }
    if (key.empty()) {
      std::string problem = "the header `";
      problem.append(header).append("` needs an attribute, write `").append(header);
      report_.add("context_from_headers", problem.append("=KEY`"));
    }
  }
  report_.range("stream_deadline", options_.stream_deadline, Milliseconds(0), kStreamDeadlineMax);
}

void Validator::check_tls() {
  const TlsOptions& tls = options_.tls;
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    report_.add(tls.key_file.empty() ? "tls.certificate_file" : "tls.key_file",
                "a certificate and its key belong together, give `tls.certificate_file` and "
                "`tls.key_file`");
  } else if (!tls.client_ca_file.empty() && tls.certificate_file.empty()) {
    report_.add("tls.client_ca_file",
                "clients show certificates over TLS alone, give `tls.certificate_file` and "
                "`tls.key_file`");
  }
}

void Validator::check_environment(const Environment& environment,
                                  std::span<const std::string_view> dialects) {
  const std::string path = "environments." + environment.name;
  if (!is_environment_name(environment.name)) {
    report_.add(path, "environment name `" + environment.name +
                          "` must be made of a-z, 0-9, `.`, `_` and `-`, not begin with `.`, "
                          "and have at most 63 characters");
  }
  const bool is_known = std::ranges::find(dialects, environment.dialect) != dialects.end();
  if (!is_known) {
    std::string known;
    for (const std::string_view dialect : dialects) {
      known += (known.empty() ? "" : ", ") + std::string(dialect);
    }
    report_.add(path + ".dialect",
                "unknown dialect `" + environment.dialect + "`, known: " + known);
  }
  if (environment.sources.empty()) {
    report_.add(path, "environment `" + environment.name +
                          "` has no sources, give it `sources: [{uri: \"file:flags.json\"}]`" +
                          (environment.name == kDefaultEnvironment ? " or `--uri`" : ""));
  }
  report_.range(path + ".confirm_shrink", environment.confirm_shrink, 1U, kConfirmShrinkMax);
  // What an unknown dialect knows nobody can say.
  if (is_known) {
    check_events(environment, path + ".events");
  }
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 0; i < environment.sources.size(); ++i) {
    const Source& source = environment.sources[i];
    const std::string source_path = path + ".sources[" + std::to_string(i) + "]";
    validate_source(source, source_path, report_);
    if (is_known) {
      validate_dialect(environment, source, source_path, report_);
    }
    if (!source.uri.empty() && !seen.emplace(source.location(), source.part()).second) {
      report_.add(source_path + ".uri", "this source is in the environment already, remove one");
    }
  }
  for (const SecretSource& secret : environment.accept) {
    validate_variable_name(secret.variable, path + ".accept", report_);
  }
}

void Validator::check_events(const Environment& environment, const std::string& path) {
  const EventOptions& events = environment.events;
  if (environment.dialect != kLaunchDarkly && events != EventOptions{}) {
    return report_.add(path, "only `dialect: " + std::string(kLaunchDarkly) +
                                 "` knows `events`, give the environment that or remove it");
  }
  report_.range(path + ".flush_interval", events.flush_interval, kFlushIntervalMin,
                kFlushIntervalMax);
  report_.range(path + ".batch_bytes", events.batch_bytes, kEventBatchBytesMin,
                kEventBatchBytesMax);
  // It is within the state's: beyond that, events would make room for flags, summaries too.
  const bool has_spool = environment.dialect == kLaunchDarkly;
  report_.range(
      path + ".spool_limit", events.spool_limit_bytes, kEventSpoolBytesMin,
      has_spool ? std::max(options_.state.limit_bytes, kEventSpoolBytesMin) : kSizeBytesMax);
  validate_private_attributes(events, path, report_);
}

// Each alone may be within the state's limit and all of them together not. Asked only where one
// wants more than the usual: many environments as they come are no mistake, and the state makes
// room for itself among their events.
void Validator::check_spools() {
  constexpr std::uint64_t kUsual = EventOptions{}.spool_limit_bytes;
  std::uint64_t limit = options_.state.limit_bytes;
  std::uint64_t sum = 0;
  bool told = false;
  std::vector<std::string_view> names;
  for (const Environment& environment : options_.environments) {
    const bool sends = std::ranges::any_of(environment.sources,
                                           [](const Source& source) { return !source.is_file(); });
    // Those alone have been refused.
    if (environment.events.spool_limit_bytes > std::max(limit, kEventSpoolBytesMin)) return;
    if (environment.dialect != kLaunchDarkly || !sends) continue;
    sum += environment.events.spool_limit_bytes;
    told = told || environment.events.spool_limit_bytes > kUsual;
    names.push_back(environment.name);
  }
  if (!told || names.size() < 2 || sum <= limit) return;
  report_.add("state.limit",
              "the events of " + std::to_string(names.size()) + " environments may take " +
                  format_field(&sum) + " together, and `state.limit` is " + format_field(&limit) +
                  ": raise it to more than that, or lower `events.spool_limit` of `" +
                  std::string(names.front()) + "` to `" + std::string(names.back()) + "`");
}

void Validator::check_environments(std::span<const std::string_view> dialects) {
  if (options_.environments.empty()) {
    report_.add("environments",
                "nothing to serve, say where flags come from: `--uri file:flags.json`, or "
                "`environments` in the file given by `--config`");
  }
  std::set<std::string_view> names;
  for (const Environment& environment : options_.environments) {
    if (!names.insert(environment.name).second) {
      report_.add("environments." + environment.name,
                  "there are two environments `" + environment.name + "`, rename one");
    }
    check_environment(environment, dialects);
  }
  check_spools();
  validate_shared_keys(options_, report_);
}

// What the daemon takes over while it runs. Whatever else the table holds waits for the next start,
// so a new option that is forgotten here is named needlessly, never ignored in silence.
constexpr std::array<std::string_view, 5> kTakenOver = {"cache.memory_limit", "shutdown_delay",
                                                        "drain_time", "log_level", "--debug"};

// The key in the file or, where there is none, the flag.
std::string_view name_of(const OptionRow& row) {
  return row.key.empty() ? long_flag(row) : row.key;
}

bool waits_for_restart(const OptionRow& row) {
  return (row.scope == Scope::kProcess || row.scope == Scope::kFlagd) && row.field != nullptr &&
         std::ranges::find(kTakenOver, name_of(row)) == kTakenOver.end();
}

bool is_same(const Field& a, const Field& b) {
  return std::visit(
      [&b](auto* value) {
        const auto* other = std::get_if<decltype(value)>(&b);
        return other != nullptr && *value == **other;
      },
      a);
}

std::vector<std::pair<std::string_view, std::vector<std::string>>> bindings(const Options& o) {
  std::vector<std::pair<std::string_view, std::vector<std::string>>> bound;
  for (const Environment& environment : o.environments) {
    if (!environment.listen.empty()) {
      bound.emplace_back(environment.name, environment.listen);
    }
  }
  return bound;
}

}  // namespace

ProblemList validate(const Options& options, std::span<const std::string_view> dialects) {
  ProblemList problems;
  Validator validator(options, problems);
  validator.check_environments(dialects);
  validator.check_addresses();
  validator.check_flagd_ports();
  validator.check_browsers();
  validator.check_contexts();
  validator.check_tls();
  validator.check_limits();
  sort_by_line(problems);
  return problems;
}

ProblemList validate_variables(const Options& options, const Variables& variables) {
  ProblemList problems;
  Report report(options.origins, problems);
  const auto check = [&](const SecretSource& secret, const std::string& path) {
    if (!secret.file.empty() || !is_variable_name(secret.variable)) {
      return;
    }
    const auto read = read_secret({.file = {}, .variable = secret.variable, .text = {}}, variables);
    if (!read) {
      report.add(path, read.error() +
                           "; a variable does not change while Flagstone runs, set it before the "
                           "start");
    }
  };
  for (const Environment& environment : options.environments) {
    const std::string path = "environments." + environment.name;
    for (std::size_t i = 0; i < environment.sources.size(); ++i) {
      const std::string source_path = path + ".sources[" + std::to_string(i) + "]";
      check(environment.sources[i].credential, source_path + ".credential_env");
      for (const Header& header : environment.sources[i].headers) {
        check(header.value, source_path + ".headers");
      }
    }
    for (const SecretSource& secret : environment.accept) {
      check(secret, path + ".accept");
    }
  }
  return problems;
}

std::vector<std::string> needs_restart(Options running, Options wanted) {
  std::vector<std::string> names;
  if (bindings(running) != bindings(wanted)) {
    names.emplace_back("environments.*.listen");
  }
  const bool switched = running.flagd.on != wanted.flagd.on;  // All of flagd's ports with it.
  for (const OptionRow& row : option_table()) {
    if (!waits_for_restart(row)) {
      continue;
    }
    const Field field = row.field({.options = &running});
    const bool is_port = row.flagd_mode && std::holds_alternative<std::uint32_t*>(field);
    if ((switched && is_port) || !is_same(field, row.field({.options = &wanted}))) {
      names.emplace_back(name_of(row));
    }
  }
  return names;
}

}  // namespace flagstone::config
