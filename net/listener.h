// Addresses taken once for the process, and listened on by each serving loop.
//
// BoundSocket: main binds, before any loop runs, and keeps it until all loops have ended. Immutable
// and readable from every thread once bound. Listener: one per loop and address, on a duplicate of
// the descriptor; the loop's thread only.
//
// There is no SO_REUSEPORT: a second Flagstone on the same address must fail loudly. A Unix socket
// is guarded by `PATH.lock`, flocked for as long as the socket is served; who holds the lock may
// remove a socket that an unclean exit left behind. The lock file itself stays: removing it would
// be a race.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>

#include "net/address.h"
#include "net/error.h"

namespace flagstone::net {

class Loop;

class BoundSocket {
 public:
  static constexpr unsigned kUnixSocketMode = 0660;

  // Binds and listens, so that clients can connect from here on. Looks a host name up, which may
  // take as long as the system's resolver takes; `localhost` is 127.0.0.1 without asking.
  static std::expected<BoundSocket, Error> bind(const Address& address);

  BoundSocket(BoundSocket&& other) noexcept;
  BoundSocket& operator=(BoundSocket&&) = delete;
  ~BoundSocket();  // a clean stop: removes the Unix socket if the path still names ours

  const Address& address() const { return address_; }  // with the port the system gave
  int descriptor() const { return descriptor_; }

 private:
  explicit BoundSocket(Address address) : address_(std::move(address)) {}
  std::expected<void, Error> bind_tcp();
  std::expected<void, Error> bind_unix();

  Address address_;
  int descriptor_ = -1;
  int lock_descriptor_ = -1;
  std::uint64_t device_ = 0;  // of the socket's file, to know it again
  std::uint64_t inode_ = 0;
};

// How many connections the process can afford: at most `wanted`, and so many that `reserved`
// descriptors remain for upstream, state files and the admin port. Never 0.
std::size_t affordable_connections(std::size_t wanted, std::size_t reserved);

class Listener {
 public:
  // Pause after the process or the system ran out of descriptors, instead of spinning.
  static constexpr std::int64_t kAcceptPauseMs = 100;
  // Connections taken in one turn, so that a rush cannot keep the loop from the accepted ones.
  static constexpr int kAcceptsPerTurnMax = 64;

  class Acceptor {
   public:
    virtual ~Acceptor() = default;
    // Takes the non-blocking descriptor over. Must not destroy the listener.
    virtual void accepted(int descriptor, const Listener& listener) = 0;
    // A connection was turned away since no descriptor was left for it.
    virtual void refused(const Listener& listener) = 0;
  };

  static std::expected<std::unique_ptr<Listener>, Error> listen(Loop& loop,
                                                                const BoundSocket& socket,
                                                                unsigned index, Acceptor& acceptor);
  ~Listener();  // stops accepting on this loop; connections waiting in the kernel go to other loops
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Before a clean stop: takes what clients have connected already, so that none of them is reset.
  void accept_waiting();

  unsigned index() const;  // as the caller numbered it: environments are bound to listeners by it
  ListenerKind kind() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flagstone::net
