// Asks a URL again and again, conditionally, politely, and without ever giving up.
//
// Knows no vendor. Owned by a source, on the keeper's loop. One request at a time, and none while a
// document is in work. Validators are remembered only for what was accepted, so a bad body under a
// new ETag never hides the good one that follows it.
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
#include "upstream/document_sink.h"
#include "upstream/http_client.h"
#include "upstream/judge_failure.h"
#include "upstream/transports/transport.h"

namespace flagstone::upstream {

struct HttpPollOptions {
  std::string url;
  // In the place of `url`, for one that changes: asked for before each request.
  std::function<std::string()> make_url = {};
  std::string unix_socket;
  // As in HttpRequest.
  std::string ca_file = {};
  std::string client_certificate_file = {};
  std::string client_key_file = {};
  std::string proxy = {};
  milliseconds interval{30'000};
  HttpLimits limits;
  BackoffOptions backoff;  // `cap` is raised to the interval.
  JudgeFailure judge = ordinary_judge;
  milliseconds disk_patience = kDiskPatience;
  // Sees each answer's head first, of any status. False: the answer is dealt with, and nobody asks
  // before refresh() or start().
  std::function<bool(const HttpHead& head)> wants_answer = {};
};

class HttpPoll final : public Transport, private HttpReceiver {
 public:
  // The request's own headers, asked for before each request; the error is why there are none.
  using MakeHeaders = std::function<std::expected<std::vector<HttpHeader>, std::string>()>;

  HttpPoll(net::Loop& loop, HttpClient& http, const Clock& clock, RandomSource& random,
           HttpPollOptions options, MakeHeaders make_headers, DocumentSink& sink);
  HttpPoll(const HttpPoll&) = delete;
  HttpPoll& operator=(const HttpPoll&) = delete;

  // REQUIRES: before start().
  void resume(Validators validators);
  // Asks at once. Can be stopped and started again.
  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;
  // With another credential or other headers: as refresh(), and what was denied counts no more. A
  // request under way carries the old ones and is cancelled.
  void ask_anew();
  // Where a failure is likely to last and the next try is far, it comes at once; else nothing.
  void try_now();
  // The last answer was such a failure.
  bool is_denied() const { return denied_; }
  bool running() const { return running_; }

 private:
  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view piece) override;
  void on_end(const std::optional<HttpError>& error) override;

  void ask();
  void abandon_request();
  void ask_after(milliseconds delay);
  void complete();
  void succeed();
  void fail(FailureKind kind, std::string cause);

  net::Timer timer_;
  HttpClient& http_;
  const Clock& clock_;
  RandomSource& random_;
  HttpPollOptions options_;
  MakeHeaders make_headers_;
  DocumentSink& sink_;
  Backoff backoff_;

  bool running_ = false;
  bool in_work_ = false;
  bool ask_again_ = false;    // refresh() came while a document was in work.
  Validators accepted_;       // Of the last accepted document.
  Validators arriving_;       // Of the one arriving or in work.
  bool conditional_ = false;  // The request under way carries validators.
  bool denied_ = false;
  bool unwanted_ = false;  // The answer under way.
  int status_ = 0;         // Of the answer under way.
  std::uint64_t body_bytes_ = 0;
  std::optional<milliseconds> retry_after_;
  std::optional<std::string> malformed_;  // The sink's objection to the body.
  std::unique_ptr<HttpExchange> exchange_;
  DiskWait disk_;
};

}  // namespace flagstone::upstream
