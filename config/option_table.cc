#include "config/option_table.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "config/option_rows.h"
#include "config/values.h"

namespace flagstone::config {
namespace {

using enum Scope;

std::string_view scope_prefix(Scope scope) {
  switch (scope) {
    case kEnvironment:
      return "environments.NAME.";
    case kSource:
      return "environments.NAME.sources[].";
    case kProcess:
    case kFlagd:
      break;
  }
  return "";
}

// A table cell: `|` would end it.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return escaped;
}

bool is_uri(const OptionRow& row) { return row.scope == kSource && row.key == "uri"; }

bool is_list_field(const Field& field) {
  return std::holds_alternative<std::vector<std::string>*>(field);
}
bool is_pairs_field(const Field& field) { return std::holds_alternative<Pairs*>(field); }

// The answer for the row's field, false when it has none.
bool with_field(const OptionRow& row, bool (*answer)(const Field&)) {
  if (row.field == nullptr) {
    return false;
  }
  Options options;
  Environment environment;
  Source source;
  return answer(row.field({&options, &environment, &source}));
}

std::string code_cell(std::string_view text) { return text.empty() ? "–" : "`" + cell(text) + "`"; }

}  // namespace

std::span<const OptionRow> option_table() {
  static const std::vector<OptionRow> kTable = [] {
    std::vector<OptionRow> rows(own_rows().begin(), own_rows().end());
    rows.insert(rows.end(), flagd_rows().begin(), flagd_rows().end());
    return rows;
  }();
  return kTable;
}

const OptionRow* find_option(Scope scope, std::string_view key) {
  for (const OptionRow& row : option_table()) {
    if (row.scope == scope && row.key == key && !key.empty()) {
      return &row;
    }
  }
  return nullptr;
}

const OptionRow* find_flagd_option(std::string_view flagd) {
  for (const OptionRow& row : option_table()) {
    if (row.flagd == flagd && !flagd.empty()) {
      return &row;
    }
  }
  return nullptr;
}

bool is_list(const OptionRow& row) { return is_uri(row) || with_field(row, is_list_field); }

bool takes_many(const OptionRow& row) { return is_list(row) || with_field(row, is_pairs_field); }

bool is_switch(const OptionRow& row) { return !row.flag.empty() && row.value_name == "BOOL"; }

std::string default_text(const OptionRow& row) {
  if (!row.default_text.empty() || row.field == nullptr) {
    return std::string(row.default_text);
  }
  Options options;
  Environment environment;
  Source source;
  return format_field(row.field({&options, &environment, &source}));
}

std::string_view long_flag(const OptionRow& row) { return row.flag.substr(0, row.flag.find(',')); }

std::string_view short_flag(const OptionRow& row) {
  const std::size_t comma = row.flag.rfind(',');
  const std::string_view last =
      comma == std::string_view::npos ? std::string_view() : row.flag.substr(comma + 1);
  return last.starts_with("--") ? std::string_view() : last;
}

std::string flagd_variable(const OptionRow& row) {
  if (row.flagd.empty()) {
    return {};
  }
  std::string name = "FLAGD_" + std::string(row.flagd);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

std::string full_key(const OptionRow& row) {
  return row.key.empty() ? std::string()
                         : std::string(scope_prefix(row.scope)) + std::string(row.key);
}

std::string option_table_markdown() {
  std::string text =
      "| key in the file | flag | default | what it is |\n"
      "|---|---|---|---|\n";
  for (const OptionRow& row : option_table()) {
    if (!row.ignored.empty()) {
      continue;
    }
    std::string key = full_key(row);
    if (row.scope == kEnvironment || row.scope == kSource) {
      // The whole path would make the column wider than the page.
      key = (row.scope == kSource ? "source: " : "environment: ") + std::string(row.key);
    }
    text += "| " + code_cell(key) + " | " + code_cell(long_flag(row)) + " | " +
            cell(default_text(row)) + " | " + cell(row.help) + " |\n";
  }
  return text;
}

std::string flagd_table_markdown() {
  std::string text =
      "| flagd's option | variable, key in flagd's file | here |\n"
      "|---|---|---|\n";
  for (const OptionRow& row : option_table()) {
    if (row.flagd.empty()) {
      continue;
    }
    const std::string letter(short_flag(row));
    text += "| " + code_cell("--" + std::string(row.flagd)) +
            (letter.empty() ? "" : ", " + code_cell(letter)) + " | " +
            code_cell(flagd_variable(row)) + ", " + code_cell(row.flagd) + " | " +
            (row.ignored.empty() ? cell(row.help) : "accepted, ignored: " + cell(row.ignored)) +
            " |\n";
  }
  return text;
}

}  // namespace flagstone::config
