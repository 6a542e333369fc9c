// What evaluating costs without the socket around it: nanoseconds for reading a context, for the
// rule of one flag, for every flag of a document with and without its answer, and for taking in a
// record; and the same for one flag of LaunchDarkly's.
//
//   evaluation_bench [--benchmark_filter=...]
//
// The document is the one that flag_set.py makes; its place is compiled in.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"
#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"
#include "sidecar/api/ofrep_answer.h"

namespace flagstone::bench {
namespace {

using evaluation::CompiledRecord;
using evaluation::Record;
using evaluation::RecordText;

constexpr std::string_view kAskedFlag = "checkout-flow";
constexpr std::string_view kBody =
    R"({"context":{"targetingKey":"user-48151623","email":"ada@example.org","country":"DE",)"
    R"("plan":"premium","appVersion":"4.8.15"}})";
constexpr evaluation::Moment kMoment{1'700'000'000'000, 1};

class NoRecords final : public evaluation::RecordLookup {
 public:
  const CompiledRecord* find(evaluation::RecordKind, std::string_view,
                             std::string_view) const override {
    return nullptr;
  }
  const CompiledRecord* find_in_any_set(evaluation::RecordKind, std::string_view) const override {
    return nullptr;
  }
};

RecordText text_of(const Record& record) {
  return {record.id.kind, record.id.set_id, record.id.key, record.raw};
}

// The document, compiled.
struct Flags {
  std::unique_ptr<evaluation::Dialect> dialect = evaluation::flagd::make_flagd_dialect();
  evaluation::Update document;
  std::vector<std::unique_ptr<const CompiledRecord>> compiled;
  NoRecords lookup;
  evaluation::Scratch scratch;

  Flags() {
    std::ifstream file(FLAGSTONE_BENCH_DOCUMENT, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    auto update =
        evaluation::flagd::decode_document(text, evaluation::flagd::DocumentFormat::kJson);
    if (!update) {
      std::cerr << "no document at " << FLAGSTONE_BENCH_DOCUMENT << '\n';
      std::exit(1);
    }
    document = std::move(*update);
    for (const Record& record : document.records) {
      compiled.push_back(std::move(dialect->compile(text_of(record)).value()));
    }
  }

  std::size_t place_of(std::string_view key) const {
    std::size_t i = 0;
    while (document.records[i].id.key != key) ++i;
    return i;
  }
  evaluation::Evaluation evaluate(std::size_t i, const evaluation::EvaluationContext& context) {
    return dialect->evaluate({document.records[i].id.key, "", *compiled[i], nullptr}, context,
                             lookup, kMoment, scratch);
  }
};

void count_flags(benchmark::State& state, const Flags& flags) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(flags.compiled.size()));
}

void read_context(benchmark::State& state) {
  evaluation::ContextReader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.read_member(kBody, "context"));
}
BENCHMARK(read_context);

void evaluate_one(benchmark::State& state) {
  Flags flags;
  evaluation::ContextReader reader;
  const auto context = reader.read_member(kBody, "context").value();
  const std::size_t asked = flags.place_of(kAskedFlag);
  for (auto _ : state) benchmark::DoNotOptimize(flags.evaluate(asked, context));
}
BENCHMARK(evaluate_one);

void answer_one(benchmark::State& state) {
  Flags flags;
  evaluation::ContextReader reader;
  const auto context = reader.read_member(kBody, "context").value();
  const auto evaluation = flags.evaluate(flags.place_of(kAskedFlag), context);
  std::string body;
  for (auto _ : state) {
    body.clear();
    sidecar::append_evaluation(body, kAskedFlag, evaluation, {});
    benchmark::DoNotOptimize(body.data());
  }
}
BENCHMARK(answer_one);

void evaluate_all(benchmark::State& state) {
  Flags flags;
  evaluation::ContextReader reader;
  const auto context = reader.read_member(kBody, "context").value();
  for (auto _ : state) {
    for (std::size_t i = 0; i < flags.compiled.size(); ++i) {
      benchmark::DoNotOptimize(flags.evaluate(i, context));
    }
  }
  count_flags(state, flags);
}
BENCHMARK(evaluate_all);

void answer_all(benchmark::State& state) {
  Flags flags;
  evaluation::ContextReader reader;
  const auto context = reader.read_member(kBody, "context").value();
  std::string body;
  for (auto _ : state) {
    body.clear();
    for (std::size_t i = 0; i < flags.compiled.size(); ++i) {
      sidecar::append_evaluation(body, flags.document.records[i].id.key, flags.evaluate(i, context),
                                 {});
    }
    benchmark::DoNotOptimize(body.data());
  }
  count_flags(state, flags);
}
BENCHMARK(answer_all);

void validate_all(benchmark::State& state) {
  Flags flags;
  for (auto _ : state) {
    for (const Record& record : flags.document.records) {
      benchmark::DoNotOptimize(flags.dialect->validate(text_of(record)));
    }
  }
  count_flags(state, flags);
}
BENCHMARK(validate_all);

void compile_all(benchmark::State& state) {
  Flags flags;
  std::size_t bytes = 0;
  for (const auto& record : flags.compiled) bytes += record->bytes();
  for (auto _ : state) {
    for (const Record& record : flags.document.records) {
      benchmark::DoNotOptimize(flags.dialect->compile(text_of(record)));
    }
  }
  count_flags(state, flags);
  state.counters["bytes_per_flag"] =
      static_cast<double>(bytes) / static_cast<double>(flags.compiled.size());
}
BENCHMARK(compile_all);

// LaunchDarkly's: three rules with four clauses, of which none matches, then a rollout.
constexpr std::string_view kLaunchDarklyFlag =
    R"({"key":"checkout-flow","version":42,"on":true,"salt":"a2b3c4d5e6f7","offVariation":2,)"
    R"("variations":["classic","one-page","off"],"targets":[{"variation":0,"values":["user-1",)"
    R"("user-2","user-3"]}],"rules":[{"id":"r1","variation":1,"clauses":[{"attribute":"email",)"
    R"("op":"endsWith","values":["@example.com","@example.net"]}]},{"id":"r2","variation":0,)"
    R"("clauses":[{"attribute":"country","op":"in","values":["FR","IT","ES","PT"]},)"
    R"({"attribute":"plan","op":"in","values":["premium"]}]},{"id":"r3","variation":1,)"
    R"("clauses":[{"attribute":"appVersion","op":"semVerGreaterThan","values":["5.0.0"]}]}],)"
    R"("fallthrough":{"rollout":{"variations":[{"variation":0,"weight":40000},)"
    R"({"variation":1,"weight":60000}]}}})";
constexpr std::string_view kSdkContext =
    R"({"kind":"user","key":"user-48151623","email":"ada@example.org","country":"DE",)"
    R"("plan":"premium","appVersion":"4.8.15"})";

struct LaunchDarklyFlag {
  std::unique_ptr<evaluation::Dialect> dialect =
      evaluation::launchdarkly::make_launchdarkly_dialect();
  RecordText text{evaluation::kFlagKind, {}, kAskedFlag, kLaunchDarklyFlag};
  std::unique_ptr<const CompiledRecord> compiled = dialect->compile(text).value();
  NoRecords lookup;
  evaluation::Scratch scratch;

  evaluation::Evaluation evaluate(const evaluation::EvaluationContext& context) {
    return dialect->evaluate({kAskedFlag, "", *compiled, nullptr}, context, lookup, kMoment,
                             scratch);
  }
};

void launchdarkly_evaluate_one(benchmark::State& state) {
  LaunchDarklyFlag flag;
  evaluation::ContextReader reader;
  const auto context = reader.read_member(kBody, "context").value();
  for (auto _ : state) benchmark::DoNotOptimize(flag.evaluate(context));
  state.counters["bytes_per_flag"] = static_cast<double>(flag.compiled->bytes());
}
BENCHMARK(launchdarkly_evaluate_one);

void launchdarkly_evaluate_sdk_context(benchmark::State& state) {
  LaunchDarklyFlag flag;
  evaluation::launchdarkly::SdkContextReader reader;
  const auto context = reader.read(kSdkContext).value();
  for (auto _ : state) benchmark::DoNotOptimize(flag.evaluate(context));
}
BENCHMARK(launchdarkly_evaluate_sdk_context);

void launchdarkly_read_sdk_context(benchmark::State& state) {
  evaluation::launchdarkly::SdkContextReader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(kSdkContext));
}
BENCHMARK(launchdarkly_read_sdk_context);

void launchdarkly_validate_one(benchmark::State& state) {
  LaunchDarklyFlag flag;
  for (auto _ : state) benchmark::DoNotOptimize(flag.dialect->validate(flag.text));
}
BENCHMARK(launchdarkly_validate_one);

void launchdarkly_compile_one(benchmark::State& state) {
  LaunchDarklyFlag flag;
  for (auto _ : state) benchmark::DoNotOptimize(flag.dialect->compile(flag.text));
}
BENCHMARK(launchdarkly_compile_one);

}  // namespace
}  // namespace flagstone::bench

BENCHMARK_MAIN();
