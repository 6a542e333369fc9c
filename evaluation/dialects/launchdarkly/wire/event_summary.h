// Summary events, and their sum: how often each flag had which value, of many SDKs together.
//
// Values of one thread. Sums are exact: what cannot be added without losing something is left to
// the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flagstone::evaluation::launchdarkly {

struct Summary {
  struct Counter {
    // What the counter counts, without braces: `"variation":1,"version":3,"value":true`.
    std::string what;
    std::uint64_t count = 0;
  };
  struct Feature {
    std::string key;  // As JSON writes it between the quotes.
    std::optional<std::string> default_value;
    std::set<std::string> context_kinds;  // With their quotes.
    bool has_context_kinds = false;
    std::vector<Counter> counters;
  };
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::vector<Feature> features;
};

// Nullopt when it has something in it that a sum would lose: a context, members that are not known,
// numbers that are no counts.
std::optional<Summary> read_summary(std::string_view event);

class SummarySum {
 public:
  // How many summaries may stand beside each other because their defaults differ.
  static constexpr std::size_t kLayersMax = 64;

  // False, and nothing is added, when no further layer may be opened for it.
  bool add(const Summary& summary);
  bool empty() const { return layers_.empty(); }
  // Summary events that append_to() makes.
  std::size_t events() const { return layers_.size(); }
  // About what they take as text.
  std::size_t bytes() const { return bytes_; }
  // Events with commas between them.
  void append_to(std::string& out) const;

 private:
  struct Feature {
    std::optional<std::string> default_value;
    std::set<std::string> context_kinds;
    bool has_context_kinds = false;
    std::map<std::string, std::uint64_t> counts;
  };
  // One summary event: each flag once, so with one default.
  struct Layer {
    std::int64_t start = 0;
    std::int64_t end = 0;
    // In the order of their keys, so that equal sums are equal texts.
    std::map<std::string, Feature> features;
  };

  static void append_feature(std::string& out, const Feature& feature);
  std::size_t layer_for(const Summary::Feature& feature) const;
  void merge(Layer& layer, const Summary& summary, const Summary::Feature& feature);

  std::vector<Layer> layers_;
  std::size_t bytes_ = 0;
};

}  // namespace flagstone::evaluation::launchdarkly
