#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/io_watch.h"
#include "net/signal.h"
#include "net/timer.h"

namespace flagstone::net {
namespace {

TEST(Loop, RunsPostedTasksInOrderFromOtherThreads) {
  Loop loop;
  std::vector<int> ran;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(loop.post([&ran, i] { ran.push_back(i); }));
    loop.stop();
  });
  loop.run();
  other.join();
  ASSERT_EQ(ran.size(), 1000u);
  EXPECT_TRUE(std::ranges::is_sorted(ran));
}

TEST(Loop, StopBeforeRunIsRememberedAndWhatWasPostedBeforeItRuns) {
  Loop loop;
  bool ran = false;
  ASSERT_TRUE(loop.post([&] { ran = true; }));
  loop.stop();
  loop.run();
  EXPECT_TRUE(ran);
  ASSERT_TRUE(loop.post([&] { loop.stop(); }));
  loop.run();  // and may be entered again
}

TEST(Loop, RefusesTasksBeyondItsBoundAndDropsTheUnrun) {
  auto counted = std::make_shared<int>(0);
  {
    Loop loop;
    for (std::size_t i = 0; i < Loop::kPostedTasksMax; ++i) {
      ASSERT_TRUE(loop.post([counted] { ++*counted; }));
    }
    EXPECT_FALSE(loop.post([counted] { ++*counted; }));
  }
  EXPECT_EQ(*counted, 0);
  EXPECT_EQ(counted.use_count(), 1) << "the loop destroys what it did not run";
}

class Recorder final : public TurnEndTask {
 public:
  Recorder(std::string& journal, char name) : journal_(journal), name_(name) {}
  void at_turn_end() override { journal_ += name_; }

 private:
  std::string& journal_;
  char name_;
};

TEST(Loop, CallsTurnEndTasksOncePerTurn) {
  Loop loop;
  std::string journal;
  Recorder a(journal, 'a');
  auto gone = std::make_unique<Recorder>(journal, 'x');
  Recorder b(journal, 'b');
  ASSERT_TRUE(loop.post([&] {
    loop.call_at_turn_end(a);
    loop.call_at_turn_end(*gone);
    loop.call_at_turn_end(b);
    loop.call_at_turn_end(a);
    gone.reset();  // takes itself off the list
    journal += '.';
  }));
  Timer stop(loop, [&] { loop.stop(); });
  stop.start_once(5);
  loop.run();
  EXPECT_EQ(journal, ".ab");
}

TEST(Timer, FiresOnceOrAgainAndCanBeStopped) {
  Loop loop;
  int once = 0, again = 0, never = 0;
  Timer single(loop, [&] { ++once; });
  Timer stopped(loop, [&] { ++never; });
  std::optional<Timer> repeating;
  repeating.emplace(loop, [&] {
    if (++again == 3) {
      repeating.reset();  // destroyed inside its own callback
      loop.stop();
    }
  });
  single.start_once(0);
  stopped.start_once(0);
  stopped.stop();
  EXPECT_FALSE(stopped.running());
  repeating->start_repeating(1, 1);
  EXPECT_TRUE(repeating->running());
  loop.run();
  EXPECT_EQ(once, 1);
  EXPECT_EQ(again, 3);
  EXPECT_EQ(never, 0);
}

TEST(Timer, CanBeRestartedInItsCallback) {
  Loop loop;
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++fired == 2) return loop.stop();
    timer->start_once(0);
  });
  timer->start_once(0);
  loop.run();
  EXPECT_EQ(fired, 2);
}

TEST(Signal, CallsBackAndMayBeDestroyedInItsCallback) {
  Loop loop;
  int received = 0;
  std::optional<Signal> signal;
  Signal second(loop, SIGUSR2, [&] {
    if (++received == 2) loop.stop();
  });
  signal.emplace(loop, SIGUSR2, [&] {
    signal.reset();
    ::raise(SIGUSR2);
  });
  ::raise(SIGUSR2);
  loop.run();
  EXPECT_EQ(received, 2);
}

TEST(IoWatch, TellsReadinessAndMayChangeOrDieInItsCallback) {
  Loop loop;
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::string journal;
  std::optional<IoWatch> watch;
  watch.emplace(loop, descriptor, [&](Readiness ready) {
    if (ready.writable) {
      journal += 'w';
      ASSERT_EQ(::eventfd_write(descriptor, 1), 0);
      watch->watch(true, false);
    } else {
      EXPECT_TRUE(ready.readable);
      journal += 'r';
      watch.reset();
      ::close(descriptor);
      loop.stop();
    }
  });
  EXPECT_EQ(watch->refused(), 0);
  watch->watch(false, true);
  loop.run();
  EXPECT_EQ(journal, "wr");
}

TEST(IoWatch, SaysWhenADescriptorCannotBeWatched) {
  Loop loop;
  FILE* file = std::tmpfile();
  IoWatch watch(loop, ::fileno(file), [](Readiness) { FAIL(); });
  EXPECT_EQ(watch.refused(), EPERM);
  watch.watch(true, false);
  std::fclose(file);
}

}  // namespace
}  // namespace flagstone::net
