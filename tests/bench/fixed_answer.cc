// The fixed-answer server: what the socket alone costs. Raw libuv on TCP and Unix sockets: reads
// each request to its end by Content-Length and answers a constant, keep-alive and pipelined,
// nothing else. One thread. The benchmark compares the daemon with it in the same run, on the same
// core.
//
//   fixed_answer --listen 127.0.0.1:0 --listen unix:PATH (--answer-file FILE | --answer-bytes N)
//
// The file holds a whole answer, header included, so that both servers send the very same bytes.
// It trusts its client: the header is spelt `Content-Length`, as the load client spells it.

#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kRequestHeaderBytesMax = 16 * 1024;
constexpr std::size_t kAnswersPerWriteMax = 64;
constexpr int kListenBacklog = 1024;

// Either kind of stream, so that one callback serves both.
union StreamHandle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct Server {
  uv_loop_t* loop;
  std::string answer;
};

struct Listener {
  StreamHandle uv;
  Server* server;
  bool is_unix;
};

struct Connection {
  StreamHandle uv;
  Server* server;
  uv_write_t rest_of_answers;
  std::size_t used_bytes = 0;       // of the buffer: a header that has not ended yet
  std::size_t body_left_bytes = 0;  // of the request whose header has ended
  bool body_pending = false;
  std::array<char, kRequestHeaderBytesMax> buffer;
};

[[noreturn]] void fail(const std::string& what, int error) {
  std::fprintf(stderr, "fixed_answer: %s: %s\n", what.c_str(), error ? uv_strerror(error) : "");
  std::exit(1);
}

void close_connection(Connection* connection) {
  if (uv_is_closing(&connection->uv.handle)) return;
  uv_close(&connection->uv.handle,
           [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

std::size_t content_length(std::string_view header) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = header.find(name);
  if (at == std::string_view::npos) return 0;
  std::size_t length = 0;
  std::from_chars(header.data() + at + name.size(), header.data() + header.size(), length);
  return length;
}

// Takes what has been read, keeps what is half a header, and says how many requests ended in it.
std::size_t count_requests(Connection& connection, std::size_t read_bytes) {
  std::string_view rest(connection.buffer.data(), connection.used_bytes + read_bytes);
  std::size_t requests = 0;
  while (true) {
    if (!connection.body_pending) {
      const void* end = memmem(rest.data(), rest.size(), "\r\n\r\n", 4);
      if (!end) break;
      const auto header_bytes =
          static_cast<std::size_t>(static_cast<const char*>(end) - rest.data());
      connection.body_left_bytes = content_length(rest.substr(0, header_bytes + 2));
      connection.body_pending = true;
      rest.remove_prefix(header_bytes + 4);
    }
    const std::size_t taken = std::min(connection.body_left_bytes, rest.size());
    connection.body_left_bytes -= taken;
    rest.remove_prefix(taken);
    if (connection.body_left_bytes > 0) break;
    connection.body_pending = false;
    ++requests;
  }
  connection.used_bytes = rest.size();
  if (!rest.empty() && rest.data() != connection.buffer.data())
    memmove(connection.buffer.data(), rest.data(), rest.size());
  return requests;
}

void offer_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
  auto& connection = *static_cast<Connection*>(handle->data);
  out->base = connection.buffer.data() + connection.used_bytes;
  out->len = connection.buffer.size() - connection.used_bytes;
}

void on_read(uv_stream_t* stream, ssize_t read_bytes, const uv_buf_t* buffer);

// What the socket did not take at once is sent by libuv; reading stops until it is gone.
void send_later(Connection& connection, const uv_buf_t* answers, std::size_t count,
                std::size_t sent_bytes) {
  std::vector<uv_buf_t> rest(answers, answers + count);
  while (!rest.empty() && sent_bytes >= rest.front().len) {
    sent_bytes -= rest.front().len;
    rest.erase(rest.begin());
  }
  if (rest.empty()) return;
  rest.front().base += sent_bytes;
  rest.front().len -= sent_bytes;
  uv_read_stop(&connection.uv.stream);
  connection.rest_of_answers.data = &connection;
  const int error = uv_write(&connection.rest_of_answers, &connection.uv.stream, rest.data(),
                             static_cast<unsigned>(rest.size()), [](uv_write_t* write, int status) {
                               auto* written = static_cast<Connection*>(write->data);
                               if (status < 0) return close_connection(written);
                               uv_read_start(&written->uv.stream, offer_buffer, on_read);
                             });
  if (error) close_connection(&connection);
}

void answer(Connection& connection, std::size_t requests) {
  std::string& bytes = connection.server->answer;
  std::array<uv_buf_t, kAnswersPerWriteMax> answers;
  std::fill_n(answers.begin(), requests,
              uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size())));
  const int sent =
      uv_try_write(&connection.uv.stream, answers.data(), static_cast<unsigned>(requests));
  if (sent < 0 && sent != UV_EAGAIN) return close_connection(&connection);
  const auto sent_bytes = static_cast<std::size_t>(std::max(sent, 0));
  if (sent_bytes < requests * bytes.size())
    send_later(connection, answers.data(), requests, sent_bytes);
}

void on_read(uv_stream_t* stream, ssize_t read_bytes, const uv_buf_t*) {
  auto* connection = static_cast<Connection*>(stream->data);
  if (read_bytes < 0) return close_connection(connection);
  const std::size_t requests = count_requests(*connection, static_cast<std::size_t>(read_bytes));
  // More requests in 16 KiB than one write takes, or a longer header: not a client of ours.
  if (requests > kAnswersPerWriteMax || connection->used_bytes == connection->buffer.size())
    return close_connection(connection);
  if (requests > 0) answer(*connection, requests);
}

void on_connection(uv_stream_t* stream, int status) {
  auto& listener = *static_cast<Listener*>(stream->data);
  if (status < 0) return;
  auto* connection = new Connection;
  connection->server = listener.server;
  if (listener.is_unix) {
    uv_pipe_init(listener.server->loop, &connection->uv.pipe, 0);
  } else {
    uv_tcp_init(listener.server->loop, &connection->uv.tcp);
  }
  connection->uv.handle.data = connection;
  if (uv_accept(stream, &connection->uv.stream) != 0) return close_connection(connection);
  if (!listener.is_unix) uv_tcp_nodelay(&connection->uv.tcp, 1);
  uv_read_start(&connection->uv.stream, offer_buffer, on_read);
}

void listen_unix(Listener& listener, const std::string& path) {
  unlink(path.c_str());
  uv_pipe_init(listener.server->loop, &listener.uv.pipe, 0);
  if (const int error = uv_pipe_bind(&listener.uv.pipe, path.c_str())) fail(path, error);
}

// Binds and gives back the port, which the system chose when 0 was asked for.
int listen_tcp(Listener& listener, const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) fail("expected HOST:PORT or unix:PATH: " + address, 0);
  sockaddr_in bound{};
  int error = uv_ip4_addr(address.substr(0, colon).c_str(), std::atoi(&address[colon + 1]), &bound);
  if (error) fail(address, error);
  uv_tcp_init(listener.server->loop, &listener.uv.tcp);
  error = uv_tcp_bind(&listener.uv.tcp, reinterpret_cast<const sockaddr*>(&bound), 0);
  if (error) fail(address, error);
  int size = sizeof bound;
  uv_tcp_getsockname(&listener.uv.tcp, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin_port);
}

void listen_on(Server& server, const std::string& address, Listener& listener) {
  listener.server = &server;
  listener.is_unix = address.starts_with("unix:");
  std::string shown = address;
  if (listener.is_unix) {
    listen_unix(listener, address.substr(5));
  } else {
    const int port = listen_tcp(listener, address);
    shown = address.substr(0, address.rfind(':') + 1) + std::to_string(port);
  }
  listener.uv.handle.data = &listener;
  if (const int error = uv_listen(&listener.uv.stream, kListenBacklog, on_connection))
    fail(address, error);
  std::fprintf(stderr, "listening on %s\n", shown.c_str());
}

std::string answer_of_size(std::size_t bytes) {
  std::string body_length = std::to_string(bytes);
  std::string header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
  const std::size_t fixed_bytes = header.size() + body_length.size() + 4;
  const std::size_t body_bytes = bytes > fixed_bytes ? bytes - fixed_bytes : 0;
  return header + std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, ' ');
}

std::string answer_in_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.empty()) fail(std::string("cannot read an answer from ") + path, 0);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  // A client that ends its run leaves answers unread; that is an error of the write, not our end.
  signal(SIGPIPE, SIG_IGN);
  Server server{uv_default_loop(), {}};
  std::vector<std::string> addresses;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--listen") {
      addresses.emplace_back(argv[i + 1]);
    } else if (option == "--answer-file") {
      server.answer = answer_in_file(argv[i + 1]);
    } else if (option == "--answer-bytes") {
      server.answer = answer_of_size(static_cast<std::size_t>(std::atoll(argv[i + 1])));
    } else {
      fail("unknown option " + std::string(option), 0);
    }
  }
  if (argc % 2 == 0 || addresses.empty() || server.answer.empty())
    fail("--listen ADDRESS and --answer-file FILE or --answer-bytes N are needed", 0);
  // Never moved: libuv holds their addresses.
  const auto listeners = std::make_unique<Listener[]>(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) listen_on(server, addresses[i], listeners[i]);
  return uv_run(server.loop, UV_RUN_DEFAULT);
}
