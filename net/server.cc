#include "net/server.h"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <ctime>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "net/listener.h"
#include "net/timer.h"

namespace flagstone::net {

class Server::State final : public ConnectionOwner, public Listener::Acceptor, public TurnEndTask {
 public:
  State(Loop& loop, Handler& handler, const ServerOptions& options);
  ~State() override;

  void accepted(int descriptor, const Listener& listener) override;
  void refused(const Listener&) override { counters.refused.add(); }
  void retire(Connection& connection) override;
  void at_turn_end() override;
  void tick();
  void start_drain(std::move_only_function<void()> done);
  void close_all();
  void start_ticking();
  void end_streams_if_last();

  ServerCounters counters;
  std::vector<std::unique_ptr<Listener>> listeners;
  Loop& loop;
  SessionResources sessions;

 private:
  const ServerOptions options_;
  ConnectionShared shared_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> retired_;  // until the end of the turn
  Timer tick_;
  bool draining_ = false;
  std::move_only_function<void()> drained_;
};

Server::State::State(Loop& on_loop, Handler& handler, const ServerOptions& options)
    : loop(on_loop),
      sessions(handler, options.http, counters),
      options_(options),
      shared_(on_loop, sessions, options_.connection),
      tick_(on_loop, [this] { tick(); }) {
  assert(options.connection.tick_ms > 0 && options.connection.tick_ms <= 1000);
}

Server::State::~State() {
  listeners.clear();
  // Closing a stream may make its api close further ones.
  while (!connections_.empty() || !retired_.empty()) {
    close_all();
    std::vector<std::unique_ptr<Connection>> gone;
    gone.swap(retired_);
  }
}

// Loops without connections sleep; the Date is made current when the first one comes.
void Server::State::start_ticking() {
  constexpr std::int64_t kDrainTickMs = 100;
  const std::int64_t period_ms =
      draining_ ? std::min(options_.connection.tick_ms, kDrainTickMs) : options_.connection.tick_ms;
  sessions.set_date(std::time(nullptr));
  tick_.start_repeating(period_ms, period_ms);
}

void Server::State::accepted(int descriptor, const Listener& listener) {
  const bool over_share = counters.bytes_buffered.read() + counters.session_bytes.read() >
                          sessions.buffered_bytes_max();
  if (connections_.size() >= options_.connections_max || (sessions.short_of_memory && over_share)) {
    counters.refused.add();
    ::close(descriptor);
    return;
  }
  auto connection = std::make_unique<Connection>(shared_, *this, listener.index(), listener.kind());
  Connection& kept = *connection;
  kept.place = connections_.size();
  connections_.push_back(std::move(connection));
  counters.accepted.add();
  counters.open.add();
  counters.open_by_listener[listener.index()].add();
  if (!tick_.running()) start_ticking();
  if (!kept.start(descriptor)) kept.close();
}

void Server::State::retire(Connection& connection) {
  counters.open.subtract();
  counters.open_by_listener[connection.listener_index()].subtract();
  const std::size_t place = connection.place;
  retired_.push_back(std::move(connections_[place]));
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place = place;
  }
  connections_.pop_back();
  loop.call_at_turn_end(*this);
}

void Server::State::at_turn_end() {
  std::vector<std::unique_ptr<Connection>> gone;
  gone.swap(retired_);
  gone.clear();
  if (connections_.empty()) tick_.stop();
  if (!draining_) return;
  end_streams_if_last();
  if (!connections_.empty() || !retired_.empty() || !drained_) return;
  std::move_only_function<void()> drained = std::move(drained_);
  drained();  // may destroy the server
}

void Server::State::tick() {
  sessions.set_date(std::time(nullptr));
  const std::int64_t now_ms = loop.now_ms();
  // From the back: a closed connection's place is taken by the last, which was looked at already.
  for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->tick(now_ms);
  if (draining_) end_streams_if_last();
}

void Server::State::start_drain(std::move_only_function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  for (const auto& connection : connections_) connection->start_drain();
  if (!connections_.empty()) start_ticking();
  loop.call_at_turn_end(*this);
}

void Server::State::end_streams_if_last() {
  const auto streaming = [](const auto& connection) { return connection->streaming(); };
  if (!std::ranges::all_of(connections_, streaming)) return;
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->end_event_streams();
  }
}

void Server::State::close_all() {
  while (!connections_.empty()) connections_.back()->close();
}

Server::Server(Loop& loop, Handler& handler, ServerOptions options)
    : state_(std::make_unique<State>(loop, handler, options)) {}

Server::~Server() = default;

std::expected<void, Error> Server::listen(const BoundSocket& socket, unsigned listener_index) {
  assert(listener_index < ServerCounters::kListenersMax);
  auto listener = Listener::listen(state_->loop, socket, listener_index, *state_);
  if (!listener) return std::unexpected(listener.error());
  state_->listeners.push_back(std::move(*listener));
  return {};
}

void Server::set_tls(unsigned listener_index, std::shared_ptr<const TlsCredentials> credentials) {
  assert(listener_index < ServerCounters::kListenersMax);
  state_->sessions.tls[listener_index] = std::move(credentials);
}

void Server::set_short_of_memory(bool is_short) { state_->sessions.short_of_memory = is_short; }

void Server::stop_accepting() {
  for (const auto& listener : state_->listeners) listener->accept_waiting();
  state_->listeners.clear();
}

void Server::drain(std::move_only_function<void()> done) { state_->start_drain(std::move(done)); }

void Server::close_all() { state_->close_all(); }

const ServerCounters& Server::counters() const { return state_->counters; }

}  // namespace flagstone::net
