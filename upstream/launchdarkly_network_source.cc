#include "upstream/launchdarkly_network_source.h"

#include <cassert>
#include <iterator>
#include <utility>

#include "net/percent.h"
#include "upstream/launchdarkly_endpoints.h"
#include "upstream/launchdarkly_refusal.h"
#include "upstream/redact.h"
#include "upstream/source_text.h"

namespace flagstone::upstream {
namespace {

// Changes that wait while others are in work; beyond that they stay with the other side.
constexpr std::size_t kWaitingRecordsMax = 1000;
constexpr std::size_t kWaitingBytesMax = std::size_t{1024} * 1024;

constexpr milliseconds kAtOnce{1};

// What is likely to last: refused keys, other 4xx that no waiting cures. A certificate that is not
// trusted is not told from a handshake that was cut, which an outage is full of: both are tried
// again as ordinary failures are.
Regime judge_failure(FailureKind /*kind*/, int status) {
  const bool passes = status == 400 || status == 408 || status == 429;
  return status >= 400 && status < 500 && !passes ? Regime::kDenied : Regime::kOrdinary;
}

std::size_t bytes_of(const std::vector<evaluation::Record>& records) {
  std::size_t bytes = 0;
  for (const auto& record : records) bytes += record.id.key.size() + record.raw.size();
  return bytes;
}

}  // namespace

LaunchDarklyNetworkSource::LaunchDarklyNetworkSource(const config::Source& options,
                                                     const SourceEnvironment& environment,
                                                     SourceListener& listener,
                                                     const LaunchDarklyPatience& patience)
    : options_(options),
      patience_(patience),
      listener_(listener),
      uri_(redacted_uri(options.uri)),
      document_bytes_max_(options.max_document_bytes.value_or(environment.max_document_bytes)),
      incoming_(environment.incoming),
      instance_id_(environment.instance_id),
      random_(environment.random),
      credential_(environment.loop, environment.files, options.credential, environment.variables,
                  [this] { credential_changed(); }),
      headers_(options_.headers, environment, [this] { header_changed(); }),
      events_(document_bytes_max_, incoming_, *this),
      stream_(
          environment.loop, environment.http, environment.clock, environment.random,
          stream_options(), [this] { return stream_request(); }, events_),
      poll_(
          environment.loop, environment.http, environment.clock, environment.random, poll_options(),
          [this] { return headers(); }, *this),
      help_timer_(environment.loop, [this] { help_out(); }),
      fallback_(environment.loop, fallback_options(),
                {.on_return = [this] { return_to_fdv2(); },
                 .on_overdue = [this] { part_if_due(Way::kNone); }}) {
  credential_.tell({.on_rewritten = [this] { end_long_waits(); },
                    .on_trouble = [this] { listener_.on_degraded(credential_.trouble()); }});
}

LaunchDarklyFallbackOptions LaunchDarklyNetworkSource::fallback_options() const {
  LaunchDarklyFallbackOptions fallback = patience_.fallback;
  fallback.may_be_unknown = options_.launchdarkly.protocol == config::LaunchDarklyProtocol::kAuto;
  return fallback;
}

SseStreamOptions LaunchDarklyNetworkSource::stream_options() const {
  SseStreamOptions stream;
  stream.ca_file = options_.ca_file;
  stream.client_certificate_file = options_.client_certificate_file;
  stream.client_key_file = options_.client_key_file;
  stream.proxy = options_.proxy;
  stream.event_bytes_max = document_bytes_max_;
  stream.first_byte = options_.timeout;
  stream.silence = patience_.silence;
  stream.backoff = patience_.backoff;
  stream.judge = judge_failure;
  stream.disk_patience = patience_.disk;
  return stream;
}

HttpPollOptions LaunchDarklyNetworkSource::poll_options() {
  HttpPollOptions poll;
  poll.make_url = [this] { return poll_url(); };
  poll.unix_socket = polling_base(options_).unix_socket;
  poll.ca_file = options_.ca_file;
  poll.client_certificate_file = options_.client_certificate_file;
  poll.client_key_file = options_.client_key_file;
  poll.proxy = options_.proxy;
  poll.interval = options_.interval;
  poll.limits.whole = options_.timeout;
  poll.limits.body_bytes = document_bytes_max_;
  poll.backoff = patience_.backoff;
  poll.judge = judge_failure;
  poll.disk_patience = patience_.disk;
  poll.wants_answer = [this](const HttpHead& head) {
    return judge(head, Way::kPoll, poll_protocol_) == EventSink::Head::kGoOn;
  };
  return poll;
}

void LaunchDarklyNetworkSource::resume(std::string_view cursor) {
  if (auto remembered = launchdarkly_cursor_from_text(cursor)) accepted_ = std::move(*remembered);
}

void LaunchDarklyNetworkSource::start() {
  credential_.start();
  headers_.start();
  stream_protocol_ = protocol();
  if (streams()) {
    stream_.start();
  } else {
    begin_polling();
  }
}

void LaunchDarklyNetworkSource::stop() {
  credential_.stop();
  headers_.stop();
  stream_.stop();
  poll_.stop();
  help_timer_.stop();
  fallback_.reset();
  waiting_.reset();
  answer_.reset();
}

// Requests.

LaunchDarklyProtocol LaunchDarklyNetworkSource::protocol() const {
  const config::LaunchDarklySource& wanted = options_.launchdarkly;
  if (wanted.protocol == config::LaunchDarklyProtocol::kFdv1) return LaunchDarklyProtocol::kFdv1;
  return fallback_.is_away() ? LaunchDarklyProtocol::kFdv1 : LaunchDarklyProtocol::kFdv2;
}

bool LaunchDarklyNetworkSource::has_basis(LaunchDarklyProtocol protocol) const {
  // What is in work may be another protocol's, and then takes its place.
  const bool stays = in_work_ == Way::kNone || cursor_in_work_.protocol == protocol;
  return protocol == LaunchDarklyProtocol::kFdv2 && accepted_.protocol == protocol && stays &&
         !accepted_.selector.empty() && !distrusts_basis_;
}

// A selector is of what the filter let through, so both go together.
std::string LaunchDarklyNetworkSource::query(bool has_basis) const {
  std::string query;
  if (has_basis) net::percent_encode(accepted_.selector, query += "?basis=");
  const std::string& filter = options_.launchdarkly.filter;
  if (!filter.empty()) net::percent_encode(filter, query += has_basis ? "&filter=" : "?filter=");
  return query;
}

std::expected<std::vector<HttpHeader>, std::string> LaunchDarklyNetworkSource::headers() const {
  if (!credential_.problem().empty()) return std::unexpected(credential_.problem());
  std::vector<HttpHeader> headers = launchdarkly_headers(options_.launchdarkly, instance_id_);
  headers.push_back({"Authorization", credential_.secret().reveal(), true});
  if (auto all = headers_.append_to(headers); !all) return std::unexpected(all.error());
  return headers;
}

std::expected<SseStream::Request, std::string> LaunchDarklyNetworkSource::stream_request() {
  stream_works_ = false;
  stream_says_current_ = false;
  fallback_.forget_word_of(Way::kStream);
  if (!help_timer_.running()) help_timer_.start_once(patience_.stream.count());
  auto made = headers();
  if (!made) return std::unexpected(std::move(made.error()));
  stream_protocol_ = protocol();
  const bool basis = has_basis(stream_protocol_);
  events_.begin(stream_protocol_, basis);
  HttpBase base = streaming_base(options_);
  const bool fdv2 = stream_protocol_ == LaunchDarklyProtocol::kFdv2;
  return SseStream::Request{.url = base.url + (fdv2 ? "/sdk/stream" : "/all") + query(basis),
                            .unix_socket = std::move(base.unix_socket),
                            .headers = std::move(*made)};
}

std::string LaunchDarklyNetworkSource::poll_url() {
  fallback_.forget_word_of(Way::kPoll);
  poll_has_basis_ = has_basis(poll_protocol_);
  const bool fdv2 = poll_protocol_ == LaunchDarklyProtocol::kFdv2;
  return polling_base(options_).url + (fdv2 ? "/sdk/poll" : "/sdk/latest-all") +
         query(poll_has_basis_);
}

// Which way.

// By one protocol, until it is begun anew. What it brought last has to be settled before.
void LaunchDarklyNetworkSource::begin_polling() {
  if (in_work_ != Way::kNone) {
    begins_polling_ = true;
    return;
  }
  end_polling();
  poll_protocol_ = protocol();
  const bool known = accepted_.protocol == poll_protocol_;
  poll_.resume({.etag = known ? accepted_.etag : "", .last_modified = {}});
  poll_.start();
}

void LaunchDarklyNetworkSource::end_polling() {
  begins_polling_ = false;
  fallback_.forget_word_of(Way::kPoll);
  poll_.stop();
  answer_.reset();
}

// The stream has brought nothing for a while.
void LaunchDarklyNetworkSource::help_out() {
  if (!streams() || stream_works_ || polls()) return;
  if (in_work_ != Way::kNone || events_.is_receiving() || credential_refused_) {
    help_timer_.start_once(patience_.stream.count());
    return;
  }
  begin_polling();
}

void LaunchDarklyNetworkSource::stream_is_good() {
  stream_works_ = true;
  credential_refused_ = false;
  distrusts_basis_ = false;
  help_timer_.stop();
  end_polling();
  stream_.succeeded();
  tell_way(Way::kStream);
}

EventSink::Head LaunchDarklyNetworkSource::judge(const HttpHead& head, Way way,
                                                 LaunchDarklyProtocol asked) {
  if (asked == LaunchDarklyProtocol::kFdv1) return EventSink::Head::kGoOn;
  const auto departure = fallback_.departure(head);
  if (!departure) return EventSink::Head::kGoOn;
  if (departure->after_data) {
    fallback_.leave_after_data(way, *departure);
    return EventSink::Head::kGoOn;
  }
  leave_fdv2(*departure);
  return EventSink::Head::kLeave;
}

void LaunchDarklyNetworkSource::leave_fdv2(const LaunchDarklyFallback::Departure& departure) {
  fallback_.leave(departure);
  if (departure.polls_only) {
    tell_way(Way::kPoll, LaunchDarklyProtocol::kFdv1);
    waiting_.reset();  // The poll brings everything.
  }
  if (streams()) {
    stream_.reopen(kAtOnce);
    if (polls()) begin_polling();
  } else {
    stream_.stop();
    help_timer_.stop();
    begin_polling();
  }
}

void LaunchDarklyNetworkSource::return_to_fdv2() {
  if (!streams()) return begin_polling();
  // A stream that works goes on as it is, and polling goes on until one works.
  if (!stream_.running()) stream_.start();
}

// That they come by `way`, which works just now; unless it is about to be left.
void LaunchDarklyNetworkSource::tell_way(Way way) {
  if (fallback_.due(way)) return;
  tell_way(way, way == Way::kStream ? stream_protocol_ : poll_protocol_);
}

void LaunchDarklyNetworkSource::tell_way(Way way, LaunchDarklyProtocol protocol) {
  const auto news = way_news_.note({.protocol = protocol,
                                    .is_polled = way == Way::kPoll,
                                    .wants_stream = options_.launchdarkly.streaming,
                                    .left_fdv2 = fallback_.is_away(),
                                    .left_stream = fallback_.leaves_stream()});
  if (!news) return;
  if (news->is_warning) {
    listener_.on_degraded(news->text);
  } else {
    listener_.on_way_changed(news->text);
  }
}

std::string_view LaunchDarklyNetworkSource::protocol_name() const {
  return launchdarkly_protocol_name(polls() ? poll_protocol_ : stream_protocol_);
}

void LaunchDarklyNetworkSource::part_if_due(Way way) {
  if (in_work_ != Way::kNone) return;
  if (const auto departure = fallback_.due(way)) leave_fdv2(*departure);
}

EventSink::Next LaunchDarklyNetworkSource::on_goodbye(std::optional<std::int64_t> fallback_ttl_s) {
  if (!fallback_ttl_s || *fallback_ttl_s < 0) return EventSink::Next::kReopen;
  leave_fdv2(fallback_.departure(*fallback_ttl_s));
  return EventSink::Next::kGoOn;
}

// What they bring.

void LaunchDarklyNetworkSource::hand_over(Way way, LaunchDarklyUpdate update) {
  in_work_ = way;
  update.update.cursor = to_text(update.cursor);
  cursor_in_work_ = std::move(update.cursor);
  listener_.on_update(std::move(update.update));
}

void LaunchDarklyNetworkSource::settle(Outcome outcome) {
  assert(in_work_ != Way::kNone);
  const Way way = std::exchange(in_work_, Way::kNone);
  const bool accepted = outcome == Outcome::kAccepted;
  accepted_ = accepted ? std::exchange(cursor_in_work_, {}) : LaunchDarklyCursor{};
  // What stays is what the stream spoke of.
  if (std::exchange(stream_says_current_, false) && !accepted) listener_.on_unchanged();
  if (way == Way::kPoll) poll_.settle(outcome);
  if (begins_polling_) begin_polling();
  if (fallback_.due(way)) return part_if_due(way);
  const bool changes_wait = waiting_ && waiting_->update.kind == evaluation::UpdateKind::kDelta;
  if (!accepted && (way == Way::kStream || changes_wait)) {
    // Changes to what was not taken make no sense: the stream has to bring everything.
    waiting_.reset();
    if (outcome == Outcome::kRefusedForNow) return stream_.reopen_after_failure();
    return stream_.reopen(jittered_interval(patience_.held, random_.next()));
  }
  if (waiting_) hand_over(Way::kStream, *std::exchange(waiting_, std::nullopt));
  stream_.proceed();
}

bool LaunchDarklyNetworkSource::can_take_changes() const {
  if (!waiting_) return true;
  if (waiting_->update.kind == evaluation::UpdateKind::kFull) return false;
  return waiting_->update.records.size() < kWaitingRecordsMax && waiting_bytes_ < kWaitingBytesMax;
}

bool LaunchDarklyNetworkSource::is_current(std::string_view digest) const {
  return can_take_data() && accepted_.protocol == LaunchDarklyProtocol::kFdv1 &&
         !accepted_.digest.empty() && accepted_.digest == digest;
}

// Changes are to what their own protocol brought. Polls may have brought another's since the stream
// was asked for, and a selector says nothing of that.
bool LaunchDarklyNetworkSource::fits(const LaunchDarklyUpdate& update) const {
  if (update.update.kind == evaluation::UpdateKind::kFull) return true;
  if (waiting_) return waiting_->cursor.protocol == update.cursor.protocol;
  const LaunchDarklyCursor& base = in_work_ == Way::kNone ? accepted_ : cursor_in_work_;
  const bool is_known = !base.digest.empty() || !base.selector.empty();
  return !is_known || base.protocol == update.cursor.protocol;
}

void LaunchDarklyNetworkSource::on_streamed(LaunchDarklyUpdate&& update) {
  stream_is_good();
  stream_says_current_ = false;
  if (!fits(update)) {
    waiting_.reset();
    return stream_.reopen(kAtOnce);
  }
  if (in_work_ == Way::kNone && !waiting_) return hand_over(Way::kStream, std::move(update));
  const std::size_t bytes = bytes_of(update.update.records);
  if (!waiting_ || update.update.kind == evaluation::UpdateKind::kFull) {
    waiting_ = std::move(update);
    waiting_bytes_ = bytes;
    return;
  }
  auto& records = waiting_->update.records;
  records.insert(records.end(), std::make_move_iterator(update.update.records.begin()),
                 std::make_move_iterator(update.update.records.end()));
  waiting_->cursor = std::move(update.cursor);
  waiting_bytes_ += bytes;
}

void LaunchDarklyNetworkSource::on_stream_current() {
  stream_is_good();
  // While a poll's data is in work, it is about what was accepted before.
  stream_says_current_ = in_work_ == Way::kPoll && !waiting_;
  if (in_work_ == Way::kNone) listener_.on_unchanged();
  part_if_due(Way::kStream);
}

void LaunchDarklyNetworkSource::on_begin(std::string_view) {
  answer_ = poll_protocol_ == LaunchDarklyProtocol::kFdv2
                ? make_fdv2_poll_body(document_bytes_max_, incoming_, poll_has_basis_)
                : make_fdv1_poll_body(document_bytes_max_, incoming_);
}

std::expected<void, std::string> LaunchDarklyNetworkSource::on_piece(std::string_view piece) {
  return answer_->feed(piece);
}

std::expected<Arrival, std::string> LaunchDarklyNetworkSource::on_complete(
    const Validators& validators) {
  auto brought = answer_->finish();
  answer_.reset();
  if (!brought) return std::unexpected(std::move(brought.error()));
  credential_refused_ = false;
  distrusts_basis_ = false;
  if (!*brought) return Arrival::kUnchanged;
  if (is_current((*brought)->cursor.digest)) {
    accepted_.etag = validators.etag;
    return Arrival::kUnchanged;
  }
  if (!can_take_data()) return std::unexpected("what the stream brought is still in work");
  (*brought)->cursor.etag = validators.etag;
  tell_way(Way::kPoll);
  hand_over(Way::kPoll, std::move(**brought));
  return Arrival::kInWork;
}

void LaunchDarklyNetworkSource::on_unchanged() {
  tell_way(Way::kPoll);
  listener_.on_unchanged();
  part_if_due(Way::kPoll);
}

// When they fail.

void LaunchDarklyNetworkSource::on_stream_failure(FailureKind kind, std::string cause,
                                                  milliseconds retry) {
  stream_works_ = false;
  stream_says_current_ = false;
  credential_refused_ = kind == FailureKind::kUnauthorized || kind == FailureKind::kCredential;
  // It may be the basis that the other side objects to.
  if (kind == FailureKind::kHttpStatus || kind == FailureKind::kMalformed) distrusts_basis_ = true;
  if (fallback_.due(Way::kStream)) return part_if_due(Way::kStream);
  // While polling helps out, it is the polls that count.
  if (!polls()) report(Way::kStream, kind, cause, retry);
}

void LaunchDarklyNetworkSource::on_failure(FailureKind kind, std::string cause,
                                           milliseconds retry) {
  answer_.reset();
  credential_refused_ = kind == FailureKind::kUnauthorized || kind == FailureKind::kCredential;
  if (kind == FailureKind::kHttpStatus || kind == FailureKind::kMalformed) distrusts_basis_ = true;
  report(Way::kPoll, kind, cause, retry);
  part_if_due(Way::kPoll);
}

void LaunchDarklyNetworkSource::report(Way way, FailureKind kind, const std::string& cause,
                                       milliseconds retry) {
  const bool streamed = way == Way::kStream;
  const LaunchDarklyProtocol asked = streamed ? stream_protocol_ : poll_protocol_;
  std::string message = failure_text(uri_,
                                     launchdarkly_cause(kind, cause,
                                                        {.source = options_,
                                                         .key = credential_.secret(),
                                                         .streamed = streamed,
                                                         .protocol = asked}),
                                     retry, streamed ? stream_.is_denied() : poll_.is_denied());
  message = without_secret(std::move(message), credential_.secret().reveal());
  message = headers_.without_secrets(std::move(message));
  listener_.on_failure({kind, std::move(message), retry});
}

void LaunchDarklyNetworkSource::on_degraded(std::string_view message) {
  listener_.on_degraded(uri_ + " " + std::string(message));
}

void LaunchDarklyNetworkSource::forget_what_we_have() {
  accepted_ = {};
  cursor_in_work_ = {};
  waiting_.reset();
  stream_says_current_ = false;
}

void LaunchDarklyNetworkSource::refresh() {
  forget_what_we_have();
  poll_.refresh();
  stream_.reopen(kAtOnce);
}

// That FDv2 was left for a time is a wait as well. A stream by FDv1 that works is given up for it,
// since nothing else would ask; what it brought goes on answering.
void LaunchDarklyNetworkSource::try_now() {
  if (!fallback_.is_away()) return end_long_waits();
  way_news_.forget();  // What becomes of it is an answer to whoever asked.
  begin_anew();
}

// Of requests that were refused: somebody may have mended why.
void LaunchDarklyNetworkSource::end_long_waits() {
  stream_.try_now();
  poll_.try_now();
}

void LaunchDarklyNetworkSource::credential_changed() {
  forget_what_we_have();
  credential_refused_ = false;
  listener_.on_credential_changed();
  // It may mean another environment, to which nobody said to leave FDv2.
  begin_anew();
}

// As if nobody had said to leave FDv2, or why nothing comes.
void LaunchDarklyNetworkSource::begin_anew() {
  waiting_.reset();  // Of the stream that is given up; the next one brings it.
  const bool left_stream = fallback_.leaves_stream();
  fallback_.reset();
  if (left_stream && streams()) {
    end_polling();
    stream_.start();
  } else if (polls()) {
    begin_polling();
  }
  header_changed();
}

void LaunchDarklyNetworkSource::header_changed() {
  if (poll_.running()) poll_.ask_anew();
  stream_.ask_anew();
}

}  // namespace flagstone::upstream
