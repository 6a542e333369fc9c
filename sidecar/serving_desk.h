// What the apis of one serving thread share: the state they answer from and memory they use over
// and over.
//
// Owned by the serving thread, borrowed by its apis. The loop swaps `state` between requests, so an
// api takes it once per request and everything it answers is of one moment.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "cache/memory_budget.h"
#include "cache/record_reader.h"
#include "cache/serving_state.h"
#include "cache/usage.h"
#include "evaluation/context_reader.h"
#include "evaluation/dialect.h"
#include "evaluation/scratch.h"
#include "net/rpc/call.h"
#include "sidecar/access_notes.h"
#include "sidecar/evaluation_reporter.h"
#include "sidecar/event_inlet.h"
#include "sidecar/late_answers.h"
#include "sidecar/serving_counters.h"
#include "sidecar/serving_settings.h"
#include "sidecar/unknown_credentials.h"

namespace flagstone::sidecar {

// By the environment's place in the serving state, which a name keeps as long as the process lives.
using UsageByEnvironment = std::array<std::unique_ptr<cache::UsageCounters>, kEnvironmentsMax>;

struct ServingDesk {
  explicit ServingDesk(net::Loop& loop)
      : access(loop, counters), late(loop), events(loop), unknown_credentials(loop) {}

  ServingSettings settings;  // Set before the thread starts.
  // Likewise; the numbers may be read by any thread. nullptr: no limit.
  const cache::MemoryBudget* budget = nullptr;
  std::shared_ptr<const cache::ServingState> state;
  evaluation::ContextReader contexts;
  evaluation::Scratch scratch;
  cache::RecordReader reader{cache::RecordReader::Patience::kNone};
  // Made by the keeper before an environment is published, read and grown by it; counted in here.
  UsageByEnvironment usage;
  // Who is told what each environment's flags were asked for; nullptr: nobody. They come with the
  // state that they are for; the keeper owns them all.
  using Reporters = std::array<EvaluationReporter*, kEnvironmentsMax>;
  Reporters reporters{};
  ServingCounters counters;
  AccessNotes access;
  LateAnswers late;
  EventInlet events;
  UnknownCredentials unknown_credentials;
  // Where a state goes that was held for longer than a request: only the keeper destroys it.
  std::move_only_function<void(std::shared_ptr<const cache::ServingState>)> return_state;
  net::RpcScratch rpc;
  // The process has begun to stop.
  bool stopping = false;

  void give_back(std::shared_ptr<const cache::ServingState> held) {
    if (return_state) return_state(std::move(held));
  }

  // How large a document may be that is prepared for many: what is left of the memory, since
  // several copies of it are there while it is made.
  std::size_t prepared_bytes_max() const;
  // At each ping, twice a second: what an unusual request left behind goes, the rest is counted.
  void housework();

  // A flag of that environment was asked for by its name, and has just been evaluated. What it
  // refers to and was decoded for it is wanted as well.
  void count_asked(std::size_t environment, const cache::Entry& flag) {
    cache::UsageCounters& asked = *usage[environment];
    asked.count(flag.flag_id());
    if (const cache::Entry* answering = flag.answering()) answering->mark_used();
    reader.for_each_decoded(
        [&asked](const cache::Entry& entry) { asked.encoded_asked.put(hash_of(entry)); });
  }
  EvaluationReporter* reporter(std::size_t environment) const { return reporters[environment]; }
  // The keeper gets what was counted for it.
  void hand_over_reports();
  // A bulk answer evaluated it. That is no use: it keeps nobody else's flag from being compiled.
  void count_in_bulk(std::size_t environment, const cache::Entry& flag) {
    const cache::Entry* answering = flag.answering();
    if (answering == nullptr || answering->compiled() != nullptr) return;
    usage[environment]->encoded_in_bulk.put(hash_of(flag));
  }

  // When this evaluation happens, to the kernel's tick of a few milliseconds, and its chance.
  evaluation::Moment moment();

 private:
  static std::uint64_t hash_of(const cache::Entry& flag) {
    return cache::RecordIndex::hash_of(flag.kind(), flag.set_id(), flag.key());
  }

  std::uint64_t random_state_ = 0x9e3779b97f4a7c15;
};

std::int64_t unix_now_ms();

}  // namespace flagstone::sidecar
