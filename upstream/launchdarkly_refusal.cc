#include "upstream/launchdarkly_refusal.h"

#include <string_view>

namespace flagstone::upstream {
namespace {

std::string_view path_of(bool streamed, LaunchDarklyProtocol protocol) {
  if (protocol == LaunchDarklyProtocol::kFdv2) return streamed ? "/sdk/stream" : "/sdk/poll";
  return streamed ? "/all" : "/sdk/latest-all";
}

std::string key_text(const LaunchDarklyAsked& asked) {
  const config::SecretSource& from = asked.source.credential;
  std::string text = "the SDK key";
  if (!from.file.empty()) text += " in " + from.file;
  if (!from.variable.empty()) text += " in the variable " + from.variable;
  const std::string end = config::end_of(asked.key);
  return end.empty() ? text : text + " (" + end + ")";
}

std::string where_text(const LaunchDarklyAsked& asked) {
  const config::LaunchDarklySource& options = asked.source.launchdarkly;
  if (asked.protocol == LaunchDarklyProtocol::kFdv2) {
    return "where FDv2 is not known, `protocol: auto` goes on by FDv1";
  }
  std::string text = "is `uri` the base of LaunchDarkly's or of a relay, without a path";
  if (!options.filter.empty()) {
    text += ", and is there a payload filter `" + options.filter + "`";
  }
  return text + "?";
}

}  // namespace

std::string launchdarkly_cause(FailureKind kind, const std::string& cause,
                               const LaunchDarklyAsked& asked) {
  std::string text = cause + " at ";
  text.append(path_of(asked.streamed, asked.protocol)).append(": ");
  if (kind == FailureKind::kUnauthorized) {
    return text + key_text(asked) + " is refused, check that it is this environment's and valid";
  }
  return kind == FailureKind::kNotFound ? text + where_text(asked) : cause;
}

}  // namespace flagstone::upstream
