// A vendor that does not exist: two kinds of record, small enough to see through, with everything
// the seams have to carry.
//
//   flag      "on"                      answers "on"
//             "segment:NAME:yes:no"     answers by a segment, resolved late through RecordLookup
//             "refuse..."               the vendor's parser refuses it
//             "broken..."               no record at all: the document is cut
//   segment   "a,b,c"                   the targeting keys in it
//   metadata  any text; "refuse" and "broken" as above
//
// It counts what it compiles and may be told to make its compiled records large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/dialect.h"
#include "evaluation/update.h"

namespace flagstone::fakes {

inline constexpr evaluation::RecordKind kSegmentKind{1};

class FakeDialect final : public evaluation::Dialect {
 public:
  std::string_view name() const override { return "fake"; }
  std::string_view options_fingerprint() const override { return options_; }
  std::span<const evaluation::KindName> kinds() const override;
  evaluation::CompileResult compile(const evaluation::RecordText& text) const override;
  evaluation::RecordTraits traits(const evaluation::RecordText& text) const override;
  std::expected<void, evaluation::RecordError> validate(
      const evaluation::RecordText& text) const override;
  evaluation::CompileResult compile_metadata(std::string_view raw) const override;
  std::string pin_text(std::string_view key, std::string_view value_json) const override;
  evaluation::Evaluation evaluate(const evaluation::Subject& subject,
                                  const evaluation::EvaluationContext& context,
                                  const evaluation::RecordLookup& lookup, evaluation::Moment moment,
                                  evaluation::Scratch& scratch) const override;
  bool varies_by_itself(const evaluation::CompiledRecord& flag,
                        const evaluation::RecordLookup& lookup) const override;

  std::size_t compiled_count() const { return compiled_count_; }
  std::size_t validated_count() const { return validated_count_; }
  void set_compiled_bytes(std::size_t bytes) { compiled_bytes_ = bytes; }
  // Before it is given to an environment.
  void set_options_fingerprint(std::string_view options) { options_ = options; }

 private:
  mutable std::size_t compiled_count_ = 0;
  mutable std::size_t validated_count_ = 0;
  std::size_t compiled_bytes_ = 64;
  std::string options_;
};

// Short forms for tests.
evaluation::Record flag(std::string_view key, std::string_view raw, std::int64_t version = 0,
                        std::string_view set_id = "");
evaluation::Record segment(std::string_view key, std::string_view raw, std::int64_t version = 0);
evaluation::Record deleted(evaluation::Record record);
evaluation::Update full(std::vector<evaluation::Record> records, std::string_view cursor = "",
                        std::string_view metadata = "");
evaluation::Update delta(std::vector<evaluation::Record> records, std::string_view cursor = "");

}  // namespace flagstone::fakes
