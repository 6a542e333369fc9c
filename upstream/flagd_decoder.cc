#include "upstream/flagd_decoder.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstdio>
#include <utility>

#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

namespace flagstone::upstream {

namespace flagd = evaluation::flagd;

struct FlagdDecoder::Hash {
  XXH3_state_t state;

  Hash() { XXH3_128bits_reset(&state); }
  void add(std::string_view bytes) { XXH3_128bits_update(&state, bytes.data(), bytes.size()); }
  std::string digest() const {
    const XXH128_hash_t sum = XXH3_128bits_digest(&state);
    std::array<char, 33> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx%016llx",
                  static_cast<unsigned long long>(sum.high64),
                  static_cast<unsigned long long>(sum.low64));
    return hex.data();
  }
};

FlagdDecoder::FlagdDecoder(flagd::DocumentFormat format, std::uint64_t document_bytes_max)
    : bytes_max_(document_bytes_max), hash_(std::make_unique<Hash>()) {
  if (format == flagd::DocumentFormat::kJson) json_.emplace(document_bytes_max);
}

FlagdDecoder::~FlagdDecoder() = default;

std::expected<void, std::string> FlagdDecoder::feed(std::string_view piece) {
  hash_->add(piece);
  bytes_ += piece.size();
  if (json_) {
    const auto eaten = json_->feed(piece);
    if (!eaten) return std::unexpected(flagd::to_string(eaten.error()));
    return {};
  }
  if (yaml_.size() + piece.size() > flagd::kYamlBytesMax) {
    return std::unexpected("YAML of more than " + std::to_string(flagd::kYamlBytesMax) + " bytes");
  }
  yaml_ += piece;
  return {};
}

std::expected<DecodedDocument, std::string> FlagdDecoder::finish() {
  DecodedDocument document{.update = {}, .digest = hash_->digest(), .bytes = bytes_};
  if (json_) {
    auto scanned = json_->finish();
    if (!scanned) return std::unexpected(flagd::to_string(scanned.error()));
    document.update = std::move(scanned->update);
  } else {
    auto update = flagd::decode_document(yaml_, flagd::DocumentFormat::kYaml, bytes_max_);
    if (!update) return std::unexpected(flagd::to_string(update.error()));
    document.update = std::move(*update);
  }
  return document;
}

}  // namespace flagstone::upstream
