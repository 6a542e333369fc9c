// What streams of server-sent events bring: one script for all of them, in the order said, read by
// the newest alone.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fakes/upstream/scripted_http_server.h"

namespace flagstone::fakes {

class EventFeed {
 public:
  ~EventFeed() { close(); }

  void say(std::string bytes) { put(std::move(bytes)); }
  void event(std::string_view name, std::string_view data) {
    say("event: " + std::string(name) + "\ndata: " + std::string(data) + "\n\n");
  }
  // The stream that is read now ends.
  void end() { put(std::nullopt); }
  // All end, and later ones at once.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  Reply reply() {
    return {.headers = {{"Content-Type", "text/event-stream; charset=utf-8"}},
            .stream = [this, turn = ++turn_] { return next(turn); }};
  }
  int streams() const { return turn_; }

 private:
  void put(std::optional<std::string> next) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(next));
    changed_.notify_all();
  }

  // Comments between events show the server that somebody still reads.
  std::string next(int turn) {
    std::unique_lock lock(mutex_);
    do {
      changed_.wait_for(lock, std::chrono::milliseconds(5),
                        [&] { return closed_ || !script_.empty(); });
      if (turn != turn_ || closed_) return {};
    } while (script_.empty() && in_line_);
    if (script_.empty()) return ":\n";
    const std::optional<std::string> said = std::move(script_.front());
    script_.pop_front();
    in_line_ = said && !said->ends_with('\n');
    return said.value_or("");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> turn_ = 0;
  bool closed_ = false;
  bool in_line_ = false;
  std::deque<std::optional<std::string>> script_;
};

}  // namespace flagstone::fakes
