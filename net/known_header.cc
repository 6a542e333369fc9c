#include "net/known_header.h"

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

void copy_header(const RequestStore& from, RequestStore& to, Request& request) {
  to.text = from.text;
  to.fields = from.fields;
  to.views.clear();
  for (const HeaderField& field : from.views) {
    to.views.push_back(
        {moved(field.name, from.text, to.text), moved(field.value, from.text, to.text)});
  }
  request.method_text = moved(request.method_text, from.text, to.text);
  request.path = moved(request.path, from.text, to.text);
  request.query = moved(request.query, from.text, to.text);
  request.host = moved(request.host, from.text, to.text);
  request.headers = to.views;
}

}  // namespace

void KnownHeader::set(const Request& from_request, const RequestStore& from_store) {
  request = from_request;
  copy_header(from_store, store, request);
}

void KnownHeader::copy_to(RequestStore& to, Request& of_it) const { copy_header(store, to, of_it); }

std::uint64_t header_hash(std::string_view header) {
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
  if (!header.empty()) add(header.data(), header.size());  // an empty view may point nowhere
  return hash;
}

}  // namespace flagstone::net
