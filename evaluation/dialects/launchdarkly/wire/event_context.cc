#include "evaluation/dialects/launchdarkly/wire/event_context.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/launchdarkly/wire/json_integer.h"
#include "evaluation/json_text.h"
#include "evaluation/operators/numbers.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::string_view kMeta = "_meta";
constexpr std::string_view kPrivateAttributes = "privateAttributes";

// Not what is written in its own place, or never.
bool is_attribute(const IndividualContext& individual, const Member& member) {
  if (member.value.is_null()) return false;
  const std::string_view name = member.name;
  if (name == "name") return member.value.is_string();
  if (name == "key" || name == "kind" || name == "anonymous" || name == kMeta) return false;
  return !individual.is_open_feature || (name != "targetingKey" && name != kPrivateAttributes);
}

void append_value(std::string& out, const Value& value) {
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) out += ',';
  };
  switch (value.type()) {
    case Value::Type::kNull:
      out += "null";
      break;
    case Value::Type::kBool:
      out += value.as_bool() ? "true" : "false";
      break;
    case Value::Type::kInt:
      append_integer(out, value.as_int());
      break;
    case Value::Type::kUnsigned:
      append_integer(out, value.as_unsigned());
      break;
    case Value::Type::kDouble:
      if (std::isfinite(value.as_double())) {
        operators::append_json_number(out, value.as_double());
      } else {
        out += "null";  // A protobuf Struct can say it, JSON cannot.
      }
      break;
    case Value::Type::kString:
      append_json_string(out, value.as_string());
      break;
    case Value::Type::kArray:
      out += '[';
      for (const Value& item : value.items()) {
        separate();
        append_value(out, item);
      }
      out += ']';
      break;
    case Value::Type::kObject:
      out += '{';
      for (const Member& member : value.members()) {
        separate();
        append_json_string(out, member.name);
        out += ':';
        append_value(out, member.value);
      }
      out += '}';
      break;
  }
}

void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}

// A component of a reference: `~1` means a slash, `~0` a tilde.
bool component_is(std::string_view component, std::string_view name) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < component.size(); ++i, ++at) {
    char c = component[i];
    if (c == '~') c = component[++i] == '1' ? '/' : '~';
    if (at == name.size() || name[at] != c) return false;
  }
  return at == name.size();
}

bool is_reference(std::string_view reference) {
  if (!reference.starts_with('/')) return !reference.empty();
  if (reference.ends_with('/') || reference.contains("//")) return false;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i] != '~') continue;
    const char next = i + 1 < reference.size() ? reference[i + 1] : '\0';
    if (next != '0' && next != '1') return false;
  }
  return true;
}

enum class Match : std::uint8_t { kNone, kWhole, kBelow };

// Whether a reference means what the path names, or something below it. REQUIRES: is_reference().
Match match(std::string_view reference, std::span<const std::string_view> path) {
  if (!reference.starts_with('/')) {
    return path.size() == 1 && path[0] == reference ? Match::kWhole : Match::kNone;
  }
  for (const std::string_view name : path) {
    if (reference.empty()) return Match::kNone;
    reference.remove_prefix(1);
    const std::string_view component = reference.substr(0, reference.find('/'));
    if (!component_is(component, name)) return Match::kNone;
    reference.remove_prefix(component.size());
  }
  return reference.empty() ? Match::kWhole : Match::kBelow;
}

}  // namespace

bool EventContext::read(const EvaluationContext& context) {
  arena_.reset();
  context_ = context_of(context, arena_);
  return context_.is_valid;
}

std::uint64_t EventContext::key_hash() const {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
  std::uint64_t sum = 0;
  for (const IndividualContext& individual : individuals()) {
    const std::uint64_t kind =
        individual.kind == kDefaultContextKind ? 0 : digest64(individual.kind);
    const std::uint64_t both = (digest64(individual.key) ^ kind * kMix) * kMix;
    // A sum, so that the order does not matter.
    sum += both ^ both >> 32;
  }
  return sum;
}

bool EventContext::has_named() const {
  return !std::ranges::all_of(individuals(), &IndividualContext::anonymous);
}

void EventContext::append_json(std::string& out, Anonymous anonymous) {
  const auto is_told = [&](const IndividualContext& individual) {
    return anonymous != Anonymous::kOmitted || !individual.anonymous;
  };
  // One that is left of several is that one.
  if (std::ranges::count_if(individuals(), is_told) == 1) {
    return append_individual(out, *std::ranges::find_if(individuals(), is_told), true, anonymous);
  }
  out += R"({"kind":"multi")";
  for (const IndividualContext& individual : individuals()) {
    if (!is_told(individual)) continue;
    append_name(out, individual.kind);
    append_individual(out, individual, false, anonymous);
  }
  out += '}';
}

std::size_t EventContext::bytes() const {
  return arena_.bytes() + redacted_.capacity() + escaped_.capacity() +
         (private_.capacity() + private_names_.capacity() + path_.capacity()) *
             sizeof(std::string_view);
}

void EventContext::shrink(std::size_t bytes_max) {
  if (bytes() <= bytes_max) return;
  context_ = {};
  arena_ = Arena();
  std::string().swap(redacted_);
  std::string().swap(escaped_);
}

void EventContext::append_individual(std::string& out, const IndividualContext& individual,
                                     bool with_kind, Anonymous anonymous) {
  redacted_.clear();
  collect_private(individual);
  const bool redact_all = privacy_.all_attributes ||
                          private_.size() + private_names_.size() > kPrivateMax ||
                          (individual.anonymous && anonymous == Anonymous::kRedacted);
  out += '{';
  if (with_kind) {
    append_name(out, "kind");
    append_json_string(out, individual.kind);
  }
  append_name(out, "key");
  append_json_string(out, individual.key);
  for (const Member& member : individual.members) {
    if (!is_attribute(individual, member)) continue;
    if (redact_all) {
      redact(member.name);
    } else {
      append_attribute(out, member.name, member.value);
    }
  }
  if (individual.anonymous) out += R"(,"anonymous":true)";
  if (!redacted_.empty()) {
    out += R"(,"_meta":{"redactedAttributes":[)";
    out += redacted_;
    out += "]}";
  }
  out += '}';
}

void EventContext::append_attribute(std::string& out, std::string_view name, const Value& value) {
  path_.push_back(name);
  const Privacy privacy = privacy_of_path(value.is_object());
  if (privacy != Privacy::kPrivate) append_name(out, name);
  if (privacy == Privacy::kPublic) append_value(out, value);
  if (privacy == Privacy::kPartly) {
    out += '{';
    for (const Member& member : value.members()) append_attribute(out, member.name, member.value);
    out += '}';
  }
  path_.pop_back();
}

void EventContext::collect_private(const IndividualContext& individual) {
  private_.clear();
  private_names_.clear();
  collect_private(individual.private_attributes, individual.private_names_are_plain);
  // What an app copied from LaunchDarkly's own contexts says the same there.
  if (const Value* meta = Value::object(individual.members).member(kMeta)) {
    const Value* list = meta->member(kPrivateAttributes);
    if (list != nullptr && list->is_array()) collect_private(list->items(), false);
  }
}

void EventContext::collect_private(std::span<const Value> names, bool are_plain) {
  for (const Value& name : names) {
    if (private_.size() + private_names_.size() > kPrivateMax) return;
    if (!name.is_string()) continue;
    if (are_plain) {
      private_names_.push_back(name.as_string());
    } else if (is_reference(name.as_string())) {
      private_.push_back(name.as_string());
    }
  }
}

EventContext::Privacy EventContext::privacy_of_path(bool is_object) {
  Privacy privacy = Privacy::kPublic;
  for (const std::string& reference : privacy_.attributes) {
    if (is_private_by(reference, is_object, privacy)) return Privacy::kPrivate;
  }
  if (path_.size() == 1 && std::ranges::find(private_names_, path_[0]) != private_names_.end()) {
    redact(path_[0]);
    return Privacy::kPrivate;
  }
  for (const std::string_view reference : private_) {
    if (is_private_by(reference, is_object, privacy)) return Privacy::kPrivate;
  }
  return privacy;
}

// True: the reference means what path_ names, all of it.
bool EventContext::is_private_by(std::string_view reference, bool is_object, Privacy& privacy) {
  const Match matched = match(reference, path_);
  if (matched == Match::kBelow && is_object) privacy = Privacy::kPartly;
  if (matched != Match::kWhole) return false;
  if (!redacted_.empty()) redacted_ += ',';
  append_json_string(redacted_, reference);
  return true;
}

// The name of an attribute as a reference to it.
void EventContext::redact(std::string_view name) {
  if (!redacted_.empty()) redacted_ += ',';
  if (!name.starts_with('/')) return append_json_string(redacted_, name);
  escaped_.assign(1, '/');
  for (const char c : name) {
    if (c == '/' || c == '~') {
      escaped_ += c == '/' ? "~1" : "~0";
    } else {
      escaped_ += c;
    }
  }
  append_json_string(redacted_, escaped_);
}

}  // namespace flagstone::evaluation::launchdarkly
