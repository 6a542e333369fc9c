#include "sidecar/api/flagd_evaluation_events.h"

#include <set>
#include <utility>
#include <vector>

#include "evaluation/content_hash.h"
#include "evaluation/dialects/flagd/wire/stream_messages.h"
#include "evaluation/json_text.h"
#include "sidecar/routing.h"
#include "sidecar/selected_flags.h"
#include "sidecar/shared_records.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::flagd;
using net::RpcCode;

constexpr std::string_view kSelectorHeader = "flagd-selector";
constexpr std::string_view kMethods[] = {"/flagd.evaluation.v1.Service/EventStream",
                                         "/flagd.evaluation.v2.Service/EventStream",
                                         "/schema.v1.Service/EventStream"};

// As flagd calls them.
std::string_view name_of(FlagChange change) {
  switch (change) {
    case FlagChange::kAdded:
      return "write";
    case FlagChange::kChanged:
      return "update";
    case FlagChange::kRemoved:
      return "delete";
  }
  return {};
}

std::string changes_json(const std::vector<ChangedFlag>& changes) {
  std::string json = "{\"flags\":{";
  for (const ChangedFlag& changed : changes) {
    if (&changed != &changes.front()) json += ',';
    evaluation::append_json_string(json, changed.key);
    json += ":{\"type\":\"";
    json += name_of(changed.change);
    json += "\"}";
  }
  json += "}}";
  return json;
}

std::uint64_t combine(std::uint64_t hash, std::uint64_t more) {
  // Odd and large: the order counts, and small differences spread.
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
  return (hash ^ (hash >> 32)) * kFactor + more;
}

// What stands for the content of one snapshot's flags.
class FlagContent {
 public:
  explicit FlagContent(const cache::Snapshot& snapshot) : snapshot_(snapshot) {
    for (const auto& layer : snapshot.layers()) {
      layers_.push_back(combine(evaluation::digest64(layer->name), layer->metadata_hash));
    }
  }

  std::uint64_t of(const cache::Entry& flag) {
    std::uint64_t hash = combine(layers_[flag.layer()], flag.content_hash());
    seen_.clear();
    to_read_.assign(1, flag.answering());
    // Grows while it is walked, each record once, so circles end.
    for (std::size_t i = 0; i < to_read_.size(); ++i) {
      if (to_read_[i] == nullptr || !to_read_[i]->traits().refers_to_others) continue;
      // What cannot be read has a content like everything else: its hash is in already.
      if (!SharedRecords::answering_text(*to_read_[i], reader_, text_)) continue;
      for (const auto& [kind, name] : snapshot_.dialect().references(text_of(*to_read_[i]))) {
        const cache::Entry* named = find(kind, flag.set_id(), name);
        if (named == nullptr || !seen_.insert(named).second) continue;
        hash = combine(hash, named->content_hash());
        to_read_.push_back(named->answering());
      }
    }
    return hash;
  }

 private:
  // Of its own set, else of any.
  const cache::Entry* find(evaluation::RecordKind kind, std::string_view set_id,
                           std::string_view name) const {
    const cache::Entry* entry = snapshot_.find_record(kind, set_id, name);
    return entry != nullptr ? entry : snapshot_.find_record_in_any_set(kind, name);
  }
  evaluation::RecordText text_of(const cache::Entry& entry) const {
    return {.kind = entry.kind(), .set_id = entry.set_id(), .key = entry.key(), .raw = text_};
  }

  const cache::Snapshot& snapshot_;
  cache::RecordReader reader_{cache::RecordReader::Patience::kDisk};
  std::string text_;
  std::vector<std::uint64_t> layers_;
  std::set<const cache::Entry*> seen_;
  std::vector<const cache::Entry*> to_read_;
};

std::size_t place_of(net::RpcCodec codec) { return codec == net::RpcCodec::kProto ? 0 : 1; }

}  // namespace

FlagdEventStreams::FlagdEventStreams(net::Loop& loop, ServingDesk& desk, std::int64_t keep_alive_ms)
    : FlagStreams(loop, desk, keep_alive_ms),
      ready_(make_messages("provider_ready", {})),
      keep_alive_(make_messages("keep_alive", {})),
      shutdown_(make_messages("provider_shutdown", {})) {}

FlagdEventStreams::Messages FlagdEventStreams::make_messages(std::string_view type,
                                                             std::string_view data_json) {
  std::string proto;
  wire::StructWriter structs;
  wire::append_event(proto, type, data_json, structs);
  std::string json;
  wire::append_event_json(json, type, data_json);
  return {net::RpcSharedMessage::make(proto), net::RpcSharedMessage::make(json)};
}

std::unique_ptr<FlagStreams::Audience> FlagdEventStreams::make_audience() {
  return std::make_unique<EventAudience>();
}

void FlagdEventStreams::refresh(Audience& base, const cache::EnvironmentState& environment) {
  auto& audience = static_cast<EventAudience&>(base);
  if (!environment.snapshot) return;
  const cache::Snapshot& snapshot = *environment.snapshot;
  const std::uint64_t identity = selection_identity(snapshot, audience.selector);
  if (audience.version != 0 && identity == audience.identity) return;
  audience.identity = identity;
  FlagContent content(snapshot);
  FlagList list = FlagList::of(snapshot, filter_of(audience.selector),
                               [&](const cache::Entry& flag) { return content.of(flag); });
  if (audience.version != 0) {
    // What changed may be of no consequence here: an evaluator that nobody refers to, say.
    if (FlagList::difference(audience.list, list).empty()) return;
    audience.earlier.insert_or_assign(audience.version, std::move(audience.list));
  }
  audience.list = std::move(list);
  audience.changes.clear();
  ++audience.version;
}

FlagStreams::News FlagdEventStreams::news_since(Audience& base, Version told, net::RpcCodec codec) {
  auto& audience = static_cast<EventAudience&>(base);
  if (told == 0) return {.message = ready_[place_of(codec)]};
  auto [at, missing] = audience.changes.try_emplace(told);
  if (missing) {
    auto seen = audience.earlier.find(told);
    const std::vector<ChangedFlag> changes =
        seen == audience.earlier.end() ? FlagList::everything_changed(audience.list)
                                       : FlagList::difference(seen->second, audience.list);
    // A slow reader may have slept through a change and its opposite.
    if (!changes.empty()) at->second = make_messages("configuration_change", changes_json(changes));
  }
  return {.message = at->second[place_of(codec)]};
}

void FlagdEventStreams::settle() {
  std::size_t bytes = 0;
  for_each_audience([&](Audience& base) {
    auto& audience = static_cast<EventAudience&>(base);
    std::erase_if(audience.earlier,
                  [&](const auto& item) { return !audience.told.contains(item.first); });
    std::erase_if(audience.changes,
                  [&](const auto& item) { return !audience.told.contains(item.first); });
    bytes += audience.list.bytes();
  });
  limit_earlier();
  for_each_audience([&](Audience& base) {
    for (const auto& [version, list] : static_cast<EventAudience&>(base).earlier) {
      bytes += list.bytes();
    }
  });
  desk().counters.event_streams.set(size());
  desk().counters.stream_bytes.set(bytes);
}

// The oldest go first.
void FlagdEventStreams::limit_earlier() {
  std::size_t bytes = 0;
  for_each_audience([&](Audience& base) {
    auto& earlier = static_cast<EventAudience&>(base).earlier;
    while (earlier.size() > kEarlierListsMax) earlier.erase(earlier.begin());
    for (auto at = earlier.rbegin(); at != earlier.rend(); ++at) bytes += at->second.bytes();
  });
  for_each_audience([&](Audience& base) {
    auto& earlier = static_cast<EventAudience&>(base).earlier;
    while (bytes > kEarlierBytesMax && !earlier.empty()) {
      bytes -= earlier.begin()->second.bytes();
      earlier.erase(earlier.begin());
    }
  });
}

FlagStreams::Message FlagdEventStreams::keep_alive(net::RpcCodec codec) {
  return keep_alive_[place_of(codec)];
}

std::string_view FlagdEventStreams::farewell(net::RpcCodec codec) {
  return shutdown_[place_of(codec)]->message();
}

FlagdEvaluationEvents::FlagdEvaluationEvents(net::Loop& loop, ServingDesk& desk)
    : loop_(loop), desk_(desk), streams_(loop, desk) {}

void FlagdEvaluationEvents::add_routes(net::Router& router) {
  for (const std::string_view method : kMethods) {
    router.add<&FlagdEvaluationEvents::event_stream>(net::Method::kPost, method, *this);
  }
}

void FlagdEvaluationEvents::event_stream(const net::Request& request, std::string_view,
                                         net::Response& response) {
  auto call = net::RpcCall::begin(net::RpcKind::kServerStream, request, response, desk_.rpc);
  if (!call) return;
  const auto read = call->codec() == net::RpcCodec::kProto
                        ? wire::check_empty_request(call->message())
                        : wire::check_empty_request_json(call->message(), desk_.contexts);
  if (!read) return call->fail(RpcCode::kInvalidArgument, read.error());
  const auto route = find_environment(desk_.state->routes, request);
  if (!route) {
    desk_.access.refused(AccessApi::kFlagd, route.error(), request);
    return call->fail(RpcCode::kUnauthenticated, describe(route.error()));
  }
  desk_.access.opened(*route);
  const auto selector =
      Selector::parse(request.header(kSelectorHeader).value_or(std::string_view()));
  if (!selector) return call->fail(RpcCode::kInvalidArgument, selector.error());
  if (desk_.stopping) return call->fail(RpcCode::kUnavailable, "stopping");
  if (!streams_.has_room(route->environment, *selector)) {
    return call->fail(RpcCode::kResourceExhausted, "no further stream can be opened");
  }
  desk_.counters.event_streams_opened.add(1);
  streams_.add(route->environment, *selector, call->open_stream(loop_));
}

}  // namespace flagstone::sidecar
