#include "evaluation/dialects/flagd/validate.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "evaluation/dialect.h"
#include "evaluation/json_bytes.h"
#include "evaluation/json_skip.h"
#include "evaluation/same_text.h"

namespace flagstone::evaluation::flagd {
namespace {

bool has_escape(std::string_view between_quotes) {
  return between_quotes.find('\\') != std::string_view::npos;
}

// Whether `raw` is one object that JsonReader makes a value of, and `members` took all it was told.
bool passes(std::string_view raw, PassedMembers& members) {
  if (raw.size() > kRecordBytesMaxDefault) return false;
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end && is_json_space(*at)) ++at;
  if (at == end || *at != '{') return false;
  const auto passed = pass_object(at + 1, end, members);
  if (!passed || !passed->readable) return false;
  at = passed->end;
  while (at != end && is_json_space(*at)) ++at;
  return at == end;
}

// Takes what parse_flag() takes, as far as it can be told from a value's first byte.
class FlagMembers final : public PassedMembers {
 public:
  explicit FlagMembers(std::string_view raw) : end_(raw.data() + raw.size()) {}

  bool take(const PassedMember& member) override {
    if (member.depth == 2) {
      if (in_variants_) take_variant(member.escaped_name);
      return true;
    }
    in_variants_ = false;
    if (member.value == end_ || has_escape(member.escaped_name)) return false;
    return take_top(member.escaped_name, member.value);
  }

  bool default_variant_is_known() const {
    if (default_variant_.empty()) return true;
    for (std::size_t i = 0; i < variant_count_; ++i) {
      if (same_text(variants_[i], default_variant_)) return true;
    }
    return false;
  }

 private:
  enum Seen : std::uint8_t {
    kNothing = 0,
    kKey = 1,
    kSource = 2,
    kState = 4,
    kVariants = 8,
    kDefaultVariant = 16,
    kMetadata = 32,
    kTargeting = 64,
  };

  // Of duplicates the last counts: too rare to be dealt with here. null counts as absent.
  bool take_top(std::string_view name, const char* value) {
    const bool null = *value == 'n';
    switch (seen_as(name)) {
      case kKey:
        return first(kKey) && (null || *value == '"');
      case kSource:
        return first(kSource) && (null || *value == '"');
      case kState:
        return first(kState) && (null || *value == '"');
      case kMetadata:
        return first(kMetadata) && (null || *value == '{');
      case kVariants:
        in_variants_ = *value == '{';
        return first(kVariants) && (null || in_variants_);
      case kDefaultVariant:
        return first(kDefaultVariant) && (null || take_default_variant(value));
      case kTargeting:
        return first(kTargeting);
      case kNothing:
        break;
    }
    return true;
  }

  static Seen seen_as(std::string_view name) {
    const auto is = [name](std::string_view wanted) { return same_text(name, wanted); };
    switch (name.size()) {
      case 3:
        return is("key") ? kKey : kNothing;
      case 5:
        return is("state") ? kState : kNothing;
      case 6:
        return is("source") ? kSource : kNothing;
      case 8:
        return is("variants") ? kVariants : is("metadata") ? kMetadata : kNothing;
      case 9:
        return is("targeting") ? kTargeting : kNothing;
      case 14:
        return is("defaultVariant") ? kDefaultVariant : kNothing;
      default:
        return kNothing;
    }
  }

  bool first(Seen member) {
    if ((seen_ & member) != 0) return false;
    seen_ = static_cast<std::uint8_t>(seen_ | member);
    return true;
  }

  bool take_default_variant(const char* value) {
    if (*value != '"') return false;
    const char* const begin = value + 1;
    const char* const quote = find_closing_quote(begin, end_);
    default_variant_ = {begin, static_cast<std::size_t>(quote - begin)};
    return !has_escape(default_variant_);
  }

  // A name that is left out or has escapes is not found, and compiling has to look.
  void take_variant(std::string_view name) {
    if (variant_count_ != variants_.size()) variants_[variant_count_++] = name;
  }

  const char* const end_;
  std::uint8_t seen_ = 0;
  bool in_variants_ = false;
  std::string_view default_variant_;
  std::size_t variant_count_ = 0;
  std::array<std::string_view, 32> variants_;
};

class CountedMembers final : public PassedMembers {
 public:
  bool take(const PassedMember&) override {
    any_ = true;
    return true;
  }
  bool any() const { return any_; }

 private:
  bool any_ = false;
};

}  // namespace

bool is_plainly_a_flag(std::string_view raw) {
  FlagMembers members(raw);
  return passes(raw, members) && members.default_variant_is_known();
}

bool is_plainly_an_evaluator(std::string_view raw) {
  CountedMembers members;
  return passes(raw, members) && members.any();
}

}  // namespace flagstone::evaluation::flagd
