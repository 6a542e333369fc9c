#include "tests/fakes/upstream/scripted_http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "tests/fakes/upstream/listening_socket.h"

namespace flagstone::fakes {
namespace {

ServedRequest parsed(const std::string& head) {
  ServedRequest request;
  std::size_t line_end = head.find("\r\n");
  const std::string first = head.substr(0, line_end);
  const std::size_t target = first.find(' ') + 1;
  request.target = first.substr(target, first.rfind(' ') - target);
  while (line_end + 2 < head.size()) {
    const std::size_t begin = line_end + 2;
    line_end = head.find("\r\n", begin);
    const std::string line = head.substr(begin, line_end - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) break;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    request.headers[name] = value == std::string::npos ? "" : line.substr(value);
  }
  return request;
}

}  // namespace

ScriptedHttpServer::ScriptedHttpServer(Handler handler, std::string unix_path)
    : handler_(std::move(handler)),
      listener_(unix_path.empty() ? listen_on_loopback(port_) : listen_on_unix(unix_path)),
      acceptor_([this] { accept_connections(); }) {}

ScriptedHttpServer::~ScriptedHttpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  stopped_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::vector<ServedRequest> ScriptedHttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void ScriptedHttpServer::accept_connections() {
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

void ScriptedHttpServer::serve(int connection) {
  std::string received;
  std::string buffer(4096, '\0');
  while (true) {
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      received.append(buffer, 0, static_cast<std::size_t>(got));
      continue;
    }
    ServedRequest request = parsed(received.substr(0, end + 2));
    const std::string length = request.header("content-length");
    const std::size_t whole = end + 4 + (length.empty() ? 0 : std::stoul(length));
    if (received.size() < whole) {
      const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      received.append(buffer, 0, static_cast<std::size_t>(got));
      continue;
    }
    request.body = received.substr(end + 4, whole - end - 4);
    received.erase(0, whole);
    Reply reply;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      reply = handler_(request, requests_.size() - 1);
    }
    if (!answer(connection, reply)) break;
  }
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  ::close(connection);
}

// False: the connection is done.
bool ScriptedHttpServer::answer(int connection, const Reply& reply) {
  if (reply.close_at_once) return false;
  if (reply.hang) return pause(3'600'000);
  if (!reply.raw.empty()) return send_all(connection, reply.raw) && false;
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  const bool bodyless = reply.status == 304 || reply.status == 204;
  if (reply.stream) {
    head += "Connection: close\r\n";
  } else if (!bodyless) {
    const std::size_t length = reply.announced_length.value_or(reply.body.size());
    head += "Content-Length: " + std::to_string(length) + "\r\n";
  }
  if (!send_all(connection, head + "\r\n")) return false;
  if (reply.stream) {
    for (std::string piece = reply.stream(); !piece.empty(); piece = reply.stream()) {
      if (!send_all(connection, piece)) return false;
    }
    return false;
  }
  if (reply.drip_ms > 0) {
    for (const char& byte : reply.body) {
      if (!send_all(connection, {&byte, 1}) || !pause(reply.drip_ms)) return false;
    }
    return true;
  }
  return send_all(connection, reply.body) && !reply.announced_length;
}

bool ScriptedHttpServer::send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// False when the server is being stopped meanwhile.
bool ScriptedHttpServer::pause(int ms) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopping_; });
}

namespace {

// Deflate's bits: bytes are filled from their least significant bit.
class BitWriter {
 public:
  void put(unsigned bit) {
    if (used_ == 0) bytes.push_back('\0');
    bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | (bit << used_));
    used_ = (used_ + 1) % 8;
  }
  void put_code(std::string_view bits) {
    for (const char bit : bits) put(bit == '1' ? 1 : 0);
  }
  std::string bytes;

 private:
  unsigned used_ = 0;
};

}  // namespace

std::function<std::string()> gzip_of_zeros() {
  auto first = std::make_shared<bool>(true);
  return [first] {
    // Eight matches are 13 whole bytes, so that every later piece repeats the same bits, shifted by
    // the 11 bits of the block's head and its one literal.
    BitWriter writer;
    const bool begins = std::exchange(*first, false);
    if (begins) {
      for (const int byte : {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}) {
        for (int bit = 0; bit < 8; ++bit) writer.put((static_cast<unsigned>(byte) >> bit) & 1U);
      }
      writer.put_code("110");       // The last block, of the fixed code.
      writer.put_code("00110000");  // A literal zero byte.
      writer.put_code("11000");     // The next match begins: 5 bits of it fill the byte.
    }
    for (int match = 0; match < 8192; ++match) {
      writer.put_code("10100000");  // Ends a match of 258 bytes at distance 1 ...
      writer.put_code("11000");     // ... and begins the next.
    }
    return writer.bytes;
  };
}

}  // namespace flagstone::fakes
