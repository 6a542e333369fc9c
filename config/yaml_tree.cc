#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>

namespace flagstone::config {
namespace {

// yaml-cpp counts lines from 0, and says -1 when it does not know.
std::uint32_t line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 0 : static_cast<std::uint32_t>(mark.line) + 1;
}

// Builds the tree from the parser's events. Lists and maps not yet ended wait on `open_`.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view file_name, ProblemList& problems)
      : file_name_(file_name), problems_(problems) {}

  YamlNode take() { return std::move(root_); }

  void refuse(std::uint32_t line, std::string message) {
    problems_.push_back({.where = std::string(file_name_) + ":" + std::to_string(line),
                         .message = std::move(message)});
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    YamlNode node{.line = line_of(mark), .entries = {}};
    // As a key, `null` is the text that it looks like.
    node.text = expects_key() ? "null" : "";
    node.kind = expects_key() ? YamlNode::Kind::kScalar : YamlNode::Kind::kNull;
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(line_of(mark), "aliases (`*name`) are not allowed, write the value out");
    add({.kind = expects_key() ? YamlNode::Kind::kScalar : YamlNode::Kind::kNull,
         .line = line_of(mark),
         .entries = {}});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    // "?" is a plain scalar's tag, "!" a quoted one's, others were written out (`!!str 1`).
    add({.kind = YamlNode::Kind::kScalar,
         .line = line_of(mark),
         .quoted = tag != "?",
         .text = value,
         .entries = {}});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;  // Of a map: the last entry still waits for its value.
    std::map<std::string, std::uint32_t, std::less<>> key_lines = {};
  };

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap &&
           !open_.back().has_key;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark) {
    open_.push_back({.node = {.kind = kind, .line = line_of(mark), .entries = {}}});
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.has_key) {
      // What is not there stands where its key stands, not where the parser missed it.
      node.line = node.kind == YamlNode::Kind::kNull ? parent.node.entries.back().line : node.line;
      parent.node.entries.back().value = std::move(node);
      parent.has_key = false;
    } else {
      add_key(parent, std::move(node));
    }
  }

  void add_key(Open& map, YamlNode key) {
    if (key.kind != YamlNode::Kind::kScalar) {
      refuse(key.line, "a key must be plain text");
    } else if (const auto [first, is_new] = map.key_lines.emplace(key.text, key.line); !is_new) {
      refuse(key.line, "duplicate key `" + key.text + "`, it stands in line " +
                           std::to_string(first->second) + " already");
    }
    map.node.entries.push_back({.key = std::move(key.text), .line = key.line, .value = {}});
    map.node.entries.back().value.line = key.line;
    map.has_key = true;
  }

  std::string_view file_name_;
  ProblemList& problems_;
  std::vector<Open> open_;
  YamlNode root_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &YamlEntry::key);
  return found == entries.end() ? nullptr : &found->value;
}

std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      break;
  }
  return "a map";
}

YamlNode parse_yaml(std::string_view text, std::string_view file_name, ProblemList& problems) {
  TreeBuilder builder(file_name, problems);
  if (text.size() > kYamlBytesMax) {
    problems.push_back({.where = std::string(file_name), .message = "is larger than 1 MiB"});
    return {};
  }
  // The end is marked, because yaml-cpp takes a quoted text that the end of the file cuts short.
  std::string marked(text);
  marked += text.ends_with('\n') ? "...\n" : "\n...\n";
  try {
    std::istringstream stream(marked);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      TreeBuilder second(file_name, problems);
      if (parser.HandleNextDocument(second)) {
        second.refuse(second.take().line, "a second document begins here, there must be only one");
      }
    }
  } catch (const YAML::Exception& error) {
    // The library's sentences never quote the text, so no secret can be in them.
    builder.refuse(line_of(error.mark), error.msg);
  }
  return builder.take();
}

}  // namespace flagstone::config
