#include "sidecar/api/launchdarkly_sdk_streams.h"

#include <cassert>
#include <iterator>
#include <utility>

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::launchdarkly;
using wire::DocumentForm;

DocumentForm form_for(SdkAudience audience) {
  switch (audience) {
    case SdkAudience::kAll:
      return DocumentForm::kPut;
    case SdkAudience::kFlagsOnly:
      return DocumentForm::kFlagsPut;
    case SdkAudience::kTransfer:
      return DocumentForm::kTransfer;
    case SdkAudience::kPolledTransfer:
      return DocumentForm::kPolledTransfer;
  }
  return DocumentForm::kPut;
}

}  // namespace

SdkStreams::SdkStreams(net::Loop& loop, ServingDesk& desk, SdkMirror& mirror, SlicedAnswers& slices)
    : desk_(desk),
      mirror_(mirror),
      slices_(slices),
      bodies_(loop, desk, mirror, [this](std::size_t environment) { tell_all(environment); }),
      messages_timer_(loop,
                      [this] {
                        messages_.clear();
                        settle();
                      }),
      keep_alive_timer_(loop, [this] { keep_alive(); }),
      retry_timer_(loop, [this] { on_published(); }) {}

SdkStreams::~SdkStreams() {
  lifeline_.cut();
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.slices != 0) slices_.cancel(subscriber.slices);
  }
}

void SdkStreams::add(std::size_t environment, SdkAudience audience,
                     std::optional<std::uint64_t> basis, std::unique_ptr<net::EventStream> stream) {
  assert(has_room());
  if (!stream->open()) return;
  Subscriber& added = subscribers_.emplace_back();
  added.environment = environment;
  added.audience = audience;
  added.stream = std::move(stream);
  const Place place = std::prev(subscribers_.end());
  listen_to(place);
  if (!keep_alive_timer_.running()) {
    const std::int64_t heartbeat_ms = desk_.settings.sdk_heartbeat.count();
    keep_alive_timer_.start_repeating(heartbeat_ms, heartbeat_ms);
  }
  const SdkMirror::Book& book = mirror_.book(environment);
  if (basis && book.has_data && book.log.knows(*basis)) {
    place->told = *basis;
    if (*basis == book.log.newest()) {
      std::string none;
      const SdkTarget target(mirror_, environment);
      append_intent(none, wire::Delivery::kStream, wire::Intent::kNone, "up-to-date",
                    target.view());
      (void)place->stream->send(none);
    }
  }
  tell(place);
  settle();
}

void SdkStreams::listen_to(Place place) {
  place->stream->set_on_closed([this, place] {
    remove(place);
    settle();
  });
  place->stream->set_on_drained([this, place] {
    place->behind = false;
    tell(place);
    settle();
  });
}

void SdkStreams::on_published() {
  messages_.clear();
  messages_timer_.start_once(kMessagesMs);
  for (Place place = subscribers_.begin(); place != subscribers_.end();) place = tell(place);
  settle();
}

void SdkStreams::tell_all(std::size_t environment) {
  for (Place place = subscribers_.begin(); place != subscribers_.end();) {
    place = place->environment == environment ? tell(place) : std::next(place);
  }
  settle();
}

SdkStreams::Place SdkStreams::tell(Place place) {
  Subscriber& subscriber = *place;
  const Place next = std::next(place);
  const SdkMirror::Book& book = mirror_.book(subscriber.environment);
  if (book.taken_out || !is_launchdarkly(mirror_.environment(subscriber.environment))) {
    if (subscriber.stream != nullptr) subscriber.stream->close();
    return remove(place);
  }
  const bool busy = subscriber.behind || subscriber.ended || subscriber.slices != 0;
  if (!book.has_data || busy) return next;
  if (subscriber.told == book.log.newest()) return next;
  if (!book.log.knows(subscriber.told) || !tell_changes(subscriber)) tell_everything(place);
  return next;
}

bool SdkStreams::tell_changes(Subscriber& subscriber) {
  const std::uint64_t newest = mirror_.book(subscriber.environment).log.newest();
  const MessageName name{subscriber.environment, subscriber.audience, subscriber.told};
  if (bringing_.contains(name)) return true;
  auto at = messages_.find(name);
  if (at == messages_.end()) {
    auto text = std::make_shared<std::string>();
    desk_.reader.begin(*mirror_.environment(subscriber.environment).snapshot);
    switch (append_sdk_delta(mirror_, subscriber.environment, subscriber.told, subscriber.audience,
                             desk_.reader, *text)) {
      case SdkDelta::kWritten:
        at = messages_.emplace(name, std::move(text)).first;
        break;
      case SdkDelta::kNeedsFull:
        at = messages_.emplace(name, nullptr).first;
        break;
      case SdkDelta::kNeedsDisk:
        bring_texts(name);
        return true;
      case SdkDelta::kFailed:
        retry_later();
        return true;
    }
  }
  if (at->second == nullptr) return false;
  if (!at->second->empty() && !send(subscriber, at->second)) return true;
  subscriber.told = newest;
  return true;
}

void SdkStreams::bring_texts(const MessageName& name) {
  bringing_.insert(name);
  desk_.late.bring(desk_.reader.waiting(),
                   lifeline_.guard([name](SdkStreams& streams, bool in_time) {
                     streams.bringing_.erase(name);
                     if (!in_time) return streams.retry_later();
                     streams.tell_all(std::get<0>(name));
                   }));
}

// Refused: on_drained comes back, and tells what is the latest then.
bool SdkStreams::send(Subscriber& subscriber, const Message& message) {
  subscriber.behind = !subscriber.stream->send_shared(message);
  if (!subscriber.behind) subscriber.body.reset();
  return !subscriber.behind;
}

void SdkStreams::tell_everything(Place place) {
  Subscriber& subscriber = *place;
  const DocumentForm form = form_for(subscriber.audience);
  make_room_for_body(subscriber.environment, subscriber.audience);
  // He may have been the slowest himself.
  if (subscriber.ended) return;
  const SdkBodies::Found found = bodies_.find(subscriber.environment, form);
  if (found.no_room) return send_in_slices(place);
  if (found.bytes == nullptr || !send(subscriber, found.bytes)) return;
  subscriber.body = found.bytes;
  subscriber.told = found.generation;
}

void SdkStreams::send_in_slices(Place place) {
  if (!slices_.has_room()) return retry_later();
  Subscriber& subscriber = *place;
  if (!subscriber.stream->open()) {  // The slices would end it at once, and he go with settle().
    subscriber.ended = true;
    return;
  }
  subscriber.body.reset();
  const std::uint64_t generation = mirror_.book(subscriber.environment).log.newest();
  auto text = std::make_unique<SdkDocumentText>(
      desk_, subscriber.environment,
      SdkDocument(form_for(subscriber.audience), SdkTarget(mirror_, subscriber.environment)));
  subscriber.slices =
      slices_.send(std::move(text), std::move(subscriber.stream),
                   [this, place, generation](std::unique_ptr<net::EventStream> stream) {
                     take_back(place, std::move(stream), generation);
                   });
}

void SdkStreams::take_back(Place place, std::unique_ptr<net::EventStream> stream,
                           std::uint64_t generation) {
  place->slices = 0;
  if (stream == nullptr) {
    remove(place);
    return settle();
  }
  place->stream = std::move(stream);
  place->told = generation;
  listen_to(place);
  tell(place);
  settle();
}

// The readers of the oldest body that has any are the slowest.
void SdkStreams::make_room_for_body(std::size_t environment, SdkAudience audience) {
  const auto old = bodies_.old_ones(environment, form_for(audience));
  if (old.size() <= kOldBodiesMax) return;
  for (const SdkBodies::Bytes& body : old) {
    if (end_readers_of(body)) return;
  }
}

// Those who are still being sent it take nothing else meanwhile, and so are known. What they have
// not taken is let go of at once. False: there are none.
bool SdkStreams::end_readers_of(const SdkBodies::Bytes& body) {
  bool some = false;
  for (Subscriber& subscriber : subscribers_) {
    if (subscriber.stream == nullptr || subscriber.ended) continue;
    if (subscriber.body.lock() != body) continue;
    if (subscriber.stream->send(wire::stream_comment())) {
      subscriber.body.reset();
      continue;
    }
    subscriber.stream->abort();
    subscriber.ended = true;
    some = true;
  }
  return some;
}

SdkStreams::Place SdkStreams::remove(Place place) {
  if (place->slices != 0) slices_.cancel(place->slices);
  return subscribers_.erase(place);
}

void SdkStreams::keep_alive() {
  for (Subscriber& subscriber : subscribers_) {
    if (subscriber.behind || subscriber.ended || subscriber.stream == nullptr) continue;
    const bool delivery = subscriber.audience == SdkAudience::kTransfer;
    const std::string_view beat = delivery ? wire::heartbeat_event() : wire::stream_comment();
    // A reader that is too slow for this one has other bytes to read.
    subscriber.behind = !subscriber.stream->send(beat);
    if (!subscriber.behind) subscriber.body.reset();
  }
  if (subscribers_.empty()) keep_alive_timer_.stop();
}

void SdkStreams::retry_later() {
  if (!retry_timer_.running()) retry_timer_.start_once(kRetryMs);
}

void SdkStreams::give_up_prepared() {
  bodies_.give_up();
  settle();
}

void SdkStreams::close_all() {
  std::string goodbye;
  wire::append_goodbye(goodbye, "stopping");
  while (!subscribers_.empty()) {
    Subscriber& subscriber = subscribers_.front();
    if (subscriber.stream != nullptr) {
      if (subscriber.audience == SdkAudience::kTransfer) (void)subscriber.stream->send(goodbye);
      subscriber.stream->close();
    }
    remove(subscribers_.begin());
  }
  settle();
}

void SdkStreams::settle() {
  std::erase_if(subscribers_, [](const Subscriber& subscriber) { return subscriber.ended; });
  std::size_t bytes = subscribers_.size() * sizeof(Subscriber) + mirror_.bytes();
  for (const auto& [name, message] : messages_) bytes += message ? message->capacity() : 0;
  desk_.counters.sdk_streams.set(subscribers_.size());
  desk_.counters.sdk_stream_bytes.set(bytes);
  bodies_.count();
}

}  // namespace flagstone::sidecar
