#include "sidecar/serving_thread.h"

#include <csignal>
#include <utility>

#include <pthread.h>

#include "sidecar/api/grpc_health.h"
#include "sidecar/api/ofrep.h"

namespace flagstone::sidecar {
namespace {

// Signals are the keeper's: a serving thread must not be interrupted by them.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}
net::ServerOptions server_options(net::ServerOptions made, std::span<const Vendor> vendors) {
  for (const Vendor& vendor : vendors) {
    made.http.larger_bodies.insert(made.http.larger_bodies.end(), vendor.larger_bodies.begin(),
                                   vendor.larger_bodies.end());
  }
  return made;
}

}  // namespace

ServingThread::ServingThread(net::Loop& keeper_loop, const ServingOptions& options,
                             std::span<const Vendor> vendors)
    : keeper_loop_(keeper_loop),
      desk_(loop_),
      cors_(router_, options.cors_origins),
      guard_(cors_, options.guard),
      server_(loop_, guard_, server_options(options.server, vendors)),
      last_pong_ms_(keeper_loop.now_ms()) {
  desk_.settings = options.settings;
  desk_.return_state = [this](std::shared_ptr<const cache::ServingState> held) {
    (void)keeper_loop_.post([held = std::move(held)] {});
  };
  desk_.rpc.message_bytes_max = options.server.http.body_bytes_max;
  apis_.push_back(std::make_unique<Ofrep>(loop_, desk_));
  apis_.push_back(std::make_unique<DeskHealth>(loop_, desk_));
  for (const Vendor& vendor : vendors) {
    for (auto& api : vendor.make_apis(loop_, desk_)) apis_.push_back(std::move(api));
  }
  for (const auto& api : apis_) api->add_routes(router_);
}

ServingThread::~ServingThread() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

void ServingThread::set_bring(Bring bring) {
  desk_.late.set_bring(
      [this, bring = std::move(bring)](cache::TextPlace place, LateAnswers::Done done) {
        // There and back: `done` is destroyed on this loop, whatever happens on the way.
        auto callback = std::make_shared<LateAnswers::Done>(std::move(done));
        (void)keeper_loop_.post([this, bring, place, callback] {
          bring(place, [this, callback] { (void)loop_.post([callback] { (*callback)(); }); });
        });
      });
}

void ServingThread::set_look_at_credentials(LookAtCredentials look) {
  desk_.unknown_credentials.set_ask(
      router_, [this, look = std::move(look)](UnknownCredentials::Done done) {
        // There and back: `done` is destroyed on this loop, whatever happens on the way.
        auto callback = std::make_shared<UnknownCredentials::Done>(std::move(done));
        return keeper_loop_.post([this, look, callback] {
          look([this, callback](bool found_all) {
            (void)loop_.post([callback, found_all] { (*callback)(found_all); });
          });
        });
      });
}

void ServingThread::set_take_access_note(TakeAccessNote take) {
  desk_.access.set_tell([this, take = std::move(take)](AccessNote note) {
    (void)keeper_loop_.post([take, note = std::move(note)] { take(note); });
  });
}

std::expected<void, net::Error> ServingThread::listen(const net::BoundSocket& socket,
                                                      unsigned listener_index) {
  return server_.listen(socket, listener_index);
}

void ServingThread::set_tls(unsigned listener_index,
                            std::shared_ptr<const net::TlsCredentials> credentials) {
  if (!thread_.joinable()) {
    server_.set_tls(listener_index, std::move(credentials));
    return;
  }
  // A full queue: see publish().
  (void)loop_.post([this, listener_index, credentials = std::move(credentials)]() mutable {
    server_.set_tls(listener_index, std::move(credentials));
  });
}

void ServingThread::start(std::shared_ptr<const cache::ServingState> state) {
  desk_.state = std::move(state);
  thread_ = std::thread([this] {
    block_signals();
    loop_.run();
  });
}

void ServingThread::publish(std::shared_ptr<const cache::ServingState> state) {
  // A full queue means a loop that has not turned for thousands of publications: liveness ends the
  // process before that, and the next publication carries this one's news.
  (void)loop_.post([this, state = std::move(state), reporters = reporters_]() mutable {
    take(reporters);
    take(std::move(state));
  });
}

void ServingThread::take_reporters(std::move_only_function<void()> done) {
  (void)loop_.post([this, reporters = reporters_, done = std::move(done)]() mutable {
    take(reporters);
    (void)keeper_loop_.post(std::move(done));
  });
}

// Those that leave are asked no more for what they have counted.
void ServingThread::take(const ServingDesk::Reporters& reporters) {
  if (reporters == desk_.reporters) return;
  desk_.hand_over_reports();
  desk_.reporters = reporters;
}

void ServingThread::take(std::shared_ptr<const cache::ServingState> state) {
  std::shared_ptr<const cache::ServingState> replaced =
      std::exchange(desk_.state, std::move(state));
  for (const auto& api : apis_) api->on_published();
  (void)keeper_loop_.post([replaced = std::move(replaced)] {});
}

void ServingThread::ping() {
  if (pinged_) return;
  pinged_ = loop_.post([this] {
    desk_.housework();
    (void)keeper_loop_.post([this] {
      last_pong_ms_ = keeper_loop_.now_ms();
      pinged_ = false;
    });
  });
}

void ServingThread::turn(std::move_only_function<void()> done) {
  (void)loop_.post(
      [this, done = std::move(done)]() mutable { (void)keeper_loop_.post(std::move(done)); });
}

void ServingThread::give_up_prepared() {
  (void)loop_.post([this] {
    for (const auto& api : apis_) api->on_short_of_memory();
  });
}

void ServingThread::set_short_of_memory(bool is_short) {
  (void)loop_.post([this, is_short] { server_.set_short_of_memory(is_short); });
}

void ServingThread::leave() {
  (void)loop_.post([this] {
    for (const auto& api : apis_) api->on_leaving();
  });
}

void ServingThread::drain(std::move_only_function<void()> done) {
  (void)loop_.post([this, done = std::move(done)]() mutable {
    desk_.stopping = true;
    for (const auto& api : apis_) api->on_stopping();
    server_.stop_accepting();
    server_.drain([this, done = std::move(done)]() mutable {
      desk_.hand_over_reports();
      (void)keeper_loop_.post(std::move(done));
    });
  });
}

}  // namespace flagstone::sidecar
