// Answers that wait for the disk: a flag's text is not in the kernel's memory, and a serving loop
// waits for no disk. The request is kept, the text reader reads the text, and the request is
// answered from the top in a later turn.
//
// One per serving thread, on its loop, shared by its apis. Bounded in number, tries and time;
// beyond, the api answers what it answers for a text that cannot be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "cache/text_place.h"
#include "net/deferred_response.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"

namespace flagstone::sidecar {

class LateAnswers {
 public:
  static constexpr std::size_t kWaitingMax = 1024;
  // What was read may have been dropped again before it was used.
  static constexpr unsigned kTriesMax = 5;
  static constexpr std::int64_t kWaitMsMax = 2000;

  using Done = std::move_only_function<void()>;
  // Has these places read; `done` runs on this loop.
  using Bring = std::move_only_function<void(cache::TextPlace place, Done done)>;
  using Again = std::move_only_function<void(const net::Request&, net::Response&)>;

  explicit LateAnswers(net::Loop& loop);
  LateAnswers(const LateAnswers&) = delete;
  LateAnswers& operator=(const LateAnswers&) = delete;

  // Before the thread starts.
  void set_bring(Bring bring) { bring_ = std::move(bring); }
  // Defers the response and answers by `again` when the places were read. False, and nothing is
  // done: it has to be answered as it is.
  [[nodiscard]] bool wait(std::span<const cache::TextPlace> places, net::Response& response,
                          Again again);
  // The same without a request: `done` runs when they were read, or with false when the disk took
  // longer than kWaitMsMax.
  using Brought = std::move_only_function<void(bool in_time)>;
  void bring(std::span<const cache::TextPlace> places, Brought done);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    std::unique_ptr<net::DeferredResponse> later;
    Again again;
    std::size_t places_left = 0;
    unsigned tries = 0;
    std::int64_t since_ms = 0;
  };

  struct Bringing {
    Brought done;
    std::size_t places_left = 0;
    std::int64_t since_ms = 0;
  };

  void brought(std::uint64_t number);
  void brought_for_nobody(std::uint64_t number);
  void end_bringing(std::uint64_t number, bool in_time);
  void forget(std::uint64_t number);
  void watch_the_clock();
  void answer(std::uint64_t number, unsigned tries);
  void look_at_the_clock();

  net::Loop& loop_;
  Bring bring_;
  net::Timer timer_;
  // By a number that is given once, since answers and connections end in any order.
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<std::uint64_t, Bringing> bringing_;
  std::uint64_t next_number_ = 1;
  // Of the request that is being answered again.
  unsigned tries_ = 0;
  std::int64_t since_ms_ = 0;
  net::Lifeline<LateAnswers> lifeline_{*this};
};

}  // namespace flagstone::sidecar
