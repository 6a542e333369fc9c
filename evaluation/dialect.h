// The seam between a vendor's rules and everything else. The cache, the apis and the state know a
// vendor only through this; compile and evaluate of a vendor are reached only through this header.
//
// A Dialect is immutable after construction and may be used from any thread; `main` owns one per
// environment, outliving every snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/evaluation.h"
#include "evaluation/evaluation_context.h"
#include "evaluation/record.h"
#include "evaluation/record_lookup.h"
#include "evaluation/scratch.h"

namespace flagstone::evaluation {

// Nesting of one record, and of one evaluation context, at most.
inline constexpr std::size_t kJsonDepthMax = 128;
// Values of one evaluation context, members and items at any depth, at most: empty lists are two
// bytes of a request and sixteen in memory.
inline constexpr std::size_t kContextValuesMax = 50'000;
// One record's JSON text, at most, unless its dialect says otherwise.
inline constexpr std::size_t kRecordBytesMaxDefault = 1024 * 1024;

// Why a record did not compile.
struct RecordError {
  enum class Kind : std::uint8_t {
    kMalformed,  // Not JSON: the whole document is refused, it may be cut or corrupt.
    kRefused,    // JSON that the vendor's own parser would refuse: only this record is quarantined.
    kTooLarge,   // Breaks a limit (bytes, depth): only this record is quarantined.
  };
  Kind kind = Kind::kRefused;
  // What and where, for people: "defaultVariant \"x\" names no variant".
  std::string message;
};

// A record's text on its way into compile().
struct RecordText {
  RecordKind kind{};
  std::string_view set_id;
  std::string_view key;
  std::string_view raw;
};

// What a record's text shows of its rules at a glance, so that the many that need no closer look
// are spared it. May say yes where the answer is no.
struct RecordTraits {
  // Names other records: evaluators, segments, prerequisites.
  bool refers_to_others = false;
  // Its answer depends on the moment: it reads the clock or chance.
  bool reads_clock = false;
};

// Another record that a record's rules name.
struct RecordReference {
  RecordKind kind{};
  std::string name;
};

struct KindName {
  RecordKind kind{};
  // Singular, for status, logs and state: "flag", "segment", "evaluator".
  std::string_view name;
};

// When an evaluation happens. Given, never asked for, so that tests and oracles can fix it.
struct Moment {
  std::int64_t unix_ms = 0;
  std::uint64_t random = 0;
};

// The flag to evaluate, as the snapshot holds it.
struct Subject {
  // As it was compiled with.
  std::string_view key;
  std::string_view set_id;
  const CompiledRecord& flag;
  // Metadata of the document the flag came from, compiled by compile_metadata(); may be nullptr.
  const CompiledRecord* document = nullptr;
};

using CompileResult = std::expected<std::unique_ptr<const CompiledRecord>, RecordError>;

class Dialect {
 public:
  virtual ~Dialect() = default;

  // "flagd", "launchdarkly", ...: as configuration spells it.
  virtual std::string_view name() const = 0;
  // Everything that changes answers of the same bytes, as text (flagd: "fractional=v2"). Part of
  // the state's identity.
  virtual std::string_view options_fingerprint() const = 0;
  virtual std::span<const KindName> kinds() const = 0;
  // One record's JSON text, at most: longer ones are kTooLarge.
  virtual std::size_t record_bytes_max() const { return kRecordBytesMaxDefault; }

  // Validates and compiles one record. Everything the vendor turns into an evaluation error (bad
  // rule, unknown variant) compiles, to an entry that gives that error.
  virtual CompileResult compile(const RecordText& text) const = 0;
  // Costs no more than looking for a few words in the text.
  virtual RecordTraits traits(const RecordText& text) const = 0;
  // What a text that compiles names, itself and not what that names in turn. Asked when change
  // events are made of texts whose traits say that they refer to others. A dialect whose records
  // name no others leaves it as it is.
  virtual std::vector<RecordReference> references(const RecordText&) const { return {}; }
  // Exactly compile()'s verdict and message without making anything: what a record costs that comes
  // in and is not asked for yet. Allocates only where something is wrong or unusual.
  virtual std::expected<void, RecordError> validate(const RecordText& text) const = 0;
  // The document's own metadata member.
  virtual CompileResult compile_metadata(std::string_view raw) const = 0;
  // The vendor's record that makes `key` answer `value_json`: STATIC, variant `pinned`, metadata
  // `flagstone.pinned: true`. Its text is compiled and re-served as if the vendor had sent it.
  virtual std::string pin_text(std::string_view key, std::string_view value_json) const = 0;

  // Evaluates. Allocates nothing in the steady state (Scratch keeps its memory).
  virtual Evaluation evaluate(const Subject& subject, const EvaluationContext& context,
                              const RecordLookup& lookup, Moment moment,
                              Scratch& scratch) const = 0;
  // True when the flag's answer, or anything it refers to, reads the clock or chance, so that a
  // bulk answer with it must not carry an ETag.
  virtual bool varies_by_itself(const CompiledRecord& flag, const RecordLookup& lookup) const = 0;
};

}  // namespace flagstone::evaluation
