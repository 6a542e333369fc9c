// What one serving thread counts about its answers.
//
// Each thread owns one and is its only writer; the keeper reads it at any moment. A reader may see
// one counter of an answer before the other, which a metric can bear.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "evaluation/evaluation.h"
#include "net/counter.h"

namespace flagstone::sidecar {

using net::Counter;

// Environments one daemon can hold; the counters are indexed by it.
inline constexpr std::size_t kEnvironmentsMax = 64;

// Who was answered, a label of the metrics.
enum class Api : std::uint8_t {
  kOfrep,
  kOfrepBulk,
  kFlagdEvaluation,
  kFlagdResolveAll,
  kLaunchDarklyEvalx
};
inline constexpr std::array<const char*, 5> kApiNames = {"ofrep", "ofrep_bulk", "flagd_evaluation",
                                                         "flagd_resolve_all", "launchdarkly_evalx"};

// Who is asked by requests that open no environment, a label of the metrics.
enum class AccessApi : std::uint8_t { kOfrep, kFlagd, kLaunchDarklySdk, kLaunchDarklyEvents };
inline constexpr std::array<const char*, 4> kAccessApiNames = {
    "ofrep", "flagd_rpc", "launchdarkly_sdk", "launchdarkly_events"};

// How long the handling of a request took, from parsed to answered. Upper bounds in nanoseconds;
// the last bucket is +Inf.
class LatencyHistogram {
 public:
  static constexpr std::array<std::uint64_t, 12> kBoundsNs = {
      1'000,   2'500,     5'000,     10'000,     25'000,      50'000,
      100'000, 1'000'000, 5'000'000, 25'000'000, 100'000'000, 1'000'000'000};

  void record(std::uint64_t ns) {
    std::size_t bucket = 0;
    while (bucket < kBoundsNs.size() && ns > kBoundsNs[bucket]) ++bucket;
    buckets_[bucket].add(1);
    sum_ns_.add(ns);
  }
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].read(); }
  std::uint64_t sum_ns() const { return sum_ns_.read(); }

 private:
  std::array<Counter, kBoundsNs.size() + 1> buckets_;
  Counter sum_ns_;
};

// Records how long an answer took, however the handler is left.
class LatencyWatch {
 public:
  explicit LatencyWatch(LatencyHistogram& histogram)
      : histogram_(histogram), start_(std::chrono::steady_clock::now()) {}
  ~LatencyWatch() {
    auto elapsed = std::chrono::steady_clock::now() - start_;
    histogram_.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()));
  }
  LatencyWatch(const LatencyWatch&) = delete;
  LatencyWatch& operator=(const LatencyWatch&) = delete;

 private:
  LatencyHistogram& histogram_;
  std::chrono::steady_clock::time_point start_;
};

struct ServingCounters {
  // By api, environment (its place in the serving state) and reason.
  std::array<std::array<std::array<Counter, evaluation::kReasonCount>, kEnvironmentsMax>,
             kApiNames.size()>
      evaluations;
  // Requests that never reached an evaluation, by OFREP error code.
  std::array<Counter, evaluation::kErrorCodeCount> refused;
  // Those of them whose credential opens nothing, by who was asked.
  std::array<Counter, kAccessApiNames.size()> unauthorized;
  // By environment: those that came with a credential that is in its grace, and those of apps that
  // fetch its flags and evaluate them themselves.
  std::array<Counter, kEnvironmentsMax> former_credential_requests;
  std::array<Counter, kEnvironmentsMax> sdk_requests;
  std::array<LatencyHistogram, kApiNames.size()> latency;
  Counter not_modified;
  Counter event_streams_opened;
  // Open streams of flagd's EventStream and SyncFlags.
  Counter event_streams;
  Counter sync_streams;
  // Documents prepared for SyncFlags and GET /v1/flags, and what streams remember.
  Counter prepared_bytes;
  Counter stream_bytes;
  // The same of LaunchDarkly's SDKs: streams, bodies, and what is remembered for them.
  Counter sdk_streams;
  Counter sdk_prepared_bytes;
  Counter sdk_stream_bytes;
  // Parsers and arenas, as of the last second.
  Counter context_bytes;
  // Texts that the disk would not give, or gave damaged; as of the last second.
  Counter unreadable_texts;

  void count_refused(evaluation::ErrorCode code) { refused[static_cast<std::size_t>(code)].add(1); }
  void count(Api api, std::size_t environment, evaluation::Reason reason) {
    evaluations[static_cast<std::size_t>(api)][environment][static_cast<std::size_t>(reason)].add(
        1);
  }
};

}  // namespace flagstone::sidecar
