// A context as LaunchDarkly's events show it: which kinds and keys it has, and its
// JSON without what must not leave the app.
//
// One per thread that reports evaluations. Views of the context last read; nothing allocates once
// its memory has grown. Source: go-sdk-events v3 (context_formatter).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/arena.h"
#include "evaluation/dialects/launchdarkly/context.h"
#include "evaluation/evaluation_context.h"

namespace flagstone::evaluation::launchdarkly {

// What the operator keeps out of events, whatever a context says of itself.
struct EventPrivacy {
  bool all_attributes = false;
  std::vector<std::string> attributes = {};  // Well-formed references.
  bool omits_anonymous = false;              // From index events.
  bool operator==(const EventPrivacy&) const = default;
};

class EventContext {
 public:
  // With more than so many private attributes all attributes are taken for private: each of the
  // ones is compared with each of the others.
  static constexpr std::size_t kPrivateMax = 64;

  void set_privacy(EventPrivacy privacy) { privacy_ = std::move(privacy); }
  const EventPrivacy& privacy() const { return privacy_; }

  // False when LaunchDarkly's SDKs would call it invalid: no key, a kind that is none.
  bool read(const EvaluationContext& context);

  // At least one after read() said true.
  std::span<const IndividualContext> individuals() const { return context_.individuals; }
  // The same for contexts of the same kinds and keys, in whatever order.
  std::uint64_t key_hash() const;

  // False: all of it is anonymous.
  bool has_named() const;

  // What becomes of the anonymous ones: kRedacted, none of their attributes is told.
  enum class Anonymous : std::uint8_t { kShown, kRedacted, kOmitted };
  // As the `context` member of an event: private attributes are left out and named in
  // `_meta.redactedAttributes`. REQUIRES: has_named() for kOmitted.
  void append_json(std::string& out, Anonymous anonymous);

  // Gives back what an unusual context took beyond that. What was read is gone.
  void shrink(std::size_t bytes_max);
  std::size_t bytes() const;

 private:
  void append_individual(std::string& out, const IndividualContext& individual, bool with_kind,
                         Anonymous anonymous);
  void append_attribute(std::string& out, std::string_view name, const Value& value);
  void collect_private(const IndividualContext& individual);
  void collect_private(std::span<const Value> names, bool are_plain);
  // How the private attributes are to what path_ names.
  enum class Privacy : std::uint8_t { kPublic, kPrivate, kPartly };
  Privacy privacy_of_path(bool is_object);
  bool is_private_by(std::string_view reference, bool is_object, Privacy& privacy);
  void redact(std::string_view reference);

  Arena arena_;
  Context context_;
  EventPrivacy privacy_;
  // Of the individual being written: references, and plain names.
  std::vector<std::string_view> private_;
  std::vector<std::string_view> private_names_;
  std::vector<std::string_view> path_;
  std::string redacted_;  // JSON strings with commas between.
  std::string escaped_;
};

}  // namespace flagstone::evaluation::launchdarkly
