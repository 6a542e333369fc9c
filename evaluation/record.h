// A record: one flag, segment, evaluator or other piece of a vendor's document, as that vendor's
// bytes, before and after compilation.
//
// Pure values. A Record belongs to whoever holds it; a CompiledRecord is immutable once built and
// may be read from any thread. Nothing here fails.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flagstone::evaluation {

// What a record is, in its dialect's own numbering (`Dialect::kinds()` names them). Kind 0 is
// always the flag: the one kind that can be evaluated by name.
enum class RecordKind : std::uint8_t {};
inline constexpr RecordKind kFlagKind{0};

// Names a record inside one environment. `set_id` is flagd's flagSetId (empty for vendors and
// documents without sets).
struct RecordId {
  RecordKind kind{};
  std::string set_id;
  std::string key;

  friend auto operator<=>(const RecordId&, const RecordId&) = default;
};

// One record as a vendor sent it.
struct Record {
  RecordId id;
  // The vendor's version; compared by deltas only (LaunchDarkly FDv1: strictly greater wins).
  // Zero where the vendor has none.
  std::int64_t version = 0;
  // A delta's deletion. A tombstone keeps its version, so that a late older patch stays dead.
  bool tombstone = false;
  // The vendor's JSON text, byte for byte, unknown fields included. Empty for a tombstone.
  std::string raw;
};

// A record ready to run. Each dialect derives its own types.
class CompiledRecord {
 public:
  CompiledRecord() = default;
  CompiledRecord(const CompiledRecord&) = delete;
  CompiledRecord& operator=(const CompiledRecord&) = delete;
  virtual ~CompiledRecord() = default;

  // Heap bytes this record owns, itself included. Counted against `memory_limit`.
  virtual std::size_t bytes() const = 0;
};

}  // namespace flagstone::evaluation
