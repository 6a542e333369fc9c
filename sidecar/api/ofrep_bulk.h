// Bulk answers: written at once when that is quick, otherwise in slices over several turns, so that
// no other connection waits for long and no answer is held in memory whole.
//
// One per serving thread, on its loop; used by ofrep.h alone. What is sent in slices goes out as
// fast as the peer takes it, from the state it began with. Where the disk does not bring a text in
// time it ends as one that is not whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/event_stream.h"
#include "net/loop.h"
#include "net/request.h"
#include "net/response.h"
#include "sidecar/answer_metadata.h"
#include "sidecar/context_additions.h"
#include "sidecar/kept_request.h"
#include "sidecar/selector.h"
#include "sidecar/serving_desk.h"

namespace flagstone::sidecar {

class OfrepBulk {
 public:
  // Answers under way in slices, of one thread; further large ones are refused.
  static constexpr std::size_t kMaxUnderWay = 64;
  // A slice ends with this many bytes, or after ServingSettings::bulk_slice.
  static constexpr std::size_t kSliceBytes = std::size_t{64} * 1024;
  // What is written in the first turn goes out whole, with its length, up to this size.
  static constexpr std::size_t kWholeBytes = std::size_t{256} * 1024;

  OfrepBulk(net::Loop& loop, ServingDesk& desk, ContextAdditions& additions)
      : loop_(loop),
        desk_(desk),
        additions_(additions),
        self_(std::make_shared<OfrepBulk*>(this)) {}
  ~OfrepBulk();
  OfrepBulk(const OfrepBulk&) = delete;
  OfrepBulk& operator=(const OfrepBulk&) = delete;

  // Answers for the environment of that index in the desk's state, whose snapshot is there. False:
  // too many large answers are under way; nothing was sent.
  [[nodiscard]] bool answer(std::size_t environment, std::string_view selector,
                            const evaluation::EvaluationContext& context,
                            const net::Request& request, std::span<const net::HeaderField> headers,
                            net::Response& response);

 private:
  enum class Written : std::uint8_t { kAll, kSlice, kNeedsDisk };

  // How far an answer is.
  struct Progress {
    const cache::EnvironmentState* environment = nullptr;
    std::size_t index = 0;
    std::string_view selector_text;
    cache::Snapshot::Walk walk;
    evaluation::Moment moment;
    AddedMetadata added;
    bool begun = false;
    bool comma = false;
    bool finished = false;
  };
  struct Job {
    explicit Job(const net::Request& asked) : request(asked) {}
    std::shared_ptr<const cache::ServingState> state;
    std::string selector;
    KeptRequest request;
    Progress progress;
    std::unique_ptr<net::EventStream> stream;
    // Written, and refused by a reader who has not taken the one before.
    std::shared_ptr<const std::string> unsent;
    // Since when nothing could be written for want of texts; what was read may be dropped again
    // before it is used.
    std::optional<std::int64_t> stuck_since_ms;
    std::uint64_t number = 0;
  };
  using Jobs = std::list<Job>;

  Progress begin(const cache::ServingState& state, std::size_t environment,
                 std::string_view selector);
  Written write(Progress& progress, const evaluation::EvaluationContext& context,
                std::size_t bytes_max, std::string& body);
  void write_end(const Progress& progress, std::string& body);
  void start(std::uint64_t number);
  void go_on(std::uint64_t number);
  // Has the disk bring what is missing.
  void wait_for_disk(Job& job);
  void end(Jobs::iterator job);
  Jobs::iterator find(std::uint64_t number);

  net::Loop& loop_;
  ServingDesk& desk_;
  ContextAdditions& additions_;
  Jobs jobs_;
  std::uint64_t next_number_ = 1;
  // Empty once this is gone: what comes later finds nobody.
  std::shared_ptr<OfrepBulk*> self_;
};

}  // namespace flagstone::sidecar
