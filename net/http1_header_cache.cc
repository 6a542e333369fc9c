#include "net/http1_header_cache.h"

#include <algorithm>

#include "net/ascii.h"
#include "net/same_bytes.h"

namespace flagstone::net {
namespace {

constexpr std::string_view kLength = "content-length";
constexpr std::size_t kDigitsMax = 5;

// The digits that a line `Content-Length: 123` ends with; empty for other lines.
std::string_view length_digits(std::string_view line) {
  if (line.size() <= kLength.size() || line[kLength.size()] != ':') return {};
  if (!equal_ignoring_case(line.substr(0, kLength.size()), kLength)) return {};
  const std::string_view value = line.substr(kLength.size() + 1);
  const std::size_t begin = value.find_first_not_of(' ');
  const std::string_view digits = begin == std::string_view::npos ? "" : value.substr(begin);
  const bool is_number = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? digits : std::string_view();
}

}  // namespace

Http1HeaderCache::Outline Http1HeaderCache::outline_of(std::string_view bytes) {
  constexpr std::string_view kLineEnd = "\r\n";
  const std::string_view within = bytes.substr(0, KnownHeader::kBytesMax);
  std::string_view digits;
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = within.find(kLineEnd, at);
    if (end == std::string_view::npos || end == 0) return {};
    const std::size_t next = end + kLineEnd.size();
    if (end == at) {
      if (digits.empty()) return {within.substr(0, next), {}, {}};
      const auto begin = static_cast<std::size_t>(digits.data() - within.data());
      const std::size_t behind = begin + digits.size();
      return {within.substr(0, begin), digits, within.substr(behind, next - behind)};
    }
    const std::string_view found = length_digits(within.substr(at, end - at));
    if (!found.empty()) digits = found;
    at = next;
  }
}

std::uint64_t Http1HeaderCache::hash_of(const Outline& outline) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  const std::uint64_t hash = header_hash(outline.front) + outline.digits.size();
  return hash * kOdd + header_hash(outline.back);
}

// Its texts say so as well, for whoever reads the field.
bool Http1HeaderCache::set_length(Http1KnownHeader& known, std::string_view digits) {
  if (digits.size() != known.digits_size) return false;
  std::size_t length = 0;
  for (const char digit : digits) length = length * 10 + static_cast<std::size_t>(digit - '0');
  std::ranges::copy(digits, known.bytes.begin() + static_cast<std::ptrdiff_t>(known.digits_begin));
  std::ranges::copy(digits,
                    known.store.text.begin() + static_cast<std::ptrdiff_t>(known.digits_in_store));
  known.content_length = length;
  return true;
}

const Http1KnownHeader* Http1HeaderCache::find(std::string_view bytes) {
  if (last_ != nullptr && same_bytes(bytes.substr(0, last_->bytes.size()), last_->bytes)) {
    return last_;
  }
  const Outline outline = outline_of(bytes);
  if (outline.front.empty()) return nullptr;
  const std::uint64_t hash = hash_of(outline);
  const Slot& slot = slots_[hash % kHeadersMax];
  if (slot.known == nullptr || slot.hash != hash) return nullptr;
  Http1KnownHeader& known = *slot.known;
  const std::string_view known_bytes = known.bytes;
  const std::size_t behind = known.digits_begin + known.digits_size;
  if (!same_bytes(outline.front, known_bytes.substr(0, known.digits_begin)) ||
      !same_bytes(outline.back, known_bytes.substr(behind)) || !set_length(known, outline.digits)) {
    return nullptr;
  }
  last_ = &known;
  return last_;
}

void Http1HeaderCache::remember(std::string_view header, const Request& request,
                                const RequestStore& store, std::size_t content_length) {
  const Outline outline = outline_of(header);
  const std::size_t size = outline.front.size() + outline.digits.size() + outline.back.size();
  if (size == 0 || size != header.size() || outline.digits.size() > kDigitsMax) return;
  if (store.fields.size() > KnownHeader::kFieldsMax) return;
  const std::uint64_t hash = hash_of(outline);
  Slot& slot = slots_[hash % kHeadersMax];
  if (slot.seen != hash) {
    slot.seen = hash;
    return;
  }
  auto known = std::make_unique<Http1KnownHeader>();
  known->bytes = header;
  known->content_length = content_length;
  known->digits_begin = outline.front.size();
  known->digits_size = outline.digits.size();
  known->set(request, store);
  const auto length = request.header(kLength);
  if (length.value_or("") != outline.digits) return;
  if (length) {
    known->digits_in_store = static_cast<std::size_t>(length->data() - store.text.data());
  }
  if (last_ == slot.known.get()) last_ = nullptr;
  slot.hash = hash;
  slot.known = std::move(known);
}

}  // namespace flagstone::net
