#include "sidecar/daemon.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <utility>

#include "cache/entry_home.h"
#include "cache/memory_budget.h"
#include "config/address.h"
#include "config/validate.h"
#include "net/resolver.h"
#include "net/signal.h"
#include "sidecar/admin_guard.h"
#include "sidecar/api/admin.h"
#include "sidecar/api/grpc_health.h"
#include "sidecar/commands/commands.h"
#include "sidecar/disk_reader.h"
#include "sidecar/disk_thread.h"
#include "sidecar/duration_text.h"
#include "sidecar/keeper.h"
#include "sidecar/listeners.h"
#include "sidecar/log.h"
#include "sidecar/tls_files.h"
#include "sidecar/watched_text.h"
#include "upstream/http_client.h"
#include "upstream/instance_id.h"

namespace flagstone::sidecar {
namespace {

// Descriptors kept from connections, for upstream, files, the admin port and the log.
constexpr std::size_t kReservedDescriptors = 64;
// Of the memory limit: what half received requests may hold before further ones are refused.
constexpr std::uint64_t kConnectionsShare = 8;
// Of the drain time, what is left for the disk at the very end.
constexpr std::int64_t kDiskShareMs = 1000;

// For the job that the disk has at work when all else is done.
constexpr std::int64_t kLastJobMs = 250;

// SIGTERM while everything is being wired must neither kill nor be lost: it waits until somebody
// listens. Threads made meanwhile inherit the block, so signals are this thread's alone.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t held;
    sigemptyset(&held);
    for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&held, number);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  void let_go() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

ServingOptions serving_options(const config::Options& options) {
  ServingOptions made;
  std::size_t affordable =
      net::affordable_connections(options.max_connections, kReservedDescriptors);
  made.server.connections_max = std::max<std::size_t>(1, affordable / options.serving_threads);
  made.server.http.header_bytes_max = options.request_header_limit_bytes;
  made.server.http.body_bytes_max = options.request_body_limit_bytes;
  made.server.http.buffered_bytes_max =
      options.cache.memory_limit_bytes / kConnectionsShare / options.serving_threads;
  made.guard.allowed_hosts = options.allowed_hosts;
  made.guard.allowed_origins = options.allowed_origins;
  made.guard.allowed_origins.insert(made.guard.allowed_origins.end(), options.cors_origins.begin(),
                                    options.cors_origins.end());
  made.cors_origins = options.cors_origins;
  made.settings = {.static_context = {options.context_values.begin(), options.context_values.end()},
                   .context_from_headers = {},
                   .loose_types = options.loose_types,
                   .stream_deadline = options.stream_deadline,
                   .sync_metadata = options.sync_metadata};
  for (const auto& [header, attribute] : options.context_from_headers) {
    made.settings.context_from_headers.emplace_back(upstream::lower_case(header), attribute);
  }
  return made;
}

upstream::HttpClient::Options http_options() {
  upstream::HttpClient::Options made;
  made.user_agent = "flagstone/" + std::string(version());
  return made;
}

// Everything that lives as long as the daemon runs. Members are destroyed from the last to the
// first: what borrows stands below what it borrows from.
class Daemon {
 public:
  Daemon(DaemonSetup setup, std::vector<BoundListener> listeners, net::BoundSocket admin_socket,
         TlsCredentials tls);
  int run();

 private:
  std::expected<void, std::string> start();
  void read_configuration_again();
  void apply(const config::Options& wanted);
  void on_signal();
  void on_hang_up();
  void stop_serving();
  void drained_or_not();
  void stop_keeping();
  void use_tls(const TlsCredentials& credentials);
  KeeperTools keeper_tools();

  DaemonSetup setup_;
  config::Options& options_;
  spdlog::logger& log_;
  std::vector<BoundListener> listeners_;
  net::BoundSocket admin_socket_;
  TlsCredentials first_tls_;  // of the start; null when no listener speaks TLS
  TlsFacts tls_facts_;

  // Before the loop and the writer: what they still hold at the end gives its bytes back here.
  cache::MemoryBudget budget_;
  cache::EntryHome home_{budget_};
  net::Loop loop_;
  DiskThread writer_;
  DiskThread text_reader_;
  DiskThread file_reader_;
  DiskReader files_;
  net::Resolver resolver_;
  upstream::HttpClient http_;
  upstream::SystemClock clock_;
  upstream::SystemRandom random_;
  StateSaver saver_;
  Keeper keeper_;
  Admin admin_;
  net::Router admin_router_;
  PolledHealth admin_health_;
  net::HostGuard admin_host_guard_;
  AdminGuard admin_guard_;
  net::Server admin_server_;
  std::vector<std::unique_ptr<ServingThread>> threads_;
  std::unique_ptr<WatchedText> configuration_file_;
  std::unique_ptr<TlsFiles> tls_files_;
  net::Timer stop_timer_;
  net::Timer deadline_;
  net::Signal terminate_;
  net::Signal interrupt_;
  net::Signal hang_up_;
  bool configuration_read_ = false;
  bool stopping_ = false;
  bool keeping_stopped_ = false;
  std::int64_t drain_ends_ms_ = 0;
  std::size_t draining_ = 0;
};

Daemon::Daemon(DaemonSetup setup, std::vector<BoundListener> listeners,
               net::BoundSocket admin_socket, TlsCredentials tls)
    : setup_(std::move(setup)),
      options_(setup_.command.options),
      log_(*setup_.log),
      listeners_(std::move(listeners)),
      admin_socket_(std::move(admin_socket)),
      first_tls_(std::move(tls)),
      budget_(options_.cache.memory_limit_bytes),
      files_(loop_, file_reader_),
      resolver_(loop_),
      http_(loop_, resolver_, http_options()),
      saver_(loop_, writer_, text_reader_, log_,
             config::state_dir(options_, config::real_surroundings()), options_.state.limit_bytes),
      keeper_(keeper_tools()),
      admin_(keeper_, loop_, options_.startup_wait),
      admin_health_(loop_, [this] { return !stopping_ && keeper_.missing().empty(); }),
      admin_host_guard_(admin_router_, {.allowed_hosts = options_.allowed_hosts,
                                        .allowed_origins = options_.allowed_origins,
                                        .exempt_paths = {"/healthz", "/readyz", "/startupz"}}),
      admin_guard_(admin_host_guard_),
      admin_server_(loop_, admin_guard_),
      stop_timer_(loop_, [this] { stop_serving(); }),
      deadline_(loop_, [this] { drained_or_not(); }),
      terminate_(loop_, SIGTERM, [this] { on_signal(); }),
      interrupt_(loop_, SIGINT, [this] { on_signal(); }),
      hang_up_(loop_, SIGHUP, [this] { on_hang_up(); }) {
  admin_.add_routes(admin_router_);
  admin_health_.add_routes(admin_router_);
}

KeeperTools Daemon::keeper_tools() {
  KeeperTools tools{.loop = loop_,
                    .vendors = setup_.vendors,
                    .sources = {.loop = loop_,
                                .http = http_,
                                .files = files_,
                                .clock = clock_,
                                .random = random_,
                                .variables = config::process_variable,
                                .max_document_bytes = options_.cache.max_document_bytes,
                                .incoming = {.budget = &budget_, .spools = &saver_},
                                .instance_id = upstream::make_instance_id(random_)},
                    .home = home_,
                    .saver = saver_,
                    .log = log_,
                    .listener_names = {},
                    .listener_environments = {},
                    .tls = tls_facts_};
  for (const BoundListener& listener : listeners_) {
    tools.listener_names.push_back(listener.socket.address().to_string());
    tools.listener_environments.push_back(listener.environment);
  }
  return tools;
}

std::expected<void, std::string> Daemon::start() {
  if (auto listening = admin_server_.listen(admin_socket_, 0); !listening) {
    return std::unexpected(listening.error().message);
  }
  for (std::uint32_t i = 0; i < options_.serving_threads; ++i) {
    auto thread = std::make_unique<ServingThread>(loop_, serving_options(options_), setup_.vendors);
    for (unsigned index = 0; index < listeners_.size(); ++index) {
      if (auto listening = thread->listen(listeners_[index].socket, index); !listening) {
        return std::unexpected(listening.error().message);
      }
    }
    keeper_.add_thread(*thread);
    threads_.push_back(std::move(thread));
  }
  if (auto configured = keeper_.configure(options_.environments); !configured) {
    return configured;
  }
  if (first_tls_ != nullptr) {
    tls_facts_.expires_unix_seconds = first_tls_->expires_unix_seconds();
    use_tls(std::exchange(first_tls_, nullptr));
    tls_files_ = std::make_unique<TlsFiles>(
        loop_, files_, options_.tls, tls_facts_,
        [this](const TlsCredentials& credentials) { use_tls(credentials); }, log_);
  }
  for (auto& thread : threads_) thread->start(keeper_.serving_state());
  keeper_.start();
  if (!setup_.command.config_file.empty()) {
    configuration_file_ = std::make_unique<WatchedText>(
        loop_, files_, setup_.command.config_file,
        [this](const std::string&) { read_configuration_again(); },
        [this](const std::string& cause) {
          log_.warn("configuration {}: {}; the running one stays", setup_.command.config_file,
                    cause);
        });
  }
  return {};
}

void Daemon::use_tls(const TlsCredentials& credentials) {
  for (unsigned index = 0; index < listeners_.size(); ++index) {
    if (!listeners_[index].socket.address().is_tls()) continue;
    for (auto& thread : threads_) thread->set_tls(index, credentials);
  }
}

int Daemon::run() {
  if (auto started = start(); !started) {
    log_.error("{}", started.error());
    return kExitUnavailable;
  }
  loop_.run();
  // What is still open after the drain time is cut. The disk gets its share, and a disk that hangs
  // must not keep the process.
  threads_.clear();
  admin_server_.close_all();
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kLastJobMs);
  // Nobody waits for what is still to be read.
  bool disk_done = writer_.finish(deadline);
  for (DiskThread* reader : {&text_reader_, &file_reader_}) {
    reader->drop_queued();
    disk_done = reader->finish(deadline) && disk_done;
  }
  log_.info("stopped{}", disk_done ? "" : "; the disk did not answer in time");
  if (!disk_done) {
    log_.flush();
    std::_Exit(0);
  }
  return 0;
}

void Daemon::read_configuration_again() {
  auto command = setup_.read_again();
  if (!command) {
    for (const std::string& message : command.error().messages) log_.error("{}", message);
    log_.error("the new configuration is refused; the running one stays");
    return;
  }
  for (const std::string& warning : command->warnings) log_.warn("{}", warning);
  apply(std::get<config::StartCommand>(command->action).options);
}

// SIGHUP means "now" as well: whatever the configuration says, no source waits any longer for what
// an operator may have mended.
void Daemon::on_hang_up() {
  read_configuration_again();
  keeper_.try_now();
}

void Daemon::apply(const config::Options& wanted) {
  // The watch reads the file once when it begins, in case it changed since the process read it.
  bool at_start = !std::exchange(configuration_read_, true) && configuration_file_ != nullptr;
  if (wanted == options_) {
    if (!at_start) log_.info("configuration read again: nothing changed");
    return;
  }
  for (const std::string& name : config::needs_restart(options_, wanted)) {
    log_.warn("configuration: `{}` changed; it takes effect after a restart", name);
  }
  if (auto configured = keeper_.configure(wanted.environments); !configured) {
    log_.error("{}; the running configuration stays", configured.error());
    return;
  }
  budget_.set_limit_bytes(wanted.cache.memory_limit_bytes);
  // Only what these options may have mended: a change of the file is nobody's "now".
  if (wanted.cache.memory_limit_bytes != options_.cache.memory_limit_bytes ||
      wanted.environments != options_.environments) {
    keeper_.retry_refused();
  }
  set_level(log_, wanted.log_level);
  options_.environments = wanted.environments;
  options_.cache.memory_limit_bytes = wanted.cache.memory_limit_bytes;
  options_.log_level = wanted.log_level;
  options_.shutdown_delay = wanted.shutdown_delay;
  options_.drain_time = wanted.drain_time;
  log_.info("configuration read again and taken over");
}

// SIGTERM and SIGINT: not ready at once, serving until the delay is over; the second one ends at
// once.
void Daemon::on_signal() {
  if (std::exchange(stopping_, true)) {
    log_.warn("second signal: ending at once");
    log_.flush();
    std::_Exit(0);
  }
  if (options_.shutdown_delay.count() == 0) {
    log_.info("stopping: what is under way is answered, new connections are not taken");
  } else {
    log_.info("stopping: not ready from now on, serving for {} more",
              duration_text(options_.shutdown_delay.count()));
  }
  admin_.set_stopping();
  admin_health_.stop();
  for (auto& thread : threads_) thread->leave();
  stop_timer_.start_once(options_.shutdown_delay.count());
}

void Daemon::stop_serving() {
  std::int64_t drain_ms = options_.drain_time.count();
  // Beside the drain, which one slow peer may make as long as it can be.
  keeper_.flush_events();
  drain_ends_ms_ = loop_.now_ms() + drain_ms;
  deadline_.start_once(drain_ms - std::min(kDiskShareMs, drain_ms / 2));
  // From here on only the threads' duplicates are open: with the last of them the address is free,
  // and nobody can connect to a socket that nobody will accept from.
  listeners_.clear();
  draining_ = threads_.size();
  for (auto& thread : threads_) {
    thread->drain([this] {
      if (--draining_ == 0) stop_keeping();
    });
  }
}

// The first time what is still in flight is given up, the second time the disk is.
void Daemon::drained_or_not() {
  if (keeping_stopped_) {
    loop_.stop();
  } else {
    stop_keeping();
  }
}

void Daemon::stop_keeping() {
  if (std::exchange(keeping_stopped_, true)) return;
  // What is left of the time is for events on their way upstream; the disk has its share in any
  // case.
  const std::int64_t disk_ms = std::min(kDiskShareMs, options_.drain_time.count() / 2);
  const std::int64_t events_ms =
      std::max<std::int64_t>(0, drain_ends_ms_ - disk_ms - loop_.now_ms());
  deadline_.start_once(events_ms + disk_ms);
  keeper_.stop(events_ms, [this] { loop_.stop(); });
}

// Before anything is bound: a listener that cannot speak TLS must not be there at all.
std::expected<TlsCredentials, TlsProblem> credentials_for(
    const std::vector<config::ListenAddress>& addresses, const config::TlsOptions& options) {
  for (const config::ListenAddress& listener : addresses) {
    if (config::is_tls_address(listener.address)) return load_tls(options, listener.address);
  }
  return nullptr;
}

}  // namespace

int run_daemon(DaemonSetup setup) {
  // libcurl and sockets report a closed peer as an error of the call; the signal would end us.
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::logger& log = *setup.log;
  const config::Options& options = setup.command.options;
  SignalsHeldBack signals;
  if (config::is_tls_address(options.admin)) {
    log.error("admin: there is no TLS on the admin port; write {}",
              config::endpoint_of(options.admin));
    return config::kExitContent;
  }
  const auto addresses = config::listen_addresses(options, config::real_surroundings());
  auto tls = credentials_for(addresses, options.tls);
  if (!tls) {
    log.error("{}", tls.error().message);
    return tls.error().exit_code;
  }
  auto listeners = bind_listeners(addresses, log);
  if (!listeners) {
    log.error("{}", listeners.error());
    return kExitUnavailable;
  }
  auto admin = bind_admin(options.admin);
  if (!admin) {
    log.error("admin: {}", admin.error());
    return kExitUnavailable;
  }
  log.info("admin on {}", admin->address().to_string());
  Daemon daemon(std::move(setup), std::move(*listeners), std::move(*admin), std::move(*tls));
  signals.let_go();
  return daemon.run();
}

}  // namespace flagstone::sidecar
