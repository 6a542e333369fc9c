#include "evaluation/dialects/launchdarkly/wire/data_scanner.h"

#include <utility>

#include "evaluation/dialects/launchdarkly/wire/data_record.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

std::unexpected<std::string> wrong(std::string_view name, std::string_view what) {
  return std::unexpected("\"" + std::string(name) + "\" " + std::string(what));
}

std::size_t bytes_of(const Record& record) {
  return sizeof(Record) + record.id.key.size() + record.raw.size();
}

std::size_t number_of(RecordKind kind) { return kind == kFlagKind ? 0 : 1; }

}  // namespace

DataScanner::DataScanner(DataShape shape, std::size_t bytes_max, std::size_t record_bytes_max)
    : cutter_(bytes_max, record_bytes_max, *this), data_depth_(shape == DataShape::kPut ? 1 : 0) {}

// Depths: the data's object stands at data_depth_, its sections one deeper, the records two.
std::expected<JsonCutter::Wish, std::string> DataScanner::on_value(const JsonCutter::Value& value) {
  if (value.depth == 0 && value.first != '{') return std::unexpected("not a JSON object");
  if (value.depth < data_depth_) return Wish::kEnter;
  if (value.depth == data_depth_) {
    if (data_depth_ == 1) return begin_wrapper_member(value);
    place_ = Place::kData;
    return Wish::kEnter;
  }
  if (place_ == Place::kData) return begin_section(value);
  open_.key = value.key;
  open_line_ = value.line;
  return Wish::kTake;
}

std::expected<JsonCutter::Wish, std::string> DataScanner::begin_wrapper_member(
    const JsonCutter::Value& value) {
  takes_path_ = value.key == "path" && value.first == '"';
  if (takes_path_) return Wish::kTake;
  if (value.key != "data") return Wish::kSkip;
  if (value.first != '{') return wrong(value.key, "is not an object");
  if (std::exchange(has_data_, true)) return wrong(value.key, "appears twice");
  place_ = Place::kData;
  return Wish::kEnter;
}

std::expected<JsonCutter::Wish, std::string> DataScanner::begin_section(
    const JsonCutter::Value& value) {
  const auto kind = kind_of_section(value.key);
  if (!kind) return Wish::kSkip;
  if (value.first != '{') return wrong(value.key, "is not an object");
  if (auto forgotten = forget_records(*kind, value.key); !forgotten) {
    return std::unexpected(std::move(forgotten.error()));
  }
  has_section_ = true;
  open_.kind = *kind;
  place_ = Place::kRecords;
  return Wish::kEnter;
}

// Of duplicates the last wins, so what an earlier one brought is forgotten.
std::expected<void, std::string> DataScanner::forget_records(RecordKind kind,
                                                             std::string_view name) {
  if (drained_kinds_[number_of(kind)]) return wrong(name, "appears twice in data of this size");
  std::vector<Record> kept;
  std::vector<std::size_t> lines;
  for (std::size_t i = 0; i < scanned_.update.records.size(); ++i) {
    Record& record = scanned_.update.records[i];
    if (record.id.kind == kind) {
      held_bytes_ -= bytes_of(record);
      continue;
    }
    kept.push_back(std::move(record));
    lines.push_back(scanned_.record_lines[i]);
  }
  scanned_.update.records = std::move(kept);
  scanned_.record_lines = std::move(lines);
  return {};
}

std::expected<void, std::string> DataScanner::on_taken(std::string_view raw) {
  if (std::exchange(takes_path_, false)) {
    std::string path;
    append_unescaped(path, raw.substr(1, raw.size() - 2));
    scanned_.is_everything = path.empty() || path == "/";
    return {};
  }
  scanned_.update.records.push_back(make_record(std::move(open_), raw));
  // The kind stays for the next one.
  open_.kind = scanned_.update.records.back().id.kind;
  open_.key.clear();
  scanned_.record_lines.push_back(open_line_);
  held_bytes_ += bytes_of(scanned_.update.records.back());
  return {};
}

std::expected<void, std::string> DataScanner::on_left(std::size_t depth) {
  if (depth == data_depth_ + 1) place_ = Place::kData;
  if (depth <= data_depth_) place_ = Place::kOutside;
  return {};
}

std::vector<Record> DataScanner::drain() {
  for (const Record& record : scanned_.update.records) {
    drained_kinds_[number_of(record.id.kind)] = true;
  }
  held_bytes_ = 0;
  scanned_.record_lines.clear();
  return std::exchange(scanned_.update.records, {});
}

std::expected<ScannedData, DocumentError> DataScanner::finish() {
  if (auto whole = cutter_.finish(); !whole) return std::unexpected(std::move(whole.error()));
  if (data_depth_ == 1 && !has_data_) {
    return std::unexpected(DocumentError{.message = "there is no \"data\""});
  }
  if (!has_section_) {
    return std::unexpected(
        DocumentError{.message = "there are neither \"flags\" nor \"segments\""});
  }
  scanned_.update.kind = UpdateKind::kFull;
  return std::move(scanned_);
}

}  // namespace flagstone::evaluation::launchdarkly
