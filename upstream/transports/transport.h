// What a source drives: something that fetches documents and puts them into a DocumentSink.
//
// Knows no vendor. Owned by a source, on the keeper's loop; not destroyed inside a sink's call.
#pragma once

#include "upstream/source.h"

namespace flagstone::upstream {

class Transport {
 public:
  virtual ~Transport() = default;

  virtual void start() = 0;
  // No sink call comes after it.
  virtual void stop() = 0;
  // Ends the work on what the sink took as Arrival::kInWork.
  virtual void settle(Outcome outcome) = 0;
  // Fetches now and without a condition, or right after the work that is under way.
  virtual void refresh() = 0;
};

}  // namespace flagstone::upstream
