// Flags and segments of LaunchDarkly's, compiled, with the lookup an evaluation needs: what the
// cache is to the daemon. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/dialects/launchdarkly/wire/detail.h"

namespace flagstone::evaluation::launchdarkly {

class FlagStore final : public RecordLookup {
 public:
  // Whether it compiled.
  bool add(RecordKind kind, std::string_view key, std::string_view raw) {
    const RecordText text{kind, {}, key, raw};
    auto compiled = dialect_->compile(text);
    const auto verdict = dialect_->validate(text);
    EXPECT_EQ(verdict.has_value(), compiled.has_value()) << raw;
    if (!compiled) {
      EXPECT_EQ(verdict.error().message, compiled.error().message) << raw;
      problem_ = compiled.error();
      return false;
    }
    records_[{kind, std::string(key)}] = std::move(*compiled);
    return true;
  }
  bool add_flag(std::string_view key, std::string_view raw) { return add(kFlagKind, key, raw); }
  bool add_segment(std::string_view key, std::string_view raw) {
    return add(kSegmentKind, key, raw);
  }
  void clear() { records_.clear(); }

  const CompiledRecord* find(RecordKind kind, std::string_view,
                             std::string_view key) const override {
    const auto found = records_.find({kind, std::string(key)});
    return found == records_.end() ? nullptr : found->second.get();
  }
  const CompiledRecord* find_in_any_set(RecordKind kind, std::string_view key) const override {
    return find(kind, {}, key);
  }

  // REQUIRES: the flag is there.
  Evaluation evaluate(std::string_view key, const EvaluationContext& context) {
    return dialect_->evaluate({key, {}, *find(kFlagKind, {}, key), nullptr}, context, *this, {},
                              scratch_);
  }
  // OpenFeature's context.
  Evaluation evaluate(std::string_view key, std::string_view context_json) {
    const auto context = reader_.read(context_json);
    EXPECT_TRUE(context) << context_json;
    return evaluate(key, *context);
  }
  // `REASON variant value {metadata}` or `ERROR code`: short enough for a table.
  std::string answer(std::string_view key, std::string_view context_json) {
    const Evaluation result = evaluate(key, context_json);
    if (result.reason == Reason::kError) {
      return "ERROR " + std::string(error_code_name(result.error));
    }
    std::string text(reason_name(result.reason));
    if (result.type != ValueType::kNone) {
      text.append(" ").append(result.variant).append(" ").append(result.value_json);
    }
    return text.append(" {").append(result.metadata_members).append("}");
  }

  const Dialect& dialect() const { return *dialect_; }
  // Why the last record that did not compile did not.
  const RecordError& problem() const { return problem_; }

 private:
  std::unique_ptr<Dialect> dialect_ = make_launchdarkly_dialect();
  std::map<std::pair<RecordKind, std::string>, std::unique_ptr<const CompiledRecord>> records_;
  RecordError problem_;
  ContextReader reader_;
  Scratch scratch_;
};

}  // namespace flagstone::evaluation::launchdarkly
