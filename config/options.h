// What the operator wrote, as plain values: defaults on the fields, units in the names.
//
// Made by config/command_line.h (command line over environment over file), checked by
// config/validate.h, then only read. Copyable; equal options mean that a reload changes nothing.
// Paths that came from a configuration file are already relative to that file's folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace flagstone::config {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

// The environment that the command line's own sources, pins and bootstrap belong to.
inline constexpr std::string_view kDefaultEnvironment = "default";
inline constexpr std::string_view kDefaultAdmin = "127.0.0.1:8014";
inline constexpr std::string_view kDefaultTcpListener = "127.0.0.1:8016";

using Milliseconds = std::chrono::milliseconds;

// How a document is spelled. kAuto: by the name's ending, else by the media type, else JSON.
enum class DocumentFormat : std::uint8_t { kAuto, kJson, kYaml };

// Which of flagd's `fractional` algorithms an environment uses.
enum class Fractional : std::uint8_t { kV1 = 1, kV2 = 2, kV3 = 3 };

// How LaunchDarkly's flags travel. kAuto: FDv2 first, FDv1 where the other side does not know it.
enum class LaunchDarklyProtocol : std::uint8_t { kAuto, kFdv1, kFdv2 };

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kText, kJson };

// A request header sent upstream.
struct Header {
  std::string name;
  SecretSource value;
  bool operator==(const Header&) const = default;
};

// What only a source of dialect `launchdarkly` has; its `uri` is the base URI.
struct LaunchDarklySource {
  // Empty: LaunchDarkly's own when `uri` is LaunchDarkly's, else `uri`.
  std::string stream_uri;
  std::string events_uri;
  std::string filter;  // Payload filter, empty: none.
  LaunchDarklyProtocol protocol = LaunchDarklyProtocol::kAuto;
  bool streaming = true;                    // False: polls alone, every `interval`.
  std::string wrapper;                      // "name" or "name/version", sent upstream.
  std::map<std::string, std::string> tags;  // "application-id": "x", sent upstream.
  // How long after its file changed the old SDK key is still accepted from SDKs.
  Milliseconds rotation_grace = std::chrono::hours(1);
  bool operator==(const LaunchDarklySource&) const = default;
};

// Events on their way to the vendor: those that apps post and those of our own evaluations.
struct EventOptions {
  bool enabled = true;                          // Own evaluations produce events too.
  Milliseconds flush_interval{60'000};          // Between two batches.
  std::uint64_t batch_bytes = 512 * kKiB;       // A batch goes sooner when it has so much.
  std::uint64_t spool_limit_bytes = 64 * kMiB;  // On disk, of one environment.
  // Of own evaluations, as every SDK has them: what apps post they have seen to themselves.
  bool all_attributes_private = false;          // Events tell kinds and keys alone.
  std::vector<std::string> private_attributes;  // Attribute references that they do not tell.
  bool omit_anonymous_contexts = false;         // No index events for anonymous contexts.
  bool operator==(const EventOptions&) const = default;
};

struct Source {
  // As the operator wrote it ("file:flags.json", "https://…"): what people and selectors call it.
  std::string uri;
  // Where to find it from the working directory; empty for network sources.
  std::string path;
  Milliseconds interval{30'000};  // Between polls; a file is watched instead.
  Milliseconds timeout{30'000};   // One request, headers to last byte.
  // Sent as `Authorization`, by flagd's sources as `Bearer …`, by LaunchDarkly's as it is; also
  // routes the app's requests to this environment.
  SecretSource credential;
  std::vector<Header> headers;
  bool optional = false;             // Ready does not wait for it.
  std::optional<bool> shrink_guard;  // Unset: on for network sources, off for files.
  std::string selector;              // Sent as `Flagd-Selector`, empty: none.
  DocumentFormat format = DocumentFormat::kAuto;
  std::optional<std::uint64_t> max_document_bytes;  // Unset: the cache's.
  // Trusted instead of the system's roots; shown to a server that asks. PEM, read at each connect.
  std::string ca_file;
  std::string client_certificate_file;
  std::string client_key_file;
  std::string provider_id;  // gRPC: who we say we are, empty: nobody.
  std::string proxy;        // HTTP proxy's URI instead of the variables', empty: those.
  LaunchDarklySource launchdarkly;

  bool is_file() const { return !path.empty(); }
  // What identifies the source in the state directory.
  std::string_view location() const { return is_file() ? path : uri; }
  // Which part of what is there it wants, empty: all.
  const std::string& part() const { return selector.empty() ? launchdarkly.filter : selector; }
  bool guards_shrinking() const { return shrink_guard.value_or(!is_file()); }
  bool operator==(const Source&) const = default;
};

struct Environment {
  std::string name;
  std::string dialect = "flagd";
  std::vector<Source> sources;       // Later ones win per key.
  std::string pins;                  // Path of the pins file, empty: none.
  std::string bootstrap;             // Path of the bootstrap document, empty: none.
  std::vector<SecretSource> accept;  // Credentials, besides the sources' own, that mean this one.
  std::vector<std::string> listen;   // Addresses where only this environment is answered.
  bool optional = false;             // Ready does not wait for it.
  // Equal complete documents until a suspiciously small one is believed.
  std::uint32_t confirm_shrink = 3;
  Fractional fractional = Fractional::kV2;
  EventOptions events;
  bool operator==(const Environment&) const = default;
};

// The certificate of listeners written as `tls:HOST:PORT`. PEM files, followed when they change.
struct TlsOptions {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;  // Clients must show a certificate signed by one of these.
  bool operator==(const TlsOptions&) const = default;
};

// `name: value` pairs, ordered by name.
using Pairs = std::map<std::string, std::string>;

struct CacheOptions {
  std::uint64_t memory_limit_bytes = 64 * kMiB;  // Everything we hold for flags and clients.
  std::uint64_t max_document_bytes = 64 * kMiB;  // One upstream document, compressed or not.
  bool operator==(const CacheOptions&) const = default;
};

struct StateOptions {
  std::string dir;                         // Empty: default_state_dir() decides.
  std::uint64_t limit_bytes = 256 * kMiB;  // Everything on disk.
  bool operator==(const StateOptions&) const = default;
};

// flagd's ports, on loopback; every one serves every api. On as soon as one of the options that are
// flagd's alone is given, or flagd's own configuration file.
struct FlagdMode {
  bool on = false;
  std::string bind;              // Host of all four; empty: loopback, management on all interfaces.
  std::string socket_path;       // Evaluation on a socket beside TCP.
  std::string sync_socket_path;  // Sync likewise.
  std::uint32_t port = 8013;
  std::uint32_t management_port = 8014;  // Already written to Options::admin when `on`.
  std::uint32_t sync_port = 8015;
  std::uint32_t ofrep_port = 8016;
  bool debug = false;                  // Already written to Options::log_level.
  bool disable_sync_metadata = false;  // Already written to Options::sync_metadata.
  bool operator==(const FlagdMode&) const = default;
};

// Where a value was written, for messages. Not part of equality: moving a line changes nothing.
struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kVariable, kOption };
  Kind kind = Kind::kDefault;
  std::string name;        // The file's path, the variable, the option with its dashes.
  std::uint32_t line = 0;  // Of a file, from 1.
};
// "flagstone.yaml:12", "FLAGSTONE_LISTEN", "--listen", "default".
std::string to_string(const Origin& origin);

// Origins by path: "cache.memory_limit", "environments.default.sources[0].uri", …
struct Origins {
  std::map<std::string, Origin, std::less<>> by_path;

  // The value's own origin, else that of what it stands in, else kDefault.
  Origin find(std::string_view path) const;
  bool operator==(const Origins&) const { return true; }
};

struct Options {
  // "unix:PATH" or "HOST:PORT". Empty: the defaults; ask listen_addresses() in default_paths.h.
  std::vector<std::string> listen;
  std::string admin{kDefaultAdmin};
  std::vector<Environment> environments;  // Ordered by name.
  CacheOptions cache;
  StateOptions state;
  std::uint32_t serving_threads = 1;
  std::uint64_t request_header_limit_bytes = 64 * kKiB;
  std::uint64_t request_body_limit_bytes = 1'000'000;
  std::uint32_t max_connections = 1024;
  Milliseconds shutdown_delay{0};
  Milliseconds drain_time{4'000};
  Milliseconds startup_wait{10'000};
  std::vector<std::string> allowed_hosts;    // Beside localhost, 127.0.0.1 and [::1].
  std::vector<std::string> allowed_origins;  // Of browsers; others get 403.
  std::vector<std::string> cors_origins;     // Allowed, and their pages may read the answers.
  TlsOptions tls;
  Pairs context_values;             // flagd's -X: attributes put over every request's own.
  Pairs context_from_headers;       // flagd's -H: header → attribute, put over both.
  bool loose_types = false;         // Typed calls cast string, number and bool into each other.
  Milliseconds stream_deadline{0};  // Longest life of EventStream and SyncFlags; zero: for ever.
  bool sync_metadata = true;        // flagd.sync's deprecated GetMetadata is answered.
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  FlagdMode flagd;

  Origins origins;

  const Environment* find_environment(std::string_view name) const;
  bool operator==(const Options&) const = default;
};

}  // namespace flagstone::config
