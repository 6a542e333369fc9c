#include "net/http2_header_cache.h"

#include <algorithm>

#include "net/same_bytes.h"

namespace flagstone::net {
namespace {

// What stands before field number `at`.
std::string_view text_before(const RequestStore& store, std::size_t at) {
  const std::string_view text = store.text;
  return at < store.fields.size() ? text.substr(0, store.fields[at].name_begin) : text;
}

bool begin_alike(const RequestStore& a, const RequestStore& b, std::size_t fields) {
  return text_before(a, fields) == text_before(b, fields) &&
         std::equal(a.fields.begin(), a.fields.begin() + static_cast<std::ptrdiff_t>(fields),
                    b.fields.begin());
}

}  // namespace

HeaderField Http2KnownHeader::field(std::size_t at) const {
  const RequestStore::Field& place = store.fields[at];
  const char* text = store.text.data();
  return {{text + place.name_begin, text + place.name_end},
          {text + place.name_end, text + place.value_end}};
}

bool Http2KnownHeader::has(std::size_t at, std::string_view name, std::string_view value) const {
  if (at >= store.fields.size()) return false;
  const HeaderField known = field(at);
  return same_bytes(known.value, value) && same_bytes(known.name, name);
}

Http2KnownHeader* Http2HeaderCache::find_like(const Http2KnownHeader& like, std::size_t at,
                                              std::string_view name, std::string_view value) const {
  for (const Slot& slot : slots_) {
    if (slot.known == nullptr || !slot.known->has(at, name, value)) continue;
    if (begin_alike(slot.known->store, like.store, at)) return slot.known.get();
  }
  return nullptr;
}

void Http2HeaderCache::remember(const Request& request, const RequestStore& store) {
  if (store.text.size() > KnownHeader::kBytesMax || store.fields.size() > KnownHeader::kFieldsMax) {
    return;
  }
  const std::uint64_t hash = header_hash(store.text);
  Slot& slot = slots_[hash % kHeadersMax];
  if (slot.seen != hash) {
    slot.seen = hash;
    return;
  }
  if (slot.known != nullptr && slot.known->users > 0) return;
  slot.known = std::make_unique<Http2KnownHeader>();
  slot.known->set(request, store);
  last_ = slot.known.get();
}

}  // namespace flagstone::net
