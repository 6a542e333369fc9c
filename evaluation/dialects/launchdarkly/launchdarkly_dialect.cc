#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"

#include <array>
#include <string>
#include <utility>

#include "evaluation/dialects/launchdarkly/answer.h"
#include "evaluation/dialects/launchdarkly/compile.h"
#include "evaluation/dialects/launchdarkly/context.h"
#include "evaluation/dialects/launchdarkly/evaluator.h"
#include "evaluation/dialects/launchdarkly/parse.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/dialects/launchdarkly/record_traits.h"
#include "evaluation/dialects/launchdarkly/references.h"
#include "evaluation/json_text.h"
#include "evaluation/workbench.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::array<KindName, 2> kKinds = {{{kFlagKind, "flag"}, {kSegmentKind, "segment"}}};
// What an odd evaluation left behind beyond this is given back before the next one.
constexpr std::size_t kScratchKeptBytes = std::size_t{256} << 10;

constexpr std::string_view kNobody =
    "the context has no targetingKey (nor key), or a kind that is none";

class LaunchDarklyDialect final : public Dialect {
 public:
  std::string_view name() const override { return "launchdarkly"; }
  std::string_view options_fingerprint() const override { return {}; }
  std::span<const KindName> kinds() const override { return kKinds; }
  std::size_t record_bytes_max() const override { return kRecordBytesMax; }

  CompileResult compile(const RecordText& text) const override {
    return with_bench<CompileResult>(text.raw.size(), [&](Workbench& bench) -> CompileResult {
      if (text.kind == kFlagKind) return compile_flag(text, bench);
      if (text.kind == kSegmentKind) return compile_segment(text, bench);
      return unknown_kind();
    });
  }
  RecordTraits traits(const RecordText& text) const override { return traits_of(text.raw); }
  std::vector<RecordReference> references(const RecordText& text) const override {
    using Result = std::vector<RecordReference>;
    return with_bench<Result>(text.raw.size(),
                              [&](Workbench& bench) { return references_of(text, bench); });
  }
  // Compiling fails where parsing does.
  std::expected<void, RecordError> validate(const RecordText& text) const override {
    using Result = std::expected<void, RecordError>;
    return with_bench<Result>(text.raw.size(), [&](Workbench& bench) -> Result {
      if (text.kind == kFlagKind) return verdict(parse_flag(text.raw, bench.reader, bench.arena));
      if (text.kind == kSegmentKind) {
        return verdict(parse_segment(text.raw, bench.reader, bench.arena));
      }
      return unknown_kind();
    });
  }
  CompileResult compile_metadata(std::string_view) const override {
    return std::unexpected(
        RecordError{RecordError::Kind::kRefused, "LaunchDarkly's data has no metadata"});
  }
  std::string pin_text(std::string_view key, std::string_view value_json) const override;

  Evaluation evaluate(const Subject& subject, const EvaluationContext& context,
                      const RecordLookup& lookup, Moment moment, Scratch& scratch) const override;
  // Neither the clock nor chance decide anything here.
  bool varies_by_itself(const CompiledRecord&, const RecordLookup&) const override { return false; }

 private:
  static std::unexpected<RecordError> unknown_kind() {
    return std::unexpected(RecordError{RecordError::Kind::kRefused, "unknown kind of record"});
  }
  template <typename Definition>
  static std::expected<void, RecordError> verdict(std::expected<Definition, RecordError> parsed) {
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    return {};
  }
  template <typename Result, typename Use>
  Result with_bench(std::size_t record_bytes, Use use) const {
    std::unique_ptr<Workbench> bench = benches_.take();
    Result result = use(*bench);
    benches_.give_back(std::move(bench), record_bytes);
    return result;
  }

  mutable WorkbenchStore benches_;
};

std::string LaunchDarklyDialect::pin_text(std::string_view key, std::string_view value_json) const {
  std::string text = R"({"key":)";
  append_json_string(text, key);
  text += R"(,"version":1,"on":false,"offVariation":0,"variations":[)";
  text += value_json;
  text += R"(],"fallthrough":{"variation":0},"prerequisites":[],"targets":[],"contextTargets":[],)";
  text += R"("rules":[],"salt":"","trackEvents":false,"trackEventsFallthrough":false,)";
  text += R"("debugEventsUntilDate":null,"clientSide":false,"clientSideAvailability":)";
  text += R"({"usingMobileKey":false,"usingEnvironmentId":false},"deleted":false,")";
  text += kPinMember;
  text += R"(":true})";
  return text;
}

Evaluation LaunchDarklyDialect::evaluate(const Subject& subject, const EvaluationContext& context,
                                         const RecordLookup& lookup, Moment,
                                         Scratch& scratch) const {
  // Flags are made by compile_flag() alone.
  const auto& flag = static_cast<const CompiledFlag&>(subject.flag);
  if (scratch.arena.bytes() > kScratchKeptBytes) scratch.arena = Arena();
  scratch.arena.reset();
  Detail& detail = *scratch.arena.make_array<Detail>(1).data();
  const Context whom = context_of(context, scratch.arena);
  // A pin is for everybody.
  if (!whom.is_valid && !flag.is_pin) {
    detail.flag = &flag.facts;
    detail.reason = ReasonKind::kError;
    detail.error = ErrorKind::kUserNotSpecified;
    return answer_of(flag, detail, kNobody, scratch);
  }
  Evaluator evaluator(whom, lookup, scratch.arena);
  evaluator.evaluate(flag, detail);
  const bool failed = detail.reason == ReasonKind::kError;
  return answer_of(flag, detail, failed ? evaluator.problem() : std::string_view(), scratch);
}

}  // namespace

std::unique_ptr<Dialect> make_launchdarkly_dialect() {
  return std::make_unique<LaunchDarklyDialect>();
}

}  // namespace flagstone::evaluation::launchdarkly
