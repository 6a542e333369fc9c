#include "net/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/io_watch.h"
#include "net/loop.h"
#include "net/timer.h"

namespace flagstone::net {
namespace {

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

struct Listener::State {
  State(Loop& loop, int duplicate, const BoundSocket& socket, unsigned number, Acceptor& to)
      : descriptor(duplicate),
        index(number),
        kind(socket.address().kind()),
        acceptor(to),
        watch(loop, duplicate, [this](Readiness) { accept_some(kAcceptsPerTurnMax); }),
        pause(loop, [this] { watch.watch(true, false); }) {}

  void accept_some(int most);
  bool accept_one();
  void turn_one_away();

  const Listener* listener = nullptr;
  int descriptor;
  int reserve =
      open_reserve();  // given up to take, and close, a connection that finds no descriptor
  unsigned index;
  ListenerKind kind;
  Acceptor& acceptor;
  IoWatch watch;
  Timer pause;
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->listener = this;
  state_->watch.watch(true, false);
}

std::expected<std::unique_ptr<Listener>, Error> Listener::listen(Loop& loop,
                                                                 const BoundSocket& socket,
                                                                 unsigned index,
                                                                 Acceptor& acceptor) {
  const auto failed = [&](int error) {
    return std::unexpected(Error{
        error, "cannot listen on " + socket.address().to_string() + ": " + std::strerror(error)});
  };
  const int duplicate = ::fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return failed(errno);
  auto state = std::make_unique<State>(loop, duplicate, socket, index, acceptor);
  if (const int refused = state->watch.refused(); refused != 0) {
    ::close(duplicate);
    return failed(refused);
  }
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

Listener::~Listener() {
  const int descriptor = state_->descriptor;
  const int reserve = state_->reserve;
  state_.reset();
  ::close(descriptor);
  if (reserve >= 0) ::close(reserve);
}

unsigned Listener::index() const { return state_->index; }
ListenerKind Listener::kind() const { return state_->kind; }

void Listener::accept_waiting() {
  constexpr int kWaitingMax = 4096;  // the longest backlog the kernel keeps by default
  state_->accept_some(kWaitingMax);
}

void Listener::State::accept_some(int most) {
  for (int i = 0; i < most; ++i) {
    if (!accept_one()) return;
  }
}

// False when nothing more is to be had in this turn.
bool Listener::State::accept_one() {
  const int connection = ::accept4(descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) {
    acceptor.accepted(connection, *listener);
    return true;
  }
  const int error = errno;
  // Errors of the one connection (ECONNABORTED and the network's) say nothing about the next.
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (!out_of_descriptors(error)) return true;
  turn_one_away();
  // Level-triggered: without a pause the loop would spin for as long as descriptors are short.
  watch.watch(false, false);
  pause.start_once(kAcceptPauseMs);
  return false;
}

// A closed connection tells the client more than one that nobody takes.
void Listener::State::turn_one_away() {
  if (reserve < 0) reserve = open_reserve();
  if (reserve < 0) return;
  ::close(reserve);
  const int connection = ::accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection >= 0) {
    acceptor.refused(*listener);
    ::close(connection);
  }
  reserve = open_reserve();
}

}  // namespace flagstone::net
