#include "sidecar/update_text.h"

#include <algorithm>
#include <string_view>

namespace flagstone::sidecar {
namespace {

constexpr std::size_t kNamedMax = 3;
constexpr std::size_t kKeyShownMax = 100;

std::string counted(std::size_t count, std::string_view name) {
  std::string text = std::to_string(count) + " ";
  text += name;
  if (count != 1) text += 's';
  return text;
}

std::string_view kind_name(const evaluation::Dialect& dialect, evaluation::RecordKind kind) {
  const auto kinds = dialect.kinds();
  const auto found = std::ranges::find(kinds, kind, &evaluation::KindName::kind);
  return found == kinds.end() ? "record" : found->name;
}

std::string name_of(const evaluation::RecordId& id, const evaluation::Dialect& dialect) {
  std::string text;
  if (id.kind != evaluation::kFlagKind) {
    text = kind_name(dialect, id.kind);
    text += ' ';
  }
  const bool whole = id.key.size() <= kKeyShownMax;
  return text + "`" + id.key.substr(0, kKeyShownMax) + (whole ? "`" : "…`");
}

}  // namespace

std::string records_text(std::size_t records) { return counted(records, "record"); }

std::string records_text(const cache::Accepted& accepted, const evaluation::Dialect& dialect) {
  std::string text;
  std::size_t named = 0;
  for (std::size_t i = 0; i < accepted.of_kind.size(); ++i) {
    if (accepted.of_kind[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text +=
        counted(accepted.of_kind[i], kind_name(dialect, static_cast<evaluation::RecordKind>(i)));
    named += accepted.of_kind[i];
  }
  return named == accepted.records && named > 0 ? text : records_text(accepted.records);
}

std::string changes_text(const cache::Accepted& accepted, const evaluation::Dialect& dialect) {
  std::string text = std::to_string(accepted.added) + " added, " +
                     std::to_string(accepted.changed) + " changed, " +
                     std::to_string(accepted.removed) + " removed";
  const bool is_first = accepted.added > kNamedMax && accepted.added == accepted.records;
  if (is_first || accepted.changed_ids.empty()) return text;
  const std::size_t named = std::min(kNamedMax, accepted.changed_ids.size());
  for (std::size_t i = 0; i < named; ++i) {
    text += (i == 0 ? ": " : ", ") + name_of(accepted.changed_ids[i], dialect);
  }
  const std::size_t more = accepted.changed_ids.size() - named;
  if (more > 0) text += " and " + std::to_string(more) + " more";
  return text;
}

}  // namespace flagstone::sidecar
