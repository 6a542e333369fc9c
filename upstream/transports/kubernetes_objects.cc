#include "upstream/transports/kubernetes_objects.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "evaluation/json_cursor.h"
#include "evaluation/json_syntax.h"
#include "evaluation/json_text.h"

namespace flagstone::upstream {
namespace {

using evaluation::JsonCursor;
using evaluation::JsonSyntax;

// The whole text, once; everything below walks valid JSON. The error has no quote of the text.
std::expected<std::string_view, std::string> checked_object(std::string_view text) {
  if (const auto valid = evaluation::check_json(text, kKubernetesDepthMax); !valid) {
    return std::unexpected("byte " + std::to_string(valid.error().byte_offset) + ": " +
                           std::string(valid.error().message));
  }
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (!text.starts_with('{')) return std::unexpected("not a JSON object");
  return text;
}

// Empty when `object` is none or has no such member. The last of equal names wins.
std::string_view member(std::string_view object, std::string_view name) {
  if (!object.starts_with('{')) return {};
  JsonCursor cursor(object);
  std::string_view found;
  std::string_view key;
  std::string_view value;
  while (cursor.next(key, value)) {
    if (key == name) found = value;
  }
  return found;
}

std::string text_of(std::string_view value) {
  std::string text;
  if (value.starts_with('"')) {
    evaluation::append_unescaped(text, value.substr(1, value.size() - 2));
  }
  return text;
}

// It goes into a URL as it came, so it may be nothing but what servers make it of. Empty otherwise.
std::string version_of(std::string_view metadata) {
  std::string version = text_of(member(metadata, "resourceVersion"));
  const bool plain = std::ranges::all_of(version, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
  return plain ? version : std::string();
}

KubernetesObject object_of(std::string_view text, DocumentPath path) {
  const std::string_view metadata = member(text, "metadata");
  KubernetesObject object{.name = text_of(member(metadata, "name")),
                          .resource_version = version_of(metadata),
                          .document = {}};
  std::string_view value = text;
  for (const std::string& name : path) value = member(value, name);
  if (!value.empty() && value != "null") object.document = value;
  return object;
}

// Control characters would break a log line; a half character would break its reader.
std::string one_line(std::string text) {
  if (text.size() > kKubernetesMessageBytesMax) {
    std::size_t end = kKubernetesMessageBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }, ' ');
  return text;
}

KubernetesStatus status_of(std::string_view object) {
  KubernetesStatus status;
  const std::string_view code = member(object, "code");
  std::from_chars(code.data(), code.data() + code.size(), status.code);
  status.message = one_line(text_of(member(object, "message")));
  return status;
}

KubernetesEvent::Type type_of(std::string_view name) {
  using Type = KubernetesEvent::Type;
  if (name == "ADDED") return Type::kAdded;
  if (name == "MODIFIED") return Type::kModified;
  if (name == "DELETED") return Type::kDeleted;
  if (name == "BOOKMARK") return Type::kBookmark;
  if (name == "ERROR") return Type::kError;
  return Type::kOther;
}

// The first of the array's objects with that name.
std::optional<KubernetesObject> find_item(std::string_view array, std::string_view name,
                                          DocumentPath path) {
  JsonSyntax syntax;
  const char* at = array.data();
  const char* const end = at + array.size();
  const char* start = nullptr;
  while (true) {
    const JsonSyntax::Event event = syntax.next(at, end);
    if (event == JsonSyntax::Event::kMore || event == JsonSyntax::Event::kError) return {};
    if (event == JsonSyntax::Event::kBeginObject && syntax.depth() == 2) start = at - 1;
    if (event != JsonSyntax::Event::kEndObject || syntax.depth() != 1) continue;
    KubernetesObject object = object_of({start, static_cast<std::size_t>(at - start)}, path);
    if (object.name == name) return object;
  }
}

}  // namespace

std::expected<KubernetesList, std::string> read_kubernetes_list(std::string_view text,
                                                                std::string_view name,
                                                                DocumentPath path) {
  const auto list = checked_object(text);
  if (!list) return std::unexpected(list.error());
  KubernetesList read;
  read.resource_version = version_of(member(*list, "metadata"));
  if (read.resource_version.empty()) return std::unexpected("a list without resourceVersion");
  const std::string_view items = member(*list, "items");
  if (items.starts_with('[')) read.object = find_item(items, name, path);
  return read;
}

std::expected<KubernetesEvent, std::string> read_kubernetes_event(std::string_view line,
                                                                  DocumentPath path) {
  const auto event = checked_object(line);
  if (!event) return std::unexpected(event.error());
  KubernetesEvent read;
  read.type = type_of(text_of(member(*event, "type")));
  const std::string_view object = member(*event, "object");
  if (read.type == KubernetesEvent::Type::kError) {
    read.status = status_of(object);
  } else if (read.type != KubernetesEvent::Type::kOther) {
    read.object = object_of(object, path);
    if (read.object.resource_version.empty()) {
      return std::unexpected("an event without resourceVersion");
    }
  }
  return read;
}

KubernetesStatus read_kubernetes_status(std::string_view text) {
  const auto status = checked_object(text);
  if (!status || text_of(member(*status, "kind")) != "Status") return {};
  return status_of(*status);
}

}  // namespace flagstone::upstream
