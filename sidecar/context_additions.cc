#include "sidecar/context_additions.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "evaluation/utf8.h"

namespace flagstone::sidecar {
namespace {

using evaluation::Member;
using evaluation::Value;

// Empty when the header is absent, empty, or no text that could stand in an answer: it is then as
// if it were not mapped, and the request's own attribute stays.
std::string_view mapped_value(const net::Request& request, std::string_view header) {
  const std::string_view value = request.header(header).value_or(std::string_view());
  return evaluation::is_utf8(value) ? value : std::string_view();
}

// Members in room for as many as will come, each name once.
class Members {
 public:
  explicit Members(std::span<Member> room) : room_(room) {}

  // The last to set a name wins.
  void set(std::string_view name, std::string_view value) {
    Member* known = find(name);
    if (known == nullptr) known = &room_[count_++];
    *known = {.name = name, .value = Value::string(value)};
  }
  void close_additions() { additions_ = count_; }
  // The first to set a name wins, of those set before close_additions().
  void keep(const Member& member) {
    if (find(member.name) == nullptr) room_[count_++] = member;
  }
  std::span<const Member> all() const { return room_.first(count_); }
  bool empty() const { return count_ == 0; }

 private:
  Member* find(std::string_view name) {
    const auto known = room_.first(std::min(count_, additions_));
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Member& member) { return member.name == name; });
    return found == known.end() ? nullptr : &*found;
  }

  std::span<Member> room_;
  std::size_t count_ = 0;
  std::size_t additions_ = static_cast<std::size_t>(-1);
};

void add_text(evaluation::ContentHash& hash, std::string_view text) {
  // With its size before it, so that texts cannot change places with their neighbours' ends.
  const std::size_t size = text.size();
  hash.add({reinterpret_cast<const char*>(&size), sizeof size});
  hash.add(text);
}

}  // namespace

evaluation::EvaluationContext ContextAdditions::merge(const evaluation::EvaluationContext& context,
                                                      const net::Request& request,
                                                      Headers headers) {
  const auto& from_headers = settings_.context_from_headers;
  const bool mapped = headers == Headers::kMapped && !from_headers.empty();
  if (settings_.static_context.empty() && !mapped) return context;
  arena_.reset();
  const auto own = context.attributes().members();
  Members members(arena_.make_array<Member>(own.size() + settings_.static_context.size() +
                                            from_headers.size()));
  for (const auto& [name, value] : settings_.static_context) members.set(name, value);
  if (mapped) {
    for (const auto& [header, attribute] : from_headers) {
      const std::string_view value = mapped_value(request, header);
      if (!value.empty()) members.set(attribute, value);
    }
  }
  if (members.empty()) return context;
  members.close_additions();
  for (const Member& member : own) members.keep(member);
  return evaluation::EvaluationContext(Value::object(members.all()));
}

void ContextAdditions::add_to(evaluation::ContentHash& hash, const net::Request& request) const {
  for (const auto& [name, value] : settings_.static_context) {
    add_text(hash, name);
    add_text(hash, value);
  }
  for (const auto& [header, attribute] : settings_.context_from_headers) {
    add_text(hash, attribute);
    add_text(hash, mapped_value(request, header));
  }
}

}  // namespace flagstone::sidecar
