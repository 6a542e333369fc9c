#include "config/layer.h"

#include <algorithm>
#include <utility>

#include "config/flagd_mode.h"
#include "config/flagd_sources.h"
#include "config/source_uri.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

constexpr std::string_view kSourcesFlag = "--sources";

bool is_uri(const OptionRow& row) { return row.scope == Scope::kSource && row.key == "uri"; }
bool is_credential(const OptionRow& row) {
  return row.scope == Scope::kSource && row.key.starts_with("credential_");
}

// How well the source can use what the row says. Among those of `--uri`, only the ones that can use
// it best are told: a token for flags is not for a cluster's API server.
int use_of(const OptionRow& row, const Source& source) {
  const SourceKind kind = source_kind(source.uri);
  const std::string scheme = uri_scheme(source.uri);
  if (is_credential(row)) {
    return source.is_file() ? 0 : (kind == SourceKind::kKubernetes ? 1 : 2);
  }
  if (row.key == "ca_file" || row.key.starts_with("client_")) {
    return scheme == "https" || scheme == "grpcs" ? 2 : (kind == SourceKind::kKubernetes ? 1 : 0);
  }
  return row.key != "provider_id" || kind == SourceKind::kGrpc ? 1 : 0;
}

// Writes one merged layer over the options.
class Applier {
 public:
  Applier(const Layer& layer, Options& options, ProblemList& problems,
          std::vector<std::string>& warnings)
      : layer_(layer), options_(options), problems_(problems), warnings_(warnings) {}

  void apply() {
    add_sources();
    for (const auto& [row, written] : layer_) {
      switch (row->scope) {
        case Scope::kProcess:
          if (row->field != nullptr) {
            set(*row, written, {.options = &options_}, std::string(row->key));
          }
          break;
        case Scope::kEnvironment:
          set(*row, written, {.environment = &default_environment()},
              default_path() + "." + std::string(row->key));
          break;
        case Scope::kSource:
          break;  // With the sources they belong to.
        case Scope::kFlagd:
          set_flagd(*row, written);
          break;
      }
    }
  }

 private:
  static std::string default_path() { return "environments." + std::string(kDefaultEnvironment); }

  Environment& default_environment() {
    const auto found =
        std::ranges::find(options_.environments, kDefaultEnvironment, &Environment::name);
    if (found != options_.environments.end()) {
      return *found;
    }
    Environment environment;
    environment.name = kDefaultEnvironment;
    const auto place = std::ranges::lower_bound(options_.environments, kDefaultEnvironment, {},
                                                &Environment::name);
    return *options_.environments.insert(place, std::move(environment));
  }

  void set(const OptionRow& row, const Written& written, const Target& target,
           const std::string& path) {
    options_.origins.by_path[path] = written.origin;
    if (const auto done = set_field(row.field(target), written.items); !done) {
      refuse(written.origin, done.error());
    }
  }

  void refuse(const Origin& origin, std::string message) {
    problems_.push_back(
        {.where = to_string(origin),
         .message = std::move(message),
         .exit_code = origin.kind == Origin::Kind::kFile ? kExitContent : kExitUsage});
  }

  void add_sources() {
    const auto uris = std::ranges::find_if(layer_, [](const auto& e) { return is_uri(*e.first); });
    if (uris != layer_.end()) {
      for (const std::string& uri : uris->second.items) {
        Source source;
        source.uri = uri;
        source.path = source_path(uri, {});
        add_source(std::move(source), uris->second.origin);
      }
    }
    for (const auto& [row, written] : layer_) {
      if (row->scope == Scope::kSource && !is_uri(*row)) {
        set_on_added(*row, written);
      }
    }
  }

  std::size_t add_source(Source source, const Origin& origin) {
    std::vector<Source>& sources = default_environment().sources;
    options_.origins.by_path[source_path_name(sources.size())] = origin;
    sources.push_back(std::move(source));
    added_.push_back(sources.size() - 1);
    return sources.size() - 1;
  }

  static std::string source_path_name(std::size_t index) {
    return default_path() + ".sources[" + std::to_string(index) + "]";
  }

  // `--interval` and its like belong to the sources of `--uri`: a source in the file keeps its own,
  // so that no token goes to a host it was not meant for.
  void set_on_added(const OptionRow& row, const Written& written) {
    if (added_.empty()) {
      refuse(written.origin, "belongs to the sources given by `--uri`, and there is none");
      return;
    }
    std::vector<Source>& sources = default_environment().sources;
    int best = 0;
    for (const std::size_t index : added_) {
      best = std::max(best, use_of(row, sources[index]));
    }
    for (const std::size_t index : added_) {
      if (use_of(row, sources[index]) != best) {
        continue;  // Where none of them can, validate() says why.
      }
      const std::size_t problems_before = problems_.size();
      set(row, written, {.source = &sources[index]},
          source_path_name(index) + "." + std::string(row.key));
      if (problems_.size() != problems_before) {
        return;  // The same text would be refused for every source.
      }
    }
  }

  void set_flagd(const OptionRow& row, const Written& written) {
    options_.flagd.on = options_.flagd.on || row.flagd_mode;
    if (!row.ignored.empty()) {
      if (written.items.back() != default_text(row)) {
        warnings_.push_back(to_string(written.origin) + " is ignored: " + std::string(row.ignored));
      }
      return;
    }
    if (long_flag(row) == kSourcesFlag) {
      for (Source& source :
           read_flagd_sources(written.items.back(), written.origin, problems_, warnings_)) {
        add_source(std::move(source), written.origin);
      }
      return;
    }
    set(row, written, {.options = &options_}, flagd_path(row));
  }

  // "flagd.sync_port" of `--sync-port`, as validate() names it.
  static std::string flagd_path(const OptionRow& row) {
    std::string name(row.flagd);
    std::ranges::replace(name, '-', '_');
    return "flagd." + name;
  }

  const Layer& layer_;
  Options& options_;
  ProblemList& problems_;
  std::vector<std::string>& warnings_;
  std::vector<std::size_t> added_;  // Indexes of the default environment's new sources.
};

}  // namespace

Layer merge(Layer variables, Layer flags) {
  // One credential replaces the other, however each of them is given.
  const bool has_credential =
      std::ranges::any_of(flags, [](const auto& entry) { return is_credential(*entry.first); });
  if (has_credential) {
    std::erase_if(variables, [](const auto& entry) { return is_credential(*entry.first); });
  }
  flags.merge(variables);
  return flags;
}

void apply(const Layer& layer, Options& options, ProblemList& problems,
           std::vector<std::string>& warnings) {
  Applier(layer, options, problems, warnings).apply();
  finish_flagd_mode(options, problems);
}

}  // namespace flagstone::config
