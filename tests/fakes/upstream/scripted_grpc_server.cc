#include "tests/fakes/upstream/scripted_grpc_server.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "tests/fakes/upstream/listening_socket.h"

namespace flagstone::fakes {
namespace {

constexpr std::uint8_t kData = 0;
constexpr std::uint8_t kHeaders = 1;
constexpr std::uint8_t kResetStream = 3;
constexpr std::uint8_t kSettings = 4;
constexpr std::uint8_t kGoaway = 7;
constexpr std::uint8_t kEndStream = 1;  // Also ACK.
constexpr std::uint8_t kEndHeaders = 4;
constexpr std::size_t kPrefaceBytes = 24;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// Literal, without indexing, without Huffman's code.
std::string encoded(const HeaderPairs& headers) {
  const auto text = [](const std::string& value) {
    if (value.size() < 127) return static_cast<char>(value.size()) + value;
    std::string size(1, 127);
    std::size_t rest = value.size() - 127;
    for (; rest >= 128; rest >>= 7) size += static_cast<char>(128 | (rest & 127));
    return size + static_cast<char>(rest) + value;
  };
  std::string block;
  for (const auto& [name, value] : headers) block += '\0' + text(name) + text(value);
  return block;
}

struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

bool receive(int connection, std::size_t size, std::string& into) {
  into.resize(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::recv(connection, into.data() + got, size - got, 0);
    if (more <= 0) return false;
    got += static_cast<std::size_t>(more);
  }
  return true;
}

std::optional<Frame> next_frame(int connection) {
  std::string head;
  if (!receive(connection, 9, head)) return std::nullopt;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(head[i]));
  };
  Frame frame{.type = static_cast<std::uint8_t>(byte(3)),
              .flags = static_cast<std::uint8_t>(byte(4)),
              .stream = (byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)) & 0x7fffffff,
              .payload = {}};
  if (!receive(connection, byte(0) << 16 | byte(1) << 8 | byte(2), frame.payload)) return {};
  return frame;
}

// curl puts a request's headers into one HEADERS frame, perhaps with a priority in front.
void read_headers(const Frame& frame, GrpcRequest& request) {
  std::string block = frame.payload;
  if ((frame.flags & 0x20) != 0) block.erase(0, 5);
  nghttp2_hd_inflater* inflater = nullptr;
  nghttp2_hd_inflate_new(&inflater);
  const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  while (true) {
    nghttp2_nv pair{};
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater, &pair, &flags, in, left, 1);
    if (used < 0) std::abort();
    in += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      request.headers[std::string(reinterpret_cast<char*>(pair.name), pair.namelen)] =
          std::string(reinterpret_cast<char*>(pair.value), pair.valuelen);
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_del(inflater);
}

// The stream's number, when a whole request has come.
std::optional<std::uint32_t> read_request(int connection, GrpcRequest& request) {
  while (auto frame = next_frame(connection)) {
    if (frame->type == kHeaders) read_headers(*frame, request);
    if (frame->type == kData) request.body += frame->payload;
    const bool last = (frame->flags & kEndStream) != 0;
    if (last && (frame->type == kHeaders || frame->type == kData)) return frame->stream;
  }
  return std::nullopt;
}

}  // namespace

std::string grpc_frame(std::string_view message, char flag) {
  return flag + number(static_cast<std::uint32_t>(message.size()), 4) + std::string(message);
}

bool GrpcCall::raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool GrpcCall::frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                     std::string_view payload) {
  std::string bytes = number(static_cast<std::uint32_t>(payload.size()), 3);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  bytes += number(stream, 4);
  bytes += payload;
  return raw(bytes);
}

void GrpcCall::head(const HeaderPairs& headers, bool last) {
  ended_ = ended_ || last;
  frame(kHeaders, kEndHeaders | (last ? kEndStream : 0), stream_, encoded(headers));
}

bool GrpcCall::data(std::string_view bytes, std::size_t frame_bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, frame_bytes);
    if (!frame(kData, 0, stream_, piece)) return false;
    bytes.remove_prefix(piece.size());
  }
  return true;
}

void GrpcCall::trailers(int status, const std::string& text) {
  head({{"grpc-status", std::to_string(status)}, {"grpc-message", text}}, true);
}

void GrpcCall::trailers_only(int status, const std::string& text) {
  head({{":status", "200"},
        {"content-type", "application/grpc"},
        {"grpc-status", std::to_string(status)},
        {"grpc-message", text}},
       true);
}

void GrpcCall::reset(std::uint32_t error) {
  ended_ = true;
  frame(kResetStream, 0, stream_, number(error, 4));
}

void GrpcCall::goaway(std::uint32_t last_stream, std::uint32_t error) {
  frame(kGoaway, 0, 0, number(last_stream, 4) + number(error, 4));
}

void GrpcCall::wait_for_end() {
  std::array<char, 4096> ignored{};
  while (::recv(connection_, ignored.data(), ignored.size(), 0) > 0) {
  }
}

ScriptedGrpcServer::ScriptedGrpcServer(Script script, std::string unix_path)
    : script_(std::move(script)),
      listener_(unix_path.empty() ? listen_on_loopback(port_) : listen_on_unix(unix_path)),
      acceptor_([this] { accept_connections(); }) {}

ScriptedGrpcServer::~ScriptedGrpcServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::vector<GrpcRequest> ScriptedGrpcServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedGrpcServer::accept_connections() {
  while (true) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (connection < 0 || stopping_) {
      if (connection >= 0) ::close(connection);
      if (stopping_) return;
      continue;
    }
    connections_.insert(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void ScriptedGrpcServer::serve(int connection) {
  std::string preface;
  GrpcRequest request;
  std::optional<std::uint32_t> stream;
  if (receive(connection, kPrefaceBytes, preface)) {
    // Our settings (none), and the acknowledgement of the client's.
    GrpcCall(connection, 0)
        .raw(number(0, 3) + static_cast<char>(kSettings) + number(0, 5) + number(0, 3) +
             static_cast<char>(kSettings) + '\1' + number(0, 4));
    stream = read_request(connection, request);
  }
  if (stream) {
    std::size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      index = requests_.size();
      requests_.push_back(request);
    }
    GrpcCall call(connection, *stream);
    script_(call, request, index);
    // curl 7.88 loses the trailers when the connection's end comes with them; no server does that.
    if (!call.ended()) ::shutdown(connection, SHUT_WR);
    // Closing with bytes unread would be a reset, and could swallow what was sent.
    call.wait_for_end();
  }
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  ::close(connection);
}

}  // namespace flagstone::fakes
