#include "upstream/flagd_source.h"

#include <optional>
#include <utility>
#include <vector>

#include "net/percent.h"
#include "upstream/configured_headers.h"
#include "upstream/credential.h"
#include "upstream/document_sink.h"
#include "upstream/flagd_decoder.h"
#include "upstream/flagd_kubernetes_source.h"
#include "upstream/flagd_sync_message.h"
#include "upstream/flagd_sync_place.h"
#include "upstream/http_url.h"
#include "upstream/redact.h"
#include "upstream/source_text.h"
#include "upstream/transports/file_watch.h"
#include "upstream/transports/grpc_stream.h"
#include "upstream/transports/http_poll.h"

namespace flagstone::upstream {
namespace {

using evaluation::flagd::DocumentFormat;

// One source: a transport below, a decoder for what comes out of it, the listener above.
class FlagdSource final : public Source, public DocumentSink {
 public:
  FlagdSource(const config::Source& options, const SourceEnvironment& environment,
              SourceListener& listener);

  void poll(HttpPollOptions options, const SourceEnvironment& environment);
  void watch(FileWatchOptions options, const SourceEnvironment& environment);
  void stream(SyncPlace place, const SourceEnvironment& environment);

  SourceKind kind() const override { return kind_; }
  std::string_view uri() const override { return uri_; }
  std::chrono::milliseconds interval() const override {
    return poll_ ? options_.interval : std::chrono::milliseconds(0);
  }
  const config::Secret& credential() const override { return credential_.secret(); }
  void resume(std::string_view cursor) override;
  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;
  void try_now() override;
  std::string_view trouble() const override { return credential_.trouble(); }

 private:
  bool is_denied() const;
  void on_begin(std::string_view content_type) override;
  std::expected<void, std::string> on_piece(std::string_view piece) override;
  bool must_wait() const override { return decoder_ && decoder_->is_behind(); }
  void stop_waiting() override {
    if (decoder_) decoder_->stop_waiting();
  }
  std::expected<Arrival, std::string> on_complete(const Validators& validators) override;
  void on_unchanged() override { listener_.on_unchanged(); }
  void on_failure(FailureKind kind, std::string cause, milliseconds retry) override;
  void on_degraded(std::string_view message) override;

  std::expected<void, std::string> feed_response(std::string_view piece);
  DocumentFormat format_of(std::string_view content_type) const;
  std::expected<std::vector<HttpHeader>, std::string> headers() const;
  void credential_changed();
  void header_changed();

  config::Source options_;
  SourceListener& listener_;
  std::string uri_;
  std::uint64_t document_bytes_max_;
  IncomingMemory incoming_;
  Credential credential_;
  ConfiguredHeaders headers_;
  std::unique_ptr<Transport> transport_;
  SourceKind kind_ = SourceKind::kFile;
  // The transport, if it is one.
  HttpPoll* poll_ = nullptr;
  GrpcStream* stream_ = nullptr;

  std::optional<SyncFlagsResponseReader> response_;  // Of a stream: what the document lies in.
  std::unique_ptr<FlagdDecoder> decoder_;
  std::string accepted_digest_;
  std::string digest_in_work_;
};

FlagdSource::FlagdSource(const config::Source& options, const SourceEnvironment& environment,
                         SourceListener& listener)
    : options_(options),
      listener_(listener),
      uri_(redacted_uri(options.uri)),
      document_bytes_max_(options.max_document_bytes.value_or(environment.max_document_bytes)),
      incoming_(environment.incoming),
      credential_(environment.loop, environment.files, options.credential, environment.variables,
                  [this] { credential_changed(); }),
      headers_(options_.headers, environment, [this] { header_changed(); }) {
  credential_.tell({.on_rewritten = [this] { try_now(); },
                    .on_trouble = [this] { listener_.on_degraded(credential_.trouble()); }});
}

void FlagdSource::poll(HttpPollOptions options, const SourceEnvironment& environment) {
  options.interval = options_.interval;
  options.limits.whole = options_.timeout;
  options.limits.body_bytes = document_bytes_max_;
  options.ca_file = options_.ca_file;
  options.client_certificate_file = options_.client_certificate_file;
  options.client_key_file = options_.client_key_file;
  options.proxy = options_.proxy;
  auto poll = std::make_unique<HttpPoll>(
      environment.loop, environment.http, environment.clock, environment.random, std::move(options),
      [this] { return headers(); }, *this);
  poll_ = poll.get();
  kind_ = SourceKind::kPoll;
  transport_ = std::move(poll);
}

void FlagdSource::watch(FileWatchOptions options, const SourceEnvironment& environment) {
  options.path = options_.path;
  options.max_bytes = document_bytes_max_;
  if (incoming_.budget != nullptr) options.piece_bytes = incoming_.file_piece_bytes();
  transport_ =
      std::make_unique<FileWatch>(environment.loop, environment.files, std::move(options), *this);
}

void FlagdSource::stream(SyncPlace place, const SourceEnvironment& environment) {
  GrpcStreamOptions options;
  options.url = place.url + std::string(kSyncFlagsPath);
  options.unix_socket = std::move(place.unix_socket);
  options.body = sync_flags_body(options_.provider_id, options_.selector);
  options.unimplemented_hint =
      "nobody serves flagd.sync.v1 there, in flagd the port for it is 8015 (`--sync-port`)";
  options.ca_file = options_.ca_file;
  options.client_certificate_file = options_.client_certificate_file;
  options.client_key_file = options_.client_key_file;
  options.proxy = options_.proxy;
  options.message_bytes_max = document_bytes_max_;
  options.message = options_.timeout;
  auto stream = std::make_unique<GrpcStream>(
      environment.loop, environment.http, environment.clock, environment.random, std::move(options),
      [this] { return headers(); }, *this);
  stream_ = stream.get();
  kind_ = SourceKind::kStream;
  transport_ = std::move(stream);
}

void FlagdSource::resume(std::string_view cursor) {
  auto remembered = cursor_from_text(cursor);
  if (!remembered) return;
  accepted_digest_ = std::move(remembered->digest);
  if (poll_ != nullptr) poll_->resume(std::move(remembered->validators));
}

void FlagdSource::start() {
  credential_.start();
  headers_.start();
  transport_->start();
}

void FlagdSource::stop() {
  credential_.stop();
  headers_.stop();
  transport_->stop();
  decoder_.reset();
}

void FlagdSource::settle(Outcome outcome) {
  if (outcome == Outcome::kAccepted) accepted_digest_ = digest_in_work_;
  transport_->settle(outcome);
}

void FlagdSource::refresh() {
  accepted_digest_.clear();  // The same bytes are news then.
  transport_->refresh();
}

void FlagdSource::try_now() {
  if (poll_ != nullptr) poll_->try_now();
  if (stream_ != nullptr) stream_->try_now();
}

bool FlagdSource::is_denied() const {
  return (poll_ != nullptr && poll_->is_denied()) || (stream_ != nullptr && stream_->is_denied());
}

DocumentFormat FlagdSource::format_of(std::string_view content_type) const {
  if (options_.format == config::DocumentFormat::kJson) return DocumentFormat::kJson;
  if (options_.format == config::DocumentFormat::kYaml) return DocumentFormat::kYaml;
  if (stream_ != nullptr) return DocumentFormat::kJson;  // Its URI names no document.
  std::string_view name = options_.location();
  if (!options_.is_file()) name = name.substr(0, name.find_first_of("?#"));
  const auto by_name = evaluation::flagd::format_of_path(name);
  return by_name ? *by_name : evaluation::flagd::format_of_content_type(content_type);
}

std::expected<std::vector<HttpHeader>, std::string> FlagdSource::headers() const {
  std::vector<HttpHeader> headers;
  if (!credential_.problem().empty()) return std::unexpected(credential_.problem());
  if (!credential_.secret().empty()) {
    headers.push_back({"Authorization", "Bearer " + credential_.secret().reveal(), true});
  }
  if (auto all = headers_.append_to(headers); !all) return std::unexpected(all.error());
  if (!options_.selector.empty()) headers.push_back({"Flagd-Selector", options_.selector});
  return headers;
}

void FlagdSource::credential_changed() {
  // Another key may see another document, even one that looks the same.
  accepted_digest_.clear();
  listener_.on_credential_changed();
  header_changed();
}

void FlagdSource::header_changed() {
  if (poll_ != nullptr) poll_->ask_anew();
  if (stream_ != nullptr) stream_->ask_anew();
}

void FlagdSource::on_begin(std::string_view content_type) {
  if (stream_ != nullptr) response_.emplace();
  decoder_ =
      std::make_unique<FlagdDecoder>(format_of(content_type), document_bytes_max_, incoming_);
}

std::expected<void, std::string> FlagdSource::on_piece(std::string_view piece) {
  return response_ ? feed_response(piece) : decoder_->feed(piece);
}

std::expected<void, std::string> FlagdSource::feed_response(std::string_view bytes) {
  using enum SyncFlagsResponseReader::Part;
  while (true) {
    std::string_view piece;
    switch (response_->next(bytes, piece)) {
      case kMore:
        return {};
      case kBegin:
        decoder_ = std::make_unique<FlagdDecoder>(format_of({}), document_bytes_max_, incoming_);
        break;
      case kPiece:
        if (auto eaten = decoder_->feed(piece); !eaten) return eaten;
        break;
      case kBroken:
        return std::unexpected("not a SyncFlagsResponse");
    }
  }
}

std::expected<Arrival, std::string> FlagdSource::on_complete(const Validators& validators) {
  if (response_ && !response_->between_fields()) {
    return std::unexpected("a SyncFlagsResponse that ends inside a field");
  }
  auto document = decoder_->finish();
  decoder_.reset();
  if (!document) return std::unexpected(std::move(document.error()));
  if (document->digest == accepted_digest_) return Arrival::kUnchanged;
  digest_in_work_ = document->digest;
  document->update.cursor = to_text({document->digest, validators});
  listener_.on_update(std::move(document->update));
  return Arrival::kInWork;
}

void FlagdSource::on_failure(FailureKind kind, std::string cause, milliseconds retry) {
  decoder_.reset();
  std::string message = failure_text(uri_, cause, retry, is_denied());
  message = without_secret(std::move(message), credential_.secret().reveal());
  message = headers_.without_secrets(std::move(message));
  listener_.on_failure({kind, std::move(message), retry});
}

void FlagdSource::on_degraded(std::string_view message) {
  listener_.on_degraded(uri_ + " " + std::string(message));
}

// `http+unix://%2Frun%2Fflags.sock/path?query`: the socket's path stands where a host would.
std::optional<HttpPollOptions> unix_place(std::string_view uri) {
  constexpr std::string_view kScheme = "http+unix://";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const std::size_t end = uri.find_first_of("/?");
  HttpPollOptions options;
  if (!net::percent_decode(uri.substr(0, end), options.unix_socket)) return std::nullopt;
  if (!options.unix_socket.starts_with('/')) return std::nullopt;
  options.url = "http://localhost";
  if (end != std::string_view::npos) options.url += uri.substr(end);
  return options;
}

}  // namespace

std::expected<std::unique_ptr<Source>, std::string> make_flagd_source(
    const config::Source& options, const SourceEnvironment& environment, SourceListener& listener) {
  if (kubernetes_name(options.uri)) {
    const auto place = kubernetes_place(environment.variables);
    if (!place) return std::unexpected("`" + options.uri + "`: " + place.error());
    return make_flagd_kubernetes_source(options, *place, environment, listener);
  }
  auto source = std::make_unique<FlagdSource>(options, environment, listener);
  if (options.is_file()) {
    source->watch({}, environment);
  } else if (auto place = unix_place(options.uri)) {
    source->poll(std::move(*place), environment);
  } else if (is_sync_uri(options.uri)) {
    auto at = sync_place(options.uri);
    if (!at) return std::unexpected("`" + redacted_uri(options.uri) + "`: " + at.error());
    source->stream(std::move(*at), environment);
  } else if (HttpUrl::parse(options.uri)) {
    HttpPollOptions poll;
    poll.url = options.uri;
    source->poll(std::move(poll), environment);
  } else {
    return std::unexpected(
        "`" + redacted_uri(options.uri) +
        "` is no place flags come from: file:, http:, https:, http+unix:, grpc:, grpcs:, unix: and "
        "core.openfeature.dev/ are");
  }
  return source;
}

}  // namespace flagstone::upstream
