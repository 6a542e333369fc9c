#include "upstream/incoming_records.h"

#include <algorithm>
#include <utility>

namespace flagstone::upstream {
namespace {

// Written at a time.
constexpr std::size_t kSpoolPieceBytes = std::size_t{256} * 1024;

}  // namespace

IncomingRecords::IncomingRecords(const IncomingMemory& memory) : memory_(memory) {
  if (memory_.budget != nullptr) held_.emplace(*memory_.budget, cache::MemoryPart::kUpdates);
}

bool IncomingRecords::must_spool(std::size_t held_bytes) {
  if (!held_ || spools()) return spools();
  if (held_bytes <= memory_.share_bytes()) return false;
  if (memory_.spools != nullptr) spool_ = memory_.spools->open();
  const std::size_t more = held_bytes - std::min(held_bytes, held_->bytes());
  if (spool_ == nullptr && memory_.budget->fits(more)) return false;
  spooled_ = std::make_shared<cache::SpooledDocument>();
  if (spool_ == nullptr) give_up({.message = "there is none on a disk (`state.dir`)"});
  return true;
}

void IncomingRecords::give_up(cache::SpoolProblem problem) {
  spool_.reset();
  std::string().swap(buffer_);
  spooled_->given_up = true;
  spooled_->spool = std::make_shared<cache::SpoolFile>();
  spooled_->spool->problem = std::move(problem);
}

bool IncomingRecords::is_behind() const {
  return spool_ != nullptr && waiting_bytes() >= memory_.spool_waiting_bytes();
}

void IncomingRecords::stop_waiting() {
  if (spool_ != nullptr) give_up({.message = "it took nothing for too long", .passes = true});
}

void IncomingRecords::spool(const cache::SpooledRecord& record) {
  ++spooled_->records;
  spooled_->text_bytes += record.raw.size();
  if (spool_ == nullptr) return;
  const std::size_t before = buffer_.size();
  cache::append_spooled(buffer_, record);
  spooled_->bytes += buffer_.size() - before;
  if (buffer_.size() >= kSpoolPieceBytes) flush();
}

void IncomingRecords::flush() {
  // A transfer that is paused in time never brings so much: what was held when it began to be
  // spooled, and some more.
  const bool overtaken =
      waiting_bytes() > memory_.share_bytes() + 2 * memory_.spool_waiting_bytes();
  if (overtaken && !memory_.budget->fits(buffer_.size())) {
    return give_up({.message = "no memory is left for what waits for it", .passes = true});
  }
  auto queued = spool_->append(std::exchange(buffer_, {}));
  if (!queued) give_up(std::move(queued.error()));
}

void IncomingRecords::hold(std::size_t held_bytes) {
  if (held_) held_->hold(held_bytes + buffer_.size() + waiting_bytes());
}

std::shared_ptr<cache::SpooledDocument> IncomingRecords::finish() {
  if (spool_ != nullptr) flush();
  if (spool_ != nullptr) spooled_->spool = spool_->file();
  return std::move(spooled_);
}

}  // namespace flagstone::upstream
