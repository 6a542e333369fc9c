// Cuts LaunchDarkly's complete data into records while its bytes arrive: chunks in, records out.
//
// Owned by whoever receives the data; one thread. Holds one record at most besides the finished
// ones. Kinds other than flags and segments are passed over. What is wrong inside a record is
// Dialect::compile()'s business; everything else that is wrong refuses the data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/json_cutter.h"
#include "evaluation/update.h"

namespace flagstone::evaluation::launchdarkly {

enum class DataShape : std::uint8_t {
  kPlain,  // {"flags": {…}, "segments": {…}}: polled, or in a file.
  kPut,    // {"path": "/", "data": {…}}: streamed.
};

struct ScannedData {
  // kFull, its records in the data's order.
  Update update;
  // The line on which each record's value begins, parallel to `update.records`.
  std::vector<std::size_t> record_lines;
  // A put of something else than everything is to be ignored.
  bool is_everything = true;
};

class DataScanner final : private JsonCutter::Receiver {
 public:
  // Refuses data of more bytes than that, or with a record of more than the other.
  DataScanner(DataShape shape, std::size_t bytes_max, std::size_t record_bytes_max);
  DataScanner(const DataScanner&) = delete;
  DataScanner& operator=(const DataScanner&) = delete;

  std::expected<void, DocumentError> feed(std::string_view chunk) { return cutter_.feed(chunk); }
  // Bytes of the records that are complete, and of the one that is being read.
  std::size_t held_bytes() const { return held_bytes_ + cutter_.held_bytes(); }
  // Takes them out: finish() is without them. From then on a second `flags` or `segments` is
  // refused, since what it replaces has gone already.
  std::vector<Record> drain();
  // No more bytes come: the data, or why it is none. Call once.
  std::expected<ScannedData, DocumentError> finish();

 private:
  using Wish = JsonCutter::Wish;
  enum class Place : std::uint8_t { kOutside, kData, kRecords };

  std::expected<Wish, std::string> on_value(const JsonCutter::Value& value) override;
  std::expected<void, std::string> on_taken(std::string_view raw) override;
  std::expected<void, std::string> on_left(std::size_t depth) override;

  std::expected<Wish, std::string> begin_wrapper_member(const JsonCutter::Value& value);
  std::expected<Wish, std::string> begin_section(const JsonCutter::Value& value);
  std::expected<void, std::string> forget_records(RecordKind kind, std::string_view name);

  JsonCutter cutter_;
  // Depth of the object that the sections are members of.
  const std::size_t data_depth_;
  Place place_ = Place::kOutside;
  bool takes_path_ = false;
  bool has_data_ = false;
  bool has_section_ = false;
  RecordId open_;
  std::size_t open_line_ = 0;
  std::array<bool, 2> drained_kinds_{};
  std::size_t held_bytes_ = 0;
  ScannedData scanned_;
};

}  // namespace flagstone::evaluation::launchdarkly
