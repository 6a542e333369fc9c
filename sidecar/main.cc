// flagstone: reads what the operator wants and does it. Everything else is wired from here.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "config/command_line.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "sidecar/allocator.h"
#include "sidecar/api/flagd_evaluation.h"
#include "sidecar/api/flagd_evaluation_events.h"
#include "sidecar/api/flagd_sync.h"
#include "sidecar/api/launchdarkly_events.h"
#include "sidecar/api/launchdarkly_sdk.h"
#include "sidecar/api/launchdarkly_sdk_evalx.h"
#include "sidecar/api/launchdarkly_sdk_status.h"
#include "sidecar/commands/commands.h"
#include "sidecar/daemon.h"
#include "sidecar/launchdarkly_report_collector.h"
#include "sidecar/log.h"
#include "upstream/flagd_check.h"
#include "upstream/flagd_source.h"
#include "upstream/launchdarkly_check.h"
#include "upstream/launchdarkly_event_forwarder.h"
#include "upstream/launchdarkly_source.h"

namespace {

using namespace flagstone;

std::unique_ptr<evaluation::Dialect> make_flagd_dialect(const config::Environment& environment) {
  using evaluation::flagd::FractionalVersion;
  evaluation::flagd::FlagdOptions options;
  switch (environment.fractional) {
    case config::Fractional::kV1:
      options.fractional = FractionalVersion::kV1;
      break;
    case config::Fractional::kV2:
      options.fractional = FractionalVersion::kV2;
      break;
    case config::Fractional::kV3:
      options.fractional = FractionalVersion::kV3;
      break;
  }
  return evaluation::flagd::make_flagd_dialect(options);
}

std::vector<std::unique_ptr<sidecar::ServingApi>> make_flagd_apis(net::Loop& loop,
                                                                  sidecar::ServingDesk& desk) {
  std::vector<std::unique_ptr<sidecar::ServingApi>> apis;
  apis.push_back(std::make_unique<sidecar::FlagdEvaluation>(desk));
  apis.push_back(std::make_unique<sidecar::FlagdEvaluationEvents>(loop, desk));
  apis.push_back(std::make_unique<sidecar::FlagdSync>(loop, desk));
  return apis;
}

std::unique_ptr<evaluation::Dialect> make_launchdarkly_dialect(const config::Environment&) {
  return evaluation::launchdarkly::make_launchdarkly_dialect();
}

// `process`: see LaunchDarklySdk.
std::vector<std::unique_ptr<sidecar::ServingApi>> make_launchdarkly_apis(net::Loop& loop,
                                                                         sidecar::ServingDesk& desk,
                                                                         std::uint64_t process) {
  std::vector<std::unique_ptr<sidecar::ServingApi>> apis;
  apis.push_back(std::make_unique<sidecar::LaunchDarklySdk>(loop, desk, process));
  apis.push_back(std::make_unique<sidecar::LaunchDarklySdkEvalx>(loop, desk));
  apis.push_back(std::make_unique<sidecar::LaunchDarklySdkStatus>(loop, desk, sidecar::version()));
  apis.push_back(std::make_unique<sidecar::LaunchDarklyEvents>(loop, desk));
  return apis;
}

std::unique_ptr<sidecar::ReportCollector> make_launchdarkly_reports(
    const config::Environment& options) {
  return std::make_unique<sidecar::LaunchDarklyReportCollector>(
      sidecar::privacy_of(options.events));
}

std::vector<sidecar::Vendor> make_vendors() {
  const std::uint64_t process = sidecar::LaunchDarklySdk::chance();
  return {
      {.name = "flagd",
       .make_dialect = make_flagd_dialect,
       .make_source = upstream::make_flagd_source,
       .check_document = upstream::check_flagd_document,
       .make_apis = make_flagd_apis},
      {.name = "launchdarkly",
       .make_dialect = make_launchdarkly_dialect,
       .make_source = upstream::make_launchdarkly_source,
       .check_document = upstream::check_launchdarkly_document,
       .make_apis =
           [process](net::Loop& loop, sidecar::ServingDesk& desk) {
             return make_launchdarkly_apis(loop, desk, process);
           },
       .larger_bodies = {{.path = std::string(sidecar::LaunchDarklyEvents::kBulkPath),
                          .bytes_max = sidecar::LaunchDarklyEvents::kBulkBytesMax}},
       .make_events = upstream::make_launchdarkly_event_forwarder,
       .make_reports = make_launchdarkly_reports,
       .hands_flags_to_apps = true,
       .unknown_credential_is_final = true,
       .rotation_grace =
           [](const config::Source& source) { return source.launchdarkly.rotation_grace; },
       .payload_filter = [](const config::Source& source) { return source.launchdarkly.filter; }},
  };
}

int start(int argc, char** argv, config::Command command) {
  const std::vector<sidecar::Vendor> vendors = make_vendors();
  const std::vector<std::string> variables = config::process_environment();
  auto& start_command = std::get<config::StartCommand>(command.action);
  auto log =
      sidecar::make_logger(start_command.options.log_level, start_command.options.log_format);
  log->info("flagstone {}", sidecar::version());
  for (const std::string& warning : command.warnings) log->warn("{}", warning);
  return sidecar::run_daemon({.command = std::move(start_command),
                              .vendors = vendors,
                              .read_again = [&] { return config::parse(argc, argv, variables); },
                              .log = log});
}

int run(int argc, char** argv, config::Command command) {
  if (std::holds_alternative<config::StartCommand>(command.action)) {
    return start(argc, argv, std::move(command));
  }
  for (const std::string& warning : command.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  if (auto* check = std::get_if<config::CheckCommand>(&command.action)) {
    return sidecar::run_check(*check, make_vendors());
  }
  if (auto* evaluate = std::get_if<config::EvaluateCommand>(&command.action)) {
    return sidecar::run_evaluate(*evaluate);
  }
  if (auto* accept = std::get_if<config::AcceptCommand>(&command.action)) {
    return sidecar::run_accept(*accept);
  }
  if (auto* health = std::get_if<config::HealthCommand>(&command.action)) {
    return sidecar::run_health(*health);
  }
  if (auto* help = std::get_if<config::HelpCommand>(&command.action)) {
    std::fputs(help->text.c_str(), stdout);
    return 0;
  }
  return sidecar::run_version();
}

}  // namespace

int main(int argc, char** argv) {
  sidecar::tune_allocator();
  auto command = config::parse(argc, argv, config::process_environment());
  if (!command) {
    for (const std::string& message : command.error().messages) {
      std::fprintf(stderr, "%s\n", message.c_str());
    }
    return command.error().exit_code;
  }
  return run(argc, argv, std::move(*command));
}
