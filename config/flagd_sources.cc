#include "config/flagd_sources.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "config/nearest_name.h"
#include "config/source_uri.h"
#include "config/yaml_tree.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kOption = "--sources";
// flagd's own default; ours is longer.
constexpr Milliseconds kFlagdInterval{5'000};
constexpr std::uint64_t kMaxSeconds = 86'400;

enum class Provider : std::uint8_t { kNone, kFile, kHttp };

class SourceReader {
 public:
  SourceReader(std::size_t index, ProblemList& problems, std::vector<std::string>& warnings)
      : name_("source " + std::to_string(index + 1)), problems_(problems), warnings_(warnings) {}

  Source read(const YamlNode& node);

 private:
  void read_key(const YamlEntry& entry);
  void read_provider(const std::string& provider);
  void read_seconds(const YamlEntry& entry, Milliseconds& field);
  void read_headers(const YamlNode& headers);
  void read_auth_header(const std::string& value);
  void finish_authorization();
  void finish_uri();

  void refuse(std::string message) {
    problems_.push_back({.where = std::string(kOption),
                         .message = name_ + ": " + std::move(message),
                         .exit_code = kExitUsage});
  }
  void warn(const std::string& message) {
    warnings_.push_back(std::string(kOption) + ": " + name_ + ": " + message);
  }

  const std::string name_;
  ProblemList& problems_;
  std::vector<std::string>& warnings_;
  Source source_;
  Provider provider_ = Provider::kNone;
  bool provider_seen_ = false;
  std::string auth_header_;
  std::string bearer_token_;
};

// Every key that flagd knows, for "did you mean".
constexpr std::array<std::string_view, 15> kKeys = {
    "uri",      "provider",           "interval",    "authHeader", "bearerToken", "headers",
    "timeoutS", "selector",           "tls",         "certPath",   "providerID",  "maxMsgSize",
    "oauth",    "incrementalUpdates", "intervalSeed"};
// Of those, what changes nothing for files and HTTP.
constexpr std::array<std::string_view, 6> kIgnored = {
    "tls", "certPath", "providerID", "maxMsgSize", "incrementalUpdates", "intervalSeed"};

void SourceReader::read_key(const YamlEntry& entry) {
  const std::string& key = entry.key;
  if (std::ranges::find(kKeys, key) == kKeys.end()) {
    warn("unknown key `" + key + "` is ignored" + did_you_mean(key, kKeys));
  } else if (std::ranges::find(kIgnored, key) != kIgnored.end()) {
    warn("`" + key + "` is not used for files and http, it is ignored");
  } else if (key == "oauth") {
    refuse("`oauth` is not supported yet, name a token in a file with `--credential-file`");
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
  } else {
    bearer_token_ = entry.value.text;
  }
}

void SourceReader::read_provider(const std::string& provider) {
  provider_seen_ = true;
  if (provider == "file" || provider == "fsnotify" || provider == "fileinfo") {
    provider_ = Provider::kFile;
  } else if (provider == "http") {
    provider_ = Provider::kHttp;
  } else if (provider == "gcs" || provider == "azblob" || provider == "s3") {
    refuse("provider `" + provider + "` is not supported, give the object's https: address");
  } else if (provider == "grpc" || provider == "kubernetes") {
    refuse("provider `" + provider + "` is not supported yet, known: file, http");
  } else {
    refuse("unknown provider `" + provider + "`, known: file, fsnotify, fileinfo, http");
  }
}

// flagd counts in whole seconds; 0 means its default there, and ours here.
void SourceReader::read_seconds(const YamlEntry& entry, Milliseconds& field) {
  const std::string& text = entry.value.text;
  std::uint64_t seconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || rest != text.data() + text.size() || seconds > kMaxSeconds) {
    refuse("`" + entry.key + "` takes whole seconds from 0 to " + std::to_string(kMaxSeconds));
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

// flagd writes a file's path without the scheme.
void SourceReader::finish_uri() {
  const std::string scheme = uri_scheme(source_.uri);
  if (!provider_seen_) {
    refuse("has no `provider`, known: file, fsnotify, fileinfo, http");
  } else if (provider_ == Provider::kFile && scheme != "file" && !source_.uri.empty()) {
    source_.uri.insert(0, "file:");
  } else if (provider_ == Provider::kHttp && scheme != "http" && scheme != "https") {
    refuse("provider `http` needs an http: or https: URI");
  }
  source_.path = source_path(source_.uri, {});
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
  const bool has_secret = !source_.credential.empty() || !source_.headers.empty();
  if (has_secret) {
    warn(
        "a credential on the command line can be read by every process of this user, name a file "
        "with `credential_file` instead");
  }
  return std::move(source_);
}

}  // namespace

std::vector<Source> read_flagd_sources(std::string_view json, ProblemList& problems,
                                       std::vector<std::string>& warnings) {
  ProblemList syntax;
  const YamlNode root = parse_yaml(json, kOption, syntax);
  for (Problem& problem : syntax) {
    problem.exit_code = kExitUsage;
    problem.where = kOption;
    problems.push_back(std::move(problem));
  }
  std::vector<Source> sources;
  if (root.kind != YamlNode::Kind::kList) {
    if (syntax.empty()) {
      problems.push_back({.where = std::string(kOption),
                          .message = "must be a JSON array, like "
                                     "`[{\"uri\":\"flags.json\",\"provider\":\"file\"}]`",
                          .exit_code = kExitUsage});
    }
    return sources;
  }
  for (std::size_t i = 0; i < root.items.size(); ++i) {
    sources.push_back(SourceReader(i, problems, warnings).read(root.items[i]));
  }
  return sources;
}

}  // namespace flagstone::config
