// flagd's Kubernetes source: the FeatureFlag resource of the OpenFeature Operator that
// `core.openfeature.dev/NAMESPACE/NAME` names (v1beta1; older versions are not read).
//
// Where and whom to ask: the API server that Kubernetes names in each pod's environment, with the
// pod's service account. Its token is read again when it is rotated and never leaves this source:
// it is no credential of the flags, so it neither routes requests nor marks the state.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "upstream/source_environment.h"

namespace flagstone::upstream {

struct KubernetesName {
  std::string name_space;  // Empty: the pod's own.
  std::string name;
  bool operator==(const KubernetesName&) const = default;
};
// `core.openfeature.dev/NAMESPACE/NAME`, or without NAMESPACE; nothing for URIs of another form.
std::optional<KubernetesName> kubernetes_name(std::string_view uri);

// Where a pod finds its cluster.
struct KubernetesPlace {
  std::string server;  // "https://10.0.0.1:443"
  std::string ca_file;
  std::string token_file;
  std::string name_space;  // The pod's own, empty when unknown.
};
inline constexpr std::string_view kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// From the environment and the folder that the kubelet mounts. Reads a file, blocking. The error
// says that this is no pod.
std::expected<KubernetesPlace, std::string> kubernetes_place(
    const config::Variables& variables, std::string_view folder = kServiceAccountFolder);

// `ca_file` and a credential in the options replace the place's. REQUIRES: kubernetes_name() of the
// URI. The error says which namespace is missing.
std::expected<std::unique_ptr<Source>, std::string> make_flagd_kubernetes_source(
    const config::Source& options, const KubernetesPlace& place,
    const SourceEnvironment& environment, SourceListener& listener);

}  // namespace flagstone::upstream
