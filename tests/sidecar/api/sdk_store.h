// What an SDK of LaunchDarkly's makes of what it is told: a model of its store, by the rules that
// the real ones follow.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flagstone::sidecar {

struct SseEvent {
  std::string name;
  std::string data;
};

// Complete events only; comments are skipped.
inline std::vector<SseEvent> sse_events(std::string_view text) {
  std::vector<SseEvent> events;
  SseEvent event;
  bool has_data = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) {
      if (has_data) events.push_back(std::move(event));
      event = {};
      has_data = false;
    } else if (line.starts_with("event: ")) {
      event.name = line.substr(7);
    } else if (line.starts_with("data: ")) {
      if (std::exchange(has_data, true)) event.data += '\n';
      event.data += line.substr(6);
    } else {
      EXPECT_TRUE(line.starts_with(":")) << line;
    }
  }
  return events;
}

// By (kind, key) the text, minified.
using SdkObjects = std::map<std::pair<std::string, std::string>, std::string>;

inline std::string minified(simdjson::dom::element json) { return simdjson::minify(json); }

class SdkStore {
 public:
  // /all, /flags.
  void apply(const SseEvent& event) {
    const auto json = parse(event.data);
    if (event.name == "put") {
      ++puts;
      items_.clear();
      simdjson::dom::element data;
      if (json["data"].get(data) != simdjson::SUCCESS) {
        return take_all("flag", json);  // of /flags
      }
      EXPECT_EQ(std::string_view(json["path"]), "/");
      take_all("flag", data["flags"]);
      take_all("segment", data["segments"]);
    } else if (event.name == "patch" || event.name == "delete") {
      const auto [kind, key] = name_of(json["path"]);
      const bool is_patch = event.name == "patch";
      is_patch ? ++patches : ++deletes;
      const std::int64_t version = is_patch ? json["data"]["version"] : json["version"];
      const auto at = items_.find({kind, key});
      if (at != items_.end() && at->second.version >= version) {
        ++ignored;
        return;
      }
      Item& item = items_[{kind, key}];
      item.version = version;
      item.text = is_patch ? std::optional(minified(json["data"])) : std::nullopt;
    } else {
      ADD_FAILURE() << "unknown event " << event.name;
    }
  }

  // Flag delivery v2.
  void apply_v2(const SseEvent& event) {
    if (event.name == "heart-beat" || event.name == "goodbye") return;
    const auto json = parse(event.data);
    if (event.name == "server-intent") {
      intent = std::string_view(json["payloads"].at(0)["intentCode"]);
      intents.push_back(intent);
      collected_.clear();
    } else if (event.name == "put-object") {
      EXPECT_FALSE(intent.empty());
      ++objects;
      collected_.push_back({{std::string(std::string_view(json["kind"])),
                             std::string(std::string_view(json["key"]))},
                            {json["version"], minified(json["object"])}});
    } else if (event.name == "delete-object") {
      EXPECT_FALSE(intent.empty());
      ++objects;
      collected_.push_back({{std::string(std::string_view(json["kind"])),
                             std::string(std::string_view(json["key"]))},
                            {json["version"], std::nullopt}});
    } else if (event.name == "payload-transferred") {
      EXPECT_TRUE(intent == "xfer-full" || intent == "xfer-changes") << intent;
      if (intent == "xfer-full") items_.clear();
      for (auto& [name, item] : collected_) items_[name] = std::move(item);
      collected_.clear();
      basis = std::string_view(json["state"]);
    } else {
      ADD_FAILURE() << "unknown event " << event.name;
    }
  }
  void apply_poll(std::string_view body) {
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    ASSERT_EQ(parser.parse(simdjson::padded_string(body)).get(json), simdjson::SUCCESS) << body;
    for (const auto event : simdjson::dom::array(json["events"])) {
      apply_v2(
          {.name = std::string(std::string_view(event["event"])), .data = minified(event["data"])});
    }
  }

  SdkObjects objects_held() const {
    SdkObjects held;
    for (const auto& [name, item] : items_) {
      if (item.text) held[name] = *item.text;
    }
    return held;
  }

  // What an SDK that starts again has kept.
  void take_over(const SdkStore& other) {
    items_ = other.items_;
    basis = other.basis;
  }

  std::size_t puts = 0;
  std::size_t patches = 0;
  std::size_t deletes = 0;
  // Patches and deletions that an SDK would not take: it would be wrong from then on.
  std::size_t ignored = 0;
  std::size_t objects = 0;
  std::string intent;
  std::vector<std::string> intents;
  std::string basis;

 private:
  struct Item {
    std::int64_t version = 0;
    std::optional<std::string> text;
  };

  simdjson::dom::element parse(const std::string& data) {
    simdjson::dom::element json;
    EXPECT_EQ(parser_->parse(data).get(json), simdjson::SUCCESS) << data;
    return json;
  }
  void take_all(const std::string& kind, simdjson::dom::element object) {
    for (const auto& [key, value] : simdjson::dom::object(object)) {
      items_[{kind, std::string(key)}] = {value["version"], minified(value)};
    }
  }
  static std::pair<std::string, std::string> name_of(std::string_view path) {
    if (path.starts_with("/flags/")) return {"flag", std::string(path.substr(7))};
    if (path.starts_with("/segments/")) return {"segment", std::string(path.substr(10))};
    return {"flag", std::string(path.substr(1))};
  }

  std::unique_ptr<simdjson::dom::parser> parser_ = std::make_unique<simdjson::dom::parser>();
  std::map<std::pair<std::string, std::string>, Item> items_;
  std::vector<std::pair<std::pair<std::string, std::string>, Item>> collected_;
};

}  // namespace flagstone::sidecar
