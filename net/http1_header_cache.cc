#include "net/http1_header_cache.h"

#include "net/same_bytes.h"

namespace flagstone::net {

std::string_view Http1HeaderCache::header_of(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = bytes.substr(0, KnownHeader::kBytesMax).find(kEnd);
  return end == std::string_view::npos ? std::string_view() : bytes.substr(0, end + kEnd.size());
}

const Http1KnownHeader* Http1HeaderCache::find(std::string_view bytes) {
  if (last_ != nullptr && same_bytes(bytes.substr(0, last_->bytes.size()), last_->bytes)) {
    return last_;
  }
  const std::string_view header = header_of(bytes);
  if (header.empty()) return nullptr;
  const std::uint64_t hash = header_hash(header);
  const Slot& slot = slots_[hash % kHeadersMax];
  if (slot.known == nullptr || slot.hash != hash || slot.known->bytes != header) return nullptr;
  last_ = slot.known.get();
  return last_;
}

void Http1HeaderCache::remember(std::string_view header, const Request& request,
                                const RequestStore& store, std::size_t content_length) {
  // What stands before the request line, or is not ended as we look for it, is not for us.
  if (header.empty() || header_of(header) != header ||
      store.fields.size() > KnownHeader::kFieldsMax)
    return;
  const std::uint64_t hash = header_hash(header);
  Slot& slot = slots_[hash % kHeadersMax];
  if (slot.seen != hash) {
    slot.seen = hash;
    return;
  }
  if (last_ == slot.known.get()) last_ = nullptr;
  slot.hash = hash;
  slot.known = std::make_unique<Http1KnownHeader>();
  Http1KnownHeader& known = *slot.known;
  known.bytes = header;
  known.content_length = content_length;
  known.set(request, store);
}

}  // namespace flagstone::net
