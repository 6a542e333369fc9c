#include "evaluation/dialects/flagd/record_traits.h"

#include <cctype>

namespace flagstone::evaluation::flagd {
namespace {

constexpr std::string_view kVariable = "\"var\"";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

// The argument that follows `"var"` is the name of an attribute, and no name that could mean the
// whole context or flagd's own members.
bool names_an_attribute(std::string_view text) {
  skip_space(text);
  // As a value or an attribute's name "var" is followed by something else.
  if (!text.starts_with(':')) return true;
  text.remove_prefix(1);
  skip_space(text);
  if (text.size() < 2 || text[0] != '"') return false;
  return std::isalnum(static_cast<unsigned char>(text[1])) != 0 || text[1] == '_';
}

bool may_read_clock(std::string_view text) {
  for (std::size_t at = text.find(kVariable); at != std::string_view::npos;
       at = text.find(kVariable, at + kVariable.size())) {
    if (!names_an_attribute(text.substr(at + kVariable.size()))) return true;
  }
  return false;
}

}  // namespace

RecordTraits traits_of(std::string_view raw) {
  // Any of the words may be spelled with escapes.
  const bool escaped = raw.find('\\') != std::string_view::npos;
  return {.refers_to_others = escaped || raw.find("\"$ref\"") != std::string_view::npos,
          .reads_clock = escaped || may_read_clock(raw)};
}

}  // namespace flagstone::evaluation::flagd
