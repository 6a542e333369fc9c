#include "evaluation/dialects/flagd/flagd_dialect.h"

#include <array>
#include <utility>

#include "evaluation/dialects/flagd/compile.h"
#include "evaluation/dialects/flagd/evaluate.h"
#include "evaluation/dialects/flagd/record_traits.h"
#include "evaluation/dialects/flagd/references.h"
#include "evaluation/dialects/flagd/validate.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::array<std::string_view, 3> kVersionNames = {"v1", "v2", "v3"};
constexpr std::array<std::string_view, 3> kFingerprints = {"fractional=v1", "fractional=v2",
                                                           "fractional=v3"};
constexpr std::array<KindName, 2> kKinds = {{{kFlagKind, "flag"}, {kEvaluatorKind, "evaluator"}}};

class FlagdDialect final : public Dialect {
 public:
  explicit FlagdDialect(const FlagdOptions& options) : options_(options) {}

  std::string_view name() const override { return "flagd"; }
  std::string_view options_fingerprint() const override {
    return kFingerprints[static_cast<std::size_t>(options_.fractional)];
  }
  std::span<const KindName> kinds() const override { return kKinds; }

  CompileResult compile(const RecordText& text) const override {
    if (text.kind == kFlagKind) return compile_with(compile_flag, text);
    if (text.kind == kEvaluatorKind) return compile_with(compile_evaluator, text);
    return std::unexpected(RecordError{RecordError::Kind::kRefused, "unknown kind of record"});
  }
  RecordTraits traits(const RecordText& text) const override { return traits_of(text.raw); }
  std::vector<RecordReference> references(const RecordText& text) const override {
    std::unique_ptr<Workbench> bench = benches_.take();
    std::vector<RecordReference> references;
    for (const std::string_view name : references_of(text, *bench)) {
      references.push_back({kEvaluatorKind, std::string(name)});
    }
    benches_.give_back(std::move(bench), text.raw.size());
    return references;
  }
  std::expected<void, RecordError> validate(const RecordText& text) const override {
    if (text.kind == kFlagKind && is_plainly_a_flag(text.raw)) return {};
    if (text.kind == kEvaluatorKind && is_plainly_an_evaluator(text.raw)) return {};
    CompileResult compiled = compile(text);
    if (!compiled) return std::unexpected(std::move(compiled.error()));
    return {};
  }
  CompileResult compile_metadata(std::string_view raw) const override {
    return compile_with(flagd::compile_metadata, {{}, {}, {}, raw});
  }
  std::string pin_text(std::string_view, std::string_view value_json) const override {
    std::string text = R"({"state":"ENABLED","variants":{"pinned":)";
    text += value_json;
    text += R"(},"defaultVariant":"pinned","metadata":{"flagstone.pinned":true}})";
    return text;
  }

  Evaluation evaluate(const Subject& subject, const EvaluationContext& context,
                      const RecordLookup& lookup, Moment moment, Scratch& scratch) const override {
    return flagd::evaluate(subject, context, lookup, moment, options_.fractional, scratch);
  }
  bool varies_by_itself(const CompiledRecord& flag, const RecordLookup& lookup) const override {
    return reads_clock(static_cast<const CompiledFlag&>(flag), lookup);
  }

 private:
  using CompileText = CompileResult (*)(const RecordText& text, Workbench& bench);

  CompileResult compile_with(CompileText compile_text, const RecordText& text) const {
    std::unique_ptr<Workbench> bench = benches_.take();
    CompileResult result = compile_text(text, *bench);
    benches_.give_back(std::move(bench), text.raw.size());
    return result;
  }

  const FlagdOptions options_;
  mutable WorkbenchStore benches_;
};

}  // namespace

std::optional<FractionalVersion> parse_fractional_version(std::string_view text) {
  for (std::size_t i = 0; i < kVersionNames.size(); ++i) {
    if (kVersionNames[i] == text) return static_cast<FractionalVersion>(i);
  }
  return std::nullopt;
}

std::unique_ptr<Dialect> make_flagd_dialect(const FlagdOptions& options) {
  return std::make_unique<FlagdDialect>(options);
}

}  // namespace flagstone::evaluation::flagd
