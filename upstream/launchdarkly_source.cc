#include "upstream/launchdarkly_source.h"

#include <utility>

#include "upstream/document_sink.h"
#include "upstream/launchdarkly_cursor.h"
#include "upstream/launchdarkly_decoder.h"
#include "upstream/launchdarkly_network_source.h"
#include "upstream/redact.h"
#include "upstream/source_text.h"
#include "upstream/transports/file_watch.h"

namespace flagstone::upstream {
namespace {

// A document as it is polled, in a file: a bootstrap, or what somebody wrote by hand.
class LaunchDarklyFileSource final : public Source, private DocumentSink {
 public:
  LaunchDarklyFileSource(const config::Source& options, const SourceEnvironment& environment,
                         SourceListener& listener)
      : listener_(listener),
        uri_(redacted_uri(options.uri)),
        document_bytes_max_(options.max_document_bytes.value_or(environment.max_document_bytes)),
        incoming_(environment.incoming),
        watch_(environment.loop, environment.files,
               watch_options(options, document_bytes_max_, incoming_), *this) {}

  SourceKind kind() const override { return SourceKind::kFile; }
  std::string_view uri() const override { return uri_; }
  std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }
  const config::Secret& credential() const override { return no_credential_; }
  void resume(std::string_view cursor) override {
    if (auto remembered = launchdarkly_cursor_from_text(cursor)) {
      accepted_digest_ = std::move(remembered->digest);
    }
  }
  void start() override { watch_.start(); }
  void stop() override {
    watch_.stop();
    data_.reset();
  }
  void settle(Outcome outcome) override {
    if (outcome == Outcome::kAccepted) accepted_digest_ = digest_in_work_;
    watch_.settle(outcome);
  }
  void refresh() override {
    accepted_digest_.clear();  // The same bytes are news then.
    watch_.refresh();
  }

 private:
  static FileWatchOptions watch_options(const config::Source& options, std::uint64_t bytes_max,
                                        const IncomingMemory& incoming) {
    FileWatchOptions watch;
    watch.path = options.path;
    watch.max_bytes = bytes_max;
    if (incoming.budget != nullptr) watch.piece_bytes = incoming.file_piece_bytes();
    return watch;
  }

  void on_begin(std::string_view) override {
    data_ = std::make_unique<LaunchDarklyData>(evaluation::launchdarkly::DataShape::kPlain,
                                               document_bytes_max_, incoming_);
  }
  std::expected<void, std::string> on_piece(std::string_view piece) override {
    return data_->feed(piece);
  }
  bool must_wait() const override { return data_ && data_->is_behind(); }
  void stop_waiting() override {
    if (data_) data_->stop_waiting();
  }
  std::expected<Arrival, std::string> on_complete(const Validators&) override {
    auto decoded = data_->finish();
    data_.reset();
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    if (decoded->digest == accepted_digest_) return Arrival::kUnchanged;
    digest_in_work_ = decoded->digest;
    LaunchDarklyCursor cursor;
    cursor.digest = decoded->digest;
    decoded->update.cursor = to_text(cursor);
    listener_.on_update(std::move(decoded->update));
    return Arrival::kInWork;
  }
  void on_unchanged() override { listener_.on_unchanged(); }
  void on_failure(FailureKind kind, std::string cause, milliseconds retry) override {
    data_.reset();
    listener_.on_failure({kind, failure_text(uri_, cause, retry), retry});
  }
  void on_degraded(std::string_view message) override {
    listener_.on_degraded(uri_ + " " + std::string(message));
  }

  SourceListener& listener_;
  std::string uri_;
  std::uint64_t document_bytes_max_;
  IncomingMemory incoming_;
  config::Secret no_credential_;
  FileWatch watch_;
  std::unique_ptr<LaunchDarklyData> data_;
  std::string accepted_digest_;
  std::string digest_in_work_;
};

}  // namespace

std::expected<std::unique_ptr<Source>, std::string> make_launchdarkly_source(
    const config::Source& options, const SourceEnvironment& environment, SourceListener& listener) {
  if (options.is_file()) {
    return std::make_unique<LaunchDarklyFileSource>(options, environment, listener);
  }
  if (options.uri.starts_with("http:") || options.uri.starts_with("https:") ||
      options.uri.starts_with("http+unix:")) {
    return std::make_unique<LaunchDarklyNetworkSource>(options, environment, listener);
  }
  return std::unexpected("`" + redacted_uri(options.uri) +
                         "` is no place LaunchDarkly's flags come from: file:, http:, https: and "
                         "http+unix: are");
}

}  // namespace flagstone::upstream
