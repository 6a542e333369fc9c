#include "upstream/flagd_decoder.h"

#include <utility>

#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

namespace flagstone::upstream {

namespace flagd = evaluation::flagd;

FlagdDecoder::FlagdDecoder(flagd::DocumentFormat format, std::uint64_t document_bytes_max,
                           const IncomingMemory& memory)
    : bytes_max_(document_bytes_max), records_(memory) {
  if (format == flagd::DocumentFormat::kJson) json_.emplace(document_bytes_max);
}

FlagdDecoder::~FlagdDecoder() = default;

std::expected<void, std::string> FlagdDecoder::feed(std::string_view piece) {
  digest_.add(piece);
  if (json_) {
    const auto eaten = json_->feed(piece);
    if (!eaten) return std::unexpected(flagd::to_string(eaten.error()));
    if (records_.must_spool(json_->held_bytes())) spool_records();
    records_.hold(json_->held_bytes());
    return {};
  }
  if (yaml_.size() + piece.size() > flagd::kYamlBytesMax) {
    return std::unexpected("YAML of more than " + std::to_string(flagd::kYamlBytesMax) + " bytes");
  }
  yaml_ += piece;
  return {};
}

void FlagdDecoder::spool_records() {
  for (const flagd::DrainedRecord& drained : json_->drain()) {
    const evaluation::Record& record = drained.record;
    records_.spool({.kind = record.id.kind,
                    .has_own_set = drained.has_own_set,
                    .tombstone = record.tombstone,
                    .version = record.version,
                    .set_id = record.id.set_id,
                    .key = record.id.key,
                    .raw = record.raw});
  }
}

std::expected<DecodedDocument, std::string> FlagdDecoder::finish() {
  const auto digest = evaluation::hex(digest_.digest128());
  DecodedDocument document{.update = {}, .digest = std::string(digest.begin(), digest.end())};
  if (!json_) {
    auto update = flagd::decode_document(yaml_, flagd::DocumentFormat::kYaml, bytes_max_);
    if (!update) return std::unexpected(flagd::to_string(update.error()));
    document.update = std::move(*update);
    return document;
  }
  if (records_.spools()) spool_records();
  auto scanned = json_->finish();
  if (!scanned) return std::unexpected(flagd::to_string(scanned.error()));
  document.update = std::move(scanned->update);
  if (!records_.spools()) return document;
  std::shared_ptr<cache::SpooledDocument> spooled = records_.finish();
  spooled->document_set_id = std::move(scanned->document_set_id);
  document.update.elsewhere = std::move(spooled);
  return document;
}

}  // namespace flagstone::upstream
