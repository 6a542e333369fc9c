// The records of a document on its way in: counted, and once they are too many for memory, handed
// on record by record into a spool of the state directory.
//
// Owned by a vendor's decoder; one document. Where there is no spool, a document may take what
// memory is left; beyond that it is read to its end all the same, to be refused with the reason by
// whoever takes it in. A disk that is slower than the document comes is waited for, by whoever can
// pause its transfer; from who cannot, as much is taken as there is memory for.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "cache/document_spool.h"
#include "cache/reservation.h"
#include "upstream/incoming_memory.h"

namespace flagstone::upstream {

class IncomingRecords {
 public:
  explicit IncomingRecords(const IncomingMemory& memory);

  // The document's complete records have so many bytes. True: they are to go through spool(), now
  // and from now on.
  bool must_spool(std::size_t held_bytes);
  void spool(const cache::SpooledRecord& record);
  // After either: what is held beside the spool.
  void hold(std::size_t held_bytes);

  // So much waits for the disk that no more of the document should come.
  bool is_behind() const;
  // The disk was waited for in vain.
  void stop_waiting();

  bool spools() const { return spooled_ != nullptr; }
  // What was spooled, all of it. REQUIRES: spools().
  std::shared_ptr<cache::SpooledDocument> finish();

 private:
  void give_up(cache::SpoolProblem problem);
  void flush();
  std::size_t waiting_bytes() const { return spool_ == nullptr ? 0 : spool_->waiting_bytes(); }

  IncomingMemory memory_;
  std::optional<cache::Reservation> held_;
  std::unique_ptr<cache::DocumentSpool> spool_;
  std::string buffer_;
  std::shared_ptr<cache::SpooledDocument> spooled_;
};

}  // namespace flagstone::upstream
