// An update: what a vendor's wire codec made of one document or one set of deltas.
//
// A pure value, made by `evaluation/dialects/<vendor>/wire/`, eaten by `cache/`. Moved, not shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/record.h"

namespace flagstone::evaluation {

enum class UpdateKind : std::uint8_t {
  kFull,   // The complete document: what is not in it does not exist.
  kDelta,  // Upserts and tombstones on top of what that source sent before.
};

// Records of an update that are not in memory; whoever made them and whoever takes them in know
// how.
class RecordsElsewhere {
 public:
  virtual ~RecordsElsewhere() = default;
};

struct Update {
  UpdateKind kind = UpdateKind::kFull;
  // In the document's order. The same id twice: the last wins.
  std::vector<Record> records;
  // In the place of `records`, when the document is too large for memory.
  std::shared_ptr<const RecordsElsewhere> elsewhere = nullptr;
  // The document's own metadata member as JSON text (flagd: `metadata`), empty when it has none.
  // A delta leaves the layer's metadata as it is unless `has_metadata`.
  std::string metadata;
  bool has_metadata = false;
  // A delta's records count whatever their versions are, since the vendor's order is the rule
  // (LaunchDarkly's FDv2). Otherwise only a greater version than the one there counts.
  bool in_order = false;
  // Opaque to everyone but the source: ETag, selector state, last event id. Remembered only once
  // this update was published, and only beside the state it belongs to.
  std::string cursor;
};

}  // namespace flagstone::evaluation
