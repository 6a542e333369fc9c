#include "upstream/launchdarkly_decoder.h"

#include <utility>

namespace flagstone::upstream {

namespace launchdarkly = evaluation::launchdarkly;

namespace {

cache::SpooledRecord spooled(const evaluation::Record& record) {
  return {.kind = record.id.kind,
          .tombstone = record.tombstone,
          .version = record.version,
          .set_id = {},
          .key = record.id.key,
          .raw = record.raw};
}

}  // namespace

LaunchDarklyData::LaunchDarklyData(launchdarkly::DataShape shape, std::uint64_t bytes_max,
                                   const IncomingMemory& memory)
    : scanner_(shape, bytes_max, memory.record_bytes_max()), records_(memory) {}

std::expected<void, std::string> LaunchDarklyData::feed(std::string_view piece) {
  digest_.add(piece);
  if (auto eaten = scanner_.feed(piece); !eaten) return std::unexpected(to_string(eaten.error()));
  if (records_.must_spool(scanner_.held_bytes())) spool_records();
  records_.hold(scanner_.held_bytes());
  return {};
}

void LaunchDarklyData::spool_records() {
  for (const evaluation::Record& record : scanner_.drain()) records_.spool(spooled(record));
}

std::expected<LaunchDarklyData::Decoded, std::string> LaunchDarklyData::finish() {
  if (records_.spools()) spool_records();
  auto scanned = scanner_.finish();
  if (!scanned) return std::unexpected(to_string(scanned.error()));
  const auto digest = evaluation::hex(digest_.digest128());
  Decoded decoded{.update = std::move(scanned->update),
                  .digest = std::string(digest.begin(), digest.end()),
                  .is_everything = scanned->is_everything};
  if (records_.spools()) decoded.update.elsewhere = records_.finish();
  return decoded;
}

LaunchDarklyTransfers::LaunchDarklyTransfers(std::uint64_t bytes_max, const IncomingMemory& memory)
    : bytes_max_(bytes_max), memory_(memory) {}

std::expected<LaunchDarklyTransfers::Step, std::string> LaunchDarklyTransfers::on_event(
    std::string_view name, std::string_view data) {
  auto step = transfer_.on_event(name, data);
  if (!step) return step;
  switch (*step) {
    case Step::kChange:
      bytes_ += data.size();
      if (auto bounded = bound_memory(); !bounded) return std::unexpected(bounded.error());
      break;
    case Step::kBegun:
    case Step::kCurrent:
    case Step::kDiscarded:
    case Step::kGoodbye:
      bytes_ = 0;
      records_.reset();
      break;
    case Step::kNothing:
    case Step::kComplete:
      break;
  }
  return step;
}

std::expected<void, std::string> LaunchDarklyTransfers::bound_memory() {
  if (bytes_ > bytes_max_) {
    return std::unexpected("a transfer of more than " + std::to_string(bytes_max_) + " bytes");
  }
  if (!records_) records_.emplace(memory_);
  if (records_->must_spool(transfer_.held_bytes())) {
    // Asked for anew, everything comes, and that may be spooled.
    if (!transfer_.is_full()) return std::unexpected("changes that do not fit into the memory");
    spool_changes();
  }
  records_->hold(transfer_.held_bytes());
  return {};
}

void LaunchDarklyTransfers::spool_changes() {
  for (const evaluation::Record& record : transfer_.drain()) records_->spool(spooled(record));
}

evaluation::Update LaunchDarklyTransfers::take() {
  const bool spools = records_ && records_->spools();
  if (spools) spool_changes();
  evaluation::Update update = transfer_.take();
  if (spools) update.elsewhere = records_->finish();
  records_.reset();
  bytes_ = 0;
  return update;
}

}  // namespace flagstone::upstream
