// LaunchDarkly's complete data, and FDv2's transfers, on their way in: bytes to records. What grows
// too large for memory goes into a spool of the state directory, record by record.
//
// Owned by a LaunchDarkly source; a LaunchDarklyData is one document's, a LaunchDarklyTransfers one
// connection's.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/launchdarkly/wire/data_scanner.h"
#include "evaluation/dialects/launchdarkly/wire/transfer.h"
#include "upstream/incoming_records.h"

namespace flagstone::upstream {

class LaunchDarklyData {
 public:
  struct Decoded {
    evaluation::Update update;
    // Of the bytes as they came, after decompression: the same for equal bytes.
    std::string digest;
    // False: it is about something else than everything, and to be ignored.
    bool is_everything = true;
  };

  LaunchDarklyData(evaluation::launchdarkly::DataShape shape, std::uint64_t bytes_max,
                   const IncomingMemory& memory);

  // The errors say what is wrong with the data, and where.
  std::expected<void, std::string> feed(std::string_view piece);
  // Call once.
  std::expected<Decoded, std::string> finish();
  // See IncomingRecords.
  bool is_behind() const { return records_.is_behind(); }
  void stop_waiting() { records_.stop_waiting(); }

 private:
  void spool_records();

  evaluation::ContentHash digest_;
  evaluation::launchdarkly::DataScanner scanner_;
  IncomingRecords records_;
};

class LaunchDarklyTransfers {
 public:
  using Step = evaluation::launchdarkly::Transfer::Step;

  LaunchDarklyTransfers(std::uint64_t bytes_max, const IncomingMemory& memory);

  std::expected<Step, std::string> on_event(std::string_view name, std::string_view data);
  // After Step::kComplete. The cursor is the bare selector.
  evaluation::Update take();
  const evaluation::launchdarkly::Transfer& transfer() const { return transfer_; }
  // Some of a transfer has come, and its end has not.
  bool is_under_way() const { return bytes_ > 0; }
  // See IncomingRecords.
  bool is_behind() const { return records_ && records_->is_behind(); }
  void stop_waiting() {
    if (records_) records_->stop_waiting();
  }

 private:
  std::expected<void, std::string> bound_memory();
  void spool_changes();

  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;  // Of the transfer under way.
  IncomingMemory memory_;
  evaluation::launchdarkly::Transfer transfer_;
  std::optional<IncomingRecords> records_;
};

}  // namespace flagstone::upstream
