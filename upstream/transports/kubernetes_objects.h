// What a Kubernetes API server says, read: lists, watch events and statuses, and the document that
// stands inside a resource.
//
// Pure functions over whole JSON texts, checked before anything is taken from them, without
// recursion. Views point into the text given. The errors say what is wrong, for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flagstone::upstream {

// Deeper than any server nests; what the document itself may have is the sink's affair.
inline constexpr std::size_t kKubernetesDepthMax = 4'096;

struct KubernetesObject {
  std::string name;
  std::string resource_version;
  // The value at the document's path, byte for byte; nothing when there is none.
  std::optional<std::string_view> document;
};

struct KubernetesList {
  std::string resource_version;
  std::optional<KubernetesObject> object;  // The one that was looked for.
};

// An answer that is no success, or the object of an ERROR event.
struct KubernetesStatus {
  int code = 0;
  std::string message;  // One line, printable, at most kKubernetesMessageBytesMax.
};
inline constexpr std::size_t kKubernetesMessageBytesMax = 300;

struct KubernetesEvent {
  enum class Type : std::uint8_t { kAdded, kModified, kDeleted, kBookmark, kError, kOther };
  Type type = Type::kOther;
  KubernetesObject object;  // Empty for kError.
  KubernetesStatus status;  // Of kError.
};

// `path`: names of the members that lead from a resource to its document.
using DocumentPath = std::span<const std::string>;

std::expected<KubernetesList, std::string> read_kubernetes_list(std::string_view text,
                                                                std::string_view name,
                                                                DocumentPath path);
std::expected<KubernetesEvent, std::string> read_kubernetes_event(std::string_view line,
                                                                  DocumentPath path);
// Empty when the text is no status.
KubernetesStatus read_kubernetes_status(std::string_view text);

}  // namespace flagstone::upstream
