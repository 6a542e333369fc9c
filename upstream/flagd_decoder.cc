#include "upstream/flagd_decoder.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "evaluation/dialects/flagd/wire/yaml_to_json.h"

namespace flagstone::upstream {

namespace flagd = evaluation::flagd;

namespace {

// Written at a time.
constexpr std::size_t kSpoolPieceBytes = std::size_t{256} * 1024;

}  // namespace

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

FlagdDecoder::FlagdDecoder(flagd::DocumentFormat format, std::uint64_t document_bytes_max,
                           const IncomingMemory& memory)
    : memory_(memory), bytes_max_(document_bytes_max), hash_(std::make_unique<Hash>()) {
  if (memory_.budget != nullptr) held_.emplace(*memory_.budget, cache::MemoryPart::kUpdates);
  if (format == flagd::DocumentFormat::kJson) json_.emplace(document_bytes_max);
}

FlagdDecoder::~FlagdDecoder() = default;

std::expected<void, std::string> FlagdDecoder::feed(std::string_view piece) {
  hash_->add(piece);
  bytes_ += piece.size();
  if (json_) {
    const auto eaten = json_->feed(piece);
    if (!eaten) return std::unexpected(flagd::to_string(eaten.error()));
    bound_memory();
    return {};
  }
  if (yaml_.size() + piece.size() > flagd::kYamlBytesMax) {
    return std::unexpected("YAML of more than " + std::to_string(flagd::kYamlBytesMax) + " bytes");
  }
  yaml_ += piece;
  return {};
}

// Beyond its share of memory a document goes on record by record by way of the disk. Where there is
// none, it may take what memory is left; and then it is read to its end all the same, to be refused
// with the reason by whoever takes it in.
void FlagdDecoder::bound_memory() {
  if (!held_) return;
  const std::size_t most = memory_.share_bytes();
  if (spooled_ == nullptr && json_->held_bytes() > most) {
    if (memory_.spools != nullptr) spool_ = memory_.spools->open();
    const std::size_t more = json_->held_bytes() - std::min(json_->held_bytes(), held_->bytes());
    if (spool_ != nullptr || !memory_.budget->fits(more)) {
      spooled_ = std::make_shared<cache::SpooledDocument>();
    }
    if (spooled_ != nullptr && spool_ == nullptr) give_up("there is none on a disk (state.dir)");
  }
  if (spooled_ != nullptr) spool_records();
  held_->hold(json_->held_bytes() + spool_buffer_.size());
}

void FlagdDecoder::give_up(std::string problem) {
  spool_.reset();
  std::string().swap(spool_buffer_);
  spooled_->spool = std::make_shared<cache::SpoolFile>();
  spooled_->spool->problem = std::move(problem);
}

void FlagdDecoder::spool_records() {
  for (const flagd::DrainedRecord& drained : json_->drain()) {
    const evaluation::Record& record = drained.record;
    ++spooled_->records;
    spooled_->text_bytes += record.raw.size();
    if (spool_ == nullptr) continue;
    const std::size_t before = spool_buffer_.size();
    cache::append_spooled(spool_buffer_, {.kind = record.id.kind,
                                          .has_own_set = drained.has_own_set,
                                          .set_id = record.id.set_id,
                                          .key = record.id.key,
                                          .raw = record.raw});
    spooled_->bytes += spool_buffer_.size() - before;
    if (spool_buffer_.size() >= kSpoolPieceBytes) flush_spool();
  }
}

void FlagdDecoder::flush_spool() {
  auto queued = spool_->append(std::exchange(spool_buffer_, {}));
  if (!queued) give_up(std::move(queued.error()));
}

std::expected<DecodedDocument, std::string> FlagdDecoder::finish() {
  DecodedDocument document{.update = {}, .digest = hash_->digest(), .bytes = bytes_};
  if (!json_) {
    auto update = flagd::decode_document(yaml_, flagd::DocumentFormat::kYaml, bytes_max_);
    if (!update) return std::unexpected(flagd::to_string(update.error()));
    document.update = std::move(*update);
    return document;
  }
  if (spooled_ != nullptr) spool_records();
  if (spool_ != nullptr) flush_spool();
  auto scanned = json_->finish();
  if (!scanned) return std::unexpected(flagd::to_string(scanned.error()));
  document.update = std::move(scanned->update);
  if (spooled_ == nullptr) return document;
  spooled_->document_set_id = std::move(scanned->document_set_id);
  if (spool_ != nullptr) spooled_->spool = spool_->file();
  document.update.elsewhere = std::move(spooled_);
  return document;
}

}  // namespace flagstone::upstream
