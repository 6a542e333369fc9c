#include "net/loop.h"

#include <uv.h>

#include <atomic>
#include <cassert>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "net/uv_check.h"

namespace flagstone::net {
namespace {

// The end of the list of turn-end tasks; never called.
class Sentinel final : public TurnEndTask {
 public:
  void at_turn_end() override {}
};

}  // namespace

struct Loop::State {
  uv_loop_t uv{};
  uv_async_t wake{};
  uv_check_t after_poll{};
  uv_prepare_t before_poll{};
  std::atomic<std::thread::id> thread{};  // the default id: nobody runs the loop
  std::atomic<bool> stop_asked{false};
  Sentinel turn_end;

  std::mutex mutex;
  std::vector<Task> posted;  // guarded by mutex
  std::vector<Task> running;

  void run_posted() {
    // Asked before the queue is taken: what was posted before stop() is then in it, and runs. A
    // stop that comes later wakes the loop once more.
    const bool stopping = stop_asked.load(std::memory_order_acquire);
    {
      std::lock_guard lock(mutex);
      running.swap(posted);
    }
    for (Task& task : running) task();
    running.clear();
    if (stopping) uv_stop(&uv);
  }
};

TurnEndTask::~TurnEndTask() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
}

Loop::Loop() : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.turn_end.previous_ = state.turn_end.next_ = &state.turn_end;
  uv_must(uv_loop_init(&state.uv), "uv_loop_init");
  state.uv.data = this;
  uv_must(uv_async_init(
              &state.uv, &state.wake,
              [](uv_async_t* wake) { static_cast<Loop*>(wake->loop->data)->state_->run_posted(); }),
          "uv_async_init");
  // Two hooks a turn: after the poll's callbacks, where requests are answered, and before the next
  // poll for what timers and the first hook's tasks have said.
  uv_must(uv_check_init(&state.uv, &state.after_poll), "uv_check_init");
  uv_must(
      uv_check_start(&state.after_poll,
                     [](uv_check_t* hook) { static_cast<Loop*>(hook->loop->data)->end_turn(); }),
      "uv_check_start");
  uv_must(uv_prepare_init(&state.uv, &state.before_poll), "uv_prepare_init");
  uv_must(uv_prepare_start(
              &state.before_poll,
              [](uv_prepare_t* hook) { static_cast<Loop*>(hook->loop->data)->end_turn(); }),
          "uv_prepare_start");
}

Loop::~Loop() {
  assert(in_thread());
  State& state = *state_;
  {
    std::lock_guard lock(state.mutex);
    state.running.swap(state.posted);
  }
  state.running.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&state.wake), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state.after_poll), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state.before_poll), nullptr);
  uv_run(&state.uv, UV_RUN_DEFAULT);
  state.turn_end.previous_ = state.turn_end.next_ = nullptr;
  // A handle that is still open belongs to an object that outlived its loop.
  uv_must(uv_loop_close(&state.uv), "uv_loop_close");
}

void Loop::run() {
  State& state = *state_;
  assert(in_thread());
  state.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  // Returns at uv_stop only, since the hooks keep it alive. A stop() from before is still in
  // `wake`.
  uv_run(&state.uv, UV_RUN_DEFAULT);
  state.stop_asked.store(false, std::memory_order_release);
  state.thread.store(std::thread::id(), std::memory_order_relaxed);
}

void Loop::stop() {
  state_->stop_asked.store(true, std::memory_order_release);
  uv_must(uv_async_send(&state_->wake), "uv_async_send");
}

bool Loop::post(Task task) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->posted.size() >= kPostedTasksMax) return false;
    state_->posted.push_back(std::move(task));
  }
  uv_must(uv_async_send(&state_->wake), "uv_async_send");
  return true;
}

std::int64_t Loop::now_ms() const { return static_cast<std::int64_t>(uv_now(&state_->uv)); }

void Loop::refresh_now() {
  assert(in_thread());
  uv_update_time(&state_->uv);
}

void Loop::call_at_turn_end(TurnEndTask& task) {
  assert(in_thread());
  if (task.next_ != nullptr) return;
  TurnEndTask& sentinel = state_->turn_end;
  task.previous_ = sentinel.previous_;
  task.next_ = &sentinel;
  sentinel.previous_->next_ = &task;
  sentinel.previous_ = &task;
}

void Loop::end_turn() {
  TurnEndTask& sentinel = state_->turn_end;
  while (sentinel.next_ != &sentinel) {
    TurnEndTask& task = *sentinel.next_;
    sentinel.next_ = task.next_;
    task.next_->previous_ = &sentinel;
    task.previous_ = task.next_ = nullptr;
    task.at_turn_end();
  }
}

bool Loop::in_thread() const {
  const std::thread::id runner = state_->thread.load(std::memory_order_relaxed);
  return runner == std::thread::id() || runner == std::this_thread::get_id();
}

uv_loop_s* Loop::uv() {
  assert(in_thread());
  return &state_->uv;
}

}  // namespace flagstone::net
