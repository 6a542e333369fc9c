// Bulk answers of OFREP: all flags of a selection, evaluated for one context, in slices where there
// are many.
//
// One per serving thread, on its loop; used by ofrep.h alone. See sliced_answers.h for what may
// fail.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/request.h"
#include "net/response.h"
#include "sidecar/answer_metadata.h"
#include "sidecar/context_additions.h"
#include "sidecar/selector.h"
#include "sidecar/serving_desk.h"
#include "sidecar/sliced_answers.h"

namespace flagstone::sidecar {

class OfrepBulk {
 public:
  OfrepBulk(net::Loop& loop, ServingDesk& desk, ContextAdditions& additions)
      : desk_(desk), additions_(additions), slices_(loop, desk) {}

  // Answers for the environment of that index in the desk's state, whose snapshot is there. False:
  // too many large answers are under way; nothing was sent.
  [[nodiscard]] bool answer(std::size_t environment, std::string_view selector,
                            const evaluation::EvaluationContext& context,
                            const net::Request& request, std::span<const net::HeaderField> headers,
                            net::Response& response);

 private:
  class FreshText;
  class KeptText;

  // How far an answer is.
  struct Progress {
    std::size_t environment = 0;
    std::string_view selector_text;
    cache::Snapshot::Walk walk;
    evaluation::Moment moment;
    AddedMetadata added;
    bool begun = false;
    bool comma = false;
  };

  Progress begin(std::size_t environment, std::string_view selector);
  SliceWritten write(Progress& progress, const cache::EnvironmentState& environment,
                     const evaluation::EvaluationContext& context, std::size_t bytes_max,
                     std::string& body);
  static void write_end(const Progress& progress, const cache::EnvironmentState& environment,
                        std::string& body);

  ServingDesk& desk_;
  ContextAdditions& additions_;
  SlicedAnswers slices_;
};

}  // namespace flagstone::sidecar
