#include "evaluation/dialects/launchdarkly/record_traits.h"

#include <algorithm>

namespace flagstone::evaluation::launchdarkly {
namespace {

constexpr std::string_view kSpace = " \n\r\t";

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
}

// Whether what follows the name `prerequisites` is anything but an empty list.
bool lists_something(std::string_view text) {
  skip_space(text);
  // As a value it is followed by something else.
  if (!text.starts_with(':')) return false;
  text.remove_prefix(1);
  skip_space(text);
  if (!text.starts_with('[')) return !text.starts_with("null");
  text.remove_prefix(1);
  skip_space(text);
  return !text.starts_with(']');
}

bool has_prerequisites(std::string_view text) {
  constexpr std::string_view kName = "\"prerequisites\"";
  for (std::size_t at = text.find(kName); at != std::string_view::npos;
       at = text.find(kName, at + kName.size())) {
    if (lists_something(text.substr(at + kName.size()))) return true;
  }
  return false;
}

}  // namespace

RecordTraits traits_of(std::string_view raw) {
  // Either word may be spelled with escapes.
  const bool escaped = raw.find("\\u") != std::string_view::npos;
  return {.refers_to_others = escaped || raw.find("\"segmentMatch\"") != std::string_view::npos ||
                              has_prerequisites(raw),
          .reads_clock = false};
}

}  // namespace flagstone::evaluation::launchdarkly
