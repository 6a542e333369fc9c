// Large answers to LaunchDarkly's SDKs, written over several turns of the loop: so that no other
// connection waits for long, and no answer is in memory whole.
//
// One per serving thread, on its loop; borrowed by the apis of LaunchDarkly's SDKs. What is written
// goes out as fast as the peer takes it, from the state it began with, which is held until then.
// What may fail: a text that cannot be read, or not in time; the answer ends there, as one that is
// not whole.
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
#include "net/loop.h"
#include "net/response.h"
#include "sidecar/api/launchdarkly_sdk_document.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

// What is written in slices. Reads with the desk's reader, of the state it is given.
class SdkText {
 public:
  virtual ~SdkText() = default;
  virtual SdkWritten write(const cache::ServingState& state, std::size_t bytes_max,
                           std::string& out) = 0;
};

// A whole environment.
class SdkDocumentText final : public SdkText {
 public:
  SdkDocumentText(ServingDesk& desk, std::size_t environment, SdkDocument document)
      : desk_(desk), environment_(environment), document_(std::move(document)) {}
  SdkWritten write(const cache::ServingState& state, std::size_t bytes_max,
                   std::string& out) override;

 private:
  ServingDesk& desk_;
  std::size_t environment_;
  SdkDocument document_;
};

class SdkSlices {
 public:
  // Answers under way in slices, of one thread; further large ones are refused.
  static constexpr std::size_t kMaxUnderWay = 64;
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

  SdkSlices(net::Loop& loop, ServingDesk& desk)
      : loop_(loop), desk_(desk), self_(std::make_shared<SdkSlices*>(this)) {}
  ~SdkSlices();
  SdkSlices(const SdkSlices&) = delete;
  SdkSlices& operator=(const SdkSlices&) = delete;

  // Answers 200 with JSON.
  [[nodiscard]] Answered answer(std::unique_ptr<SdkText> text,
                                std::span<const net::HeaderField> headers, net::Response& response);
  // The same into a stream that is open already. REQUIRES: has_room().
  std::uint64_t send(std::unique_ptr<SdkText> text, std::unique_ptr<net::EventStream> stream,
                     Finished finished);
  bool has_room() const { return jobs_.size() < kMaxUnderWay; }
  // Ends what send() began, and its stream; `finished` is not called.
  void cancel(std::uint64_t number);

 private:
  struct Job {
    std::shared_ptr<const cache::ServingState> state;
    std::unique_ptr<SdkText> text;
    std::unique_ptr<net::EventStream> stream;
    Finished finished;
    // Written, and refused by a reader who has not taken the one before.
    std::shared_ptr<const std::string> unsent;
    bool all_written = false;
    // Since when nothing could be written for want of texts; what was read may be dropped again
    // before it is used.
    std::optional<std::int64_t> stuck_since_ms;
    std::uint64_t number = 0;
  };
  using Jobs = std::list<Job>;

  std::uint64_t start(Job job);
  void go_on(std::uint64_t number);
  // Has the disk bring what is missing.
  void wait_for_disk(Job& job);
  void end(Jobs::iterator job, bool sent);
  Jobs::iterator find(std::uint64_t number);

  net::Loop& loop_;
  ServingDesk& desk_;
  Jobs jobs_;
  std::uint64_t next_number_ = 1;
  // Empty once this is gone: what comes later finds nobody.
  std::shared_ptr<SdkSlices*> self_;
};

}  // namespace flagstone::sidecar
