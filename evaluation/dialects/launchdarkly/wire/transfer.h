// FDv2: events in, whole transfers out.
//
// Owned by whoever receives the events; one thread. A transfer is a set of changes that counts as a
// whole, once `payload-transferred` came. Versions are not compared: the order rules. Unknown
// events and kinds are passed over. The errors say why what comes makes no sense: reconnect then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/json_cutter.h"
#include "evaluation/update.h"

namespace flagstone::evaluation::launchdarkly {

// Whether a transfer consists of such events; the data of others need not be read.
bool is_transfer_event(std::string_view name);

class Transfer {
 public:
  enum class Step : std::uint8_t {
    kNothing,
    kChange,     // One more change is waiting for the transfer's end.
    kBegun,      // A transfer was announced; what waited is forgotten.
    kCurrent,    // Nothing is to be transferred: what we have is what there is.
    kComplete,   // See take().
    kDiscarded,  // The other side failed; what waited is forgotten, more will come.
    kGoodbye,    // Reconnect. What waited is forgotten.
  };
  std::expected<Step, std::string> on_event(std::string_view name, std::string_view data);

  // The transfer announced last replaces everything.
  bool is_full() const { return intent_ == Intent::kFull; }
  // Of what waits.
  std::size_t held_bytes() const { return held_bytes_; }
  // Takes what waits; take() is without it then.
  std::vector<Record> drain();
  // After kComplete: what it changes, its cursor being the selector to ask with next.
  Update take();
  // After kGoodbye: when to ask by this protocol again, if the other side said; zero: never.
  std::optional<std::int64_t> fallback_ttl_s() const { return fallback_ttl_s_; }

 private:
  enum class Intent : std::uint8_t { kUnknown, kFull, kChanges };

  std::expected<Step, std::string> announced(std::string_view data);
  std::expected<Step, std::string> put(std::string_view data);
  std::expected<Step, std::string> removed(std::string_view data);
  std::expected<Step, std::string> transferred(std::string_view data);
  void add(Record record);
  void forget();

  Intent intent_ = Intent::kUnknown;
  // The last transfer's; the next is of changes unless announced otherwise.
  bool complete_is_full_ = false;
  std::string state_;
  std::vector<Record> records_;
  std::size_t held_bytes_ = 0;
  std::optional<std::int64_t> fallback_ttl_s_;
};

// The body of a poll, {"events": [{"event": NAME, "data": {…}}, …]}, cut into events as it arrives.
class PollScanner final : private JsonCutter::Receiver {
 public:
  class Receiver {
   public:
    // The error refuses the body.
    virtual std::expected<void, std::string> on_polled(std::string_view name,
                                                       std::string_view data) = 0;

   protected:
    ~Receiver() = default;
  };

  // Refuses bodies of more bytes than that, or with an event of more than the other.
  PollScanner(std::size_t bytes_max, std::size_t event_bytes_max, Receiver& receiver)
      : cutter_(bytes_max, event_bytes_max, *this), receiver_(receiver) {}
  PollScanner(const PollScanner&) = delete;
  PollScanner& operator=(const PollScanner&) = delete;

  std::expected<void, DocumentError> feed(std::string_view chunk) { return cutter_.feed(chunk); }
  std::expected<void, DocumentError> finish();

 private:
  std::expected<JsonCutter::Wish, std::string> on_value(const JsonCutter::Value& value) override;
  std::expected<void, std::string> on_taken(std::string_view raw) override;
  std::expected<void, std::string> on_left(std::size_t) override { return {}; }

  JsonCutter cutter_;
  Receiver& receiver_;
  bool has_events_ = false;
};

}  // namespace flagstone::evaluation::launchdarkly
