// Any bytes as a flag, as a segment and as a context of LaunchDarkly's: compiling and validating
// must say the same, what compiles must evaluate, and an answer must have a value exactly when its
// detail has a variation.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"

namespace launchdarkly = flagstone::evaluation::launchdarkly;
namespace evaluation = flagstone::evaluation;

namespace {

// Two texts are one input: the record, this byte, the context.
constexpr char kBetween = '\x1e';

void require(bool condition) {
  if (!condition) std::abort();
}

// Whatever a record names is itself, so that circles are found at once.
class OnlyOne final : public evaluation::RecordLookup {
 public:
  OnlyOne(const evaluation::CompiledRecord* flag, const evaluation::CompiledRecord* segment)
      : flag_(flag), segment_(segment) {}
  const evaluation::CompiledRecord* find(evaluation::RecordKind kind, std::string_view,
                                         std::string_view) const override {
    return kind == evaluation::kFlagKind ? flag_ : segment_;
  }
  const evaluation::CompiledRecord* find_in_any_set(evaluation::RecordKind kind,
                                                    std::string_view key) const override {
    return find(kind, {}, key);
  }

 private:
  const evaluation::CompiledRecord* flag_;
  const evaluation::CompiledRecord* segment_;
};

std::unique_ptr<const evaluation::CompiledRecord> compiled(const evaluation::Dialect& dialect,
                                                           evaluation::RecordKind kind,
                                                           std::string_view raw) {
  const evaluation::RecordText text{kind, {}, "k", raw};
  auto result = dialect.compile(text);
  const auto valid = dialect.validate(text);
  require(valid.has_value() == result.has_value());
  require(valid || valid.error().message == result.error().message);
  if (!result) return nullptr;
  require((*result)->bytes() != 0);
  if (!dialect.references(text).empty()) require(dialect.traits(text).refers_to_others);
  return std::move(*result);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view record = input.substr(0, input.find(kBetween));
  const std::string_view context_json = input.substr(std::min(size, record.size() + 1));
  const auto dialect = launchdarkly::make_launchdarkly_dialect();
  const auto flag = compiled(*dialect, evaluation::kFlagKind, record);
  const auto segment = compiled(*dialect, launchdarkly::kSegmentKind, record);
  if (!flag) return 0;
  const OnlyOne lookup(flag.get(), segment.get());
  evaluation::Scratch scratch;
  const auto evaluate = [&](const evaluation::EvaluationContext& context) {
    const auto answer = dialect->evaluate({"k", {}, *flag, nullptr}, context, lookup, {}, scratch);
    const launchdarkly::Detail* const detail = launchdarkly::detail_of(answer);
    require(detail != nullptr && detail->flag != nullptr);
    require((detail->variation_index >= 0) == !answer.value_json.empty());
    require(answer.value_json.empty() == (answer.type == evaluation::ValueType::kNone));
  };
  launchdarkly::SdkContextReader sdk_contexts;
  evaluation::ContextReader contexts;
  if (const auto context = sdk_contexts.read(context_json)) evaluate(*context);
  if (const auto context = contexts.read(context_json)) evaluate(*context);
  return 0;
}
