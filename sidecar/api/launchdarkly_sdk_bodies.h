// What many streams of LaunchDarkly's SDKs are sent as one: a whole environment, prepared once for
// each of its states and forms that somebody asks for.
//
// One per serving thread, on its loop. A body is put together in slices over several turns, from
// the state it began with; streams share it and keep it alive, and for a while it is kept for who
// asks next. What may fail: there is no room for it (it is then told in slices, to each by
// itself), or a text cannot be read (it is tried again).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/dialects/launchdarkly/wire/document_writer.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/timer.h"
#include "sidecar/api/launchdarkly_sdk_document.h"
#include "sidecar/api/launchdarkly_sdk_mirror.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class SdkBodies {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  // How long one that nobody asked for again is kept.
  static constexpr std::int64_t kIdleMs = 10'000;
  // After a text could not be read, or there was no room.
  static constexpr std::int64_t kRetryMs = 1000;
  // A body larger than this is not made: nobody takes one.
  static constexpr std::size_t kBytesMax = std::size_t{256} * 1024 * 1024;
  // Written between two turns of the loop.
  static constexpr std::size_t kSliceBytes = std::size_t{1} << 20;

  // `made`: some body of that environment has come to be, or will not.
  SdkBodies(net::Loop& loop, ServingDesk& desk, const SdkMirror& mirror,
            std::function<void(std::size_t environment)> made);
  ~SdkBodies();
  SdkBodies(const SdkBodies&) = delete;
  SdkBodies& operator=(const SdkBodies&) = delete;

  struct Found {
    // nullptr: it is being made, and `made` comes; or there is no room.
    Bytes bytes;
    // The state it is of.
    std::uint64_t generation = 0;
    bool no_room = false;
  };
  // Of the newest state, or of one that was the newest when making it began. REQUIRES: has_data.
  Found find(std::size_t environment, evaluation::launchdarkly::DocumentForm form);

  // What is kept for who asks next goes.
  void give_up();
  // Counts bodies that are alive, whoever holds them.
  void count();
  // Bodies alive of that environment and form that are neither the newest nor being made, the
  // oldest first: slow readers hold them.
  std::vector<Bytes> old_ones(std::size_t environment, evaluation::launchdarkly::DocumentForm form);

 private:
  using Name = std::pair<std::size_t, evaluation::launchdarkly::DocumentForm>;
  struct Kept {
    Bytes bytes;
    std::uint64_t generation = 0;
    std::int64_t asked_ms = 0;
    // Those who waited for it are being told: they take it although it may not be the newest.
    bool fresh = false;
  };
  struct Making {
    std::shared_ptr<const cache::ServingState> state;
    SdkDocument document;
    std::shared_ptr<std::string> text;
    std::uint64_t generation = 0;
    std::uint64_t number = 0;
  };
  struct Alive {
    Name name;
    std::weak_ptr<const std::string> bytes;
  };

  // A state that there was no room for, not looked at again before then.
  struct NoRoom {
    std::uint64_t generation = 0;
    std::int64_t until_ms = 0;
  };

  Found begin(const Name& name);
  void go_on(const Name& name, std::uint64_t number);
  void resume(const Name& name, std::uint64_t number);
  void give_up_making(const Name& name, std::uint64_t number);
  void finish(const Name& name, bool failed);
  void look_at_the_clock();

  net::Loop& loop_;
  ServingDesk& desk_;
  const SdkMirror& mirror_;
  std::function<void(std::size_t)> made_;
  std::map<Name, Kept> kept_;
  std::map<Name, Making> making_;
  // Until then a body that could not be read is not tried again.
  std::map<Name, std::int64_t> retry_ms_;
  std::map<Name, NoRoom> no_room_;
  std::vector<Alive> alive_;
  net::Timer timer_;
  std::uint64_t next_number_ = 1;
  net::Lifeline<SdkBodies> lifeline_{*this};
};

}  // namespace flagstone::sidecar
