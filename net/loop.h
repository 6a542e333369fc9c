// One event loop, for one thread.
//
// The owner creates it, gives references to timers, watches and servers, destroys those first and
// the loop last. Everything but post(), stop() and now_ms() belongs to the thread that is in run()
// (before run(): to the thread that created it); debug builds assert it. A loop cannot fail once
// constructed; the constructor aborts when the system has no descriptor left for it, since nothing
// works then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

struct uv_loop_s;  // libuv's, seen only inside net/

namespace flagstone::net {

// Something that wants to be called once, when the loop has run this turn's callbacks and before it
// sleeps: connections write then what was said during the turn. Destroying it takes it off the
// list.
class TurnEndTask {
 public:
  TurnEndTask() = default;
  TurnEndTask(const TurnEndTask&) = delete;
  TurnEndTask& operator=(const TurnEndTask&) = delete;
  virtual ~TurnEndTask();
  virtual void at_turn_end() = 0;

 private:
  friend class Loop;
  TurnEndTask* previous_ = nullptr;
  TurnEndTask* next_ = nullptr;  // both null: not on a list (the list has a sentinel)
};

class Loop {
 public:
  using Task = std::move_only_function<void()>;

  // Tasks waiting at once. Whoever posts faster than the loop runs is told so, and must drop or
  // wait.
  static constexpr std::size_t kPostedTasksMax = 65536;

  Loop();
  ~Loop();  // runs no posted task any more; runs the closes to their end and asserts none is left
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop(). May be called again afterwards.
  void run();
  // Any thread. The turn under way ends, then run() returns; remembered if run() was not yet
  // entered.
  void stop();
  // Any thread. The task runs on the loop's thread in one of its next turns, in order of posting.
  // False (and the task destroyed unrun) when kPostedTasksMax are waiting.
  [[nodiscard]] bool post(Task task);

  // Monotonic milliseconds as of the start of this turn; cheap.
  std::int64_t now_ms() const;
  // Makes now_ms() current: for work that has run long within one turn.
  void refresh_now();

  void call_at_turn_end(TurnEndTask& task);  // once per turn however often it is asked
  bool in_thread() const;  // true on the loop's thread, and while no thread runs it
  uv_loop_s* uv();

 private:
  struct State;
  void end_turn();
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::net
