// Telling a vendor what his flags were asked for: the seam between the apis that evaluate, the
// keeper, and the vendor's own idea of an event.
//
// A vendor whose row has `make_reports` gets one ReportCollector per environment, on the keeper,
// which makes one EvaluationReporter for each serving thread. Apis tell the reporter of each flag
// that was asked for by its name; bulk answers are not told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "config/options.h"
#include "evaluation/dialect.h"
#include "evaluation/evaluation.h"
#include "evaluation/evaluation_context.h"
#include "upstream/event_forwarder.h"

namespace flagstone::sidecar {

// Serving thread. Never waits; allocates nothing in the steady state.
class EvaluationReporter {
 public:
  virtual ~EvaluationReporter() = default;

  // `result` and `context` as they were answered, while their views are valid. With `wrong_type`
  // the caller asked for another type than the value has, and got an error.
  virtual void report(const evaluation::EvaluationContext& context,
                      const evaluation::Evaluation& result, bool wrong_type,
                      evaluation::Moment moment) = 0;
  // There is no flag of that name.
  virtual void report_unknown(std::string_view key, const evaluation::EvaluationContext& context,
                              evaluation::Moment moment) = 0;
  // At each ping, twice a second, and after the last answer: the keeper gets what was counted
  // since.
  virtual void hand_over() = 0;
};

// What was given up of what had been reported. The names are labels of the metrics.
enum class ReportLoss : std::uint8_t {
  kNoRoom,        // Events made faster than they are taken away, or the disk is behind.
  kTooLarge,      // A single event that never has room.
  kUnknownFlags,  // More names without a flag than are remembered.
};
inline constexpr std::array<const char*, 3> kReportLossNames = {"no_room", "too_large",
                                                                "unknown_flags"};

struct ReportFacts {
  std::array<std::uint64_t, kReportLossNames.size()> lost{};
  std::size_t bytes = 0;  // What reporters and their collector hold.
};

// Keeper.
class ReportCollector {
 public:
  virtual ~ReportCollector() = default;

  // Other options for the same environment, after a reload.
  virtual void set_options(const config::Environment& options) = 0;
  // For one more serving thread. It belongs to this, which outlives the threads. The reporter calls
  // `wake`, on its thread, when it wants to be drained soon.
  virtual void add_reporter(std::move_only_function<void()> wake) = 0;
  // By the order in which they were added.
  virtual EvaluationReporter& reporter(std::size_t index) = 0;
  // Ten times a second, and when woken: takes what reporters have. Counts are handed on as they
  // come, at each ping, and events with them, or after a second by themselves.
  virtual void drain(upstream::EventForwarder& events, std::int64_t now_ms) = 0;
  // Everything at once, after the reporters' last hand_over(). False: the forwarder takes nothing,
  // and it is lost.
  virtual bool flush(upstream::EventForwarder& events) = 0;
  virtual ReportFacts facts() const = 0;
};

}  // namespace flagstone::sidecar
