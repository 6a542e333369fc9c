// What a source needs from the daemon, and the shape of the functions that make one.
//
// All borrowed; everything outlives the sources and belongs to the keeper's loop thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "config/options.h"
#include "config/secret.h"
#include "upstream/incoming_memory.h"
#include "upstream/source.h"

namespace flagstone::net {
class Loop;
}

namespace flagstone::upstream {

class Clock;
class FileReader;
class HttpClient;
class RandomSource;

struct SourceEnvironment {
  net::Loop& loop;
  HttpClient& http;
  FileReader& files;
  const Clock& clock;
  RandomSource& random;
  config::Variables variables = config::process_variable;
  // Where the source's own `max_document_bytes` is not set.
  std::uint64_t max_document_bytes = 64 * config::kMiB;
  IncomingMemory incoming = {};
  // Of this process, for vendors who count their clients; empty: none.
  std::string instance_id = {};
};

// A vendor's row in main's table has one of these. The error says what is wrong with the options;
// an upstream that is down is not an error. REQUIRES: validated options.
using MakeSource = std::function<std::expected<std::unique_ptr<Source>, std::string>(
    const config::Source& options, const SourceEnvironment& environment, SourceListener& listener)>;

}  // namespace flagstone::upstream
