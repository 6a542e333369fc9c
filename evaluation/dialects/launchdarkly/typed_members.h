// Takes the members of a JSON object by the types they must have, remembering the first that has
// another: the ground under parse.h.
//
// One per record that is parsed; views into what it is given. Never fails itself: what has the
// wrong type is taken for its default, and problem() says so at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "evaluation/arena.h"
#include "evaluation/value.h"

namespace flagstone::evaluation::launchdarkly {

class TypedMembers {
 public:
  explicit TypedMembers(Arena& arena) : arena_(arena) {}

  // For people; empty while all is well.
  const std::string& problem() const { return problem_; }

  bool boolean(const Member& member);
  std::string_view text(const Member& member);
  // Empty for null.
  std::string_view text_or_null(const Member& member);
  // Fractions are cut off.
  std::int64_t integer(const Member& member);
  std::optional<std::int64_t> integer_or_null(const Member& member);
  std::span<const Member> object(const Member& member);
  // Empty for null.
  std::span<const Member> object_or_null(const Member& member);
  std::span<const Value> list(const Member& member);
  // Empty for null.
  std::span<const Value> list_or_null(const Member& member);
  std::span<const Value> texts_or_null(const Member& member);

  // Each item of a list, which must be an object, by `read(members) -> T`.
  template <typename T, typename Read>
  std::span<const T> each(const Member& member, std::span<const Value> items, Read read) {
    const auto made = arena_.make_array<T>(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!items[i].is_object()) {
        fail(member, "a list of objects");
        return {};
      }
      made[i] = read(items[i].members());
    }
    return made;
  }

 private:
  void fail(const Member& member, std::string_view wanted);

  Arena& arena_;
  std::string problem_;
};

}  // namespace flagstone::evaluation::launchdarkly
