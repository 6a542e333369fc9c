// Keeps one request for server-sent events open, and asks again, politely, whenever it ends.
//
// Knows no vendor. Owned by a source, on the keeper's loop. A sink takes the events one by one, and
// may have the next one wait: the connection is paused then, so that what comes meanwhile stays
// with the other side. A stream that was good for a while and ends is followed by the next
// silently.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/timer.h"
#include "upstream/backoff.h"
#include "upstream/disk_wait.h"
#include "upstream/event_stream_parser.h"
#include "upstream/http_client.h"
#include "upstream/judge_failure.h"

namespace flagstone::upstream {

struct SseStreamOptions {
  // As in HttpRequest.
  std::string ca_file = {};
  std::string client_certificate_file = {};
  std::string client_key_file = {};
  std::string proxy = {};
  std::uint64_t event_bytes_max = 64 * 1024 * 1024;
  milliseconds first_byte{30'000};
  // Without any byte; the other side sends comments more often.
  milliseconds silence{300'000};
  milliseconds keep_alive{20'000};
  milliseconds unacknowledged{60'000};
  BackoffOptions backoff;
  JudgeFailure judge = ordinary_judge;
  milliseconds disk_patience = kDiskPatience;
};

// Whoever takes the events. Called on the loop; the stream may be stopped inside the calls, and not
// be destroyed.
class EventSink {
 public:
  enum class Head : std::uint8_t { kGoOn, kLeave };
  enum class Wish : std::uint8_t { kTake, kIgnore, kWait };
  enum class Next : std::uint8_t { kGoOn, kReopen };

  virtual ~EventSink() = default;

  // The answer's head, of any status, before the stream itself looks at it. kLeave: the answer is
  // dealt with; the stream does nothing before it is told to.
  virtual Head on_head(const HttpHead& head) = 0;
  // An event begins. kWait: it is asked again after proceed().
  virtual Wish on_event_begin(std::string_view name) = 0;
  // The next bytes of its data. The errors say why this is no event; the stream reports them as
  // kMalformed and asks again.
  virtual std::expected<void, std::string> on_event_data(std::string_view piece) = 0;
  virtual std::expected<Next, std::string> on_event_end() = 0;
  // As DocumentSink has them.
  virtual bool must_wait() const { return false; }
  virtual void stop_waiting() {}
  // The message is the cause alone; the sink adds who and what next.
  virtual void on_stream_failure(FailureKind kind, std::string cause, milliseconds retry) = 0;
};

class SseStream final : private HttpReceiver {
 public:
  struct Request {
    std::string url;
    std::string unix_socket;
    std::vector<HttpHeader> headers;
  };
  // Asked for before each request; the error is why there is none.
  using MakeRequest = std::function<std::expected<Request, std::string>()>;

  SseStream(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
            SseStreamOptions options, MakeRequest make_request, EventSink& sink);
  SseStream(const SseStream&) = delete;
  SseStream& operator=(const SseStream&) = delete;

  // Asks at once. Can be stopped and started again.
  void start();
  // No sink call comes after it.
  void stop();
  bool running() const { return running_; }
  // The event that waits may be asked for again.
  void proceed();
  // Ends the connection, if there is one, and asks anew after that time.
  void reopen(milliseconds wait);
  // The same after ordinary back-off.
  void reopen_after_failure();
  // With another credential or other headers: at once, and what was denied counts no more.
  void ask_anew();
  // Where a failure is likely to last and the next try is far, it comes at once; else nothing.
  void try_now();
  // The last connection ended by such a failure.
  bool is_denied() const { return denied_; }
  // What came made sense: failures from before count no more, once it lasts.
  void succeeded();

 private:
  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view piece) override;
  void on_end(const std::optional<HttpError>& error) override;

  void ask();
  void abandon_request();
  void read(std::string_view bytes);
  bool take_part(EventStreamParser::Part part);
  bool take_data(std::string_view piece);
  bool end_event();
  void finish(const std::optional<HttpError>& error);
  void fail(FailureKind kind, std::string cause);
  bool reads() const { return exchange_ != nullptr && reading_; }

  net::Timer timer_;
  HttpClient& http_;
  const Clock& clock_;
  RandomSource& random_;
  SseStreamOptions options_;
  MakeRequest make_request_;
  EventSink& sink_;
  Backoff backoff_;

  bool running_ = false;
  bool denied_ = false;
  // The request under way.
  bool reading_ = false;  // Its answer is an event stream, and nobody has given it up.
  int status_ = 0;
  std::optional<milliseconds> retry_after_;
  TimePoint began_;
  std::optional<EventStreamParser> parser_;
  bool in_event_ = false;
  bool ignores_event_ = false;
  // An event waits: its first piece, and what was read behind it.
  bool waits_ = false;
  bool proceeding_ = false;
  std::string waiting_piece_;
  std::string waiting_bytes_;
  std::optional<std::optional<HttpError>> ended_;  // While an event waits: how.
  std::unique_ptr<HttpExchange> exchange_;
  DiskWait disk_;
};

}  // namespace flagstone::upstream
