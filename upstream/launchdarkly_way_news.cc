#include "upstream/launchdarkly_way_news.h"

#include <string_view>

namespace flagstone::upstream {
namespace {

constexpr std::string_view kSignal = "; SIGHUP has FDv2 tried again now";

std::string reason(const LaunchDarklyWayNews::Facts& now) {
  if (now.left_stream) return std::string(", since the other side asks for that").append(kSignal);
  const bool is_in_need = now.is_polled && now.wants_stream;
  if (now.left_fdv2) {
    std::string text = ", since the other side does not know FDv2";
    if (is_in_need) text += " and its stream does not work";
    return text.append(kSignal);
  }
  return is_in_need ? ", since the stream does not work" : "";
}

}  // namespace

std::optional<LaunchDarklyWayNews::News> LaunchDarklyWayNews::note(const Facts& now) {
  const bool is_fdv2 = now.protocol == LaunchDarklyProtocol::kFdv2;
  const auto before = std::exchange(told_, Rank(!now.is_polled, is_fdv2));
  if (before == told_) return std::nullopt;
  std::string text = now.is_polled ? "polled by " : "streamed by ";
  text += is_fdv2 ? "FDv2" : "FDv1";
  return News{.is_warning = before ? told_ < before : now.is_polled && now.wants_stream,
              .text = text + reason(now)};
}

}  // namespace flagstone::upstream
