#include "sidecar/former_credentials.h"

#include <algorithm>
#include <utility>

namespace flagstone::sidecar {

void FormerCredentials::note(std::size_t source, const std::string& credential,
                             std::chrono::milliseconds grace, upstream::TimePoint now) {
  std::erase_if(former_, [&](const Former& former) { return former.until <= now; });
  if (current_.size() <= source) current_.resize(source + 1);
  if (credential.empty() || credential == current_[source]) return;
  std::string before = std::exchange(current_[source], credential);
  // One that came back is no former one any more.
  std::erase_if(former_, [&](const Former& former) {
    return former.credential == credential || former.credential == before;
  });
  if (before.empty() || grace.count() == 0) return;
  former_.push_back({.credential = std::move(before), .until = now + grace});
}

void FormerCredentials::append_to(std::vector<std::string>& all, upstream::TimePoint now) const {
  for (const Former& former : former_) {
    if (former.until > now && std::ranges::find(all, former.credential) == all.end()) {
      all.push_back(former.credential);
    }
  }
}

}  // namespace flagstone::sidecar
