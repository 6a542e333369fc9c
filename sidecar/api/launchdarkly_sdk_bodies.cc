#include "sidecar/api/launchdarkly_sdk_bodies.h"

#include <algorithm>

namespace flagstone::sidecar {

using evaluation::launchdarkly::DocumentForm;

SdkBodies::SdkBodies(net::Loop& loop, ServingDesk& desk, const SdkMirror& mirror,
                     std::function<void(std::size_t environment)> made)
    : loop_(loop), desk_(desk), mirror_(mirror), made_(std::move(made)), timer_(loop, [this] {
        look_at_the_clock();
      }) {}

SdkBodies::~SdkBodies() {
  lifeline_.cut();
  for (auto& [name, making] : making_) desk_.give_back(std::move(making.state));
}

SdkBodies::Found SdkBodies::find(std::size_t environment, DocumentForm form) {
  const Name name{environment, form};
  const std::int64_t now_ms = loop_.now_ms();
  if (const auto kept = kept_.find(name); kept != kept_.end()) {
    const bool newest = kept->second.generation == mirror_.book(environment).log.newest();
    if (newest || kept->second.fresh) {
      kept->second.asked_ms = now_ms;
      return {.bytes = kept->second.bytes, .generation = kept->second.generation};
    }
    // Nobody asks for the old one again.
    kept_.erase(kept);
  }
  if (making_.contains(name)) return {};
  if (const auto retry = retry_ms_.find(name); retry != retry_ms_.end()) {
    if (now_ms < retry->second) return {};
    retry_ms_.erase(retry);
  }
  // Hundreds may ask at once, and each time all of the environment's texts are summed up.
  if (const auto known = no_room_.find(name); known != no_room_.end()) {
    const bool newest = known->second.generation == mirror_.book(environment).log.newest();
    if (newest && now_ms < known->second.until_ms) {
      return {.bytes = nullptr, .generation = 0, .no_room = true};
    }
    no_room_.erase(known);
  }
  return begin(name);
}

SdkBodies::Found SdkBodies::begin(const Name& name) {
  const auto& [environment, form] = name;
  const cache::Snapshot& snapshot = *mirror_.environment(environment).snapshot;
  const std::size_t bytes = SdkDocument::bytes_of(snapshot, form);
  const std::uint64_t generation = mirror_.book(environment).log.newest();
  if (bytes > std::min(kBytesMax, desk_.prepared_bytes_max())) {
    no_room_[name] = {.generation = generation, .until_ms = loop_.now_ms() + kRetryMs};
    return {.bytes = nullptr, .generation = 0, .no_room = true};
  }
  Making making{.state = mirror_.state(),
                .document = SdkDocument(form, SdkTarget(mirror_, environment)),
                .text = std::make_shared<std::string>(),
                .generation = generation,
                .number = next_number_++};
  making.text->reserve(bytes);
  alive_.push_back({.name = name, .bytes = making.text});
  const std::uint64_t number = making.number;
  making_.emplace(name, std::move(making));
  // A small one is there at once.
  go_on(name, number);
  const auto kept = kept_.find(name);
  if (kept == kept_.end()) return {};
  return {.bytes = kept->second.bytes, .generation = kept->second.generation};
}

void SdkBodies::go_on(const Name& name, std::uint64_t number) {
  const auto at = making_.find(name);
  if (at == making_.end() || at->second.number != number) return;
  Making& making = at->second;
  const cache::Snapshot& snapshot = *making.state->environments[name.first].snapshot;
  const auto until = SdkDocument::Clock::now() + desk_.settings.bulk_slice;
  switch (making.document.write(snapshot, desk_.reader, kSliceBytes, until, *making.text)) {
    case SliceWritten::kAll:
      return finish(name, false);
    case SliceWritten::kFailed:
      return finish(name, true);
    case SliceWritten::kNeedsDisk:
      return desk_.late.bring(desk_.reader.waiting(),
                              lifeline_.guard([name, number](SdkBodies& bodies, bool in_time) {
                                if (in_time) return bodies.resume(name, number);
                                bodies.give_up_making(name, number);
                              }));
    case SliceWritten::kSlice:
      (void)loop_.post(
          lifeline_.guard([name, number](SdkBodies& bodies) { bodies.resume(name, number); }));
  }
}

// It is tried again after a while, for those who still want it.
void SdkBodies::give_up_making(const Name& name, std::uint64_t number) {
  const auto at = making_.find(name);
  if (at != making_.end() && at->second.number == number) finish(name, true);
}

// Between turns, so that whoever waits for the body is told.
void SdkBodies::resume(const Name& name, std::uint64_t number) {
  go_on(name, number);
  if (making_.contains(name)) return;
  const auto kept = kept_.find(name);
  if (kept != kept_.end()) kept->second.fresh = true;
  made_(name.first);
  const auto told = kept_.find(name);
  if (told == kept_.end()) return;
  told->second.fresh = false;
  const bool newest = told->second.generation == mirror_.book(name.first).log.newest();
  // They have what has become old meanwhile.
  if (!newest) made_(name.first);
}

void SdkBodies::finish(const Name& name, bool failed) {
  const auto at = making_.find(name);
  Making made = std::move(at->second);
  making_.erase(at);
  desk_.give_back(std::move(made.state));
  const std::int64_t now_ms = loop_.now_ms();
  if (failed) {
    retry_ms_[name] = now_ms + kRetryMs;
  } else {
    kept_[name] = {
        .bytes = std::move(made.text), .generation = made.generation, .asked_ms = now_ms};
  }
  if (!timer_.running()) timer_.start_once(kRetryMs);
}

void SdkBodies::look_at_the_clock() {
  const std::int64_t now_ms = loop_.now_ms();
  std::erase_if(kept_,
                [now_ms](const auto& item) { return item.second.asked_ms + kIdleMs <= now_ms; });
  std::vector<std::size_t> again;
  for (const auto& [name, retry_ms] : retry_ms_) {
    if (retry_ms <= now_ms) again.push_back(name.first);
  }
  for (const std::size_t environment : again) made_(environment);
  std::erase_if(retry_ms_, [now_ms](const auto& item) { return item.second <= now_ms; });
  count();
  if (!kept_.empty() || !retry_ms_.empty()) timer_.start_once(kRetryMs);
}

void SdkBodies::give_up() {
  kept_.clear();
  count();
}

void SdkBodies::count() {
  std::erase_if(alive_, [](const Alive& body) { return body.bytes.expired(); });
  std::size_t bytes = 0;
  for (const Alive& body : alive_) {
    if (const auto text = body.bytes.lock()) bytes += text->capacity();
  }
  desk_.counters.sdk_prepared_bytes.set(bytes);
}

std::vector<SdkBodies::Bytes> SdkBodies::old_ones(std::size_t environment, DocumentForm form) {
  std::vector<Bytes> found;
  const Name name{environment, form};
  const auto kept = kept_.find(name);
  const auto making = making_.find(name);
  for (const Alive& body : alive_) {
    if (body.name != name) continue;
    Bytes text = body.bytes.lock();
    if (text == nullptr) continue;
    const bool is_newest = kept != kept_.end() && kept->second.bytes == text;
    const bool is_made = making != making_.end() && making->second.text == text;
    if (!is_newest && !is_made) found.push_back(std::move(text));
  }
  return found;
}

}  // namespace flagstone::sidecar
