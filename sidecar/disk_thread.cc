#include "sidecar/disk_thread.h"

#include <utility>

namespace flagstone::sidecar {

DiskThread::DiskThread() : thread_([this] { run(); }) {}

DiskThread::~DiskThread() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  thread_.join();
}

bool DiskThread::submit(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || jobs_.size() >= kQueuedJobsMax) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void DiskThread::drop_queued() {
  std::deque<Job> dropped;
  std::lock_guard lock(mutex_);
  dropped.swap(jobs_);
}

bool DiskThread::finish(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  wake_.notify_all();
  return idle_.wait_until(lock, deadline, [this] { return jobs_.empty() && !busy_; });
}

void DiskThread::run() {
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
