// Any bytes as a stream of server-sent events: what it says must be the same in one piece and in
// small ones, and no event may be larger than allowed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "upstream/event_stream_parser.h"

namespace {

using flagstone::upstream::EventStreamParser;
using Part = EventStreamParser::Part;

constexpr std::uint64_t kEventBytesMax = 512;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Said {
  std::vector<std::string> events;
  bool broken = false;
  bool between_events = false;
  bool operator==(const Said&) const = default;
};

Said read(std::string_view text, std::size_t piece_bytes) {
  EventStreamParser parser(kEventBytesMax);
  Said said;
  std::string data;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    std::string_view bytes = text.substr(at, piece_bytes);
    for (Part part = parser.next(bytes); part != Part::kMore; part = parser.next(bytes)) {
      if (part == Part::kBroken || part == Part::kTooLarge) {
        require(!parser.problem().empty() && parser.next(bytes) == part);
        said.broken = true;
        return said;
      }
      if (part == Part::kData) data += parser.piece();
      require(data.size() <= kEventBytesMax);
      if (part == Part::kComment) said.events.emplace_back("comment");
      if (part == Part::kRetry) said.events.push_back(std::to_string(parser.retry().count()));
      if (part != Part::kEvent) continue;
      said.events.push_back(std::string(parser.name()) + "\n" + data);
      data.clear();
    }
    require(bytes.empty());
  }
  said.between_events = parser.between_events();
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Said whole = read(text, size == 0 ? 1 : size);
  for (const std::size_t piece : {1U, 2U, 7U}) require(read(text, piece) == whole);
  return 0;
}
