// `flagstone check`: the configuration was valid to get here; now every file it names.
#include <cstdio>
#include <memory>
#include <string>

#include "config/pins.h"
#include "config/secret.h"
#include "sidecar/commands/commands.h"
#include "upstream/file_reader.h"

namespace flagstone::sidecar {
namespace {

// Prints problems as FILE:LINE: what, and counts them.
class Findings {
 public:
  void add(const std::string& file, std::size_t line, const std::string& message) {
    ++count_;
    if (line > 0) {
      std::fprintf(stderr, "%s:%zu: %s\n", file.c_str(), line, message.c_str());
    } else {
      std::fprintf(stderr, "%s: %s\n", file.c_str(), message.c_str());
    }
  }
  std::size_t count() const { return count_; }

 private:
  std::size_t count_ = 0;
};

// The files that secrets come from, each said at the option that names it. Certificates are not
// looked at: a configuration is checked on machines that it is not for.
void check_secrets(const config::Environment& environment, const config::Origins& origins,
                   Findings& findings) {
  const auto check = [&](const config::SecretSource& source, const std::string& path) {
    if (source.file.empty()) return;
    auto read = config::read_secret({.file = source.file, .variable = {}, .text = {}}, {});
    if (!read) {
      findings.add(to_string(origins.find(path)), 0,
                   read.error() + "; `flagstone start` waits for it");
    }
  };
  const std::string path = "environments." + environment.name;
  for (std::size_t i = 0; i < environment.sources.size(); ++i) {
    const config::Source& source = environment.sources[i];
    const std::string place = path + ".sources[" + std::to_string(i) + "]";
    check(source.credential, place + ".credential_file");
    for (const config::Header& header : source.headers) check(header.value, place + ".headers");
  }
  for (const config::SecretSource& secret : environment.accept) check(secret, path + ".accept");
}

void check_document(const Vendor& vendor, const evaluation::Dialect& dialect,
                    const config::Source& source, std::uint64_t max_bytes, Findings& findings) {
  auto content =
      upstream::read_file_blocking({.path = source.path,
                                    .max_bytes = source.max_document_bytes.value_or(max_bytes),
                                    .unless = {}});
  if (!content) {
    findings.add(source.path, 0, content.error().message);
    return;
  }
  for (const auto& problem : vendor.check_document(source, content->bytes, dialect)) {
    findings.add(source.path, problem.line, problem.message);
  }
}

void check_pins(const std::string& path, Findings& findings) {
  auto content = upstream::read_file_blocking(
      {.path = path, .max_bytes = std::size_t{config::kMiB}, .unless = {}});
  if (!content) {
    findings.add(path, 0, content.error().message);
    return;
  }
  if (auto pins = config::parse_pins(content->bytes, path); !pins) {
    for (const config::Problem& problem : pins.error()) {
      findings.add(problem.where, 0, problem.message);
    }
  }
}

void check_environment(const Vendor& vendor, const config::Environment& environment,
                       std::uint64_t max_bytes, Findings& findings) {
  std::unique_ptr<evaluation::Dialect> dialect = vendor.make_dialect(environment);
  for (const config::Source& source : environment.sources) {
    if (source.is_file()) check_document(vendor, *dialect, source, max_bytes, findings);
  }
  if (!environment.bootstrap.empty()) {
    config::Source bootstrap;
    bootstrap.path = environment.bootstrap;
    check_document(vendor, *dialect, bootstrap, max_bytes, findings);
  }
  if (!environment.pins.empty()) check_pins(environment.pins, findings);
}

}  // namespace

int run_check(const config::CheckCommand& command, std::span<const Vendor> vendors) {
  Findings findings;
  for (const config::Environment& environment : command.options.environments) {
    check_secrets(environment, command.options.origins, findings);
    if (const Vendor* vendor = find_vendor(vendors, environment.dialect)) {
      check_environment(*vendor, environment, command.options.cache.max_document_bytes, findings);
    }
  }
  if (findings.count() > 0) {
    std::fprintf(stderr, "%zu problem%s\n", findings.count(), findings.count() == 1 ? "" : "s");
    return config::kExitContent;
  }
  std::puts("no problems");
  return 0;
}

}  // namespace flagstone::sidecar
