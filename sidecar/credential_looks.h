// Looks at the files of credentials for the sake of somebody who came with one that nobody knows:
// a key is new in its file for up to some seconds before the file is looked at again, and an SDK of
// LaunchDarkly's that hears 401 meanwhile stops for good.
//
// Owned by the keeper, on its loop. Strangers cost no more than anybody: one look at a time, and
// one in kPauseMs, however many ask. A disk that hangs makes a look last; whoever waits for it
// bounds that himself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"

namespace flagstone::sidecar {

class CredentialLooks {
 public:
  static constexpr std::int64_t kPauseMs = 1000;
  // Of those who wait for the next look; beyond, a question is dropped unanswered.
  static constexpr std::size_t kAskedMax = 1024;

  // Each file's result. The look is over once no copy of it is left.
  using Found = std::function<void(bool found)>;
  using Begin = std::function<void(const Found& found)>;
  // Runs once a look that began after the question is over: whether a credential was found wherever
  // one should be.
  using Done = std::function<void(bool found_all)>;

  // `on_over` runs before the answers: what was found is to be known by then.
  CredentialLooks(net::Loop& loop, Begin begin, std::function<void()> on_over,
                  std::int64_t pause_ms = kPauseMs);
  CredentialLooks(const CredentialLooks&) = delete;
  CredentialLooks& operator=(const CredentialLooks&) = delete;

  void ask(Done done);

 private:
  struct Look;

  void look();
  void over();
  void look_when_it_is_time();

  net::Loop& loop_;
  Begin begin_;
  std::function<void()> on_over_;
  std::int64_t pause_ms_;
  // Whom the next look is for, and whom the one under way.
  std::vector<Done> asked_;
  std::vector<Done> answered_by_look_;
  bool looking_ = false;
  bool found_all_ = true;
  std::int64_t earliest_ms_ = 0;
  net::Timer next_;
  net::Timer over_;
  net::Lifeline<CredentialLooks> lifeline_{*this};
};

}  // namespace flagstone::sidecar
