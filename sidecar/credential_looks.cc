#include "sidecar/credential_looks.h"

#include <algorithm>
#include <utility>

namespace flagstone::sidecar {

// Lives as long as some file may still say something. It may go in the middle of anything, a reload
// that stops the sources for one, so what follows from it is for a later turn.
struct CredentialLooks::Look {
  explicit Look(std::function<void(bool found_all)> ended) : on_end(std::move(ended)) {}
  ~Look() { on_end(found_all); }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  std::function<void(bool found_all)> on_end;
  bool found_all = true;
};

CredentialLooks::CredentialLooks(net::Loop& loop, Begin begin, std::function<void()> on_over,
                                 std::int64_t pause_ms)
    : loop_(loop),
      begin_(std::move(begin)),
      on_over_(std::move(on_over)),
      pause_ms_(pause_ms),
      next_(loop, [this] { look(); }),
      over_(loop, [this] { over(); }) {}

void CredentialLooks::ask(Done done) {
  if (asked_.size() >= kAskedMax) return;
  asked_.push_back(std::move(done));
  look_when_it_is_time();
}

void CredentialLooks::look_when_it_is_time() {
  if (asked_.empty() || looking_ || next_.running()) return;
  next_.start_once(std::max<std::int64_t>(0, earliest_ms_ - loop_.now_ms()));
}

void CredentialLooks::look() {
  looking_ = true;
  earliest_ms_ = loop_.now_ms() + pause_ms_;
  answered_by_look_ = std::exchange(asked_, {});
  const auto look =
      std::make_shared<Look>(lifeline_.guard([](CredentialLooks& looks, bool found_all) {
        looks.found_all_ = found_all;
        looks.over_.start_once(0);
      }));
  begin_([look](bool found) { look->found_all = look->found_all && found; });
}

void CredentialLooks::over() {
  looking_ = false;
  on_over_();
  const std::vector<Done> answered = std::exchange(answered_by_look_, {});
  for (const Done& done : answered) done(found_all_);
  look_when_it_is_time();
}

}  // namespace flagstone::sidecar
