#include "evaluation/dialects/launchdarkly/wire/event_summary.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "evaluation/dialects/launchdarkly/wire/event_list.h"
#include "evaluation/json_cursor.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

// What an event, a feature and a counter take beside their texts.
constexpr std::size_t kEventBytes = 80;
constexpr std::size_t kFeatureBytes = 64;
constexpr std::size_t kCounterBytes = 32;
// What every SDK's numbers hold exactly.
constexpr std::uint64_t kCountMax = std::uint64_t{1} << 53U;

template <typename Integer>
bool read_integer(std::string_view raw, Integer& out) {
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), out);
  return error == std::errc() && end == raw.data() + raw.size();
}

bool is_object(std::string_view raw) { return raw.starts_with('{'); }
bool is_array(std::string_view raw) { return raw.starts_with('['); }

std::string minified(std::string_view raw) {
  std::string out;
  append_minified(out, raw);
  return out;
}

bool read_counter(std::string_view raw, Summary::Counter& counter) {
  if (!is_object(raw)) return false;
  std::string variation;
  std::string version;
  std::string unknown;
  std::string value;
  bool counted = false;
  JsonCursor members(raw);
  for (std::string_view key, text; members.next(key, text);) {
    if (key == "variation") {
      variation = minified(text);
    } else if (key == "version") {
      version = minified(text);
    } else if (key == "unknown") {
      unknown = minified(text);
    } else if (key == "value") {
      value = minified(text);
    } else if (key == "count") {
      counted = read_integer(text, counter.count) && counter.count <= kCountMax;
    } else {
      return false;
    }
  }
  const auto put = [&](std::string_view name, const std::string& text) {
    if (text.empty()) return;
    if (!counter.what.empty()) counter.what += ',';
    counter.what += '"';
    counter.what += name;
    counter.what += "\":";
    counter.what += text;
  };
  put("variation", variation);
  put("version", version);
  put("unknown", unknown);
  put("value", value);
  return counted;
}

bool read_feature(std::string_view raw, Summary::Feature& feature) {
  if (!is_object(raw)) return false;
  JsonCursor members(raw);
  for (std::string_view key, text; members.next(key, text);) {
    if (key == "default") {
      feature.default_value = minified(text);
    } else if (key == "contextKinds") {
      if (!is_array(text)) return false;
      feature.has_context_kinds = true;
      EventList kinds = EventList::known_good(text);
      for (std::string_view kind; kinds.next(kind);) {
        if (!kind.starts_with('"')) return false;
        feature.context_kinds.emplace(kind);
      }
    } else if (key == "counters") {
      if (!is_array(text)) return false;
      EventList counters = EventList::known_good(text);
      for (std::string_view one; counters.next(one);) {
        if (!read_counter(one, feature.counters.emplace_back())) return false;
      }
    } else {
      return false;
    }
  }
  return true;
}

bool read_features(std::string_view raw, Summary& summary) {
  if (!is_object(raw)) return false;
  JsonCursor members(raw);
  for (std::string_view key, text; members.next(key, text);) {
    Summary::Feature& feature = summary.features.emplace_back();
    // Spelt in one way, so that equal keys are equal.
    std::string plain;
    append_unescaped(plain, key);
    append_json_string(feature.key, plain);
    if (!read_feature(text, feature)) return false;
  }
  return true;
}

}  // namespace

std::optional<Summary> read_summary(std::string_view event) {
  Summary summary;
  bool has_start = false;
  bool has_end = false;
  bool has_features = false;
  JsonCursor members(event);
  for (std::string_view key, text; members.next(key, text);) {
    if (key == "startDate") {
      has_start = read_integer(text, summary.start);
    } else if (key == "endDate") {
      has_end = read_integer(text, summary.end);
    } else if (key == "features") {
      // Twice would be summed twice.
      if (std::exchange(has_features, true) || !read_features(text, summary)) return std::nullopt;
    } else if (key != "kind") {
      return std::nullopt;
    }
  }
  if (!has_start || !has_end || !has_features) return std::nullopt;
  return summary;
}

// The first layer where the flag is not yet, or with the same default and room to count on.
std::size_t SummarySum::layer_for(const Summary::Feature& feature) const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto found = layers_[i].features.find(feature.key);
    if (found == layers_[i].features.end()) return i;
    if (found->second.default_value != feature.default_value) continue;
    const bool fits = std::ranges::all_of(feature.counters, [&](const Summary::Counter& counter) {
      const auto known = found->second.counts.find(counter.what);
      const std::uint64_t have = known == found->second.counts.end() ? 0 : known->second;
      return counter.count <= (std::numeric_limits<std::uint64_t>::max() - have) / 2;
    });
    if (fits) return i;
  }
  return layers_.size();
}

bool SummarySum::add(const Summary& summary) {
  std::size_t needed = 0;
  for (const Summary::Feature& feature : summary.features) {
    needed = std::max(needed, layer_for(feature) + 1);
  }
  // The same flag twice in one event may need one more.
  if (needed + 1 > kLayersMax) return false;
  for (const Summary::Feature& feature : summary.features) {
    const std::size_t index = layer_for(feature);
    if (index == layers_.size()) {
      layers_.push_back({.start = summary.start, .end = summary.end, .features = {}});
      bytes_ += kEventBytes;
    }
    merge(layers_[index], summary, feature);
  }
  return true;
}

void SummarySum::merge(Layer& layer, const Summary& summary, const Summary::Feature& feature) {
  layer.start = std::min(layer.start, summary.start);
  layer.end = std::max(layer.end, summary.end);
  auto [at, added] = layer.features.try_emplace(feature.key);
  Feature& sum = at->second;
  if (added) {
    sum.default_value = feature.default_value;
    bytes_ += kFeatureBytes + feature.key.size() + feature.default_value.value_or("").size();
  }
  sum.has_context_kinds = sum.has_context_kinds || feature.has_context_kinds;
  for (const std::string& kind : feature.context_kinds) {
    if (sum.context_kinds.insert(kind).second) bytes_ += kind.size() + 1;
  }
  for (const Summary::Counter& counter : feature.counters) {
    auto [count, is_new] = sum.counts.try_emplace(counter.what, 0);
    count->second += counter.count;
    if (is_new) bytes_ += kCounterBytes + counter.what.size();
  }
}

void SummarySum::append_feature(std::string& out, const Feature& feature) {
  const auto append_list = [&out](const auto& items, const auto& append_item) {
    out += '[';
    for (auto at = items.begin(); at != items.end(); ++at) {
      if (at != items.begin()) out += ',';
      append_item(*at);
    }
    out += ']';
  };
  out += '{';
  if (feature.default_value) out += R"("default":)" + *feature.default_value + ',';
  if (feature.has_context_kinds) {
    out += R"("contextKinds":)";
    append_list(feature.context_kinds, [&out](const std::string& kind) { out += kind; });
    out += ',';
  }
  out += R"("counters":)";
  append_list(feature.counts, [&out](const auto& counter) {
    out += '{';
    out += counter.first;
    if (!counter.first.empty()) out += ',';
    out += R"("count":)" + std::to_string(counter.second) + '}';
  });
  out += '}';
}

void SummarySum::append_to(std::string& out) const {
  bool first_layer = true;
  for (const Layer& layer : layers_) {
    if (!std::exchange(first_layer, false)) out += ',';
    out += R"({"kind":"summary","startDate":)" + std::to_string(layer.start) + R"(,"endDate":)" +
           std::to_string(layer.end) + R"(,"features":{)";
    bool first_feature = true;
    for (const auto& [key, feature] : layer.features) {
      if (!std::exchange(first_feature, false)) out += ',';
      out += key;
      out += ':';
      append_feature(out, feature);
    }
    out += "}}";
  }
}

}  // namespace flagstone::evaluation::launchdarkly
