#include "upstream/launchdarkly_event_log.h"

#include <cerrno>

#include "upstream/launchdarkly_batch_name.h"

namespace flagstone::upstream::launchdarkly {

cache::FileResult<EventLog> EventLog::create(cache::FileSystem& files, const std::string& folder,
                                             std::uint64_t number, std::string id,
                                             const std::vector<std::string>& known_payloads) {
  const std::string path = folder + "/" + log_file_name(number);
  // Creating empties what is there, and that may have been acknowledged.
  if (const cache::FileResult<int> there = files.open_for_reading(path)) {
    files.close(*there);
    return std::unexpected(cache::FileError{.code = EEXIST, .where = "create " + path});
  } else if (there.error().code != ENOENT) {
    return std::unexpected(there.error());
  }
  const cache::FileResult<int> descriptor = files.create(path);
  if (!descriptor) return std::unexpected(descriptor.error());
  EventLog log(files, *descriptor, number, std::move(id));
  std::string bytes = encode_log_header(log.header_);
  for (const std::string& known : known_payloads) {
    bytes += encode_log_record(known_payload(known), log.header_, bytes.size());
  }
  if (auto written = log.write(bytes); !written) {
    (void)files.unlink(path);
    return std::unexpected(written.error());
  }
  return log;
}

cache::FileResult<void> EventLog::append(const LogRecord& record) {
  auto written = write(encode_log_record(record, header_, bytes_));
  has_bodies_ = has_bodies_ || (written && record.type != LogRecord::Type::kKnownPayload);
  return written;
}

cache::FileResult<void> EventLog::write(std::string_view bytes) {
  auto written = files_->write_at(file_.descriptor(), bytes, bytes_);
  if (written) {
    bytes_ += bytes.size();
  } else {
    // What came of it must not stand before a record that is acknowledged.
    usable_ = files_->truncate(file_.descriptor(), bytes_).has_value();
  }
  return written;
}

}  // namespace flagstone::upstream::launchdarkly
