#include "sidecar/access_notes.h"

#include <utility>

namespace flagstone::sidecar {
namespace {

constexpr std::uint32_t kNoEnvironment = UINT32_MAX;

}  // namespace

void AccessNotes::opened(const FilteredRoute& found, std::string_view filter) {
  opened(found.route);
  if (found.match == FilterMatch::kExact) return;
  tell_of_filter({.kind = found.match == FilterMatch::kUnfiltered
                              ? AccessNote::Kind::kUnfilteredServed
                              : AccessNote::Kind::kFilteredOnlyServed,
                  .environment = found.route.environment,
                  .filter = std::string(filter.substr(0, kTextBytesMax))});
}

void AccessNotes::refused(AccessApi api, RoutingError error, const net::Request& request) {
  counters_.unauthorized[static_cast<std::size_t>(api)].add(1);
  if (!tell_ || loop_.now_ms() - refusal_told_ms_ < kPauseMs) return;
  refusal_told_ms_ = loop_.now_ms();
  tell_({.kind = AccessNote::Kind::kUnauthorized,
         .api = api,
         .error = error,
         .credential = std::string(presented_credential(request).substr(0, kTextBytesMax))});
}

void AccessNotes::filter_refused(RoutingError error, std::string_view filter) {
  tell_of_filter({.kind = AccessNote::Kind::kFilterRefused,
                  .error = error,
                  .environment = kNoEnvironment,
                  .filter = std::string(filter.substr(0, kTextBytesMax))});
}

void AccessNotes::tell_of_filter(AccessNote note) {
  if (!tell_ || filters_told_.size() >= kFiltersMax) return;
  if (filters_told_.emplace(note.environment, note.filter).second) tell_(std::move(note));
}

}  // namespace flagstone::sidecar
