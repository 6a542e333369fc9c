// Large answers, written over several turns of the loop: so that no other connection waits for
// long, and no answer is in memory whole.
//
// Each api has its own, on its serving thread's loop. What is written goes out as fast as the peer
// takes it, from the state it began with, which is held until then. What may fail: a text that
// cannot be read, or not in time; the answer ends there, as one that is not whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/event_stream.h"
#include "net/lifeline.h"
#include "net/loop.h"
#include "net/response.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

enum class SliceWritten : std::uint8_t {
  kAll,
  kSlice,
  kNeedsDisk,  // The desk's reader has something waiting(); go on when it is there.
  kFailed,     // A text cannot be read: what is written is incomplete for good.
};

// What is written in slices. Reads with the desk's reader, of the state it is given.
class SlicedText {
 public:
  virtual ~SlicedText() = default;
  // Appends what comes next, until `bytes_max` are exceeded or a turn's time is over. REQUIRES: the
  // same state each time.
  virtual SliceWritten write(const cache::ServingState& state, std::size_t bytes_max,
                             std::string& out) = 0;
  // The rest of it, which outlives the request. Called at most once, after write().
  virtual std::unique_ptr<SlicedText> keep() = 0;
};

class SlicedAnswers {
 public:
  // Answers under way in slices, of one thread; further large ones are refused.
  static constexpr std::size_t kUnderWayMax = 64;
  static constexpr std::size_t kSliceBytes = std::size_t{64} * 1024;
  // What is written in the first turn goes out whole, with its length, up to this size.
  static constexpr std::size_t kWholeBytes = std::size_t{256} * 1024;

  enum class Answered : std::uint8_t {
    kYes,
    kTooMany,     // Nothing was sent.
    kUnreadable,  // Nothing was sent: a text cannot be read.
  };
  // Gets the stream back once all is sent; nullptr when that failed, and the stream is gone.
  using Finished = std::move_only_function<void(std::unique_ptr<net::EventStream>)>;

  SlicedAnswers(net::Loop& loop, ServingDesk& desk) : loop_(loop), desk_(desk) {}
  ~SlicedAnswers();
  SlicedAnswers(const SlicedAnswers&) = delete;
  SlicedAnswers& operator=(const SlicedAnswers&) = delete;

  // Answers 200 with JSON. Nothing is kept of what is written in one turn.
  [[nodiscard]] Answered answer(SlicedText& text, std::span<const net::HeaderField> headers,
                                net::Response& response);
  // The same into a stream that is open already. REQUIRES: has_room().
  std::uint64_t send(std::unique_ptr<SlicedText> text, std::unique_ptr<net::EventStream> stream,
                     Finished finished);
  bool has_room() const { return jobs_.size() < kUnderWayMax; }
  // Ends what send() began, and its stream; `finished` is not called.
  void cancel(std::uint64_t number);

 private:
  struct Job {
    std::shared_ptr<const cache::ServingState> state;
    std::unique_ptr<SlicedText> text;
    std::unique_ptr<net::EventStream> stream;
    Finished finished;
    // Written, and refused by a reader who has not taken the one before.
    std::shared_ptr<const std::string> unsent;
    bool all_written = false;
    // Since when nothing could be written for want of texts; what was read may be dropped again
    // before it is used.
    std::optional<std::int64_t> stuck_since_ms;
    // The wait for the disk that the answer depends on; 0: none, something was written since.
    std::uint64_t disk_wait = 0;
    std::uint64_t number = 0;
  };
  using Jobs = std::list<Job>;

  std::uint64_t start(Job job);
  void go_on(std::uint64_t number);
  // Nothing was written for as long as a disk is waited for.
  bool is_stuck(const Job& job) const;
  // Has the disk bring what is missing.
  void wait_for_disk(Job& job);
  void disk_answered(std::uint64_t number, std::uint64_t wait, bool in_time);
  void end(Jobs::iterator job, bool sent);
  Jobs::iterator find(std::uint64_t number);

  net::Loop& loop_;
  ServingDesk& desk_;
  Jobs jobs_;
  std::uint64_t next_number_ = 1;
  net::Lifeline<SlicedAnswers> lifeline_{*this};
};

}  // namespace flagstone::sidecar
