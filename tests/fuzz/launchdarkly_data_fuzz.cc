// Any bytes as what LaunchDarkly sends, the first of them choosing what: what is made of them must
// be the same in one piece and in two, and every record's text valid JSON.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/dialects/launchdarkly/wire/data_scanner.h"
#include "evaluation/dialects/launchdarkly/wire/item_change.h"
#include "evaluation/dialects/launchdarkly/wire/transfer.h"
#include "evaluation/json_syntax.h"

namespace evaluation = flagstone::evaluation;
namespace launchdarkly = evaluation::launchdarkly;

namespace {

constexpr std::size_t kBytesMax = 1 << 20;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string line_of(const evaluation::Record& record) {
  require(record.tombstone ==
          !evaluation::check_json(record.raw, std::numeric_limits<std::size_t>::max()));
  return std::to_string(static_cast<int>(record.id.kind)) + record.id.key + "@" +
         std::to_string(record.version) + record.raw;
}

// Transfers to lines.
class Polled final : public launchdarkly::PollScanner::Receiver {
 public:
  std::expected<void, std::string> on_polled(std::string_view name,
                                             std::string_view data) override {
    using Step = launchdarkly::Transfer::Step;
    const auto step = transfer_.on_event(name, data);
    if (!step) return std::unexpected(step.error());
    lines.push_back(std::to_string(static_cast<int>(*step)));
    if (*step != Step::kComplete) return {};
    for (const auto& record : transfer_.take().records) lines.push_back(line_of(record));
    require(transfer_.held_bytes() == 0);
    return {};
  }
  std::vector<std::string> lines;

 private:
  launchdarkly::Transfer transfer_;
};

std::vector<std::string> polled(std::string_view text, std::size_t cut) {
  Polled receiver;
  launchdarkly::PollScanner scanner(kBytesMax, kBytesMax, receiver);
  auto fed = scanner.feed(text.substr(0, cut));
  if (fed) fed = scanner.feed(text.substr(cut));
  if (fed) fed = scanner.finish();
  if (!fed) receiver.lines.push_back(to_string(fed.error()));
  return std::move(receiver.lines);
}

std::vector<std::string> scanned(launchdarkly::DataShape shape, std::string_view text,
                                 std::size_t cut) {
  launchdarkly::DataScanner scanner(shape, kBytesMax, kBytesMax);
  auto fed = scanner.feed(text.substr(0, cut));
  if (fed) fed = scanner.feed(text.substr(cut));
  if (!fed) return {to_string(fed.error())};
  auto data = scanner.finish();
  if (!data) return {to_string(data.error())};
  std::vector<std::string> lines;
  for (const auto& record : data->update.records) lines.push_back(line_of(record));
  require(data->record_lines.size() == lines.size());
  return lines;
}

void read_change(std::string_view text, bool patch) {
  const auto record = patch ? launchdarkly::read_patch(text) : launchdarkly::read_delete(text);
  if (record && *record) line_of(**record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = text.empty() ? 0 : data[size - 1] % text.size();
  switch (data[0] % 5) {
    case 0:
    case 1: {
      const auto shape = static_cast<launchdarkly::DataShape>(data[0] % 5);
      require(scanned(shape, text, text.size()) == scanned(shape, text, cut));
      break;
    }
    case 2:
    case 3:
      read_change(text, data[0] % 5 == 2);
      break;
    default:
      require(polled(text, text.size()) == polled(text, cut));
  }
  return 0;
}
