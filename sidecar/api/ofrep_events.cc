#include "sidecar/api/ofrep_events.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "sidecar/selected_flags.h"
#include "sidecar/selector.h"

namespace flagstone::sidecar {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

}  // namespace

OfrepEvents::OfrepEvents(net::Loop& loop, ServingDesk& desk)
    : desk_(desk), keep_alive_timer_(loop, [this] { keep_alive(); }) {}

OfrepEvents::~OfrepEvents() = default;

std::string OfrepEvents::config_etag(const cache::EnvironmentState& environment,
                                     std::string_view selector) {
  if (!environment.snapshot) return {};
  auto parsed = Selector::parse(selector);
  std::uint64_t hash = selected_content_hash(*environment.snapshot, parsed.value_or(Selector{}));
  // Without quotes: it travels in JSON and in a query.
  return fmt::format("{:016x}", hash);
}

bool OfrepEvents::open(std::size_t environment, std::string_view selector,
                       net::Response& response) {
  if (subscribers_.size() >= kStreamsMax || !room_for(selector)) return false;
  // The head goes out at once, so that the client knows that it is connected.
  response.body() = ": connected\n\n";
  const net::HeaderField not_kept[] = {{"Cache-Control", "no-store"}};
  auto stream = response.open_stream(200, "text/event-stream", not_kept);
  if (!stream->open()) return true;
  subscribers_.push_back(
      {.environment = environment,
       .selector = std::string(selector),
       .known_etag = config_etag(desk_.state->environments[environment], selector),
       .behind = false,
       .stream = std::move(stream)});
  desk_.counters.event_streams_opened.add(1);
  Place place = std::prev(subscribers_.end());
  place->stream->set_on_closed([this, place] { subscribers_.erase(place); });
  place->stream->set_on_drained([this, place] {
    tell(*place, config_etag(desk_.state->environments[place->environment], place->selector));
  });
  if (!keep_alive_timer_.running()) keep_alive_timer_.start_repeating(kKeepAliveMs, kKeepAliveMs);
  return true;
}

bool OfrepEvents::room_for(std::string_view selector) const {
  std::set<std::string_view> known{selector};
  for (const Subscriber& subscriber : subscribers_) known.insert(subscriber.selector);
  return known.size() <= kSelectorsMax;
}

void OfrepEvents::on_published() {
  // Subscribers with one selector share its walk over the flags.
  std::map<std::pair<std::size_t, std::string_view>, std::string> etags;
  for (Subscriber& subscriber : subscribers_) {
    auto [at, missing] = etags.try_emplace({subscriber.environment, subscriber.selector});
    if (missing) {
      at->second =
          config_etag(desk_.state->environments[subscriber.environment], subscriber.selector);
    }
    if (at->second != subscriber.known_etag) tell(subscriber, at->second);
  }
}

void OfrepEvents::tell(Subscriber& subscriber, std::string etag) {
  if (etag == subscriber.known_etag && !subscriber.behind) return;
  std::int64_t now_ms = unix_now_ms();
  std::string event = "event: message\nid: " + std::to_string(now_ms) +
                      "\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\"" + etag +
                      "\",\"lastModified\":" + std::to_string(now_ms / kMsPerSecond) + "}\n\n";
  // Refused: on_drained comes back here and tells what is the latest then.
  subscriber.behind = !subscriber.stream->send(event);
  if (!subscriber.behind) subscriber.known_etag = std::move(etag);
}

void OfrepEvents::keep_alive() {
  for (Subscriber& subscriber : subscribers_) {
    // A reader that is too slow for it has other bytes to read.
    (void)subscriber.stream->send(": keep-alive\n\n");
  }
  if (subscribers_.empty()) keep_alive_timer_.stop();
}

void OfrepEvents::close_all() {
  for (Subscriber& subscriber : subscribers_) subscriber.stream->close();
  subscribers_.clear();
}

}  // namespace flagstone::sidecar
