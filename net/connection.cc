#include "net/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "net/session_choice.h"
#include "net/uv_check.h"

namespace flagstone::net {
namespace {

// Short strings live inside the connection itself.
std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

// Of a TCP socket.
bool has_loopback_peer(int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  constexpr std::uint8_t kLoopbackNet = 127;
  if (peer.ss_family == AF_INET) {
    const in_addr address = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
    return ntohl(address.s_addr) >> 24 == kLoopbackNet;
  }
  if (peer.ss_family != AF_INET6) return false;
  const in6_addr address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  constexpr std::size_t kMappedByte = 12;
  return IN6_IS_ADDR_LOOPBACK(&address) ||
         (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[kMappedByte] == kLoopbackNet);
}

// A peer that takes nothing would never take the end either, and what the kernel holds for it would
// stay: so it is reset.
void drop_unsent_at_close(const uv_handle_t& handle) {
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(&handle, &descriptor) != 0) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

// libuv's part; dies in the close callback only. `owner` is null once the connection let go.
struct Connection::Handle {
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv{};
  Connection* owner = nullptr;

  static Handle& of(uv_handle_t* handle) { return *static_cast<Handle*>(handle->data); }
  static void allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    Connection* owner = of(handle).owner;
    *buffer = owner == nullptr
                  ? uv_buf_init(nullptr, 0)
                  : uv_buf_init(owner->shared_.read_buffer.get(), owner->bytes_to_read());
  }
  static void read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    Connection* owner = of(reinterpret_cast<uv_handle_t*>(stream)).owner;
    if (owner == nullptr || count == 0) return;
    if (count > 0) {
      owner->received({buffer->base, static_cast<std::size_t>(count)});
    } else if (count == UV_EOF) {
      owner->ended();
    } else {
      owner->close();
    }
  }
};

// One write that the kernel did not take at once, with the memory it needs.
struct Connection::Write {
  uv_write_t uv{};
  std::string bytes;

  static void done(uv_write_t* request, int status) {
    Write* write = static_cast<Write*>(request->data);
    Connection* owner = Handle::of(reinterpret_cast<uv_handle_t*>(request->handle)).owner;
    delete write;
    if (owner != nullptr) owner->written(status);
  }
};

Connection::Connection(ConnectionShared& shared, ConnectionOwner& owner, unsigned listener_index,
                       ListenerKind listener_kind)
    : shared_(shared),
      owner_(owner),
      listener_index_(listener_index),
      listener_kind_(listener_kind) {}

Connection::~Connection() {
  assert(closed_ || handle_ == nullptr);
  shared_.sessions.counters.bytes_buffered.subtract(accounted_bytes_);
}

bool Connection::start(int descriptor) {
  assert(handle_ == nullptr);
  peer_is_local_ = listener_kind_ != ListenerKind::kOtherTcp || has_loopback_peer(descriptor);
  handle_ = new Handle;
  int result = 0;
  if (listener_kind_ == ListenerKind::kUnix) {
    uv_must(uv_pipe_init(shared_.loop.uv(), &handle_->uv.pipe, 0), "uv_pipe_init");
    handle_->uv.any.data = handle_;
    result = uv_pipe_open(&handle_->uv.pipe, descriptor);
  } else {
    uv_must(uv_tcp_init(shared_.loop.uv(), &handle_->uv.tcp), "uv_tcp_init");
    handle_->uv.any.data = handle_;
    result = uv_tcp_open(&handle_->uv.tcp, descriptor);
  }
  if (result < 0) ::close(descriptor);
  handle_->owner = this;
  if (result == 0) set_reading(true);
  deadline_ms_ = shared_.loop.now_ms() + shared_.limits.idle_limit_ms;
  return result == 0;
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  handle_->owner = nullptr;
  uv_close(&handle_->uv.any, [](uv_handle_t* handle) { delete &Handle::of(handle); });
  handle_ = nullptr;
  owner_.retire(*this);
}

void Connection::set_reading(bool reading) {
  if (reading == reading_ || closed_) return;
  reading_ = reading;
  if (reading) {
    uv_must(uv_read_start(&handle_->uv.stream, &Handle::allocate, &Handle::read), "uv_read_start");
  } else {
    uv_read_stop(&handle_->uv.stream);
  }
}

bool Connection::may_consume() const {
  return unsent_bytes() <= shared_.limits.unsent_bytes_max &&
         (session_ == nullptr || session_->takes_bytes());
}

unsigned Connection::bytes_to_read() const {
  const bool answering = session_ != nullptr && session_->owes_answer();
  return static_cast<unsigned>(
      answering && !session_->takes_bytes() ? room_to_hold() : ConnectionShared::kReadBytesMax);
}

bool Connection::session_over() const {
  return session_ != nullptr && session_->phase() > SessionPhase::kStreaming;
}

std::size_t Connection::waiting_bytes() const {
  return unsent_bytes() + (session_ != nullptr ? session_->waiting_bytes() : 0);
}

void Connection::received(std::string_view bytes) {
  if (lingering_) {
    lingered_bytes_ += bytes.size();
    if (lingered_bytes_ > kLingerBytesMax) close();
    return;
  }
  if (session_over()) {
    leftover_ = true;
    return;
  }
  if (held_.empty() && may_consume()) {
    process(bytes);
    return;
  }
  hold(bytes);
  if (closed_) return;
  if (session_ == nullptr) {
    process_held();  // what was held left the protocol open
  } else {
    settle();
  }
}

void Connection::ended() {
  set_reading(false);
  peer_ended_ = true;
  // Half-closed peers get what they asked for; a stream has nobody to end it but this.
  const bool answering = session_ != nullptr && session_->owes_answer();
  const bool waits = answering || waiting_bytes() > 0 || (!held_.empty() && session_ != nullptr);
  if (lingering_ || streaming() || !waits) close();
}

void Connection::process(std::string_view bytes) {
  if (session_ == nullptr) {
    session_ = choose_session(bytes, shared_.sessions, *this, listener_index_, listener_kind_);
    if (session_ == nullptr) {
      hold(bytes);
      if (!closed_) settle();
      return;
    }
    if (draining_) session_->finish_soon();
  }
  shared_.sessions.now_ms = shared_.loop.now_ms();
  std::string& output = shared_.output;
  while (!bytes.empty() && may_consume()) {
    output.clear();
    bytes.remove_prefix(session_->consume(bytes, output));
    if (closed_) return;  // by the handler
    if (!output.empty()) write(output);
    if (closed_) return;
  }
  if (!bytes.empty()) hold(bytes);
  if (!closed_) produce();
  if (output.capacity() > SessionResources::kAnswerBytesKeptMax) std::string().swap(output);
  if (!closed_) settle();
}

// What the session makes on demand, as long as the peer takes it.
void Connection::produce() {
  if (session_ == nullptr) return;
  shared_.sessions.now_ms = shared_.loop.now_ms();
  std::string& output = shared_.output;
  while (!closed_ && unsent_bytes() <= shared_.limits.unsent_bytes_max) {
    output.clear();
    session_->produce(output);
    if (closed_ || output.empty()) return;
    write(output);
  }
}

void Connection::process_held() {
  if (held_.empty() || !may_consume()) return;
  std::string bytes;
  bytes.swap(held_);
  bytes.reserve(bytes.size() + Request::kBodyPaddingBytes);
  process(bytes);
}

void Connection::hold(std::string_view bytes) {
  if (session_over()) {
    leftover_ = true;
    return;
  }
  if (held_.size() + bytes.size() > kHeldBytesMax) {
    close();
    return;
  }
  held_.append(bytes);
  account();
}

void Connection::write(std::string_view bytes) {
  if (unsent_bytes() == 0) {
    uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int taken = uv_try_write(&handle_->uv.stream, &buffer, 1);
    if (taken < 0 && taken != UV_EAGAIN) {
      close();
      return;
    }
    if (taken > 0) bytes.remove_prefix(static_cast<std::size_t>(taken));
    if (bytes.empty()) return;
  }
  pending_.append(bytes);
  start_write();
}

void Connection::start_write() {
  if (in_flight_bytes_ > 0 || pending_.empty()) return;
  Write* write = new Write;
  write->uv.data = write;
  write->bytes.swap(pending_);
  in_flight_bytes_ = write->bytes.size();
  uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const int result = uv_write(&write->uv, &handle_->uv.stream, &buffer, 1, &Write::done);
  if (result < 0) {
    delete write;
    in_flight_bytes_ = 0;
    close();
    return;
  }
  stalled_at_ = uv_stream_get_write_queue_size(&handle_->uv.stream) +
                (session_ != nullptr ? session_->said_bytes() : 0);
  stall_deadline_ms_ = shared_.loop.now_ms() + shared_.limits.write_stall_limit_ms;
}

void Connection::written(int status) {
  in_flight_bytes_ = 0;
  if (status < 0) {
    close();
    return;
  }
  start_write();
  if (closed_) return;
  // Going on below the mark, not at empty, keeps the socket busy while the next answer is made.
  if (unsent_bytes() <= shared_.limits.unsent_bytes_max / 2) {
    produce();
    if (!closed_ && session_ != nullptr) session_->output_drained();
    if (!closed_) process_held();
  }
  if (!closed_) settle();
}

void Connection::send_later(std::string_view bytes) {
  if (closed_) return;
  pending_.append(bytes);
  shared_.loop.call_at_turn_end(*this);
}

void Connection::resume_later() {
  if (!closed_) shared_.loop.call_at_turn_end(*this);
}

void Connection::produce_later() {
  if (!closed_) shared_.loop.call_at_turn_end(*this);
}

void Connection::at_turn_end() {
  if (closed_) return;
  if (in_flight_bytes_ == 0 && !pending_.empty()) {
    std::string bytes;
    bytes.swap(pending_);
    write(bytes);
    if (closed_) return;
  }
  produce();
  if (closed_) return;
  if (unsent_bytes() == 0 && session_ != nullptr) session_->output_drained();
  if (!closed_) process_held();
  if (!closed_) settle();
}

// After anything that may have changed what to wait for.
void Connection::settle() {
  if (closed_ || lingering_) return;
  const bool chosen = session_ != nullptr;
  // Without a session, a byte or two may have come that leave the protocol open.
  const SessionPhase none = held_.empty() ? SessionPhase::kIdle : SessionPhase::kHeader;
  const SessionPhase phase = chosen ? session_->phase() : none;
  const bool answering = chosen && session_->owes_answer();
  const std::size_t unsent = unsent_bytes();
  if (unsent == 0 && (phase > SessionPhase::kStreaming ||
                      (peer_ended_ && held_.empty() && waiting_bytes() == 0 && !answering))) {
    finish();
    return;
  }
  // HTTP/1 reads on while it streams or an api has yet to answer, to see the peer leave. What it
  // sends meanwhile is bounded: a stream's peer is cut, for it says nothing that we would read; who
  // waits for an answer may ask on, and is read no further.
  const bool holds = (phase == SessionPhase::kStreaming || answering) && !session_->takes_bytes();
  const bool full = holds && answering && room_to_hold() == 0;
  set_reading(!peer_ended_ && !full && (holds || unsent <= shared_.limits.unsent_bytes_max));
  set_deadline(phase);
  account();
}

// All is written. Closing with unread bytes would reset the connection and could take our last
// answer from the peer, so then only our direction is closed and the rest is read over for a
// moment.
void Connection::finish() {
  const SessionPhase phase = session_ == nullptr ? SessionPhase::kIdle : session_->phase();
  const bool clean = phase == SessionPhase::kIdle || phase == SessionPhase::kCut ||
                     (phase == SessionPhase::kDone && !leftover_ && !draining_ && !farewell_);
  uv_os_fd_t descriptor = -1;
  if (clean || peer_ended_ || uv_fileno(&handle_->uv.any, &descriptor) != 0 ||
      ::shutdown(descriptor, SHUT_WR) != 0) {
    close();
    return;
  }
  lingering_ = true;
  deadline_ms_ = shared_.loop.now_ms() + shared_.limits.linger_limit_ms;
  set_reading(true);
}

void Connection::set_deadline(SessionPhase phase) {
  const std::uint32_t begun = session_ == nullptr ? 0 : session_->requests_begun();
  if (phase == phase_seen_ && begun == begun_seen_) return;
  phase_seen_ = phase;
  begun_seen_ = begun;
  const ConnectionLimits& limits = shared_.limits;
  const std::int64_t now_ms = shared_.loop.now_ms();
  switch (phase) {
    case SessionPhase::kIdle:
      deadline_ms_ = now_ms + (draining_ ? limits.drain_idle_limit_ms : limits.idle_limit_ms);
      break;
    case SessionPhase::kHeader:
      deadline_ms_ = now_ms + limits.header_limit_ms;
      break;
    case SessionPhase::kBody:
      deadline_ms_ = now_ms + limits.body_limit_ms;
      break;
    case SessionPhase::kAnswering:  // the api's time is its own matter
    case SessionPhase::kStreaming:
    case SessionPhase::kDone:
    case SessionPhase::kFailed:
    case SessionPhase::kCut:
      deadline_ms_ = std::numeric_limits<std::int64_t>::max();  // the write stall limit holds
      break;
  }
}

void Connection::tick(std::int64_t now_ms) {
  shared_.sessions.now_ms = now_ms;
  if (draining_ && session_ != nullptr && now_ms >= last_call_ms_) {
    last_call_ms_ = std::numeric_limits<std::int64_t>::max();
    session_->finish_soon();
  }
  const bool waiting = waiting_bytes() > 0 && !lingering_;
  if (waiting) {
    // Either the kernel takes bytes, or the peer's windows let some go to it.
    const std::uint64_t progress = uv_stream_get_write_queue_size(&handle_->uv.stream) +
                                   (session_ != nullptr ? session_->said_bytes() : 0);
    if (progress != stalled_at_) {
      stalled_at_ = progress;
      stall_deadline_ms_ = now_ms + shared_.limits.write_stall_limit_ms;
    }
    if (now_ms < stall_deadline_ms_) return;
  } else {
    stalled_at_ = kNotStalled;
    if (now_ms < deadline_ms_) return;
  }
  if (!waiting && !lingering_ && phase_seen_ == SessionPhase::kIdle && say_farewell()) return;
  if (!lingering_ && (waiting || phase_seen_ != SessionPhase::kIdle)) {
    shared_.sessions.counters.timeouts.add();
  }
  if (waiting) drop_unsent_at_close(handle_->uv.any);
  close();
}

// The peer may have asked something that we have not seen yet, so it is told first and given a
// moment.
bool Connection::say_farewell() {
  if (session_ == nullptr || !session_->say_farewell()) return false;
  farewell_ = true;
  deadline_ms_ = shared_.loop.now_ms() + shared_.limits.drain_idle_limit_ms;
  produce_later();
  return true;
}

void Connection::start_drain() {
  draining_ = true;
  last_call_ms_ = shared_.loop.now_ms() + shared_.limits.drain_idle_limit_ms;
  if (session_ != nullptr) session_->finish_soon();
  if (phase_seen_ == SessionPhase::kIdle && !lingering_) {
    deadline_ms_ =
        std::min(deadline_ms_, shared_.loop.now_ms() + shared_.limits.drain_idle_limit_ms);
  }
}

void Connection::end_event_streams() {
  if (session_ != nullptr) session_->end_event_streams();
}

void Connection::account() {
  const std::size_t bytes = in_flight_bytes_ + heap_bytes(pending_) + heap_bytes(held_) +
                            (session_ != nullptr ? session_->held_bytes() : 0);
  if (bytes == accounted_bytes_) return;
  Counter& counter = shared_.sessions.counters.bytes_buffered;
  counter.subtract(accounted_bytes_);
  counter.add(bytes);
  accounted_bytes_ = bytes;
}

}  // namespace flagstone::net
