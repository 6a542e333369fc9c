#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "config/yaml_tree.h"

namespace flagstone::config {
namespace {

constexpr Milliseconds kDurationMax = std::chrono::hours(24 * 365);

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first, so that formatting finds the roundest.
constexpr std::array kDurationUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                       Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"GiB", 1024 * kMiB}, Unit{"GB", 1'000'000'000},
                                   Unit{"MiB", kMiB},        Unit{"MB", 1'000'000},
                                   Unit{"KiB", kKiB},        Unit{"kB", 1'000}};

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};
constexpr std::array kFormats = {Choice<DocumentFormat>{"auto", DocumentFormat::kAuto},
                                 Choice<DocumentFormat>{"json", DocumentFormat::kJson},
                                 Choice<DocumentFormat>{"yaml", DocumentFormat::kYaml}};
constexpr std::array kProtocols = {
    Choice<LaunchDarklyProtocol>{"auto", LaunchDarklyProtocol::kAuto},
    Choice<LaunchDarklyProtocol>{"fdv1", LaunchDarklyProtocol::kFdv1},
    Choice<LaunchDarklyProtocol>{"fdv2", LaunchDarklyProtocol::kFdv2}};
constexpr std::array kFractionals = {Choice<Fractional>{"v1", Fractional::kV1},
                                     Choice<Fractional>{"v2", Fractional::kV2},
                                     Choice<Fractional>{"v3", Fractional::kV3}};
constexpr std::array kLogLevels = {
    Choice<LogLevel>{"trace", LogLevel::kTrace}, Choice<LogLevel>{"debug", LogLevel::kDebug},
    Choice<LogLevel>{"info", LogLevel::kInfo},   Choice<LogLevel>{"warn", LogLevel::kWarn},
    Choice<LogLevel>{"error", LogLevel::kError}, Choice<LogLevel>{"off", LogLevel::kOff}};
// The first name of a value is ours; `console` is flagd's.
constexpr std::array kLogFormats = {Choice<LogFormat>{"text", LogFormat::kText},
                                    Choice<LogFormat>{"console", LogFormat::kText},
                                    Choice<LogFormat>{"json", LogFormat::kJson}};
constexpr std::array kSwitches = {Choice<bool>{"true", true}, Choice<bool>{"false", false}};

constexpr const auto& choices_of(DocumentFormat) { return kFormats; }
constexpr const auto& choices_of(Fractional) { return kFractionals; }
constexpr const auto& choices_of(LaunchDarklyProtocol) { return kProtocols; }
constexpr const auto& choices_of(LogLevel) { return kLogLevels; }
constexpr const auto& choices_of(LogFormat) { return kLogFormats; }
constexpr const auto& choices_of(bool) { return kSwitches; }

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

// "1536MiB" as 1536 and "MiB"; nothing when there is no whole number in front.
struct Quantity {
  std::uint64_t number = 0;
  std::string_view unit;
};
std::expected<Quantity, std::string> split_quantity(std::string_view text,
                                                    std::string_view example) {
  Quantity quantity;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quantity.number);
  if (error == std::errc::result_out_of_range) {
    return std::unexpected(quoted(text) + " is too large");
  }
  if (error != std::errc()) {
    return std::unexpected(quoted(text) + " is not a whole number with a unit, write it like " +
                           quoted(example));
  }
  quantity.unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (!quantity.unit.empty() && quantity.unit.front() == ' ') {
    quantity.unit.remove_prefix(1);
  }
  return quantity;
}

// The number in the smallest unit; nothing when that does not fit.
template <std::size_t kCount>
std::expected<std::uint64_t, std::string> scaled(const Quantity& quantity, std::string_view text,
                                                 const std::array<Unit, kCount>& units,
                                                 std::string_view names) {
  for (const Unit& unit : units) {
    if (unit.name != quantity.unit) {
      continue;
    }
    if (quantity.number > std::numeric_limits<std::uint64_t>::max() / unit.factor) {
      return std::unexpected(quoted(text) + " is too large");
    }
    return quantity.number * unit.factor;
  }
  return std::unexpected(quoted(text) + " has an unknown unit, known are " + std::string(names));
}

template <std::size_t kCount>
std::string in_roundest_unit(std::uint64_t amount, const std::array<Unit, kCount>& units) {
  for (const Unit& unit : units) {
    if (amount != 0 && amount % unit.factor == 0) {
      return std::to_string(amount / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(amount);
}

// "1h" of "1h30m": a number and what follows it, up to the next number.
std::string_view next_part(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  const std::size_t unit = text.find_first_not_of(kDigits);
  const bool is_whole = unit == 0 || unit == std::string_view::npos;
  return is_whole ? text : text.substr(0, text.find_first_of(kDigits, unit));
}

template <typename T>
std::expected<T, std::string> parse_choice(std::string_view text) {
  std::string names;
  for (const auto& choice : choices_of(T{})) {
    if (choice.name == text) {
      return choice.value;
    }
    names += (names.empty() ? "" : ", ") + std::string(choice.name);
  }
  return std::unexpected(quoted(text) + " is none of " + names);
}

std::expected<std::uint32_t, std::string> parse_count(std::string_view text) {
  std::uint32_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc::result_out_of_range) {
    return std::unexpected(quoted(text) + " is too large");
  }
  if (error != std::errc() || rest != end) {
    return std::unexpected(quoted(text) + " is not a whole number");
  }
  return count;
}

// A JSON object of plain values, which keep their spelling.
std::expected<Pairs, std::string> parse_object(std::string_view json) {
  ProblemList problems;
  const YamlNode root = parse_yaml(json, {}, problems);
  if (!problems.empty() || root.kind != YamlNode::Kind::kMap) {
    return std::unexpected("is not a JSON object, write `{\"key\": \"text\"}` or `key=text`");
  }
  Pairs pairs;
  for (const YamlEntry& entry : root.entries) {
    if (entry.value.kind != YamlNode::Kind::kScalar) {
      return std::unexpected("the value of " + quoted(entry.key) + " must be text, not " +
                             std::string(kind_name(entry.value)));
    }
    pairs[entry.key] = entry.value.text;
  }
  return pairs;
}

// Reading, one overload for each kind of field.
std::expected<void, std::string> read(std::string& field, std::string_view text) {
  if (text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) {
    return std::unexpected("must be one line of text");
  }
  field = text;
  return {};
}
template <typename T, typename U>
std::expected<void, std::string> store(T& field, std::expected<U, std::string> value) {
  if (!value) {
    return std::unexpected(std::move(value).error());
  }
  field = *value;
  return {};
}
// Go's spellings of a bool, which flagd takes, as ours.
std::string_view switch_name(std::string_view text) {
  constexpr std::array<std::string_view, 5> kYes = {"1", "t", "T", "TRUE", "True"};
  constexpr std::array<std::string_view, 5> kNo = {"0", "f", "F", "FALSE", "False"};
  if (std::ranges::find(kYes, text) != kYes.end()) {
    return "true";
  }
  return std::ranges::find(kNo, text) != kNo.end() ? "false" : text;
}
std::expected<void, std::string> read(bool& field, std::string_view text) {
  return store(field, parse_choice<bool>(switch_name(text)));
}
std::expected<void, std::string> read(std::optional<bool>& field, std::string_view text) {
  return store(field, parse_choice<bool>(switch_name(text)));
}
std::expected<void, std::string> read(std::uint32_t& field, std::string_view text) {
  return store(field, parse_count(text));
}
std::expected<void, std::string> read(std::uint64_t& field, std::string_view text) {
  return store(field, parse_size(text));
}
std::expected<void, std::string> read(std::optional<std::uint64_t>& field, std::string_view text) {
  return store(field, parse_size(text));
}
std::expected<void, std::string> read(Milliseconds& field, std::string_view text) {
  return store(field, parse_duration(text));
}
template <typename Enum>
  requires std::is_enum_v<Enum>
std::expected<void, std::string> read(Enum& field, std::string_view text) {
  return store(field, parse_choice<Enum>(text));
}

std::expected<void, std::string> read_pairs(Pairs& field, std::span<const std::string> items) {
  Pairs all;
  for (const std::string& item : items) {
    auto pairs = parse_pairs(item);
    if (!pairs) {
      return std::unexpected(std::move(pairs).error());
    }
    for (auto& [key, text] : *pairs) {
      all[key] = std::move(text);
    }
  }
  field = std::move(all);
  return {};
}

// Writing, likewise.
std::string write(const std::string& field) { return field; }
std::string write(bool field) { return field ? "true" : "false"; }
std::string write(const std::optional<bool>& field) { return field ? write(*field) : ""; }
std::string write(std::uint32_t field) { return std::to_string(field); }
std::string write(std::uint64_t field) { return format_size(field); }
std::string write(const std::optional<std::uint64_t>& field) { return field ? write(*field) : ""; }
std::string write(Milliseconds field) { return format_duration(field); }
std::string write(const Pairs& field) {
  std::string text;
  for (const auto& [key, value] : field) {
    if (!text.empty()) text += ", ";
    text.append(key).append("=").append(value);
  }
  return text;
}
std::string write(const std::vector<std::string>& field) {
  std::string text;
  for (const std::string& item : field) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}
template <typename Enum>
  requires std::is_enum_v<Enum>
std::string write(Enum field) {
  for (const auto& choice : choices_of(field)) {
    if (choice.value == field) {
      return std::string(choice.name);
    }
  }
  return {};
}

}  // namespace

std::expected<Milliseconds, std::string> parse_duration(std::string_view text) {
  if (text == "0") {
    return Milliseconds(0);
  }
  std::uint64_t sum = 0;
  std::string_view rest = text;
  do {
    const std::string_view part = next_part(rest);
    const auto quantity = split_quantity(part, "30s");
    if (!quantity) {
      return std::unexpected(part == text
                                 ? quantity.error()
                                 : quoted(text) + " is not a duration, write it like `30s`");
    }
    if (quantity->unit.empty()) {
      const std::string in_seconds = std::string(text) + "s";
      return std::unexpected(quoted(text) + " has no unit, write " +
                             quoted(std::string_view(in_seconds)) + " for seconds");
    }
    const auto milliseconds = scaled(*quantity, text, kDurationUnits, "ms, s, m, h");
    if (!milliseconds) {
      return std::unexpected(milliseconds.error());
    }
    constexpr auto kMostMs = static_cast<std::uint64_t>(kDurationMax.count());
    sum += std::min(*milliseconds, kMostMs + 1);  // So that no number wraps around.
    if (sum > kMostMs) {
      return std::unexpected(quoted(text) + " is longer than 365 days");
    }
    rest.remove_prefix(part.size());
  } while (!rest.empty());
  return Milliseconds(static_cast<Milliseconds::rep>(sum));
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto quantity = split_quantity(text, "64MiB");
  if (!quantity) {
    return std::unexpected(quantity.error());
  }
  if (quantity->unit.empty()) {
    return quantity->number;
  }
  return scaled(*quantity, text, kSizeUnits, "KiB, MiB, GiB, kB, MB, GB; without one it is bytes");
}

std::string format_duration(Milliseconds duration) {
  return duration.count() == 0
             ? "0s"
             : in_roundest_unit(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::string format_size(std::uint64_t bytes) { return in_roundest_unit(bytes, kSizeUnits); }

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) {
      items.emplace_back(item);
    }
  }
  return items;
}

std::vector<std::string> split_words(std::string_view text) {
  std::string commas(text);
  std::ranges::replace_if(commas, [](char c) { return c == ' ' || c == '\t' || c == '\n'; }, ',');
  return split_list(commas);
}

std::expected<Pairs, std::string> parse_pairs(std::string_view item) {
  if (item.starts_with('{')) {
    return parse_object(item);
  }
  Pairs pairs;
  const bool single = std::ranges::count(item, '=') <= 1;
  while (!item.empty()) {
    const std::size_t comma = single ? std::string_view::npos : item.find(',');
    const std::string_view pair = item.substr(0, comma);
    item.remove_prefix(comma == std::string_view::npos ? item.size() : comma + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return std::unexpected(quoted(pair) + " is no pair, write `key=text`");
    }
    pairs[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
  }
  return pairs;
}

std::expected<void, std::string> set_field(const Field& field, std::span<const std::string> items) {
  if (std::vector<std::string>* const* list = std::get_if<std::vector<std::string>*>(&field)) {
    (*list)->assign(items.begin(), items.end());
    return {};
  }
  if (Pairs* const* pairs = std::get_if<Pairs*>(&field)) {
    return read_pairs(**pairs, items);
  }
  if (items.size() != 1) {
    return std::unexpected(items.empty() ? "needs a value" : "takes one value, not several");
  }
  return std::visit(
      [&](auto* value) -> std::expected<void, std::string> {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, Pairs>) {
          return {};
        } else {
          return read(*value, items.front());
        }
      },
      field);
}

std::string format_field(const Field& field) {
  return std::visit([](const auto* value) { return write(*value); }, field);
}

}  // namespace flagstone::config
