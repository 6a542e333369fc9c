#include "sidecar/flag_streams.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kLifetimeOver = "the stream's lifetime (stream-deadline) is over";
// Keep-alives that fall due within this time go out together.
constexpr std::int64_t kKeepAliveSlackMs = 1000;

}  // namespace

FlagStreams::FlagStreams(net::Loop& loop, ServingDesk& desk, std::int64_t keep_alive_ms)
    : loop_(loop),
      desk_(desk),
      keep_alive_ms_(keep_alive_ms),
      keep_alive_timer_(loop, [this] { keep_alive(); }),
      deadline_timer_(loop, [this] { end_overdue(); }) {}

FlagStreams::~FlagStreams() = default;

FlagStreams::AudienceName FlagStreams::name_of(std::size_t environment, const Selector& selector) {
  std::string name(selector.member_name());
  name += '=';
  name += selector.value;
  return {environment, std::move(name)};
}

FlagStreams::Audience* FlagStreams::find_audience(std::size_t environment,
                                                  const Selector& selector) const {
  auto found = audiences_.find(name_of(environment, selector));
  return found == audiences_.end() ? nullptr : found->second.get();
}

bool FlagStreams::has_room(std::size_t environment, const Selector& selector) const {
  if (subscribers_.size() >= kStreamsMax) return false;
  return selector.kind == Selector::Kind::kEverything || selectors_ < kSelectorsMax ||
         find_audience(environment, selector) != nullptr;
}

FlagStreams::Audience& FlagStreams::audience_of(std::size_t environment, const Selector& selector) {
  auto [at, missing] = audiences_.try_emplace(name_of(environment, selector));
  if (missing) {
    at->second = make_audience();
    Audience& audience = *at->second;
    audience.environment = environment;
    audience.selector_value = selector.value;
    audience.selector = {selector.kind, audience.selector_value};
    selectors_ += selector.kind != Selector::Kind::kEverything;
    refresh(audience, desk_.state->environments[environment]);
  }
  return *at->second;
}

void FlagStreams::add(std::size_t environment, const Selector& selector,
                      std::unique_ptr<net::RpcStream> stream) {
  assert(has_room(environment, selector));
  if (!stream->open()) return;
  Audience& audience = audience_of(environment, selector);
  const std::int64_t now_ms = loop_.now_ms();
  subscribers_.push_back({.audience = audience,
                          .stream = std::move(stream),
                          .opened_ms = now_ms,
                          .told_ms = now_ms,
                          .told = 0,
                          .behind = false});
  ++audience.told[0];
  const Place place = std::prev(subscribers_.end());
  place->stream->set_on_closed([this, place] {
    remove(place);
    settle();
  });
  place->stream->set_on_drained([this, place] {
    place->behind = false;
    tell(place);
    settle();
  });
  if (!keep_alive_timer_.running()) keep_alive_timer_.start_once(keep_alive_ms_);
  const auto lifetime = desk_.settings.stream_deadline;
  if (lifetime.count() > 0 && !deadline_timer_.running()) {
    deadline_timer_.start_once(lifetime.count());
  }
  tell(place);
  settle();
}

void FlagStreams::on_published() {
  for (auto& [name, audience] : audiences_) {
    refresh(*audience, desk_.state->environments[audience->environment]);
  }
  for (Place place = subscribers_.begin(); place != subscribers_.end();) place = tell(place);
  settle();
}

FlagStreams::Place FlagStreams::tell(Place place) {
  Subscriber& subscriber = *place;
  Audience& audience = subscriber.audience;
  const Place next = std::next(place);
  const bool taken_out =
      audience.version > 0 && !desk_.state->environments[audience.environment].snapshot;
  if (taken_out) {
    subscriber.stream->close(net::RpcCode::kUnavailable, "the environment is no longer served");
    return remove(place);
  }
  if (subscriber.behind || subscriber.told == audience.version) return next;
  News news = news_since(audience, subscriber.told, subscriber.stream->codec());
  if (news.end != net::RpcCode::kOk) {
    subscriber.stream->close(news.end, news.why);
    return remove(place);
  }
  if (news.message != nullptr) {
    // Refused: on_drained comes back here, and tells what is the latest then.
    subscriber.behind = !subscriber.stream->send_shared(news.message);
    if (subscriber.behind) return next;
    subscriber.told_ms = loop_.now_ms();
  }
  mark_told(subscriber, audience.version);
  return next;
}

void FlagStreams::mark_told(Subscriber& subscriber, Version version) {
  auto& told = subscriber.audience.told;
  auto before = told.find(subscriber.told);
  if (--before->second == 0) told.erase(before);
  ++told[version];
  subscriber.told = version;
}

FlagStreams::Place FlagStreams::remove(Place place) {
  Audience& audience = place->audience;
  auto before = audience.told.find(place->told);
  if (--before->second == 0) audience.told.erase(before);
  const Place next = subscribers_.erase(place);
  if (audience.told.empty()) {
    selectors_ -= audience.selector.kind != Selector::Kind::kEverything;
    audiences_.erase(name_of(audience.environment, audience.selector));
  }
  return next;
}

void FlagStreams::keep_alive() {
  if (subscribers_.empty()) return;
  const std::int64_t now_ms = loop_.now_ms();
  std::int64_t next_ms = now_ms + keep_alive_ms_;
  for (Subscriber& subscriber : subscribers_) {
    const std::int64_t due_ms = subscriber.told_ms + keep_alive_ms_;
    if (due_ms > now_ms) {
      next_ms = std::min(next_ms, due_ms);
      continue;
    }
    const Message message = keep_alive(subscriber.stream->codec());
    if (message == nullptr) return;  // This api has none.
    // Who waits for the first news hears nothing before it. A reader that is too slow for this one
    // has other bytes to read.
    if (subscriber.told != 0 && !subscriber.behind) {
      subscriber.behind = !subscriber.stream->send_shared(message);
    }
    subscriber.told_ms = now_ms;
  }
  keep_alive_timer_.start_once(std::max(next_ms - now_ms, kKeepAliveSlackMs));
}

void FlagStreams::end_overdue() {
  const std::int64_t lifetime_ms = desk_.settings.stream_deadline.count();
  const std::int64_t now_ms = loop_.now_ms();
  while (!subscribers_.empty() && subscribers_.front().opened_ms + lifetime_ms <= now_ms) {
    subscribers_.front().stream->close(net::RpcCode::kDeadlineExceeded, kLifetimeOver);
    remove(subscribers_.begin());
  }
  settle();
  if (subscribers_.empty()) return;
  deadline_timer_.start_once(subscribers_.front().opened_ms + lifetime_ms - now_ms);
}

void FlagStreams::close_all() {
  while (!subscribers_.empty()) {
    net::RpcStream& stream = *subscribers_.front().stream;
    const std::string_view goodbye = farewell(stream.codec());
    // Not shared, so that the end of the stream may stand behind it.
    if (!goodbye.empty()) (void)stream.send(goodbye);
    stream.close(net::RpcCode::kOk, {});
    remove(subscribers_.begin());
  }
  settle();
}

}  // namespace flagstone::sidecar
