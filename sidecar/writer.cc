#include "sidecar/writer.h"

#include <utility>

namespace flagstone::sidecar {

Writer::Writer() : thread_([this] { run(); }) {}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  thread_.join();
}

bool Writer::submit(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || jobs_.size() >= kMaxQueuedJobs) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

bool Writer::finish(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  wake_.notify_all();
  return idle_.wait_until(lock, deadline, [this] { return jobs_.empty() && !busy_; });
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    job();
    // Destroyed outside the lock: what a job captured may be large.
    job = nullptr;
    lock.lock();
    busy_ = false;
    if (jobs_.empty()) idle_.notify_all();
  }
}

}  // namespace flagstone::sidecar
