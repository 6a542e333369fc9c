// The log that posted events are appended to before they are acknowledged.
//
// A member of the spool, on the writer's thread; calls wait for the disk, and say what it said. A
// log whose last append failed half is not appended to any more.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cache/file_system.h"
#include "upstream/launchdarkly_event_files.h"

namespace flagstone::upstream::launchdarkly {

class EventLog {
 public:
  // The number names the file, which must not be there, the id what it will be made into. It begins
  // with the ids of payloads that earlier logs have the bodies of; where those are not all there,
  // the log is not.
  static cache::FileResult<EventLog> create(cache::FileSystem& files, const std::string& folder,
                                            std::uint64_t number, std::string id,
                                            const std::vector<std::string>& known_payloads);

  // Not synced: it outlives the process and not the machine.
  cache::FileResult<void> append(const LogRecord& record);
  bool usable() const { return usable_; }
  // False: it has ids of known payloads alone.
  bool has_bodies() const { return has_bodies_; }
  std::uint64_t number() const { return number_; }
  std::uint64_t bytes() const { return bytes_; }
  const LogHeader& header() const { return header_; }

 private:
  EventLog(cache::FileSystem& files, int descriptor, std::uint64_t number, std::string id)
      : files_(&files), file_(files, descriptor), number_(number), header_{.id = std::move(id)} {}
  cache::FileResult<void> write(std::string_view bytes);

  cache::FileSystem* files_;
  cache::OpenFile file_;
  std::uint64_t number_;
  LogHeader header_;
  std::uint64_t bytes_ = 0;
  bool usable_ = true;
  bool has_bodies_ = false;
};

inline LogRecord known_payload(std::string id) {
  return {
      .type = LogRecord::Type::kKnownPayload, .group = {}, .payload_id = std::move(id), .text = {}};
}

}  // namespace flagstone::upstream::launchdarkly
