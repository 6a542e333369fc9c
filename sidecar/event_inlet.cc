#include "sidecar/event_inlet.h"

#include <mutex>
#include <utility>

namespace flagstone::sidecar {

// Whether there is still a loop to come back to. Never locked by the serving thread while it
// serves.
struct EventInlet::Gate {
  std::mutex mutex;
  EventInlet* inlet = nullptr;  // Guarded by the mutex.
};

// There and back: given up on the way, it still answers.
class EventInlet::Answer {
 public:
  Answer(std::shared_ptr<Gate> gate, std::size_t bytes, Done done)
      : gate_(std::move(gate)), bytes_(bytes), done_(std::move(done)) {}
  ~Answer() { give(upstream::PostResult::kFull); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(Result result) {
    if (std::exchange(given_, true)) return;
    const std::lock_guard lock(gate_->mutex);
    if (gate_->inlet == nullptr) return;
    // The inlet goes before its loop does, so it is there when this runs.
    (void)gate_->inlet->loop_.post(
        [&inlet = *gate_->inlet, bytes = bytes_, done = std::move(done_), result]() mutable {
          --inlet.waiting_;
          inlet.waiting_bytes_.subtract(bytes);
          done(result);
        });
  }

 private:
  std::shared_ptr<Gate> gate_;
  std::size_t bytes_;
  Done done_;
  bool given_ = false;
};

EventInlet::EventInlet(net::Loop& loop) : loop_(loop), gate_(std::make_shared<Gate>()) {
  gate_->inlet = this;
}

EventInlet::~EventInlet() {
  const std::lock_guard lock(gate_->mutex);
  gate_->inlet = nullptr;
}

void EventInlet::set_post(net::Loop& keeper_loop, Post post) {
  keeper_loop_ = &keeper_loop;
  post_ = std::move(post);
}

bool EventInlet::post(std::size_t environment, upstream::PostedEvents events, Done done) {
  const std::size_t bytes = events.body.size();
  const bool fits = waiting_ == 0 ||
                    (waiting_ < kWaitingMax && waiting_bytes_.read() + bytes <= kWaitingBytesMax);
  if (keeper_loop_ == nullptr || !fits) {
    refused_.add(1);
    return false;
  }
  ++waiting_;
  waiting_bytes_.add(bytes);
  auto answer = std::make_shared<Answer>(gate_, bytes, std::move(done));
  (void)keeper_loop_->post(
      [this, environment, events = std::move(events), answer = std::move(answer)]() mutable {
        post_(environment, std::move(events), [answer](Result result) { answer->give(result); });
      });
  return true;
}

}  // namespace flagstone::sidecar
