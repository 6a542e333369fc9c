// Compares Flagstone's evaluations with those of LaunchDarkly's own evaluator.
//
//   oracle_compare ORACLE [--pairs 20000] [--first 0] [--show]
//
// ORACLE is the Go program beside this file. Random cases, each a few flags, segments and contexts,
// go to both; every flag is evaluated for every context, a pair each, until there are as many pairs
// as asked for. Prints how many there were of each kind of reason, and each difference with the
// case's number, with which --first shows it again. Fails on any difference.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "evaluation/dialects/launchdarkly/launchdarkly_dialect.h"
#include "evaluation/dialects/launchdarkly/record_kinds.h"
#include "evaluation/dialects/launchdarkly/wire/detail.h"
#include "evaluation/dialects/launchdarkly/wire/sdk_context.h"
#include "tests/oracle/oracle_process.h"
#include "tests/oracle/random_case.h"

namespace flagstone::oracle {
namespace {

using evaluation::CompiledRecord;
using evaluation::RecordKind;
namespace ld = evaluation::launchdarkly;

constexpr int kDifferencesShownMax = 20;

class Records final : public evaluation::RecordLookup {
 public:
  // False: refused.
  bool add(const evaluation::Dialect& dialect, RecordKind kind, const RandomCase::Named& record) {
    auto compiled = dialect.compile({kind, {}, record.first, record.second});
    if (compiled) records_[{kind, record.first}] = std::move(*compiled);
    return compiled.has_value();
  }
  const CompiledRecord* find(RecordKind kind, std::string_view,
                             std::string_view key) const override {
    const auto found = records_.find({kind, std::string(key)});
    return found == records_.end() ? nullptr : found->second.get();
  }
  const CompiledRecord* find_in_any_set(RecordKind kind, std::string_view key) const override {
    return find(kind, {}, key);
  }

 private:
  std::map<std::pair<RecordKind, std::string>, std::unique_ptr<const CompiledRecord>> records_;
};

std::string_view name_of(ld::ReasonKind kind) {
  switch (kind) {
    case ld::ReasonKind::kOff:
      return "OFF";
    case ld::ReasonKind::kFallthrough:
      return "FALLTHROUGH";
    case ld::ReasonKind::kTargetMatch:
      return "TARGET_MATCH";
    case ld::ReasonKind::kRuleMatch:
      return "RULE_MATCH";
    case ld::ReasonKind::kPrerequisiteFailed:
      return "PREREQUISITE_FAILED";
    case ld::ReasonKind::kError:
      return "ERROR";
  }
  return {};
}

std::string_view name_of(ld::ErrorKind kind) {
  return kind == ld::ErrorKind::kNone ? "" : "MALFORMED_FLAG";
}

// As the oracle writes it.
std::string text_of(const ld::Detail& detail) {
  std::string text(name_of(detail.reason));
  text.append(",").append(std::to_string(detail.rule_index));
  text.append(",").append(detail.rule_id);
  text.append(",").append(detail.prerequisite_key);
  text.append(",").append(name_of(detail.error));
  text.append(detail.in_experiment ? ",true," : ",false,");
  if (detail.big_segments != ld::BigSegmentsStatus::kNone) text += "NOT_CONFIGURED";
  text.append(",").append(std::to_string(detail.variation_index));
  text.append(",").append(detail.value_json);
  text.append(detail.is_experiment() ? ",true" : ",false");
  for (const ld::PrerequisiteEvaluation& one : detail.prerequisites) {
    text.append(";").append(one.prerequisite_of).append(">").append(one.detail->flag->key);
    text.append(":").append(name_of(one.detail->reason));
    text.append(":").append(std::to_string(one.detail->variation_index));
    text.append(one.detail->is_experiment() ? ":true" : ":false");
  }
  return text;
}

class Flagstone {
 public:
  // What the oracle should write too: the refused, then an answer for each pair.
  std::vector<std::string> answers(const RandomCase& asked) {
    Records records;
    std::string refused;
    const auto add = [&](RecordKind kind, const std::vector<RandomCase::Named>& named) {
      for (const auto& record : named) {
        if (records.add(*dialect_, kind, record)) continue;
        refused.append(refused.empty() ? "" : ",").append(record.first);
      }
    };
    add(evaluation::kFlagKind, asked.flags);
    add(ld::kSegmentKind, asked.segments);
    std::vector<std::string> answers = {refused};
    for (const std::string& context_json : asked.contexts) {
      const auto context = contexts_.read(context_json);
      for (const auto& [key, text] : asked.flags) {
        const CompiledRecord* const flag = records.find(evaluation::kFlagKind, {}, key);
        answers.push_back(!context          ? "invalid"
                          : flag == nullptr ? "missing"
                                            : answer(key, *flag, *context, records));
      }
    }
    return answers;
  }

 private:
  std::string answer(std::string_view key, const CompiledRecord& flag,
                     const evaluation::EvaluationContext& context, const Records& records) {
    const auto result =
        dialect_->evaluate({key, {}, flag, nullptr}, context, records, {}, scratch_);
    return text_of(*ld::detail_of(result));
  }

  std::unique_ptr<evaluation::Dialect> dialect_ = ld::make_launchdarkly_dialect();
  ld::SdkContextReader contexts_;
  evaluation::Scratch scratch_;
};

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> pieces(1);
  for (const char c : line) {
    if (c == '\t') {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  return pieces;
}

struct Tally {
  std::uint64_t pairs = 0;
  std::uint64_t refused = 0;
  int differences = 0;
  std::map<std::string, std::uint64_t> reasons;
};

void show_difference(std::uint64_t number, const RandomCase& asked, std::size_t place,
                     std::string_view ours, std::string_view theirs) {
  std::cout << "case " << number << ", ";
  if (place == 0) {
    std::cout << "refused";
  } else {
    const std::size_t pair = place - 1;
    std::cout << "flag " << asked.flags[pair % asked.flags.size()].first << ", context "
              << asked.contexts[pair / asked.flags.size()];
  }
  std::cout << "\n  Flagstone: " << ours << "\n  oracle:    " << theirs << '\n';
}

void compare(std::uint64_t number, const RandomCase& asked, const std::vector<std::string>& ours,
             std::string_view line, Tally& tally) {
  const std::vector<std::string> theirs = split(line);
  if (theirs.size() != ours.size()) {
    std::cout << "case " << number << ": the oracle's line has " << theirs.size() << " pieces\n";
    ++tally.differences;
    return;
  }
  tally.pairs += ours.size() - 1;
  tally.refused += !ours[0].empty();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (i != 0) ++tally.reasons[theirs[i].substr(0, theirs[i].find(','))];
    if (ours[i] == theirs[i]) continue;
    if (tally.differences++ < kDifferencesShownMax) {
      show_difference(number, asked, i, ours[i], theirs[i]);
    }
  }
}

void print(const Tally& tally) {
  std::cout << tally.pairs << " pairs, " << tally.differences << " differences; in "
            << tally.refused << " cases records were refused\n";
  for (const auto& [reason, count] : tally.reasons) {
    std::cout << "  " << reason << ' ' << count << '\n';
  }
}

int run(const char* oracle_path, std::uint64_t first, std::uint64_t pairs, bool show) {
  const std::uint64_t pairs_per_case =
      make_case(first).flags.size() * make_case(first).contexts.size();
  const std::uint64_t end = first + (pairs + pairs_per_case - 1) / pairs_per_case;
  if (show) std::cout << make_case(first).json() << '\n';
  OracleProcess oracle(oracle_path);
  // Both ends at once, or each would wait for the other with its pipe full.
  std::thread asking([&] {
    for (std::uint64_t number = first; number < end; ++number) {
      if (!oracle.ask(make_case(number).json() + '\n')) break;
    }
    oracle.end_asking();
  });
  Flagstone flagstone;
  Tally tally;
  bool whole = true;
  for (std::uint64_t number = first; number < end && whole; ++number) {
    const RandomCase asked = make_case(number);
    std::string line;
    whole = oracle.read_line(line);
    if (whole) compare(number, asked, flagstone.answers(asked), line, tally);
  }
  asking.join();
  print(tally);
  if (!whole) std::cout << "the oracle ended early\n";
  return whole && tally.differences == 0 && tally.pairs >= pairs ? 0 : 1;
}

}  // namespace
}  // namespace flagstone::oracle

int main(int argc, char** argv) {
  std::uint64_t pairs = 20'000;
  std::uint64_t first = 0;
  bool show = false;
  const char* oracle = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    if (word == "--show") {
      show = true;
    } else if (word == "--pairs" && i + 1 < argc) {
      pairs = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--first" && i + 1 < argc) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else {
      oracle = argv[i];
    }
  }
  if (oracle == nullptr || pairs == 0) {
    std::cerr << "usage: oracle_compare ORACLE [--pairs N] [--first N] [--show]\n";
    return 2;
  }
  return flagstone::oracle::run(oracle, first, pairs, show);
}
