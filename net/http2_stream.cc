#include "net/http2_stream.h"

#include <algorithm>
#include <cassert>

#include "net/ascii.h"
#include "net/field_value.h"

namespace flagstone::net {

void Http2Output::append(std::string_view more) {
  if (bytes_said == bytes.size()) {
    bytes.clear();
    bytes_said = 0;
  }
  bytes.append(more);
}

void Http2Output::add_trailers(std::span<const HeaderField> fields) {
  const auto size = [this] { return static_cast<std::uint32_t>(trailer_text.size()); };
  for (const auto& [name, value] : fields) {
    if (!is_safe_field_value(value)) continue;
    RequestStore::Field field;
    field.name_begin = size();
    append_lower(name, trailer_text);
    field.name_end = size();
    trailer_text.append(value);
    field.value_end = size();
    trailers.push_back(field);
  }
}

void Http2Output::move_to(std::string& out, std::size_t count) {
  assert(count <= waiting());
  const std::size_t own = std::min(count, bytes.size() - bytes_said);
  out.append(bytes, bytes_said, own);
  bytes_said += own;
  if (own == count) return;
  out.append(*shared, shared_said, count - own);
  shared_said += count - own;
  if (shared_said < shared->size()) return;
  shared.reset();
  shared_said = 0;
}

void Http2Output::drop_body() {
  bytes.clear();
  shared.reset();
  bytes_said = shared_said = 0;
}

void Http2Output::clear() {
  drop_body();
  head_text.clear();
  trailer_text.clear();
  trailers.clear();
  ends = false;
}

void Http2Stream::reset() {
  assert(store == nullptr && known == nullptr && events == nullptr && deferral == nullptr);
  known_fields = pseudo_fields = 0;
  session = nullptr;
  place = 0;
  id = 0;
  ordinal = 0;
  method = path = authority = {};
  header_bytes = body_bytes = counted_own = counted_waiting = 0;
  body_in_place = {};
  refusal_status = 0;
  refusal_reason = nullptr;
  output.clear();
  request_complete = answered = deferred = false;
}

std::unique_ptr<Http2Stream> Http2Shared::take_stream() {
  if (free_.empty()) return std::make_unique<Http2Stream>();
  std::unique_ptr<Http2Stream> stream = std::move(free_.back());
  free_.pop_back();
  return stream;
}

void Http2Shared::give_back(std::unique_ptr<Http2Stream> stream) {
  stream->reset();
  const std::size_t bytes = stream->output.bytes.capacity() + stream->output.head_text.capacity() +
                            stream->output.trailer_text.capacity();
  if (free_.size() >= kStreamsKeptMax || bytes > kStreamBytesKeptMax) return;
  free_.push_back(std::move(stream));
}

}  // namespace flagstone::net
