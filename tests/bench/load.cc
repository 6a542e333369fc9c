#include "tests/bench/load.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "tests/bench/answer_reader.h"
#include "tests/bench/pace.h"
#include "tests/bench/target.h"

namespace flagstone::bench {
namespace {

constexpr std::size_t kReadBufferBytes = 256 * 1024;
constexpr std::size_t kEventsMax = 256;
constexpr std::uint64_t kErrorsMax = 100;  // then the run is worth nothing and stops
constexpr int kSilenceMsMax = 5000;        // of all connections together
constexpr double kNanoseconds = 1e9;

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

double own_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Connection {
  int fd = -1;
  std::uint64_t sent_at_ns = 0;   // or was due to be
  std::string_view request_left;  // what the socket did not take at once
  std::string request_room;       // where a request is put together
  AnswerReader reader;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd >= 0) close(fd);
  }
};

class Load {
 public:
  explicit Load(LoadOptions& options)
      : options_(options),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        connections_(options.connections),
        read_buffer_(std::make_unique<char[]>(kReadBufferBytes)) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { close(epoll_); }

  std::expected<LoadResult, std::string> run();

 private:
  std::expected<void, std::string> open(Connection& connection);
  bool turn();
  int wait_for_answers(std::array<epoll_event, kEventsMax>& events);
  bool on_ready(Connection& connection);
  bool on_answer(Connection& connection, int status, std::uint64_t now);
  bool on_error(Connection& connection, std::string what);
  bool send_request(Connection& connection, std::uint64_t now);
  bool send_next(Connection& connection, std::uint64_t now);
  bool send_due(std::uint64_t now);
  bool send_rest(Connection& connection);
  void begin_window(std::uint64_t now);
  void end_window(std::uint64_t now);

  LoadOptions& options_;
  int epoll_;
  std::vector<Connection> connections_;
  std::optional<Pace> pace_;
  std::vector<Connection*> free_;  // with a pace: those that wait for nothing
  std::unique_ptr<char[]> read_buffer_;
  LoadResult result_;
  std::string failure_;
  bool measuring_ = false;
  std::uint64_t window_begin_ns_ = 0;
  std::uint64_t window_end_ns_ = 0;
  double own_cpu_before_seconds_ = 0;
  std::optional<ProcessCpu> server_before_;
};

std::expected<void, std::string> Load::open(Connection& connection) {
  if (connection.fd >= 0) close(connection.fd);
  connection.fd = -1;
  connection.reader = {};
  const auto fd = connect_to(options_.target);
  if (!fd) return std::unexpected(fd.error());
  connection.fd = *fd;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0)
    return std::unexpected(std::string("epoll: ") + strerror(errno));
  return {};
}

std::expected<LoadResult, std::string> Load::run() {
  for (Connection& connection : connections_)
    if (const auto opened = open(connection); !opened) return std::unexpected(opened.error());
  // The window begins with the first answer after the warm-up.
  window_begin_ns_ = now_ns() + static_cast<std::uint64_t>(options_.warm_up_seconds * kNanoseconds);
  if (options_.rate > 0) pace_.emplace(options_.rate, now_ns());
  for (Connection& connection : connections_)
    if (!send_next(connection, now_ns())) return std::unexpected(failure_);
  while (turn()) {
  }
  if (!failure_.empty()) return std::unexpected(failure_);
  return std::move(result_);
}

// One look at all sockets. False ends the run: the window is over or `failure_` says why.
bool Load::turn() {
  std::array<epoll_event, kEventsMax> events;
  const int ready = wait_for_answers(events);
  if (ready == 0) failure_ = "no answer within 5 s";
  if (ready <= 0) return ready < 0 && errno == EINTR;
  for (int i = 0; i < ready; ++i)
    if (!on_ready(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr)))
      return false;
  return true;
}

// As epoll_wait; 0 when there has been silence for too long.
int Load::wait_for_answers(std::array<epoll_event, kEventsMax>& events) {
  if (options_.sleep && !pace_) return epoll_wait(epoll_, events.data(), kEventsMax, kSilenceMsMax);
  // Asking again at once spares the server the waking of a sleeping client.
  int ready = epoll_wait(epoll_, events.data(), kEventsMax, 0);
  std::uint64_t now = now_ns();
  const std::uint64_t silent_since_ns = now;
  while (ready == 0 && now - silent_since_ns < std::uint64_t{kSilenceMsMax} * 1'000'000) {
    if (pace_ && !send_due(now)) return -1;
    ready = epoll_wait(epoll_, events.data(), kEventsMax, 0);
    now = now_ns();
  }
  return ready;
}

bool Load::on_ready(Connection& connection) {
  if (!connection.request_left.empty() && !send_rest(connection)) return false;
  const ssize_t read_bytes = recv(connection.fd, read_buffer_.get(), kReadBufferBytes, 0);
  if (read_bytes < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (read_bytes <= 0)
    return on_error(connection, read_bytes == 0 ? "connection closed" : strerror(errno));
  const auto bytes = static_cast<std::size_t>(read_bytes);
  if (measuring_) result_.bytes_read += bytes;
  const auto status = connection.reader.feed({read_buffer_.get(), bytes});
  if (!status) return on_error(connection, "answer without an end that can be found");
  return *status == 0 || on_answer(connection, *status, now_ns());
}

bool Load::on_answer(Connection& connection, int status, std::uint64_t now) {
  if (measuring_) {
    result_.latency.count(now - connection.sent_at_ns);
  } else if (now >= window_begin_ns_) {
    begin_window(now);
    now = now_ns();
  }
  if (status != 200 && result_.errors++ == 0)
    result_.first_error = "status " + std::to_string(status);
  const bool enough = options_.answers > 0 && result_.latency.counted() >= options_.answers;
  if (measuring_ && (now >= window_end_ns_ || enough)) {
    end_window(now);
    return false;
  }
  return send_next(connection, now);
}

bool Load::on_error(Connection& connection, std::string what) {
  if (result_.errors++ == 0) result_.first_error = what;
  if (result_.errors > kErrorsMax) {
    failure_ = "more than 100 errors, the first: " + result_.first_error;
    return false;
  }
  if (const auto opened = open(connection); !opened) {
    failure_ = opened.error();
    return false;
  }
  return send_next(connection, now_ns());
}

// What a free connection does: the next request at once, or when one is due.
bool Load::send_next(Connection& connection, std::uint64_t now) {
  if (!pace_) return send_request(connection, now);
  free_.push_back(&connection);
  return send_due(now);
}

bool Load::send_due(std::uint64_t now) {
  while (!free_.empty() && pace_->is_due(now)) {
    Connection& connection = *free_.back();
    free_.pop_back();
    const std::uint64_t due_ns = pace_->next_ns();
    pace_->take();
    if (!send_request(connection, due_ns)) return false;
  }
  return true;
}

bool Load::send_request(Connection& connection, std::uint64_t now) {
  connection.sent_at_ns = now;
  connection.request_left = options_.requests.next(connection.request_room);
  return send_rest(connection);
}

bool Load::send_rest(Connection& connection) {
  const std::string_view rest = connection.request_left;
  const ssize_t sent = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
  // A broken connection is reported by its recv.
  if (sent < 0) return true;
  connection.request_left.remove_prefix(static_cast<std::size_t>(sent));
  return true;
}

void Load::begin_window(std::uint64_t now) {
  measuring_ = true;
  own_cpu_before_seconds_ = own_cpu_seconds();
  if (options_.server_pid) server_before_ = read_process_cpu(options_.server_pid);
  window_begin_ns_ = now;
  window_end_ns_ = now + static_cast<std::uint64_t>(options_.seconds * kNanoseconds);
}

void Load::end_window(std::uint64_t now) {
  result_.seconds = static_cast<double>(now - window_begin_ns_) / kNanoseconds;
  if (pace_) result_.overdue = pace_->overdue(now);
  result_.client_busy_share = (own_cpu_seconds() - own_cpu_before_seconds_) / result_.seconds;
  if (!server_before_) return;
  const auto after = read_process_cpu(options_.server_pid);
  if (!after) return;
  result_.server_cpu = ProcessCpu{after->total_ns - server_before_->total_ns,
                                  after->user_ticks - server_before_->user_ticks,
                                  after->system_ticks - server_before_->system_ticks};
}

}  // namespace

std::expected<LoadResult, std::string> run_load(LoadOptions& options) {
  return Load(options).run();
}

}  // namespace flagstone::bench
