// How contexts are shown in events of ours, asked line by line as event_writer/main.go is.
#include <cstddef>
#include <iostream>
#include <string>

#include "evaluation/arena.h"
#include "evaluation/context_reader.h"
#include "evaluation/dialects/launchdarkly/wire/own_event_writer.h"
#include "evaluation/json_reader.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::size_t kDepthMax = 64;

// `null` for a context that is refused.
std::string contexts_of(const Value& question) {
  EventContext context;
  EventPrivacy privacy{.all_attributes = question.member("all")->as_bool(),
                       .omits_anonymous = question.member("omit")->as_bool()};
  for (const Value& reference : question.member("private")->items()) {
    privacy.attributes.emplace_back(reference.as_string());
  }
  context.set_privacy(std::move(privacy));
  if (!context.read(EvaluationContext(*question.member("context")))) return "null";
  std::string out = R"({"feature":)";
  context.append_json(out, EventContext::Anonymous::kRedacted);
  out += R"(,"debug":)";
  context.append_json(out, EventContext::Anonymous::kShown);
  std::string event;
  if (append_index_event(event, 0, context)) {
    constexpr std::string_view kBefore = R"("context":)";
    // The context is the last member of the event.
    event.pop_back();
    out += R"(,"index":)" + event.substr(event.find(kBefore) + kBefore.size());
  }
  return out + "}";
}

}  // namespace
}  // namespace flagstone::evaluation::launchdarkly

int main() {
  namespace evaluation = flagstone::evaluation;
  evaluation::JsonReader reader(evaluation::launchdarkly::kDepthMax);
  for (std::string line; std::getline(std::cin, line);) {
    evaluation::Arena arena;
    const auto question = reader.read(line, arena);
    if (!question) {
      std::cerr << "not a case: " << line << '\n';
      return 1;
    }
    std::cout << evaluation::launchdarkly::contexts_of(*question) << '\n';
  }
  return 0;
}
