// Requests that come with a credential nobody knows: it may be new in its file, so the keeper looks
// at the files, and the request is answered from the top once it has.
//
// One per serving thread, on its loop, for the apis of vendors. Bounded in number and time; beyond,
// the caller is told to try again, and never that his credential is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "net/deferred_response.h"
#include "net/handler.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"
#include "sidecar/credential_looks.h"
#include "sidecar/routing.h"

namespace flagstone::sidecar {

class UnknownCredentials {
 public:
  static constexpr std::size_t kWaitingMax = 1024;
  // Who comes just after a question was asked waits for the next one, and the files rest before
  // either: a stranger who never stops asking must not make it too long. The rest is the disk's.
  static constexpr std::int64_t kWaitMsMax = 2 * CredentialLooks::kPauseMs + 1000;
  // A question that is not answered by then is lost.
  static constexpr std::int64_t kAskAgainMs = 60'000;

  enum class Verdict : std::uint8_t {
    kWait,      // It will be handled again; the response is deferred.
    kUnknown,   // All files were looked at since it came, or nobody looks.
    kTryAgain,  // Nobody can tell just now.
  };

  // `done` runs on this loop, after what was found is in the serving state: whether all credentials
  // could be looked at. False: there is no asking just now.
  using Done = std::move_only_function<void(bool found_all)>;
  using Ask = std::move_only_function<bool(Done done)>;

  explicit UnknownCredentials(net::Loop& loop);
  UnknownCredentials(const UnknownCredentials&) = delete;
  UnknownCredentials& operator=(const UnknownCredentials&) = delete;

  // Before the thread starts: who looks, and who handles a request again.
  void set_ask(net::Handler& handler, Ask ask);

  // What to do with a request whose credential is not known.
  [[nodiscard]] Verdict judge(net::Response& response);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    std::unique_ptr<net::DeferredResponse> later;
    std::uint64_t question = 0;
    std::int64_t since_ms = 0;
  };

  bool ask_for_those_who_wait();
  void looked(std::uint64_t question, bool found_all);
  void answer(std::uint64_t number, Verdict verdict);
  void forget(std::uint64_t number);
  void look_at_the_clock();

  net::Loop& loop_;
  net::Handler* handler_ = nullptr;
  Ask ask_;
  net::Timer timer_;
  // By a number that is given once, since answers and connections end in any order.
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_number_ = 1;
  // One question is under way at a time; who comes meanwhile is for the next one.
  std::uint64_t next_question_ = 1;
  bool asking_ = false;
  std::int64_t asked_ms_ = 0;
  // Of the request that is being handled again.
  Verdict verdict_ = Verdict::kWait;
  net::Lifeline<UnknownCredentials> lifeline_{*this};
};

// What an api of a vendor's says to a request that opens no environment: 401, or 503 where it may
// open one yet. At a 401 SDKs stop for good, so that is said only of a key that is in none of the
// files as they are since the request came. nullopt: that is being found out, and the request will
// be handled again.
std::optional<int> refusal_status(UnknownCredentials& unknown, RoutingError error,
                                  const net::Request& request, net::Response& response);

}  // namespace flagstone::sidecar
