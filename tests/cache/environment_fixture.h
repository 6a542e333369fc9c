// A script of updates against one environment of the fake dialect, and what it then answers.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/entry_home.h"
#include "cache/environment.h"
#include "cache/intake.h"
#include "cache/memory_budget.h"
#include "cache/record_reader.h"
#include "tests/fakes/cache/fake_dialect.h"

namespace flagstone::cache {

struct EnvironmentFixture {
  explicit EnvironmentFixture(std::size_t sources = 1, bool has_bootstrap = false,
                              bool shrink_guard = true) {
    EnvironmentOptions options{.name = "test", .sources = {}, .has_bootstrap = has_bootstrap};
    for (std::size_t i = 0; i < sources; ++i) {
      options.sources.push_back({.name = "source-" + std::to_string(i),
                                 .optional = false,
                                 .shrink_guard = shrink_guard,
                                 .confirm_shrink = 3});
    }
    environment = std::make_unique<Environment>(std::move(options), dialect, home);
  }

  IntakeOutcome take(std::uint16_t layer, evaluation::Update update) {
    return environment->begin(layer, std::move(update))->run();
  }
  Accepted accept(std::uint16_t layer, evaluation::Update update) {
    return std::get<Accepted>(take(layer, std::move(update)));
  }
  Refused refuse(std::uint16_t layer, evaluation::Update update) {
    return std::get<Refused>(take(layer, std::move(update)));
  }

  // "on", or the error's code for what has no value, "-" for what is not there.
  std::string answer(std::string_view key, std::string_view targeting_key = "") {
    const Entry* entry = environment->snapshot()->find_flag(key);
    return entry == nullptr ? "-" : answer(*entry, targeting_key);
  }
  std::string answer_in_set(std::string_view set_id, std::string_view key) {
    const Entry* entry = environment->snapshot()->find_flag(set_id, key);
    return entry == nullptr ? "-" : answer(*entry, "");
  }
  std::string answer(const Entry& entry, std::string_view targeting_key) {
    const evaluation::Member member{.name = "targetingKey",
                                    .value = evaluation::Value::string(targeting_key)};
    const evaluation::EvaluationContext context(evaluation::Value::object({&member, 1}));
    const evaluation::Evaluation result =
        environment->snapshot()->evaluate(entry, context, {}, scratch, reader);
    if (result.error == evaluation::ErrorCode::kParseError) return "PARSE_ERROR";
    return std::string(result.value_json);
  }
  // The newest text, wherever it lies.
  std::string raw(const Entry& entry) {
    return std::string(reader.text_of(entry).value_or("unreadable"));
  }
  // "set/key" of all visible flags, sorted.
  std::vector<std::string> keys(FlagFilter filter = {}) {
    std::vector<std::string> out;
    Snapshot::Walk walk(filter);
    while (const Entry* flag = environment->snapshot()->next_flag(walk)) {
      out.push_back(std::string(flag->set_id()) + "/" + std::string(flag->key()));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  fakes::FakeDialect dialect;
  MemoryBudget budget;
  EntryHome home{budget};
  std::unique_ptr<Environment> environment;
  evaluation::Scratch scratch;
  RecordReader reader{RecordReader::Patience::kDisk};
};

}  // namespace flagstone::cache
