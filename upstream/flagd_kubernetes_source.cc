#include "upstream/flagd_kubernetes_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "upstream/credential.h"
#include "upstream/document_sink.h"
#include "upstream/flagd_decoder.h"
#include "upstream/redact.h"
#include "upstream/source_text.h"
#include "upstream/transports/kubernetes_watch.h"

namespace flagstone::upstream {
namespace {

constexpr std::string_view kGroup = "core.openfeature.dev";
constexpr std::string_view kVersion = "v1beta1";
constexpr std::string_view kResource = "featureflags";

// A transport below, a decoder for what comes out of it, the listener above.
class FlagdKubernetesSource final : public Source, private DocumentSink {
 public:
  FlagdKubernetesSource(const config::Source& options, const KubernetesPlace& place,
                        KubernetesName name, const SourceEnvironment& environment,
                        SourceListener& listener);

  SourceKind kind() const override { return SourceKind::kStream; }
  std::string_view uri() const override { return uri_; }
  std::chrono::milliseconds interval() const override { return std::chrono::milliseconds(0); }
  const config::Secret& credential() const override { return no_credential_; }
  void resume(std::string_view cursor) override;
  void start() override;
  void stop() override;
  void settle(Outcome outcome) override;
  void refresh() override;

 private:
  void on_begin(std::string_view content_type) override;
  std::expected<void, std::string> on_piece(std::string_view piece) override;
  std::expected<Arrival, std::string> on_complete(const Validators& validators) override;
  void on_unchanged() override { listener_.on_unchanged(); }
  void on_failure(FailureKind kind, std::string cause, milliseconds retry) override;
  void on_degraded(std::string_view message) override;

  std::expected<std::vector<HttpHeader>, std::string> headers() const;

  SourceListener& listener_;
  std::string uri_;
  std::uint64_t document_bytes_max_;
  IncomingMemory incoming_;
  config::Secret no_credential_;
  Credential token_;
  KubernetesWatch watch_;

  std::unique_ptr<FlagdDecoder> decoder_;
  std::string accepted_digest_;
  std::string digest_in_work_;
};

config::SecretSource token_source(const config::Source& options, const KubernetesPlace& place) {
  if (!options.credential.empty()) return options.credential;
  config::SecretSource source;
  source.file = place.token_file;
  return source;
}

KubernetesWatchOptions watch_options(const config::Source& options, const KubernetesPlace& place,
                                     KubernetesName name, std::uint64_t document_bytes_max) {
  KubernetesWatchOptions watch;
  watch.server = place.server;
  watch.ca_file = options.ca_file.empty() ? place.ca_file : options.ca_file;
  watch.api = std::string(kGroup) + "/" + std::string(kVersion);
  watch.resource = kResource;
  watch.name_space = std::move(name.name_space);
  watch.name = std::move(name.name);
  watch.document_path = {"spec", "flagSpec"};
  watch.object_bytes_max = document_bytes_max;
  watch.list_timeout = options.timeout;
  return watch;
}

FlagdKubernetesSource::FlagdKubernetesSource(const config::Source& options,
                                             const KubernetesPlace& place, KubernetesName name,
                                             const SourceEnvironment& environment,
                                             SourceListener& listener)
    : listener_(listener),
      uri_(redacted_uri(options.uri)),
      document_bytes_max_(options.max_document_bytes.value_or(environment.max_document_bytes)),
      incoming_(environment.incoming),
      token_(environment.loop, environment.files, token_source(options, place),
             environment.variables, [this] { watch_.credential_changed(); }),
      watch_(
          environment.loop, environment.http, environment.clock, environment.random,
          watch_options(options, place, std::move(name), document_bytes_max_),
          [this] { return headers(); }, *this) {}

void FlagdKubernetesSource::resume(std::string_view cursor) {
  if (auto remembered = cursor_from_text(cursor)) accepted_digest_ = std::move(remembered->digest);
}

void FlagdKubernetesSource::start() {
  token_.start();
  watch_.start();
}

void FlagdKubernetesSource::stop() {
  token_.stop();
  watch_.stop();
  decoder_.reset();
}

void FlagdKubernetesSource::settle(Outcome outcome) {
  if (outcome == Outcome::kAccepted) accepted_digest_ = digest_in_work_;
  watch_.settle(outcome);
}

void FlagdKubernetesSource::refresh() {
  accepted_digest_.clear();  // The same bytes are news then.
  watch_.refresh();
}

std::expected<std::vector<HttpHeader>, std::string> FlagdKubernetesSource::headers() const {
  if (!token_.problem().empty()) return std::unexpected(token_.problem());
  return std::vector<HttpHeader>{{"Authorization", "Bearer " + token_.secret().reveal(), true}};
}

void FlagdKubernetesSource::on_begin(std::string_view) {
  decoder_ = std::make_unique<FlagdDecoder>(evaluation::flagd::DocumentFormat::kJson,
                                            document_bytes_max_, incoming_);
}

std::expected<void, std::string> FlagdKubernetesSource::on_piece(std::string_view piece) {
  return decoder_->feed(piece);
}

std::expected<Arrival, std::string> FlagdKubernetesSource::on_complete(
    const Validators& validators) {
  auto document = decoder_->finish();
  decoder_.reset();
  if (!document) return std::unexpected(std::move(document.error()));
  // A change of the resource's labels or status is none of the flags.
  if (document->digest == accepted_digest_) return Arrival::kUnchanged;
  digest_in_work_ = document->digest;
  document->update.cursor = to_text({document->digest, validators});
  listener_.on_update(std::move(document->update));
  return Arrival::kInWork;
}

void FlagdKubernetesSource::on_failure(FailureKind kind, std::string cause, milliseconds retry) {
  decoder_.reset();
  std::string message = without_secret(failure_text(uri_, cause, retry), token_.secret().reveal());
  listener_.on_failure({kind, std::move(message), retry});
}

void FlagdKubernetesSource::on_degraded(std::string_view message) {
  listener_.on_degraded(uri_ + " " + std::string(message));
}

// What a URL takes as it is; the server knows better what may be a name.
bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string_view::npos;
}

}  // namespace

std::optional<KubernetesName> kubernetes_name(std::string_view uri) {
  if (!uri.starts_with(kGroup) || !uri.substr(kGroup.size()).starts_with('/')) return std::nullopt;
  uri.remove_prefix(kGroup.size() + 1);
  const std::size_t slash = uri.find('/');
  KubernetesName name;
  if (slash != std::string_view::npos) {
    name.name_space = uri.substr(0, slash);
    if (!is_name(name.name_space)) return std::nullopt;
    uri.remove_prefix(slash + 1);
  }
  name.name = uri;
  if (!is_name(name.name)) return std::nullopt;
  return name;
}

std::expected<KubernetesPlace, std::string> kubernetes_place(const config::Variables& variables,
                                                             std::string_view folder) {
  const auto host = variables("KUBERNETES_SERVICE_HOST");
  const auto port = variables("KUBERNETES_SERVICE_PORT");
  if (!host || host->empty() || !port || port->empty()) {
    return std::unexpected(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: only in a pod does it "
        "say where the cluster's API server is");
  }
  KubernetesPlace place;
  const bool six = host->find(':') != std::string::npos;
  place.server = "https://" + (six ? "[" + *host + "]" : *host) + ":" + *port;
  const std::string in(folder);
  place.ca_file = in + "/ca.crt";
  place.token_file = in + "/token";
  config::SecretSource own;
  own.file = in + "/namespace";
  if (auto name = config::read_secret(own, variables)) place.name_space = name->reveal();
  return place;
}

std::expected<std::unique_ptr<Source>, std::string> make_flagd_kubernetes_source(
    const config::Source& options, const KubernetesPlace& place,
    const SourceEnvironment& environment, SourceListener& listener) {
  auto name = kubernetes_name(options.uri);
  if (!name) return std::unexpected("`" + redacted_uri(options.uri) + "` names no FeatureFlag");
  if (name->name_space.empty()) name->name_space = place.name_space;
  if (!is_name(name->name_space)) {
    return std::unexpected("`" + options.uri + "`: the pod's own namespace cannot be read, write " +
                           std::string(kGroup) + "/NAMESPACE/" + name->name);
  }
  return std::make_unique<FlagdKubernetesSource>(options, place, std::move(*name), environment,
                                                 listener);
}

}  // namespace flagstone::upstream
