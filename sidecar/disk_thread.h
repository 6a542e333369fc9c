// A thread for what the disk may hold up, so that a disk that hangs for seconds disturbs neither
// answers nor liveness. There are three: the writer; the reader of texts that somebody waits for,
// whom an fsync of seconds is not to hold up; and the reader of sources' and secrets' files, whose
// mounts may hang by themselves.
//
// Owned by the daemon; submit() is called from the keeper thread. Jobs run one after the other, in
// order. The queue is bounded: a full queue is the caller's signal to wait for the next turn, never
// to block.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace flagstone::sidecar {

class DiskThread {
 public:
  // Every source has at most one read, the state one write, usage one write outstanding; this
  // leaves room for hundreds of sources. Texts that requests wait for may be more: further ones are
  // answered as if the disk had not brought them.
  static constexpr std::size_t kQueuedJobsMax = 1024;

  using Job = std::move_only_function<void()>;

  DiskThread();
  // Waits for the job at work; queued ones are dropped. Call finish() first to have them done.
  // REQUIRES: finish() did not return false.
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  // False when the queue is full; the job is then dropped.
  [[nodiscard]] bool submit(Job job);

  // Forgets what is queued.
  void drop_queued();

  // Stops taking jobs and waits until the queued ones are done, at most until `deadline`. False
  // when the disk did not answer in time: the thread sits in a system call that may never return,
  // and the process must end around it (std::_Exit).
  bool finish(std::chrono::steady_clock::time_point deadline);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace flagstone::sidecar
