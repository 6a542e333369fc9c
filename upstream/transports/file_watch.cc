#include "upstream/transports/file_watch.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/loop.h"

namespace flagstone::upstream {
namespace {

// A timer that starts itself again at zero would run in the same turn (libuv before 1.45).
constexpr std::int64_t kNextTurnMs = 1;

FailureKind kind_of(FileError::Kind kind) {
  switch (kind) {
    case FileError::Kind::kMissing:
      return FailureKind::kMissing;
    case FileError::Kind::kTooLarge:
      return FailureKind::kTooLarge;
    case FileError::Kind::kUnreadable:
    case FileError::Kind::kChanged:
      break;
  }
  return FailureKind::kUnreadable;
}

}  // namespace

FileWatch::FileWatch(net::Loop& loop, FileReader& reader, FileWatchOptions options,
                     DocumentSink& sink)
    : loop_(loop),
      reader_(reader),
      options_(std::move(options)),
      sink_(sink),
      quiet_(loop,
             [this] {
               first_change_ms_.reset();
               watch_folders();
               look(Look::kAnyway);
             }),
      clockwork_(loop, [this] { look(Look::kIfTouched); }),
      disk_(loop, options_.disk_patience,
            {.must_wait = [this] { return sink_.must_wait(); },
             .stop_waiting = [this] { sink_.stop_waiting(); },
             .go_on = [this] { read(Look::kAnyway); }}) {}

FileWatch::~FileWatch() { stop(); }

void FileWatch::start() {
  assert(!running_);
  running_ = true;
  clockwork_.start_repeating(options_.safety.count(), options_.safety.count());
  auto opened = FolderWatch::open(loop_, options_.open_inotify,
                                  [this](FolderChange change) { changed(change); });
  if (opened) {
    folders_ = std::move(*opened);
    watch_folders();
  } else {
    fall_back(opened.error());
  }
  look(Look::kAnyway);
}

void FileWatch::stop() {
  running_ = false;
  quiet_.stop();
  clockwork_.stop();
  disk_.stop();
  folders_.reset();
  if (ticket_) reader_.cancel(*std::exchange(ticket_, std::nullopt));
}

void FileWatch::watch_folders() {
  if (folders_ == nullptr) return;
  const auto armed = folders_->arm(options_.path);
  if (!armed) fall_back(armed.error());
}

void FileWatch::fall_back(const std::string& reason) {
  folders_.reset();
  clockwork_.start_repeating(options_.fallback.count(), options_.fallback.count());
  if (std::exchange(degraded_, true)) return;
  sink_.on_degraded("cannot be watched (" + reason + "); looking at it every " +
                    std::to_string(options_.fallback.count()) + " ms instead");
}

// Several changes in a row are one. A file that has only begun gets more time, unless its writer
// closes it sooner; one that never stops changing is read anyway.
void FileWatch::changed(FolderChange change) {
  const std::int64_t now = loop_.now_ms();
  if (!first_change_ms_) first_change_ms_ = now;
  const milliseconds quiet = change == FolderChange::kBegun ? options_.quiet_begun : options_.quiet;
  const std::int64_t latest = *first_change_ms_ + options_.quiet_longest.count();
  quiet_.start_once(std::clamp<std::int64_t>(latest - now, 0, quiet.count()));
}

void FileWatch::look(Look how) {
  if (!running_) return;
  if (busy()) {
    look_again_ = look_again_ || how == Look::kAnyway;
    return;
  }
  fed_bytes_ = 0;
  read(how);
}

// The next piece; the first one when nothing was fed yet.
void FileWatch::read(Look how) {
  FileRequest request{.path = options_.path,
                      .max_bytes = options_.max_bytes,
                      .unless = how == Look::kIfTouched ? stamp_ : std::nullopt,
                      .offset = fed_bytes_,
                      .piece_bytes = options_.piece_bytes,
                      .continues = fed_bytes_ > 0 ? stamp_ : std::nullopt};
  // A reader may answer before it returns; the ticket is then spent already.
  ticket_ = 0;
  const FileReader::Ticket ticket = reader_.read(
      std::move(request), [this, how](FileResult result) { on_read(how, std::move(result)); });
  if (ticket_) ticket_ = ticket;
}

void FileWatch::on_read(Look how, FileResult result) {
  ticket_.reset();
  // The clock found what inotify did not tell: a folder further up was exchanged.
  if (how == Look::kIfTouched && !(result && result->unchanged)) watch_folders();
  if (!result) {
    stamp_.reset();
    if (result.error().kind == FileError::Kind::kChanged) {
      // Whoever changed it is not done yet; what was fed of it is thrown away with the next begin.
      look_again_ = false;
      quiet_.start_once(options_.quiet_longest.count());
      return;
    }
    return fail(kind_of(result.error().kind), std::move(result.error().message));
  }
  if (result->unchanged) {
    if (good_) sink_.on_unchanged();
    return idle();
  }
  stamp_ = result->stamp;
  on_piece(std::move(*result));
}

void FileWatch::on_piece(FileContent content) {
  if (fed_bytes_ == 0) {
    if (content.bytes.empty()) return fail(FailureKind::kMalformed, "an empty file");
    sink_.on_begin({});
  }
  if (auto eaten = sink_.on_piece(content.bytes); !eaten) {
    return fail(FailureKind::kMalformed, std::move(eaten.error()));
  }
  fed_bytes_ += content.bytes.size();
  // Its memory goes before the next one is read, or the document is taken in.
  std::string().swap(content.bytes);
  if (content.complete) {
    complete();
  } else if (!disk_.begins()) {
    read(Look::kAnyway);
  }
}

void FileWatch::complete() {
  in_work_ = true;  // Before the call: the sink may lead to settle() at once.
  auto arrival = sink_.on_complete({});
  if (arrival && *arrival == Arrival::kInWork) return;
  in_work_ = false;
  if (!arrival) return fail(FailureKind::kMalformed, std::move(arrival.error()));
  good_ = true;
  sink_.on_unchanged();
  idle();
}

void FileWatch::settle(Outcome outcome) {
  assert(in_work_);
  in_work_ = false;
  good_ = outcome == Outcome::kAccepted;
  idle();
}

void FileWatch::refresh() { look(Look::kAnyway); }

void FileWatch::fail(FailureKind kind, std::string cause) {
  good_ = false;
  sink_.on_failure(kind, std::move(cause), milliseconds(0));
  idle();
}

// In the next turn, so that a file that changes all the time cannot keep us from returning.
void FileWatch::idle() {
  if (running_ && !busy() && std::exchange(look_again_, false)) quiet_.start_once(kNextTurnMs);
}

}  // namespace flagstone::upstream
