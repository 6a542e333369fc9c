// The socket side of one connection: reads into the loop's buffer, writes what its session says.
//
// Owned by the server, the loop's thread only. close() may be called at any time, also while a
// handler of this connection runs: the server destroys the connection at the end of the turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/session.h"
#include "net/session_resources.h"

namespace flagstone::net {

class Connection;

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void retire(
      Connection& connection) = 0;  // it is closed; destroy it at the end of the turn
};

// What the connections of one server share.
struct ConnectionShared {
  static constexpr std::size_t kReadBytesMax = 64 * 1024;

  ConnectionShared(Loop& on_loop, SessionResources& resources, const ConnectionLimits& bounds)
      : loop(on_loop), sessions(resources), limits(bounds) {}

  Loop& loop;
  SessionResources& sessions;
  const ConnectionLimits limits;
  std::string output;  // of the session that consumes just now
  std::unique_ptr<char[]> read_buffer =
      std::make_unique<char[]>(kReadBytesMax + Request::kBodyPaddingBytes);
};

class Connection final : public SessionHost, private TurnEndTask {
 public:
  // Bytes kept of a peer that sends on while an event stream is open; beyond, it is cut. While an
  // answer is deferred, no more than these are read.
  static constexpr std::size_t kHeldBytesMax = 64 * 1024;
  // Bytes read over after a refusal, for the peer to find our answer; beyond, it is cut.
  static constexpr std::size_t kLingerBytesMax = 4 * 1024 * 1024;

  Connection(ConnectionShared& shared, ConnectionOwner& owner, unsigned listener_index,
             ListenerKind listener_kind);
  ~Connection() override;

  // Takes the descriptor over; false when the system refuses it.
  bool start(int descriptor);
  void close();
  void tick(std::int64_t now_ms);  // closes what has passed a limit
  void start_drain();
  void end_event_streams();
  bool streaming() const { return session_ && session_->phase() == SessionPhase::kStreaming; }
  unsigned listener_index() const { return listener_index_; }

  void send_later(std::string_view bytes) override;
  std::size_t unsent_bytes() const override { return in_flight_bytes_ + pending_.size(); }
  void resume_later() override;
  void produce_later() override;
  bool peer_is_local() const override { return peer_is_local_; }

  std::size_t place = 0;  // in the server's list

 private:
  struct Handle;
  struct Write;

  void at_turn_end() override;
  void received(std::string_view bytes);
  void ended();  // the peer sends no more
  void process(std::string_view bytes);
  void process_held();
  void hold(std::string_view bytes);
  bool may_consume() const;
  std::size_t room_to_hold() const { return kHeldBytesMax - held_.size(); }
  unsigned bytes_to_read() const;
  bool session_over() const;
  std::size_t waiting_bytes() const;  // in the socket's queue, and in the session for its peer
  void produce();
  bool say_farewell();
  void write(std::string_view bytes);
  void start_write();
  void written(int status);
  void settle();
  void finish();
  void set_deadline(SessionPhase phase);
  void set_reading(bool reading);
  void account();

  ConnectionShared& shared_;
  ConnectionOwner& owner_;
  Handle* handle_ = nullptr;
  std::unique_ptr<Session> session_;  // none before the first byte
  std::string pending_;               // to be written, behind what is in flight
  std::string held_;                  // read, not yet consumed
  std::size_t in_flight_bytes_ = 0;
  std::size_t accounted_bytes_ = 0;
  std::size_t lingered_bytes_ = 0;
  static constexpr std::uint64_t kNotStalled = UINT64_MAX;
  std::uint64_t stalled_at_ =
      kNotStalled;  // libuv's queue and what was said when either last moved
  std::int64_t stall_deadline_ms_ = 0;
  std::int64_t deadline_ms_ = 0;
  std::int64_t last_call_ms_ = 0;  // while draining: when nothing new is taken any more
  std::uint32_t begun_seen_ = 0;
  unsigned listener_index_;
  ListenerKind listener_kind_;
  SessionPhase phase_seen_ = SessionPhase::kIdle;
  bool closed_ = false;
  bool reading_ = false;
  bool draining_ = false;
  bool farewell_ = false;  // what is to be said before an idle connection closes
  bool lingering_ = false;
  bool peer_ended_ = false;
  bool peer_is_local_ = true;
  bool leftover_ = false;  // bytes behind the last request, never to be read
};

}  // namespace flagstone::net
