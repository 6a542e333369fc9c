// The table of vendors: one row per dialect, wired by hand in `main`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "evaluation/dialect.h"
#include "net/server.h"
#include "sidecar/api/api.h"
#include "sidecar/evaluation_reporter.h"
#include "upstream/document_check.h"
#include "upstream/event_forwarder.h"
#include "upstream/source_environment.h"

namespace flagstone::sidecar {

// The vendor's own protocols on one serving thread.
using MakeApis =
    std::function<std::vector<std::unique_ptr<ServingApi>>(net::Loop& loop, ServingDesk& desk)>;

struct Vendor {
  // As `dialect:` in the configuration.
  std::string_view name;
  std::function<std::unique_ptr<evaluation::Dialect>(const config::Environment&)> make_dialect;
  upstream::MakeSource make_source;
  upstream::CheckDocument check_document;
  MakeApis make_apis;
  // Of those: what may be posted beyond `request_body_limit`.
  std::vector<net::LargerBody> larger_bodies = {};
  // Empty: the vendor counts no events.
  upstream::MakeEventForwarder make_events = {};
  // Empty: the vendor is not told what was evaluated here.
  std::function<std::unique_ptr<ReportCollector>(const config::Environment&)> make_reports = {};
  // Its apps may fetch all flags here and evaluate them themselves; such requests are counted as
  // ServingCounters::sdk_requests.
  bool hands_flags_to_apps = false;
  // Its apps give up for good where their credential is unknown: one that could not be read so far
  // may be theirs.
  bool unknown_credential_is_final = false;
  // How long a credential that was replaced still opens the environment. Empty: not at all.
  std::function<std::chrono::milliseconds(const config::Source&)> rotation_grace = {};
  // What tells environments of one credential apart. Empty: nothing does.
  std::function<std::string(const config::Source&)> payload_filter = {};
};

// Nullptr when the table has none of that name.
const Vendor* find_vendor(std::span<const Vendor> vendors, std::string_view name);

}  // namespace flagstone::sidecar
