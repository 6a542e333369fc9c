#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <optional>
#include <streambuf>
#include <vector>

#include "evaluation/dialects/flagd/wire/yaml_scalar.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation::flagd {
namespace {

// Thrown through yaml-cpp's parser, which reports its own errors the same way, and caught below.
struct Refused {
  std::string message;
  YAML::Mark mark;
};

DocumentError place(const YAML::Mark& mark, std::string message) {
  if (mark.is_null()) return {std::move(message)};
  return {std::move(message), static_cast<std::size_t>(mark.pos),
          static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

class JsonWriter final : public YAML::EventHandler {
 public:
  std::string take() { return std::move(out_); }
  bool wrote_a_value() const { return wrote_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    begin_node(mark);
    out_ += open_.empty() || !is_key() ? "null" : "\"\"";
    end_node();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{"YAML aliases are not supported", mark};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    begin_node(mark);
    if (is_key()) {
      if (value == "<<" && tag == "?") throw Refused{"YAML merge keys are not supported", mark};
      append_json_string(out_, value);
    } else {
      const auto json = yaml_scalar_to_json(value, tag);
      if (!json) throw Refused{json.error(), mark};
      out_ += *json;
    }
    end_node();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin_container(mark, '[');
  }
  void OnSequenceEnd() override { end_container(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin_container(mark, '{');
  }
  void OnMapEnd() override { end_container('}'); }

 private:
  struct Container {
    bool map = false;
    std::size_t nodes = 0;  // Keys and values both.
  };

  bool is_key() const { return !open_.empty() && open_.back().map && open_.back().nodes % 2 == 0; }

  void begin_node(const YAML::Mark& mark) {
    if (!open_.empty() && open_.back().nodes > 0) {
      out_ += open_.back().map && open_.back().nodes % 2 == 1 ? ':' : ',';
    }
    // Nodes come in the text's order, so catching up keeps every value on its line.
    for (; !mark.is_null() && line_ < mark.line; ++line_) out_ += '\n';
    wrote_ = true;
  }
  void end_node() {
    if (!open_.empty()) ++open_.back().nodes;
  }
  void begin_container(const YAML::Mark& mark, char bracket) {
    begin_node(mark);
    if (is_key()) throw Refused{"a mapping's key must be a scalar", mark};
    out_ += bracket;
    open_.push_back({bracket == '{'});
  }
  void end_container(char bracket) {
    out_ += bracket;
    open_.pop_back();
    end_node();
  }

  std::string out_;
  std::vector<Container> open_;
  int line_ = 0;
  bool wrote_ = false;
};

// An istream over bytes that are not copied.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // The get area is never written through.
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

std::expected<std::string, DocumentError> yaml_to_json(std::string_view yaml) {
  if (yaml.size() > kYamlBytesMax) {
    return std::unexpected(DocumentError{"a YAML document may have " +
                                         std::to_string(kYamlBytesMax) + " bytes at most"});
  }
  ViewBuffer buffer(yaml);
  std::istream in(&buffer);
  JsonWriter writer;
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(writer);
    if (!writer.wrote_a_value()) return std::unexpected(DocumentError{"the document is empty"});
    JsonWriter second;
    if (parser.HandleNextDocument(second) && second.wrote_a_value()) {
      return std::unexpected(DocumentError{"more than one YAML document"});
    }
  } catch (const Refused& refused) {
    return std::unexpected(place(refused.mark, refused.message));
  } catch (const YAML::Exception& error) {
    return std::unexpected(place(error.mark, error.msg));
  }
  return writer.take();
}

}  // namespace flagstone::evaluation::flagd
