// Reads sources', secrets' and configuration files for the keeper on a thread of their own.
//
// Owned by the daemon, used on the keeper's loop; outlives every source.
#pragma once

#include <map>

#include "net/lifeline.h"
#include "net/loop.h"
#include "sidecar/disk_thread.h"
#include "upstream/file_reader.h"

namespace flagstone::sidecar {

class DiskReader final : public upstream::FileReader {
 public:
  DiskReader(net::Loop& loop, DiskThread& thread);

  Ticket read(upstream::FileRequest request, Done done) override;
  void cancel(Ticket ticket) override;

 private:
  void finished(Ticket ticket, upstream::FileResult result);

  net::Loop& loop_;
  DiskThread& thread_;
  Ticket next_ticket_ = 1;
  std::map<Ticket, Done> waiting_;
  net::Lifeline<DiskReader> lifeline_{*this};
};

}  // namespace flagstone::sidecar
