#include "config/file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "config/flagd_file.h"
#include "config/json_text.h"
#include "config/nearest_name.h"
#include "config/option_table.h"
#include "config/regular_file.h"
#include "config/source_uri.h"
#include "config/values.h"
#include "config/yaml_tree.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kUnix = "unix:";
// What others call what a source has here.
struct OtherName {
  std::string_view theirs;
  std::string_view remedy;
};
constexpr std::string_view kKeyRemedy =
    "write the key into a file and name it with the source's `credential_file`";
constexpr std::string_view kUriRemedy = "write it as the source's `uri`";
constexpr std::array<OtherName, 14> kOtherNames = {{{"sdk_key", kKeyRemedy},
                                                    {"sdkKey", kKeyRemedy},
                                                    {"api_key", kKeyRemedy},
                                                    {"apiKey", kKeyRemedy},
                                                    {"key", kKeyRemedy},
                                                    {"token", kKeyRemedy},
                                                    {"bearer_token", kKeyRemedy},
                                                    {"credentials", kKeyRemedy},
                                                    {"password", kKeyRemedy},
                                                    {"url", kUriRemedy},
                                                    {"base_uri", kUriRemedy},
                                                    {"base_url", kUriRemedy},
                                                    {"baseUri", kUriRemedy},
                                                    {"baseUrl", kUriRemedy}}};
constexpr std::string_view kSecretRemedy = "write `{file: PATH}` or `{env: NAME}`";

// Walks the document's tree once. The file's own structure (environments, sources, headers, accept)
// is written here; every single value is a row of the option table.
class FileReader {
 public:
  FileReader(const std::string& file_name, Options& options, ProblemList& problems)
      : file_name_(file_name),
        folder_(std::filesystem::path(file_name).parent_path().string()),
        options_(options),
        problems_(problems) {}

  void read(const YamlNode& root);

 private:
  // `prefix` is what stands before `name` in the paths of origins.
  void read_section(const YamlNode& section, Scope scope, const Target& target,
                    const std::string& name, const std::string& prefix);
  void read_environments(const YamlNode& environments);
  void read_environment(const YamlNode& node, Environment& environment);
  void read_sources(const YamlNode& sources, Environment& environment);
  void read_source(const YamlNode& node, Source& source, const std::string& path);
  void read_headers(const YamlNode& headers, Source& source);
  void read_accept(const YamlNode& accept, Environment& environment);
  SecretSource read_secret_source(const YamlNode& node, bool text_allowed);
  void read_value(const OptionRow& row, const YamlNode& value, const Target& target,
                  const std::string& path);
  std::vector<std::string> read_items(const OptionRow& row, const YamlNode& value);
  std::string in_folder(PathKind kind, const std::string& text) const;

  bool require(const YamlNode& node, YamlNode::Kind kind, const std::string& name);
  void unknown_key(const YamlEntry& entry, Scope scope, std::string_view section,
                   std::vector<std::string_view> known);
  void note(const std::string& path, std::uint32_t line) {
    options_.origins.by_path[path] = {
        .kind = Origin::Kind::kFile, .name = file_name_, .line = line};
  }
  void refuse(std::uint32_t line, std::string message) {
    problems_.push_back(
        {.where = file_name_ + ":" + std::to_string(line), .message = std::move(message)});
  }

  const std::string file_name_;
  const std::string folder_;
  Options& options_;
  ProblemList& problems_;
};

bool FileReader::require(const YamlNode& node, YamlNode::Kind kind, const std::string& name) {
  if (node.kind == kind) {
    return true;
  }
  refuse(node.line, "`" + name + "` must be " +
                        (kind == YamlNode::Kind::kMap ? "a map" : "a list") + ", not " +
                        std::string(kind_name(node)));
  return false;
}

void FileReader::unknown_key(const YamlEntry& entry, Scope scope, std::string_view section,
                             std::vector<std::string_view> known) {
  for (const OptionRow& row : option_table()) {
    if (row.scope == scope && !row.key.empty() && row.key.starts_with(section)) {
      const std::string_view rest = row.key.substr(section.size());
      known.push_back(rest.substr(0, rest.find('.')));
    }
  }
  const auto other =
      std::ranges::find(kOtherNames, std::string_view(entry.key), &OtherName::theirs);
  refuse(entry.line, "unknown key `" + entry.key + "`" +
                         (other == kOtherNames.end() ? did_you_mean(entry.key, known)
                                                     : ", " + std::string(other->remedy)));
}

void FileReader::read(const YamlNode& root) {
  if (root.kind == YamlNode::Kind::kNull) {
    return;
  }
  if (root.kind != YamlNode::Kind::kMap) {
    refuse(root.line, "the configuration must be a map, not " + std::string(kind_name(root)));
    return;
  }
  for (const YamlEntry& entry : root.entries) {
    note(entry.key, entry.line);
    if (entry.key == "environments") {
      read_environments(entry.value);
    } else if (entry.key == "cache" || entry.key == "state" || entry.key == "tls") {
      read_section(entry.value, Scope::kProcess, {.options = &options_}, entry.key, {});
    } else if (const OptionRow* row = find_option(Scope::kProcess, entry.key);
               row != nullptr && !entry.key.contains('.')) {
      read_value(*row, entry.value, {.options = &options_}, entry.key);
    } else {
      unknown_key(entry, Scope::kProcess, "", {"environments"});
    }
  }
}

void FileReader::read_section(const YamlNode& section, Scope scope, const Target& target,
                              const std::string& name, const std::string& prefix) {
  if (!require(section, YamlNode::Kind::kMap, name)) {
    return;
  }
  for (const YamlEntry& entry : section.entries) {
    const std::string key = name + "." + entry.key;
    if (const OptionRow* row = find_option(scope, key)) {
      note(prefix + key, entry.line);
      read_value(*row, entry.value, target, prefix + key);
    } else {
      unknown_key(entry, scope, name + ".", {});
    }
  }
}

void FileReader::read_environments(const YamlNode& environments) {
  if (!require(environments, YamlNode::Kind::kMap, "environments")) {
    return;
  }
  for (const YamlEntry& entry : environments.entries) {
    note("environments." + entry.key, entry.line);
    Environment environment;
    environment.name = entry.key;
    if (entry.value.kind != YamlNode::Kind::kNull &&
        require(entry.value, YamlNode::Kind::kMap, entry.key)) {
      read_environment(entry.value, environment);
    }
    options_.environments.push_back(std::move(environment));
  }
  std::ranges::sort(options_.environments, {}, &Environment::name);
}

void FileReader::read_environment(const YamlNode& node, Environment& environment) {
  for (const YamlEntry& entry : node.entries) {
    const std::string path = "environments." + environment.name + "." + entry.key;
    note(path, entry.line);
    if (entry.key == "sources") {
      read_sources(entry.value, environment);
    } else if (entry.key == "accept") {
      read_accept(entry.value, environment);
    } else if (entry.key == "events") {
      read_section(entry.value, Scope::kEnvironment, {.environment = &environment}, entry.key,
                   "environments." + environment.name + ".");
    } else if (const OptionRow* row = find_option(Scope::kEnvironment, entry.key);
               row != nullptr && !entry.key.contains('.')) {
      read_value(*row, entry.value, {.environment = &environment}, path);
    } else {
      unknown_key(entry, Scope::kEnvironment, "", {"sources"});
    }
  }
}

void FileReader::read_sources(const YamlNode& sources, Environment& environment) {
  if (!require(sources, YamlNode::Kind::kList, "sources")) {
    return;
  }
  for (const YamlNode& node : sources.items) {
    const std::string path = "environments." + environment.name + ".sources[" +
                             std::to_string(environment.sources.size()) + "]";
    note(path, node.line);
    Source source;
    // What is not a map has no `uri`, which validate() reports with this line.
    read_source(node, source, path);
    environment.sources.push_back(std::move(source));
  }
}

void FileReader::read_source(const YamlNode& node, Source& source, const std::string& path) {
  for (const YamlEntry& entry : node.entries) {
    const std::string value_path = path + "." + entry.key;
    note(value_path, entry.line);
    if (entry.key == "headers") {
      read_headers(entry.value, source);
    } else if (const OptionRow* row = find_option(Scope::kSource, entry.key)) {
      read_value(*row, entry.value, {.source = &source}, value_path);
    } else {
      unknown_key(entry, Scope::kSource, "", {});
    }
  }
  source.path = source_path(source.uri, folder_);
}

void FileReader::read_headers(const YamlNode& headers, Source& source) {
  if (!require(headers, YamlNode::Kind::kMap, "headers")) {
    return;
  }
  for (const YamlEntry& entry : headers.entries) {
    source.headers.push_back({.name = entry.key, .value = read_secret_source(entry.value, true)});
  }
}

void FileReader::read_accept(const YamlNode& accept, Environment& environment) {
  if (!require(accept, YamlNode::Kind::kList, "accept")) {
    return;
  }
  for (const YamlNode& item : accept.items) {
    environment.accept.push_back(read_secret_source(item, false));
  }
}

SecretSource FileReader::read_secret_source(const YamlNode& node, bool text_allowed) {
  SecretSource source;
  if (node.kind == YamlNode::Kind::kScalar && text_allowed) {
    source.text = Secret(node.text);
    return source;
  }
  if (node.kind != YamlNode::Kind::kMap) {
    refuse(node.line, "a secret does not belong into this file, " + std::string(kSecretRemedy));
    return source;
  }
  for (const YamlEntry& entry : node.entries) {
    const bool is_file = entry.key == "file";
    if (!is_file && entry.key != "env") {
      refuse(entry.line, "unknown key `" + entry.key + "`, " + std::string(kSecretRemedy));
    } else if (entry.value.kind != YamlNode::Kind::kScalar || entry.value.text.empty()) {
      refuse(entry.line, "`" + entry.key + "` needs text, " + std::string(kSecretRemedy));
    } else {
      (is_file ? source.file : source.variable) =
          is_file ? path_from(folder_, entry.value.text) : entry.value.text;
    }
  }
  if (node.entries.size() != 1) {
    refuse(node.line, "a secret comes from one place, " + std::string(kSecretRemedy));
  }
  return source;
}

std::string FileReader::in_folder(PathKind kind, const std::string& text) const {
  if (kind == PathKind::kPath) {
    return path_from(folder_, text);
  }
  if (kind == PathKind::kAddress && text.starts_with(kUnix)) {
    return std::string(kUnix) + path_from(folder_, std::string_view(text).substr(kUnix.size()));
  }
  return text;
}

std::vector<std::string> FileReader::read_items(const OptionRow& row, const YamlNode& value) {
  std::vector<std::string> items;
  if (value.kind == YamlNode::Kind::kScalar) {
    items.push_back(in_folder(row.path, value.text));
  } else if (value.kind == YamlNode::Kind::kMap) {
    if (const auto problem = append_json(value, items.emplace_back())) {
      refuse(problem->line, problem->message);
    }
  }
  for (const YamlNode& item : value.items) {
    if (item.kind == YamlNode::Kind::kScalar) {
      items.push_back(in_folder(row.path, item.text));
    } else {
      refuse(item.line, "`" + std::string(row.key) + "` is a list of text, not of " +
                            std::string(kind_name(item)));
    }
  }
  return items;
}

void FileReader::read_value(const OptionRow& row, const YamlNode& value, const Target& target,
                            const std::string& path) {
  const std::string name = path.substr(path.find_last_of('.') + 1);
  const Field field = row.field(target);
  const bool is_list = std::holds_alternative<std::vector<std::string>*>(field);
  const bool is_map = std::holds_alternative<Pairs*>(field);
  const bool fits = is_map ? value.kind == YamlNode::Kind::kMap
                           : value.kind == YamlNode::Kind::kScalar ||
                                 (value.kind == YamlNode::Kind::kList && is_list);
  if (!fits) {
    refuse(value.line, value.kind == YamlNode::Kind::kNull
                           ? "`" + name + "` has no value, give one or leave the key out"
                           : "`" + name + "` takes " + (is_map ? "a map" : "one value") + ", not " +
                                 std::string(kind_name(value)));
    return;
  }
  const std::vector<std::string> items = read_items(row, value);
  if (const auto done = set_field(field, items); !done) {
    refuse(value.line, "`" + name + "`: " + done.error());
  }
}

}  // namespace

void read_config_text(std::string_view text, const std::string& file_name, Options& options,
                      ProblemList& problems) {
  const YamlNode root = parse_yaml(text, file_name, problems);
  FileReader(file_name, options, problems).read(root);
}

Layer read_config_file(const std::string& file_name, Options& options, ProblemList& problems,
                       std::vector<std::string>& warnings) {
  const auto text = read_regular_file(file_name, kConfigBytesMax + 1);
  if (!text) {
    problems.push_back({.where = file_name, .message = text.error()});
    return {};
  }
  const YamlNode root = parse_yaml(*text, file_name, problems);
  switch (file_kind(root, file_name, problems)) {
    case FileKind::kOwn:
      FileReader(file_name, options, problems).read(root);
      break;
    case FileKind::kFlagd:
      options.flagd.on = true;
      return read_flagd_file(root, file_name, problems, warnings);
    case FileKind::kMixed:
      break;
  }
  return {};
}

}  // namespace flagstone::config
