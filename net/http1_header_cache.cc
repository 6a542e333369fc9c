#include "net/http1_header_cache.h"

#include <cstring>
#include <functional>

namespace flagstone::net {
namespace {

// The same part of another text, if it is one of `from`: some views are of constants.
std::string_view moved(std::string_view part, std::string_view from, std::string_view to) {
  if (part.empty()) return {};
  const bool within = !std::less<>()(part.data(), from.data()) &&
                      std::less<>()(part.data(), from.data() + from.size());
  return within ? to.substr(static_cast<std::size_t>(part.data() - from.data()), part.size())
                : part;
}

void copy_text(const RequestStore& from, RequestStore& to) {
  to.text = from.text;
  to.fields = from.fields;
  to.views.clear();
  for (const HeaderField& field : from.views) {
    to.views.push_back(
        {moved(field.name, from.text, to.text), moved(field.value, from.text, to.text)});
  }
}

// Makes what views one text view its copy.
void move_views(const RequestStore& from, const RequestStore& to, Request& request) {
  request.path = moved(request.path, from.text, to.text);
  request.query = moved(request.query, from.text, to.text);
  request.host = moved(request.host, from.text, to.text);
  request.headers = to.views;
}

}  // namespace

std::string_view Http1HeaderCache::header_of(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = bytes.substr(0, kHeaderBytesMax).find(kEnd);
  return end == std::string_view::npos ? std::string_view() : bytes.substr(0, end + kEnd.size());
}

// Whoever finds two headers with one hash gains nothing: the bytes are compared.
std::uint64_t Http1HeaderCache::hash_of(std::string_view header) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  constexpr unsigned kHalf = 32;
  std::uint64_t hash = header.size();
  const auto add = [&hash](const char* at, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, size);
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> kHalf;
  };
  for (; header.size() > sizeof hash; header.remove_prefix(sizeof hash)) {
    add(header.data(), sizeof hash);
  }
  add(header.data(), header.size());
  return hash;
}

const Http1KnownHeader* Http1HeaderCache::find(std::string_view bytes) {
  if (last_ != nullptr && bytes.starts_with(last_->bytes)) return last_;
  const std::string_view header = header_of(bytes);
  if (header.empty()) return nullptr;
  const std::uint64_t hash = hash_of(header);
  const Slot& slot = slots_[hash % kHeadersMax];
  if (slot.known == nullptr || slot.hash != hash || slot.known->bytes != header) return nullptr;
  last_ = slot.known.get();
  return last_;
}

void Http1HeaderCache::remember(std::string_view header, const Request& request,
                                const RequestStore& store, std::size_t content_length) {
  // What stands before the request line, or is not ended as we look for it, is not for us.
  if (header.empty() || header_of(header) != header || store.fields.size() > kFieldsMax) return;
  const std::uint64_t hash = hash_of(header);
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
  known.request = request;
  copy_text(store, known.store);
  move_views(store, known.store, known.request);
}

void Http1HeaderCache::copy(const Http1KnownHeader& known, RequestStore& store, Request& request) {
  copy_text(known.store, store);
  move_views(known.store, store, request);
}

}  // namespace flagstone::net
