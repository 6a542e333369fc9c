// LaunchDarkly's flags over the network: which way they are fetched at the moment, and what is in
// work.
//
// The stream is the way of choice. While it does not work, they are polled beside it. By FDv2, or
// by FDv1 where the other side does not know FDv2 (404, 405) or says to (X-LD-FD-Fallback, which
// means polling). Failures that are likely to last (4xx) are followed by rare tries;
// nothing ends them, and nothing the other side says takes data away but complete data.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/timer.h"
#include "upstream/configured_headers.h"
#include "upstream/credential.h"
#include "upstream/document_sink.h"
#include "upstream/launchdarkly_cursor.h"
#include "upstream/launchdarkly_fallback.h"
#include "upstream/launchdarkly_poll_body.h"
#include "upstream/launchdarkly_stream.h"
#include "upstream/launchdarkly_update.h"
#include "upstream/launchdarkly_way_news.h"
#include "upstream/source_environment.h"
#include "upstream/transports/http_poll.h"
#include "upstream/transports/sse_stream.h"

namespace flagstone::upstream {

// How long things take; the tests have less time.
struct LaunchDarklyPatience {
  // Without anything from the stream, until polling helps out.
  milliseconds stream{10'000};
  // Until complete data that was held or refused is fetched again.
  milliseconds held{30'000};
  LaunchDarklyFallbackOptions fallback = {};
  BackoffOptions backoff = {.denied_ordinary = milliseconds(0)};
  milliseconds silence{300'000};
  milliseconds disk = kDiskPatience;
};

class LaunchDarklyNetworkSource final : public Source,
                                        private LaunchDarklyStreamHost,
                                        private DocumentSink {
 public:
  LaunchDarklyNetworkSource(const config::Source& options, const SourceEnvironment& environment,
                            SourceListener& listener, const LaunchDarklyPatience& patience = {});

  // While it is polled it is stale as polls are.
  SourceKind kind() const override { return polls() ? SourceKind::kPoll : SourceKind::kStream; }
  std::string_view uri() const override { return uri_; }
  std::chrono::milliseconds interval() const override {
    return polls() ? options_.interval : milliseconds(0);
  }
  const config::Secret& credential() const override { return credential_.secret(); }
  void look_at_credential(std::move_only_function<void(bool)> done) override {
    credential_.look_now(std::move(done));
  }
  void resume(std::string_view cursor) override;
  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;
  void try_now() override;
  std::string_view trouble() const override { return credential_.trouble(); }
  std::string_view protocol_name() const override;

 private:
  using Way = LaunchDarklyWay;

  // The stream's.
  EventSink::Head on_answer(const HttpHead& head) override {
    return judge(head, Way::kStream, stream_protocol_);
  }
  bool can_take_data() const override { return in_work_ == Way::kNone && !waiting_; }
  bool can_take_changes() const override;
  bool is_current(std::string_view digest) const override;
  void on_streamed(LaunchDarklyUpdate&& update) override;
  void on_stream_current() override;
  EventSink::Next on_goodbye(std::optional<std::int64_t> fallback_ttl_s) override;
  void on_stream_failure(FailureKind kind, std::string cause, milliseconds retry) override;

  // The poll's.
  void on_begin(std::string_view content_type) override;
  std::expected<void, std::string> on_piece(std::string_view piece) override;
  bool must_wait() const override { return answer_ && answer_->is_behind(); }
  void stop_waiting() override {
    if (answer_) answer_->stop_waiting();
  }
  std::expected<Arrival, std::string> on_complete(const Validators& validators) override;
  void on_unchanged() override;
  void on_failure(FailureKind kind, std::string cause, milliseconds retry) override;
  void on_degraded(std::string_view message) override;

  LaunchDarklyFallbackOptions fallback_options() const;
  SseStreamOptions stream_options() const;
  HttpPollOptions poll_options();
  std::expected<SseStream::Request, std::string> stream_request();
  std::string poll_url();
  std::expected<std::vector<HttpHeader>, std::string> headers() const;
  std::string query(bool has_basis) const;
  bool has_basis(LaunchDarklyProtocol protocol) const;
  bool fits(const LaunchDarklyUpdate& update) const;

  // Of the next request.
  LaunchDarklyProtocol protocol() const;
  // Polling alone, by choice or on the other side's word.
  bool streams() const { return options_.launchdarkly.streaming && !fallback_.leaves_stream(); }
  bool polls() const { return poll_.running(); }
  void begin_polling();
  void end_polling();
  void help_out();
  void stream_is_good();
  EventSink::Head judge(const HttpHead& head, Way way, LaunchDarklyProtocol asked);
  void leave_fdv2(const LaunchDarklyFallback::Departure& departure);
  void return_to_fdv2();
  void begin_anew();
  void end_long_waits();
  void part_if_due(Way way);
  void tell_way(Way way);
  void tell_way(Way way, LaunchDarklyProtocol protocol);

  void hand_over(Way way, LaunchDarklyUpdate update);
  void forget_what_we_have();
  void credential_changed();
  void header_changed();
  void report(Way way, FailureKind kind, const std::string& cause, milliseconds retry);

  config::Source options_;
  LaunchDarklyPatience patience_;
  SourceListener& listener_;
  std::string uri_;
  std::uint64_t document_bytes_max_;
  IncomingMemory incoming_;
  std::string instance_id_;
  RandomSource& random_;
  Credential credential_;
  ConfiguredHeaders headers_;

  LaunchDarklyStream events_;
  SseStream stream_;
  HttpPoll poll_;
  net::Timer help_timer_;
  LaunchDarklyFallback fallback_;

  bool stream_works_ = false;
  bool credential_refused_ = false;
  LaunchDarklyWayNews way_news_;

  // What was accepted last.
  LaunchDarklyCursor accepted_;
  // The other side did not like it.
  bool distrusts_basis_ = false;
  // Of the requests under way.
  LaunchDarklyProtocol stream_protocol_ = LaunchDarklyProtocol::kFdv1;
  LaunchDarklyProtocol poll_protocol_ = LaunchDarklyProtocol::kFdv1;
  bool poll_has_basis_ = false;

  // What is in work, and what the stream brought or said meanwhile.
  Way in_work_ = Way::kNone;
  bool begins_polling_ = false;       // Once that is settled.
  bool stream_says_current_ = false;  // Of what was accepted before it.
  LaunchDarklyCursor cursor_in_work_;
  std::optional<LaunchDarklyUpdate> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<LaunchDarklyPollBody> answer_;
};

}  // namespace flagstone::upstream
