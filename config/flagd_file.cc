#include "config/flagd_file.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "config/json_text.h"
#include "config/nearest_name.h"
#include "config/option_table.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_own_key(std::string_view key) {
  return key == "environments" || std::ranges::any_of(option_table(), [&](const OptionRow& row) {
           return row.scope == Scope::kProcess && !row.key.empty() &&
                  row.key.substr(0, row.key.find('.')) == key;
         });
}

std::string with_line(const std::string& file_name, std::uint32_t line) {
  return file_name + ":" + std::to_string(line);
}

// One key's value as the texts that a layer holds.
class ValueReader {
 public:
  ValueReader(const OptionRow& row, const std::string& file_name, ProblemList& problems)
      : row_(row), file_name_(file_name), problems_(problems) {}

  std::vector<std::string> read(const YamlNode& value) {
    switch (value.kind) {
      case YamlNode::Kind::kNull:
        return {};
      case YamlNode::Kind::kScalar:
        return is_list(row_) ? split_words(value.text) : std::vector{value.text};
      case YamlNode::Kind::kList:
        return is_list(row_) ? texts(value) : structure(value);
      case YamlNode::Kind::kMap:
        break;
    }
    return structure(value);
  }

 private:
  std::vector<std::string> texts(const YamlNode& list) {
    std::vector<std::string> items;
    for (const YamlNode& item : list.items) {
      if (item.kind == YamlNode::Kind::kScalar) {
        items.push_back(item.text);
      } else {
        refuse(item, "is a list of text, not of " + std::string(kind_name(item)));
      }
    }
    return items;
  }

  // `sources` may be a list of objects here, and pairs a map; both are read from JSON.
  std::vector<std::string> structure(const YamlNode& value) {
    const bool is_sources = row_.value_name == "JSON" && value.kind == YamlNode::Kind::kList;
    const bool is_pairs = takes_many(row_) && !is_list(row_) && value.kind == YamlNode::Kind::kMap;
    if (!is_sources && !is_pairs) {
      refuse(value, "takes one value, not " + std::string(kind_name(value)));
      return {};
    }
    std::string json;
    if (const auto problem = append_json(value, json)) {
      problems_.push_back(
          {.where = with_line(file_name_, problem->line), .message = problem->message});
      return {};
    }
    return {std::move(json)};
  }

  void refuse(const YamlNode& node, const std::string& message) {
    problems_.push_back({.where = with_line(file_name_, node.line),
                         .message = "`" + std::string(row_.flagd) + "` " + message});
  }

  const OptionRow& row_;
  const std::string& file_name_;
  ProblemList& problems_;
};

}  // namespace

FileKind file_kind(const YamlNode& root, const std::string& file_name, ProblemList& problems) {
  const YamlEntry* own = nullptr;
  const YamlEntry* of_flagd = nullptr;
  for (const YamlEntry& entry : root.entries) {
    const bool is_own = is_own_key(entry.key);
    const bool is_flagds = find_flagd_option(lower_case(entry.key)) != nullptr;
    if (is_own && !is_flagds && own == nullptr) {
      own = &entry;
    } else if (is_flagds && !is_own && of_flagd == nullptr) {
      of_flagd = &entry;
    }
  }
  if (own == nullptr || of_flagd == nullptr) {
    return of_flagd == nullptr ? FileKind::kOwn : FileKind::kFlagd;
  }
  problems.push_back({.where = with_line(file_name, of_flagd->line),
                      .message = "`" + of_flagd->key + "` is a key of flagd's file and `" +
                                 own->key + "` (line " + std::to_string(own->line) +
                                 ") one of Flagstone's, write one kind of file"});
  return FileKind::kMixed;
}

Layer read_flagd_file(const YamlNode& root, const std::string& file_name, ProblemList& problems,
                      std::vector<std::string>& warnings) {
  Layer layer;
  std::vector<std::string_view> known;
  for (const OptionRow& row : option_table()) {
    if (!row.flagd.empty()) {
      known.push_back(row.flagd);
    }
  }
  for (const YamlEntry& entry : root.entries) {
    const OptionRow* row = find_flagd_option(lower_case(entry.key));
    if (row == nullptr) {
      warnings.push_back(with_line(file_name, entry.line) + ": unknown key `" + entry.key +
                         "` is ignored, as flagd does" + did_you_mean(entry.key, known));
      continue;
    }
    std::vector<std::string> items = ValueReader(*row, file_name, problems).read(entry.value);
    // As in flagd, what is empty is not there.
    if (!items.empty() && !(items.size() == 1 && items.front().empty())) {
      layer[row] = {.items = std::move(items),
                    .origin = {.kind = Origin::Kind::kFile, .name = file_name, .line = entry.line}};
    }
  }
  return layer;
}

}  // namespace flagstone::config
