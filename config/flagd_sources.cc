#include "config/flagd_sources.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>
#include <span>
#include <utility>

#include "config/nearest_name.h"
#include "config/source_uri.h"
#include "config/values.h"
#include "config/yaml_tree.h"

namespace flagstone::config {
namespace {

// flagd's own default; ours is longer.
constexpr Milliseconds kFlagdInterval{5'000};
constexpr std::uint64_t kSecondsMax = 86'400;

constexpr std::string_view kProviders = "file, fsnotify, fileinfo, http, grpc, kubernetes";

struct Provider {
  std::string_view name;
  SourceKind kind;
};
constexpr std::array kKnownProviders = {
    Provider{"file", SourceKind::kFile},     Provider{"fsnotify", SourceKind::kFile},
    Provider{"fileinfo", SourceKind::kFile}, Provider{"http", SourceKind::kHttp},
    Provider{"grpc", SourceKind::kGrpc},     Provider{"kubernetes", SourceKind::kKubernetes}};

class SourceReader {
 public:
  SourceReader(std::size_t index, const Origin& origin, ProblemList& problems,
               std::vector<std::string>& warnings)
      : name_("source " + std::to_string(index + 1)),
        origin_(origin),
        problems_(problems),
        warnings_(warnings) {}

  Source read(const YamlNode& node);

 private:
  void read_key(const YamlEntry& entry);
  void read_grpc_key(const YamlEntry& entry);
  void read_provider(const std::string& provider);
  void read_seconds(const YamlEntry& entry, Milliseconds& field);
  void take(const YamlEntry& entry, const std::expected<void, std::string>& done) {
    if (!done) {
      refuse("`" + entry.key + "`: " + done.error());
    }
  }
  void read_headers(const YamlNode& headers);
  void read_auth_header(const std::string& value);
  void finish_authorization();
  void finish_uri();
  void finish_grpc();
  void finish_limits();

  void refuse(std::string message) {
    const bool is_file = origin_.kind == Origin::Kind::kFile;
    problems_.push_back({.where = to_string(origin_),
                         .message = name_ + ": " + std::move(message),
                         .exit_code = is_file ? kExitContent : kExitUsage});
  }
  void warn(const std::string& message) {
    warnings_.push_back(to_string(origin_) + ": " + name_ + ": " + message);
  }

  const std::string name_;
  const Origin& origin_;
  ProblemList& problems_;
  std::vector<std::string>& warnings_;
  Source source_;
  SourceKind kind_ = SourceKind::kUnknown;
  bool provider_seen_ = false;
  bool tls_ = false;
  std::uint64_t max_message_bytes_ = 0;  // 0: not given
  std::string auth_header_;
  std::string bearer_token_;
};

// Every key that flagd knows, for "did you mean".
constexpr std::array<std::string_view, 15> kKeys = {
    "uri",      "provider",           "interval",    "authHeader", "bearerToken", "headers",
    "timeoutS", "selector",           "tls",         "certPath",   "providerID",  "maxMsgSize",
    "oauth",    "incrementalUpdates", "intervalSeed"};
// Of those, what changes nothing here.
constexpr std::array<std::string_view, 2> kIgnored = {"incrementalUpdates", "intervalSeed"};

void SourceReader::read_key(const YamlEntry& entry) {
  const std::string& key = entry.key;
  if (std::ranges::find(kKeys, key) == kKeys.end()) {
    warn("unknown key `" + key + "` is ignored" + did_you_mean(key, kKeys));
  } else if (std::ranges::find(kIgnored, key) != kIgnored.end()) {
    warn("`" + key + "` is ignored, it changes nothing here");
  } else if (key == "oauth") {
    refuse(
        "`oauth` is not supported, have the token written into a file and name it with "
        "`credential_file`");
  } else if (key == "headers") {
    read_headers(entry.value);
  } else if (entry.value.kind != YamlNode::Kind::kScalar) {
    refuse("`" + key + "` takes one value, not " + std::string(kind_name(entry.value)));
  } else if (key == "uri") {
    source_.uri = entry.value.text;
  } else if (key == "provider") {
    read_provider(entry.value.text);
  } else if (key == "interval") {
    read_seconds(entry, source_.interval);
  } else if (key == "timeoutS") {
    read_seconds(entry, source_.timeout);
  } else if (key == "selector") {
    source_.selector = entry.value.text;
  } else if (key == "authHeader") {
    auth_header_ = entry.value.text;
  } else if (key == "bearerToken") {
    bearer_token_ = entry.value.text;
  } else {
    read_grpc_key(entry);
  }
}

void SourceReader::read_grpc_key(const YamlEntry& entry) {
  const std::string& text = entry.value.text;
  if (entry.key == "tls") {
    take(entry, set_field(&tls_, std::span(&text, 1)));
  } else if (entry.key == "maxMsgSize") {
    take(entry, set_field(&max_message_bytes_, std::span(&text, 1)));
  } else if (entry.key == "certPath") {
    source_.ca_file = text;
  } else {
    source_.provider_id = text;
  }
}

void SourceReader::read_provider(const std::string& provider) {
  provider_seen_ = true;
  const auto known = std::ranges::find(kKnownProviders, provider, &Provider::name);
  if (known != kKnownProviders.end()) {
    kind_ = known->kind;
  } else if (provider == "gcs" || provider == "azblob" || provider == "s3") {
    refuse("provider `" + provider + "` is not supported, give the object's https: address");
  } else {
    refuse("unknown provider `" + provider + "`, known: " + std::string(kProviders));
  }
}

// flagd counts in whole seconds; 0 means its default there, and ours here.
void SourceReader::read_seconds(const YamlEntry& entry, Milliseconds& field) {
  const std::string& text = entry.value.text;
  std::uint64_t seconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || rest != text.data() + text.size() || seconds > kSecondsMax) {
    refuse("`" + entry.key + "` takes whole seconds from 0 to " + std::to_string(kSecondsMax));
  } else if (seconds != 0) {
    field = std::chrono::seconds(seconds);
  }
}

// flagd copies its value to `Authorization`; "Bearer …" is a credential like
// `bearerToken`.
void SourceReader::read_auth_header(const std::string& value) {
  constexpr std::string_view kBearer = "Bearer ";
  if (value.starts_with(kBearer)) {
    source_.credential.text = Secret(value.substr(kBearer.size()));
  } else {
    SecretSource header;
    header.text = Secret(value);
    source_.headers.insert(source_.headers.begin(),
                           {.name = "Authorization", .value = std::move(header)});
  }
}

// As in flagd, `bearerToken` counts only where there is no `authHeader`, whichever comes first.
void SourceReader::finish_authorization() {
  if (!auth_header_.empty()) {
    read_auth_header(auth_header_);
    if (!bearer_token_.empty()) {
      warn("`bearerToken` is ignored beside `authHeader`, keep one");
    }
  } else if (!bearer_token_.empty()) {
    source_.credential.text = Secret(bearer_token_);
  }
}

void SourceReader::read_headers(const YamlNode& headers) {
  if (headers.kind != YamlNode::Kind::kMap) {
    refuse("`headers` takes a map, not " + std::string(kind_name(headers)));
    return;
  }
  for (const YamlEntry& entry : headers.entries) {
    if (entry.value.kind != YamlNode::Kind::kScalar) {
      refuse("the header `" + entry.key + "` takes text");
      continue;
    }
    SecretSource value;
    value.text = Secret(entry.value.text);
    source_.headers.push_back({.name = entry.key, .value = std::move(value)});
  }
}

// flagd leaves out the scheme that says what the provider says.
void SourceReader::finish_uri() {
  std::string& uri = source_.uri;
  const SourceKind written = source_kind(uri);
  if (!provider_seen_) {
    refuse("has no `provider`, known: " + std::string(kProviders));
  } else if (kind_ == SourceKind::kFile && written != SourceKind::kFile && !uri.empty()) {
    uri.insert(0, "file:");
  } else if (kind_ == SourceKind::kHttp && written != SourceKind::kHttp) {
    refuse("provider `http` needs an http: or https: URI");
  } else if (kind_ == SourceKind::kKubernetes && written != SourceKind::kKubernetes) {
    uri.insert(0, kResourcePrefix);
  } else if (kind_ == SourceKind::kGrpc) {
    finish_grpc();
  }
  source_.path = source_path(uri, {});
}

void SourceReader::finish_grpc() {
  std::string& uri = source_.uri;
  const std::string scheme = uri_scheme(uri);
  if (scheme == "grpc" || (scheme == "dns" && tls_)) {
    // What `tls` says counts.
    const std::size_t end = uri.find_first_not_of('/', scheme.size() + 1);
    uri.erase(0, std::min(end, uri.size()));
  } else if (source_kind(uri) == SourceKind::kGrpc || scheme == "xds" || scheme == "envoy") {
    tls_ = scheme == "grpcs";
    return;
  }
  uri.insert(0, tls_ ? "grpcs://" : "grpc://");
}

// What the kind of source has no use for; flagd passes over it too.
void SourceReader::finish_limits() {
  const bool is_grpc = kind_ == SourceKind::kGrpc;
  if (max_message_bytes_ != 0) {
    source_.max_document_bytes = max_message_bytes_;
  }
  if (!source_.ca_file.empty() && (!is_grpc || !tls_)) {
    warn("`certPath` is ignored, this source speaks no gRPC over TLS");
    source_.ca_file.clear();
  }
  if (!is_grpc) {
    source_.provider_id.clear();
  }
  const bool has_no_use = kind_ == SourceKind::kFile || kind_ == SourceKind::kKubernetes;
  if (has_no_use && (!source_.credential.empty() || !source_.headers.empty())) {
    warn("credentials and headers are ignored, this kind of source has no use for them");
    source_.credential = {};
    source_.headers.clear();
  }
}

Source SourceReader::read(const YamlNode& node) {
  source_.interval = kFlagdInterval;
  if (node.kind != YamlNode::Kind::kMap) {
    refuse("must be an object, not " + std::string(kind_name(node)));
    return std::move(source_);
  }
  for (const YamlEntry& entry : node.entries) {
    read_key(entry);
  }
  finish_authorization();
  finish_uri();
  finish_limits();
  const bool is_visible = origin_.kind == Origin::Kind::kOption;
  const bool has_secret = !source_.credential.empty() || !source_.headers.empty();
  if (has_secret && is_visible) {
    warn(
        "a credential on the command line can be read by every process of this user, name a file "
        "with `credential_file` instead");
  }
  return std::move(source_);
}

}  // namespace

std::vector<Source> read_flagd_sources(std::string_view json, const Origin& origin,
                                       ProblemList& problems, std::vector<std::string>& warnings) {
  const std::string place = to_string(origin);
  const int exit_code = origin.kind == Origin::Kind::kFile ? kExitContent : kExitUsage;
  ProblemList syntax;
  const YamlNode root = parse_yaml(json, place, syntax);
  for (Problem& problem : syntax) {
    problem.exit_code = exit_code;
    problem.where = place;
    problems.push_back(std::move(problem));
  }
  std::vector<Source> sources;
  if (root.kind != YamlNode::Kind::kList) {
    if (syntax.empty()) {
      problems.push_back({.where = place,
                          .message = "must be a JSON array, like "
                                     "`[{\"uri\":\"flags.json\",\"provider\":\"file\"}]`",
                          .exit_code = exit_code});
    }
    return sources;
  }
  for (std::size_t i = 0; i < root.items.size(); ++i) {
    sources.push_back(SourceReader(i, origin, problems, warnings).read(root.items[i]));
  }
  return sources;
}

}  // namespace flagstone::config
