#include "sidecar/disk_reader.h"

#include <memory>
#include <utility>

namespace flagstone::sidecar {

DiskReader::DiskReader(net::Loop& loop, DiskThread& thread) : loop_(loop), thread_(thread) {}

DiskReader::Ticket DiskReader::read(upstream::FileRequest request, Done done) {
  Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, std::move(done));
  auto answer = lifeline_.guard([ticket](DiskReader& reader, upstream::FileResult result) {
    reader.finished(ticket, std::move(result));
  });
  bool queued = thread_.submit([request = std::move(request), answer, &loop = loop_] {
    (void)loop.post([answer, result = upstream::read_file_blocking(request)]() mutable {
      answer(std::move(result));
    });
  });
  if (!queued) {
    (void)loop_.post([answer]() mutable {
      answer(std::unexpected(
          upstream::FileError{.kind = upstream::FileError::Kind::kUnreadable,
                              .message = "the disk is too slow: too many reads are waiting"}));
    });
  }
  return ticket;
}

void DiskReader::cancel(Ticket ticket) { waiting_.erase(ticket); }

void DiskReader::finished(Ticket ticket, upstream::FileResult result) {
  auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  Done done = std::move(found->second);
  waiting_.erase(found);
  done(std::move(result));
}

}  // namespace flagstone::sidecar
