// The pins file of one environment, followed: an operator's switches for the time that the vendor
// is down.
//
// Owned by the EnvironmentFeed, on the keeper's thread. A file that cannot be read or understood
// keeps the pins that were set before, a file that is gone too: an empty one lifts them.
#pragma once

#include <string>
#include <vector>

#include "cache/environment.h"
#include "sidecar/source_seat.h"
#include "sidecar/watched_text.h"
#include "upstream/source_environment.h"

namespace flagstone::sidecar {

class PinsFile {
 public:
  PinsFile(std::string path, cache::Environment& environment, SeatHost& host,
           const upstream::SourceEnvironment& sources, spdlog::logger& log);
  PinsFile(const PinsFile&) = delete;
  PinsFile& operator=(const PinsFile&) = delete;

  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void read(const std::string& text);

  std::string path_;
  cache::Environment& environment_;
  SeatHost& host_;
  spdlog::logger& log_;
  std::vector<std::string> keys_;
  WatchedText file_;
};

}  // namespace flagstone::sidecar
