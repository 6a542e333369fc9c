// The fixed-answer server over HTTP/2: what nghttp2 and the socket alone cost. Every request, once
// it has ended, gets the same HEADERS, DATA and trailers. One thread, prior knowledge, TCP and Unix
// sockets. The benchmark compares gRPC answers with it in the same run, on the same core.
//
//   fixed_answer_http2 --listen 127.0.0.1:0 --listen unix:PATH --answer-file FILE
//
// The file holds the body of an answer: one gRPC message in its frame, as the daemon sent it.

#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kListenBacklog = 1024;
constexpr std::size_t kReadBytes = 64 * 1024;

union StreamHandle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct Server {
  uv_loop_t* loop;
  std::string answer;
  nghttp2_session_callbacks* callbacks = nullptr;
  std::array<char, kReadBytes> buffer{};
  std::string output;
};

struct Listener {
  StreamHandle uv;
  Server* server;
  bool is_unix;
};

struct Connection {
  StreamHandle uv;
  Server* server;
  nghttp2_session* session = nullptr;
};

struct Rest {
  uv_write_t uv;
  std::string bytes;
};

[[noreturn]] void fail(const std::string& what, int error) {
  std::fprintf(stderr, "fixed_answer_http2: %s: %s\n", what.c_str(),
               error ? uv_strerror(error) : "");
  std::exit(1);
}

void close_connection(Connection* connection) {
  if (uv_is_closing(&connection->uv.handle)) return;
  uv_close(&connection->uv.handle, [](uv_handle_t* handle) {
    auto* closed = static_cast<Connection*>(handle->data);
    nghttp2_session_del(closed->session);
    delete closed;
  });
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

ssize_t give_body(nghttp2_session* session, int32_t stream_id, uint8_t* to, std::size_t,
                  uint32_t* flags, nghttp2_data_source* source, void*) {
  const auto& server = *static_cast<const Server*>(source->ptr);
  std::memcpy(to, server.answer.data(), server.answer.size());
  *flags = NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const nghttp2_nv trailer = field("grpc-status", "0");
  nghttp2_submit_trailer(session, stream_id, &trailer, 1);
  return static_cast<ssize_t>(server.answer.size());
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  static const std::array kHead = {field(":status", "200"),
                                   field("content-type", "application/grpc")};
  nghttp2_data_provider body{};
  body.source.ptr = static_cast<Connection*>(user)->server;
  body.read_callback = give_body;
  return nghttp2_submit_response(session, frame->hd.stream_id, kHead.data(), kHead.size(), &body);
}

void flush(Connection& connection) {
  std::string& output = connection.server->output;
  output.clear();
  const uint8_t* piece = nullptr;
  ssize_t size = 0;
  while ((size = nghttp2_session_mem_send(connection.session, &piece)) > 0)
    output.append(reinterpret_cast<const char*>(piece), static_cast<std::size_t>(size));
  if (size < 0) return close_connection(&connection);
  if (output.empty()) return;
  uv_buf_t buffer = uv_buf_init(output.data(), static_cast<unsigned>(output.size()));
  const int sent = uv_try_write(&connection.uv.stream, &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN) return close_connection(&connection);
  const auto sent_bytes = static_cast<std::size_t>(std::max(sent, 0));
  if (sent_bytes == output.size()) return;
  auto* rest = new Rest{{}, output.substr(sent_bytes)};
  rest->uv.data = rest;
  buffer = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
  uv_write(&rest->uv, &connection.uv.stream, &buffer, 1,
           [](uv_write_t* write, int) { delete static_cast<Rest*>(write->data); });
}

void offer_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
  Server& server = *static_cast<Connection*>(handle->data)->server;
  *out = uv_buf_init(server.buffer.data(), static_cast<unsigned>(server.buffer.size()));
}

void on_read(uv_stream_t* stream, ssize_t read_bytes, const uv_buf_t* buffer) {
  auto* connection = static_cast<Connection*>(stream->data);
  if (read_bytes < 0) return close_connection(connection);
  const auto* bytes = reinterpret_cast<const uint8_t*>(buffer->base);
  if (nghttp2_session_mem_recv(connection->session, bytes, static_cast<std::size_t>(read_bytes)) <
      0) {
    return close_connection(connection);
  }
  flush(*connection);
}

void on_connection(uv_stream_t* stream, int status) {
  auto& listener = *static_cast<Listener*>(stream->data);
  if (status < 0) return;
  auto* connection = new Connection;
  connection->server = listener.server;
  nghttp2_session_server_new(&connection->session, listener.server->callbacks, connection);
  const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100};
  nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, &settings, 1);
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

void listen_on(Server& server, const std::string& address, Listener& listener) {
  listener.server = &server;
  listener.is_unix = address.starts_with("unix:");
  int error = 0;
  if (listener.is_unix) {
    unlink(address.c_str() + 5);
    uv_pipe_init(server.loop, &listener.uv.pipe, 0);
    error = uv_pipe_bind(&listener.uv.pipe, address.c_str() + 5);
  } else {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos) fail("expected HOST:PORT or unix:PATH: " + address, 0);
    sockaddr_in bound{};
    error = uv_ip4_addr(address.substr(0, colon).c_str(), std::atoi(&address[colon + 1]), &bound);
    if (error) fail(address, error);
    uv_tcp_init(server.loop, &listener.uv.tcp);
    error = uv_tcp_bind(&listener.uv.tcp, reinterpret_cast<const sockaddr*>(&bound), 0);
  }
  if (error) fail(address, error);
  listener.uv.handle.data = &listener;
  error = uv_listen(&listener.uv.stream, kListenBacklog, on_connection);
  if (error) fail(address, error);
  std::fprintf(stderr, "listening on %s\n", address.c_str());
}

std::string contents_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.empty()) fail(std::string("cannot read an answer from ") + path, 0);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  auto server = std::make_unique<Server>();
  server->loop = uv_default_loop();
  nghttp2_session_callbacks_new(&server->callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(server->callbacks, on_frame);
  std::vector<std::string> addresses;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--listen") {
      addresses.emplace_back(argv[i + 1]);
    } else if (option == "--answer-file") {
      server->answer = contents_of(argv[i + 1]);
    } else {
      fail("unknown option " + std::string(option), 0);
    }
  }
  if (argc % 2 == 0 || addresses.empty() || server->answer.empty())
    fail("--listen ADDRESS and --answer-file FILE are needed", 0);
  const auto listeners = std::make_unique<Listener[]>(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) listen_on(*server, addresses[i], listeners[i]);
  return uv_run(server->loop, UV_RUN_DEFAULT);
}
