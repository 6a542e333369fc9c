#include "config/launchdarkly_hosts.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace flagstone::config {
namespace {

// The regions are below the first; the second is for those that work for the government.
constexpr std::array<std::string_view, 2> kDomains = {"launchdarkly.com", "launchdarkly.us"};
constexpr std::string_view kSdkLabel = "sdk.";
// Hosts of theirs that flags are not polled from.
constexpr std::array<std::string_view, 3> kOtherLabels = {"stream.", "events.", "clientstream."};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view host_of(std::string_view uri) {
  const std::size_t start = uri.find("://");
  if (start == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = uri.substr(start + 3);
  return rest.substr(0, rest.find_first_of(":/?#"));
}

}  // namespace

bool is_launchdarklys_own(std::string_view uri) {
  const std::string host = "." + lower_case(host_of(uri));
  return std::ranges::any_of(kDomains, [&host](std::string_view domain) {
    return host.ends_with("." + std::string(domain));
  });
}

std::string launchdarkly_sdk_instead(std::string_view uri) {
  const std::string_view host = host_of(uri);
  const std::string lower = lower_case(host);
  for (const std::string_view label : kOtherLabels) {
    if (is_launchdarklys_own(uri) && lower.starts_with(label)) {
      std::string other(uri);
      other.replace(static_cast<std::size_t>(host.data() - uri.data()), label.size(), kSdkLabel);
      return other;
    }
  }
  return {};
}

std::string launchdarkly_sibling(std::string_view uri, std::string_view label) {
  const std::string_view host = host_of(uri);
  std::string sibling(uri);
  if (is_launchdarklys_own(uri) && lower_case(host).starts_with(kSdkLabel)) {
    const auto at = static_cast<std::size_t>(host.data() - uri.data());
    sibling.replace(at, kSdkLabel.size() - 1, label);
  }
  return sibling;
}

}  // namespace flagstone::config
