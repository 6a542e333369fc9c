#include "evaluation/dialects/launchdarkly/wire/event_batch.h"

#include <algorithm>
#include <optional>
#include <set>

#include "evaluation/content_hash.h"
#include "evaluation/json_cursor.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

std::string member(std::string_view object, std::string_view name) {
  std::string found;
  JsonCursor members(object);
  for (std::string_view key, value; members.next(key, value);) {
    if (key != name) continue;
    found.clear();
    append_minified(found, value);
  }
  return found;
}

// Which context it is: kinds and keys, whatever else it says. Empty when it has no key.
std::string identity_of(std::string_view context) {
  const std::string kind = member(context, "kind");
  if (kind != R"("multi")") {
    const std::string key = member(context, "key");
    return key.empty() ? std::string() : (kind.empty() ? R"("user")" : kind) + ":" + key;
  }
  std::set<std::string> parts;
  JsonCursor members(context);
  for (std::string_view name, value; members.next(name, value);) {
    if (!value.starts_with('{')) continue;
    parts.insert('"' + std::string(name) + "\":" + member(value, "key"));
  }
  std::string identity;
  for (const std::string& part : parts) identity += part + ",";
  return identity;
}

// The context of an index event that has nothing else in it; empty otherwise.
std::string_view context_of_index(std::string_view event) {
  std::string_view context;
  JsonCursor members(event);
  for (std::string_view key, value; members.next(key, value);) {
    if (key == "context") {
      context = value;
    } else if (key != "kind" && key != "creationDate") {
      return {};
    }
  }
  return context.starts_with('{') ? context : std::string_view();
}

}  // namespace

bool IndexWindow::knows(std::string_view context, std::int64_t now_ms) {
  const std::string identity = identity_of(context);
  if (identity.empty()) return false;
  forget_old(now_ms);
  const std::uint64_t who = digest64(identity);
  std::string plain;
  append_minified(plain, context);
  const std::uint64_t content = digest64(plain);
  auto [at, is_new] = told_.try_emplace(who, Told{.content = content, .at_ms = now_ms});
  if (!is_new && at->second.content == content) return true;
  at->second = {.content = content, .at_ms = now_ms};
  order_.emplace_back(now_ms, who);
  return false;
}

void IndexWindow::forget_old(std::int64_t now_ms) {
  while (!order_.empty() &&
         (order_.front().first + kWindowMs <= now_ms || order_.size() >= kContextsMax)) {
    const auto [at_ms, who] = order_.front();
    order_.pop_front();
    const auto found = told_.find(who);
    // It may have been told of again since.
    if (found != told_.end() && found->second.at_ms == at_ms) told_.erase(found);
  }
}

EventBatch::Taken EventBatch::add(EventList list, IndexWindow& window, std::int64_t now_ms) {
  Taken taken;
  const std::size_t before = events();
  for (std::string_view event; list.next(event);) {
    ++taken.events;
    const std::string_view kind = kind_of_event(event);
    if (kind == R"("summary")" && take_summary(event)) continue;
    if (kind == R"("index")") {
      const std::string_view context = context_of_index(event);
      if (!context.empty() && window.knows(context, now_ms)) continue;
    }
    if (verbatim_count_++ > 0) verbatim_ += ',';
    verbatim_ += event;
  }
  taken.merged_away = taken.events - std::min(taken.events, events() - before);
  return taken;
}

bool EventBatch::take_summary(std::string_view event) {
  const std::optional<Summary> summary = read_summary(event);
  return summary && sum_.add(*summary);
}

std::string EventBatch::json() const {
  std::string out;
  out.reserve(bytes());
  out += '[';
  out += verbatim_;
  if (verbatim_count_ > 0 && !sum_.empty()) out += ',';
  sum_.append_to(out);
  out += ']';
  return out;
}

}  // namespace flagstone::evaluation::launchdarkly
