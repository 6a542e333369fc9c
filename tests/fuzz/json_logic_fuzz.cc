// Two JSON texts, a rule and a context, split at the first zero byte: evaluating must end, give an
// answer of a known shape, and give it twice.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"

namespace flagd = flagstone::evaluation::flagd;
namespace evaluation = flagstone::evaluation;

namespace {

// The rule under test is also the evaluator every $ref finds, so that circles come up.
class OneEvaluator final : public evaluation::RecordLookup {
 public:
  explicit OneEvaluator(const evaluation::CompiledRecord* evaluator) : evaluator_(evaluator) {}
  const evaluation::CompiledRecord* find(evaluation::RecordKind, std::string_view,
                                         std::string_view) const override {
    return nullptr;
  }
  const evaluation::CompiledRecord* find_in_any_set(evaluation::RecordKind kind,
                                                    std::string_view) const override {
    return kind == flagd::kEvaluatorKind ? evaluator_ : nullptr;
  }

 private:
  const evaluation::CompiledRecord* evaluator_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t split = text.find('\0');
  if (split == std::string_view::npos) return 0;
  const std::string_view rule = text.substr(0, split);
  evaluation::ContextReader reader;
  const auto context = reader.read(text.substr(split + 1));
  if (!context) return 0;

  std::string flag =
      R"({"variants":{"true":1,"false":0,"a":"x"},"defaultVariant":"a","targeting":)";
  flag.append(rule).append("}");
  for (const auto version : {flagd::FractionalVersion::kV1, flagd::FractionalVersion::kV2,
                             flagd::FractionalVersion::kV3}) {
    const auto dialect = flagd::make_flagd_dialect({version});
    const auto compiled = dialect->compile({evaluation::kFlagKind, "", "f", flag});
    if (!compiled) return 0;
    const auto evaluator = dialect->compile({flagd::kEvaluatorKind, "", "e", rule});
    const OneEvaluator lookup(evaluator ? evaluator->get() : nullptr);
    evaluation::Scratch scratch;
    const evaluation::Moment moment{1'700'000'000'000, 7};
    const auto once =
        dialect->evaluate({"f", "", **compiled, nullptr}, *context, lookup, moment, scratch);
    const auto reason = once.reason;
    const std::string value(once.value_json);
    const auto twice =
        dialect->evaluate({"f", "", **compiled, nullptr}, *context, lookup, moment, scratch);
    if (twice.reason != reason || twice.value_json != value) std::abort();
    if ((once.reason == evaluation::Reason::kError) !=
        (once.error != evaluation::ErrorCode::kNone)) {
      std::abort();
    }
    dialect->varies_by_itself(**compiled, lookup);
  }
  return 0;
}
