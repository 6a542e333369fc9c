#include "config/validate_dialect.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <tuple>
#include <utility>

#include "config/launchdarkly_hosts.h"
#include "config/source_uri.h"

namespace flagstone::config {
namespace {

std::string place_of(const std::string& path, const std::string& key) { return path + "." + key; }

std::string not_for_files(const std::string& key) {
  return "a file needs no `" + key + "`, remove it";
}

constexpr std::string_view kDialect = "launchdarkly";

bool is_tag_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

bool is_tag_text(std::string_view text) {
  return !text.empty() && text.size() <= kTagBytesMax && std::ranges::all_of(text, is_tag_char);
}

bool is_filter_key(std::string_view text) {
  return std::ranges::all_of(text, is_tag_char) && is_tag_char(text.front()) &&
         std::isalnum(static_cast<unsigned char>(text.front())) != 0;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

// The keys of options that differ from what they are by default.
std::vector<std::string> given(const LaunchDarklySource& options) {
  const LaunchDarklySource none;
  std::vector<std::string> keys;
  if (options.stream_uri != none.stream_uri) keys.emplace_back("stream_uri");
  if (options.events_uri != none.events_uri) keys.emplace_back("events_uri");
  if (options.filter != none.filter) keys.emplace_back("filter");
  if (options.protocol != none.protocol) keys.emplace_back("protocol");
  if (options.streaming != none.streaming) keys.emplace_back("streaming");
  if (options.wrapper != none.wrapper) keys.emplace_back("wrapper");
  if (options.tags != none.tags) keys.emplace_back("tags");
  if (options.rotation_grace != none.rotation_grace) keys.emplace_back("rotation_grace");
  return keys;
}

// What is put behind a base; with it in the base, every request would ask for what is not there.
constexpr std::array<std::string_view, 7> kEndpoints = {
    "/sdk/latest-all", "/sdk/latest-flags", "/sdk/flags", "/sdk/poll", "/sdk/stream",
    "/bulk",           "/diagnostic"};
// These may be the prefix by which a gateway tells a relay from others.
constexpr std::array<std::string_view, 2> kVendorsEndpoints = {"/all", "/flags"};

// `uri` without an endpoint's path at its end; empty where there is none.
std::string without_endpoint(std::string_view uri) {
  while (uri.ends_with('/')) {
    uri.remove_suffix(1);
  }
  std::size_t longest = 0;
  const auto look = [&](std::string_view endpoint) {
    longest = uri.ends_with(endpoint) ? std::max(longest, endpoint.size()) : longest;
  };
  std::ranges::for_each(kEndpoints, look);
  if (is_launchdarklys_own(uri)) {
    std::ranges::for_each(kVendorsEndpoints, look);
  }
  return longest == 0 ? std::string() : std::string(uri.substr(0, uri.size() - longest));
}

// A URI that paths are put behind.
void validate_base(std::string_view uri, const std::string& path, const std::string& key,
                   Report& report) {
  if (uri.empty()) {
    return;
  }
  const std::string place = place_of(path, key);
  if (source_kind(uri) != SourceKind::kHttp) {
    report.add(place, "LaunchDarkly speaks HTTP, write `https://HOST`");
  } else if (const auto problem = uri_problem(uri)) {
    report.add(place, *problem);
  } else if (uri.find_first_of("?#") != std::string_view::npos) {
    report.add(place, "paths are put behind `" + key + "`, write it without `?` and `#`");
  } else if (const std::string base = without_endpoint(uri); !base.empty()) {
    report.add(place, "paths are put behind `" + key + "`, leave the path out: `" + base + "`");
  }
}

// The one base, from which the vendor's other hosts follow.
void validate_polling_base(const std::string& uri, const std::string& path, Report& report) {
  if (const std::string sdk = launchdarkly_sdk_instead(uri); !sdk.empty()) {
    report.add(place_of(path, "uri"), "no flags are polled from `" + uri + "`, write `" + sdk +
                                          "`: where they are streamed from follows from it");
    return;
  }
  validate_base(uri, path, "uri", report);
}

void validate_names(const LaunchDarklySource& options, const std::string& path, Report& report) {
  if (!options.filter.empty() && !is_filter_key(options.filter)) {
    report.add(path + ".filter", "`" + options.filter +
                                     "` is not the key of a payload filter: a letter or digit, "
                                     "then letters, digits, `.`, `_` and `-`");
  }
  if (!is_printable(options.wrapper)) {
    report.add(path + ".wrapper", "`wrapper` must be one line of ASCII, write `NAME/VERSION`");
  }
  for (const auto& [name, value] : options.tags) {
    if (!is_tag_text(name) || !is_tag_text(value)) {
      report.add(path + ".tags", "the tag `" + name + "` and its value must be made of 1 to " +
                                     std::to_string(kTagBytesMax) +
                                     " letters, digits, `.`, `_` and `-`");
    }
  }
  report.range(path + ".rotation_grace", options.rotation_grace, Milliseconds(0),
               kRotationGraceMax);
}

void validate_launchdarkly(const Environment& environment, const Source& source,
                           const std::string& path, Report& report) {
  const SourceKind kind = source_kind(source.uri);
  if (kind == SourceKind::kGrpc || kind == SourceKind::kKubernetes) {
    report.add(path + ".uri",
               "LaunchDarkly's flags come by HTTP or from a file, write "
               "`https://sdk.launchdarkly.com` or `file:PATH`");
  } else if (kind == SourceKind::kHttp && !uri_problem(source.uri)) {
    validate_polling_base(source.uri, path, report);
    if (source.credential.empty()) {
      report.add(path, "the LaunchDarkly source of environment `" + environment.name +
                           "` needs an SDK key, give `credential_file` or `credential_env`");
    }
  }
  if (source.is_file()) {
    for (const std::string& key : given(source.launchdarkly)) {
      report.add(place_of(path, key), not_for_files(key));
    }
    return;
  }
  if (is_launchdarklys_own(source.uri) && source.interval < kLaunchDarklyIntervalMin) {
    report.range(path + ".interval", source.interval, kLaunchDarklyIntervalMin,
                 Milliseconds::max());
  }
  validate_base(source.launchdarkly.stream_uri, path, "stream_uri", report);
  validate_base(source.launchdarkly.events_uri, path, "events_uri", report);
  validate_names(source.launchdarkly, path, report);
}

// What only flagd's sources know.
void refuse_flagds(const Environment& environment, const Source& source, const std::string& path,
                   Report& report) {
  if (!source.selector.empty()) {
    report.add(path + ".selector",
               "LaunchDarkly knows no `selector`, remove it; a payload filter is "
               "`filter`");
  }
  if (source.format == DocumentFormat::kYaml) {
    report.add(path + ".format", "LaunchDarkly's documents are JSON, remove `format`");
  }
  if (environment.fractional != Environment{}.fractional) {
    report.add("environments." + environment.name + ".fractional",
               "only `dialect: flagd` knows `fractional`, remove it");
  }
}

// As LaunchDarkly writes it: a plain name, or a path of which `~1` and `~0` are a slash and a
// tilde.
bool is_attribute_reference(std::string_view text) {
  if (!text.starts_with('/')) return !text.empty();
  if (text.ends_with('/') || text.contains("//")) return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next != '0' && next != '1') return false;
  }
  return true;
}

// What says which context it is, and is in every event.
bool is_never_private(std::string_view reference) {
  if (reference.starts_with('/')) reference.remove_prefix(1);
  constexpr std::array<std::string_view, 3> kIdentity = {"kind", "key", "anonymous"};
  return std::ranges::find(kIdentity, reference) != kIdentity.end();
}

}  // namespace

void validate_private_attributes(const EventOptions& events, const std::string& path,
                                 Report& report) {
  const std::string place = path + ".private_attributes";
  if (events.private_attributes.size() > kPrivateAttributesMax) {
    report.add(place, "there are more than " + std::to_string(kPrivateAttributesMax) +
                          ", write `all_attributes_private: true` instead");
  }
  for (const std::string& reference : events.private_attributes) {
    if (!is_attribute_reference(reference)) {
      report.add(place, "`" + reference +
                            "` is no attribute, write a name (`email`) or a path "
                            "(`/address/street`, a slash in a name as `~1`, a tilde as `~0`)");
    } else if (is_never_private(reference)) {
      report.add(place, "`" + reference +
                            "` cannot be private, for it says which context it is: remove it");
    }
  }
}

void validate_dialect(const Environment& environment, const Source& source, const std::string& path,
                      Report& report) {
  if (environment.dialect == kDialect) {
    validate_launchdarkly(environment, source, path, report);
    refuse_flagds(environment, source, path, report);
    return;
  }
  for (const std::string& key : given(source.launchdarkly)) {
    report.add(place_of(path, key), "only `dialect: launchdarkly` knows `" + key +
                                        "`, give the environment that or remove it");
  }
  if (is_launchdarklys_own(source.uri)) {
    report.add(place_of(path, "uri"),
               "`" + source.uri + "` is LaunchDarkly's, give environment `" + environment.name +
                   "` its `dialect: launchdarkly` (`--dialect launchdarkly`)");
  }
}

void validate_shared_keys(const Options& options, Report& report) {
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Key, const Environment*> all;
  for (const Environment& environment : options.environments) {
    for (std::size_t i = 0; i < environment.sources.size(); ++i) {
      const Source& source = environment.sources[i];
      const SecretSource& key = source.credential;
      if (environment.dialect != kDialect || (key.file.empty() && key.variable.empty())) {
        continue;
      }
      const auto [first, added] =
          all.emplace(Key(key.file, key.variable, source.launchdarkly.filter), &environment);
      const Environment& other = *first->second;
      const bool have_listeners = !other.listen.empty() && !environment.listen.empty();
      if (!added && &other != &environment && !have_listeners) {
        report.add("environments." + environment.name + ".sources[" + std::to_string(i) + "]." +
                       (key.file.empty() ? "credential_env" : "credential_file"),
                   "environments `" + other.name + "` and `" + environment.name +
                       "` have the same SDK key and the same `filter`, by which SDKs say which "
                       "one they mean; give one of them another");
      }
    }
  }
}

}  // namespace flagstone::config
