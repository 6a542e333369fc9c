// `evaluate`, `accept`, `health` and `version`: the commands that ask a running Flagstone.
#include <cstdio>
#include <string>

#include "evaluation/context_reader.h"
#include "net/percent.h"
#include "sidecar/commands/commands.h"
#include "sidecar/commands/http_call.h"

#ifndef FLAGSTONE_VERSION
#error "the build defines FLAGSTONE_VERSION"
#endif

namespace flagstone::sidecar {
namespace {

constexpr int kHttpOk = 200;

void print_line(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  if (!text.ends_with('\n')) std::fputc('\n', to);
}

// A flag key may hold any character; a path segment may not.
std::string path_of(std::string_view folder, std::string_view segment) {
  std::string path(folder);
  net::percent_encode(segment, path);
  return path;
}

const char* probe_path(config::Probe probe) {
  switch (probe) {
    case config::Probe::kStartup:
      return "/startupz";
    case config::Probe::kReady:
      return "/readyz";
    case config::Probe::kLive:
      return "/healthz";
  }
  return "/healthz";
}

}  // namespace

int run_evaluate(const config::EvaluateCommand& command) {
  evaluation::ContextReader reader;
  if (auto context = reader.read(command.context_json); !context) {
    print_line(stderr, "--context: " + context.error().message);
    return config::kExitUsage;
  }
  std::string body = "{\"context\":" + command.context_json + "}";
  std::string path = path_of("/ofrep/v1/evaluate/flags/", command.key);
  auto credential = command.credential.empty()
                        ? config::Secret()
                        : config::read_secret(command.credential, config::process_variable);
  if (!credential) {
    print_line(stderr, credential.error());
    return config::kExitContent;
  }
  std::string last_error = "no address to ask";
  for (const std::string& address : command.addresses) {
    auto answer = http_call(address, path, {.body = &body, .bearer = credential->reveal()});
    if (!answer) {
      last_error = answer.error();
      continue;
    }
    print_line(stdout, answer->body);
    return answer->status == kHttpOk ? 0 : 1;
  }
  print_line(stderr, last_error);
  return kExitUnavailable;
}

int run_accept(const config::AcceptCommand& command) {
  std::string body = "{}";
  auto answer = http_call(command.admin, path_of("/accept/", command.environment), {.body = &body});
  if (!answer) {
    print_line(stderr, answer.error());
    return kExitUnavailable;
  }
  print_line(answer->status == kHttpOk ? stdout : stderr, answer->body);
  return answer->status == kHttpOk ? 0 : 1;
}

int run_health(const config::HealthCommand& command) {
  auto answer = http_call(command.admin, probe_path(command.probe), {});
  if (!answer) {
    print_line(stderr, answer.error());
    return 1;
  }
  print_line(answer->status == kHttpOk ? stdout : stderr, answer->body);
  return answer->status == kHttpOk ? 0 : 1;
}

int run_version() {
  print_line(stdout, "flagstone " + std::string(version()));
  return 0;
}

std::string_view version() { return FLAGSTONE_VERSION; }

}  // namespace flagstone::sidecar
