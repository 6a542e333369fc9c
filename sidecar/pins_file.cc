#include "sidecar/pins_file.h"

#include <spdlog/logger.h>

#include <utility>

#include "config/pins.h"

namespace flagstone::sidecar {

PinsFile::PinsFile(std::string path, cache::Environment& environment, SeatHost& host,
                   const upstream::SourceEnvironment& sources, spdlog::logger& log)
    : path_(std::move(path)),
      environment_(environment),
      host_(host),
      log_(log),
      file_(
          sources.loop, sources.files, path_, [this](const std::string& text) { read(text); },
          [this](const std::string& cause) {
            log_.warn("{}: pins {}: {}; the pins that are set stay", environment_.name(), path_,
                      cause);
          }) {}

void PinsFile::read(const std::string& text) {
  auto parsed = config::parse_pins(text, path_);
  if (!parsed) {
    for (const config::Problem& problem : parsed.error()) {
      log_.warn("{}: pins: {}; the pins that are set stay", environment_.name(),
                config::to_string(problem));
    }
    return;
  }
  std::vector<cache::Pin> pins;
  for (config::Pin& pin : *parsed) {
    pins.push_back({.key = std::move(pin.key), .value_json = std::move(pin.json)});
  }
  auto outcome = environment_.set_pins(pins);
  for (const std::string& problem : outcome.problems) {
    log_.warn("{}: pins {}: {}", environment_.name(), path_, problem);
  }
  // Those that took; the others are in the problems.
  keys_.clear();
  const cache::RecordIndex& set = environment_.layer(environment_.pins_layer()).records();
  for (const cache::Pin& pin : pins) {
    if (set.find(evaluation::kFlagKind, {}, pin.key) != nullptr) keys_.push_back(pin.key);
  }
  log_.info("{}: {} flags are pinned by {}", environment_.name(), keys_.size(), path_);
  host_.changed();
}

}  // namespace flagstone::sidecar
