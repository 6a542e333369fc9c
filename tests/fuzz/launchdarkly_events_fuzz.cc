// Any bytes as events that an app posts, and as files of the spool: what is taken must come out as
// JSON, nothing of it gone but what was merged, and merging again must change nothing.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "evaluation/dialects/launchdarkly/wire/event_batch.h"
#include "evaluation/json_syntax.h"
#include "upstream/launchdarkly_event_files.h"

namespace wire = flagstone::evaluation::launchdarkly;
namespace files = flagstone::upstream::launchdarkly;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_list(std::string_view json) { return wire::EventList::read(json).has_value(); }

std::string merged(std::string_view json, wire::EventBatch::Taken& taken) {
  wire::EventBatch batch;
  wire::IndexWindow window;
  taken = batch.add(wire::EventList::known_good(json), window, 0);
  require(batch.empty() == (batch.events() == 0));
  return batch.json();
}

void post(std::string_view json) {
  (void)wire::read_diagnostic(json);
  if (!is_list(json)) return;
  wire::EventBatch::Taken taken;
  const std::string once = merged(json, taken);
  require(is_list(once));
  require(taken.events == wire::count_events(json));
  require(taken.events >= taken.merged_away);
  wire::EventBatch::Taken again;
  require(merged(once, again) == once);
  const wire::Summaries summaries = wire::only_summaries(once);
  require(is_list(summaries.json));
  require(summaries.kept + summaries.left_out == wire::count_events(once));
  const wire::Halves halves = wire::halve_events(once);
  if (halves.second.empty()) return;
  require(is_list(halves.first) && is_list(halves.second));
  require(wire::count_events(halves.first) + wire::count_events(halves.second) ==
          wire::count_events(once));
}

void read_files(std::string_view bytes) {
  files::LogReader log(bytes);
  while (log.next()) {
  }
  (void)files::decode_batch(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  post(bytes);
  read_files(bytes);
  return 0;
}
