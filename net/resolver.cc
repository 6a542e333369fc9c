#include "net/resolver.h"

#include <arpa/inet.h>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "net/loop.h"
#include "net/timer.h"

namespace flagstone::net {
namespace {

using Found = std::expected<std::vector<std::string>, Error>;

std::optional<std::string> numeric(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  in6_addr ignored;
  if (inet_pton(AF_INET, host.c_str(), &ignored) == 1) return host;
  if (inet_pton(AF_INET6, host.c_str(), &ignored) == 1) return host;
  return std::nullopt;
}

}  // namespace

struct Resolver::State final : public TurnEndTask {
  // What lookup threads share with us, and all they touch: it outlives either side.
  struct Mailbox {
    std::mutex mutex;
    Loop* loop = nullptr;    // null once the resolver is gone; guarded by mutex
    State* state = nullptr;  // the loop's thread only
    std::vector<std::pair<std::string, Found>> results;  // guarded by mutex; one per thread at most
  };
  class Pending;
  struct Host {
    std::vector<std::string> last_good;
    std::uint64_t last_asked = 0;
    bool looking = false;  // a thread is at it, or it stands in `line`
  };

  State(Loop& on_loop, ResolverOptions chosen);
  ~State() override;

  void ask(Pending& query);
  void start_lookup(const std::string& name);
  void start_next();
  void collect();
  void settle(const std::string& name, const Found& found);
  void expire();
  void watch_next_deadline();
  void forget_oldest();
  void at_turn_end() override;
  std::expected<Resolution, Error> last_good(const std::string& name, const Error& error);

  Loop& loop;
  const ResolverOptions options;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::map<std::string, Host> hosts;
  std::list<Pending*> pending;   // by deadline, since all have the same limit
  std::deque<std::string> line;  // names that wait for a thread
  std::size_t in_flight = 0;
  std::uint64_t asked = 0;
  Timer limit;
};

class Resolver::State::Pending final : public Resolver::Query {
 public:
  Pending(State& state, std::string name, Callback callback)
      : host(std::move(name)),
        deadline_ms(state.loop.now_ms() + state.options.query_limit_ms),
        number(++state.asked),
        state_(&state),
        callback_(std::move(callback)) {
    state.pending.push_back(this);
  }
  ~Pending() override { detach(); }

  void detach() {
    if (state_ != nullptr) std::exchange(state_, nullptr)->pending.remove(this);
  }
  // The callback may destroy this.
  void answer(std::expected<Resolution, Error> resolution) {
    detach();
    Callback callback = std::move(callback_);
    callback(std::move(resolution));
  }

  const std::string host;
  const std::int64_t deadline_ms;
  const std::uint64_t number;  // in order of asking
  // Known already; told at the end of the turn.
  std::optional<std::expected<Resolution, Error>> known;

 private:
  State* state_;
  Callback callback_;
};

Resolver::State::State(Loop& on_loop, ResolverOptions chosen)
    : loop(on_loop), options(std::move(chosen)), limit(on_loop, [this] { expire(); }) {
  mailbox->loop = &loop;
  mailbox->state = this;
}

Resolver::State::~State() {
  while (!pending.empty()) pending.front()->detach();
  std::lock_guard lock(mailbox->mutex);
  mailbox->loop = nullptr;
  mailbox->state = nullptr;
}

void Resolver::State::ask(Pending& query) {
  if (const std::optional<std::string> address = numeric(query.host)) {
    query.known = Resolution{{*address}, false, {}};
  } else if (pending.size() > options.waiting_queries_max ||
             line.size() >= options.waiting_queries_max) {
    query.known = last_good(
        query.host, {0, "cannot resolve " + query.host + ": too many names are being resolved"});
  } else {
    forget_oldest();
    Host& host = hosts[query.host];
    host.last_asked = query.number;
    if (!host.looking) {
      host.looking = true;
      line.push_back(query.host);
      start_next();
    }
  }
  if (query.known) loop.call_at_turn_end(*this);
  watch_next_deadline();
}

void Resolver::State::start_next() {
  while (!line.empty() && in_flight < options.lookups_in_flight_max) {
    const std::string name = std::move(line.front());
    line.pop_front();
    start_lookup(name);
  }
}

void Resolver::State::start_lookup(const std::string& name) {
  const auto work = [box = mailbox, lookup = options.lookup, name] {
    Found found = lookup(name);
    std::lock_guard lock(box->mutex);
    if (box->loop == nullptr) return;
    box->results.emplace_back(name, std::move(found));
    // When the loop's queue is full, the next query or time limit collects the result.
    (void)box->loop->post([box] {
      if (box->state != nullptr) box->state->collect();
    });
  };
  ++in_flight;
  try {
    std::thread(work).detach();
  } catch (const std::system_error& problem) {
    std::lock_guard lock(mailbox->mutex);
    mailbox->results.emplace_back(
        name, std::unexpected(
                  Error{problem.code().value(), "cannot resolve " + name + ": no thread for it"}));
    loop.call_at_turn_end(*this);
  }
}

void Resolver::State::collect() {
  std::vector<std::pair<std::string, Found>> results;
  {
    std::lock_guard lock(mailbox->mutex);
    results.swap(mailbox->results);
  }
  in_flight -= results.size();
  start_next();
  const std::shared_ptr<Mailbox> box = mailbox;
  for (const auto& [name, found] : results) {
    settle(name, found);
    if (box->state == nullptr) return;  // a callback has destroyed the resolver
  }
  watch_next_deadline();
}

void Resolver::State::settle(const std::string& name, const Found& found) {
  const auto host = hosts.find(name);
  if (host != hosts.end()) {
    host->second.looking = false;
    if (found) host->second.last_good = *found;
  }
  const auto resolution = found ? Resolution{*found, false, {}} : last_good(name, found.error());
  const std::shared_ptr<Mailbox> box = mailbox;
  // Callbacks may ask again or drop other queries: look afresh after each. New queries are not met
  // here, since asking again for this name starts a lookup of its own.
  const std::size_t most = pending.size();
  const std::uint64_t newest = asked;
  for (std::size_t i = 0; i < most; ++i) {
    const auto query = std::ranges::find_if(pending, [&](const Pending* one) {
      return one->host == name && !one->known && one->number <= newest;
    });
    if (query == pending.end()) return;
    (*query)->answer(resolution);
    if (box->state == nullptr) return;
  }
}

std::expected<Resolution, Error> Resolver::State::last_good(const std::string& name,
                                                            const Error& error) {
  const auto host = hosts.find(name);
  if (host == hosts.end() || host->second.last_good.empty()) return std::unexpected(error);
  return Resolution{host->second.last_good, true, error.message};
}

// The lookup may hang on: its thread stays behind, and its answer is remembered should it come.
void Resolver::State::expire() {
  const std::shared_ptr<Mailbox> box = mailbox;
  collect();
  while (box->state != nullptr && !pending.empty() &&
         pending.front()->deadline_ms <= loop.now_ms()) {
    Pending& query = *pending.front();
    // The next question for this name gets a thread of its own, if one is left.
    const auto host = hosts.find(query.host);
    if (host != hosts.end() && std::ranges::find(line, query.host) == line.end()) {
      host->second.looking = false;
    }
    query.answer(last_good(query.host, {0, "cannot resolve " + query.host +
                                               ": the resolver has not answered in time"}));
  }
  if (box->state != nullptr) watch_next_deadline();
}

void Resolver::State::watch_next_deadline() {
  if (pending.empty()) {
    limit.stop();
    return;
  }
  limit.start_once(std::max<std::int64_t>(0, pending.front()->deadline_ms - loop.now_ms()));
}

void Resolver::State::forget_oldest() {
  if (hosts.size() < options.remembered_hosts_max) return;
  auto oldest = hosts.end();
  for (auto host = hosts.begin(); host != hosts.end(); ++host) {
    if (host->second.looking) continue;
    if (oldest == hosts.end() || host->second.last_asked < oldest->second.last_asked) oldest = host;
  }
  if (oldest != hosts.end()) hosts.erase(oldest);
}

void Resolver::State::at_turn_end() {
  const std::shared_ptr<Mailbox> box = mailbox;
  collect();
  while (box->state != nullptr) {
    const auto query =
        std::ranges::find_if(pending, [](const Pending* one) { return one->known.has_value(); });
    if (query == pending.end()) return;
    (*query)->answer(std::move(*(*query)->known));
  }
}

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : state_(std::make_unique<State>(loop, std::move(options))) {}

Resolver::~Resolver() = default;

std::unique_ptr<Resolver::Query> Resolver::resolve(const std::string& host, Callback callback) {
  auto query = std::make_unique<State::Pending>(*state_, host, std::move(callback));
  state_->ask(*query);
  return query;
}

std::size_t Resolver::lookups_in_flight() const { return state_->in_flight; }

}  // namespace flagstone::net
