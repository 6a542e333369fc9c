// An HTTP/1.1 server that does what a test tells it, on 127.0.0.1 or a Unix socket: answers, cuts,
// drips, hangs, streams without end. It records every request.
//
// Blocking sockets on threads of its own, so that it shares no code with what is tested. The
// handler runs on those threads, one call at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flagstone::fakes {

struct ServedRequest {
  std::string target;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body = {};                       // As its Content-Length has it.

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::optional<std::size_t> announced_length = {};  // Other than the body's: it is cut.
  int drip_ms = 0;                                   // Between two bytes of the body.
  bool hang = false;                                 // Not even a status line comes.
  bool close_at_once = false;                        // Closed without a word.
  std::string raw = {};                              // Sent as it is instead of all that.
  // The body's next piece, empty at its end; ends by closing the connection.
  std::function<std::string()> stream = {};
};

class ScriptedHttpServer {
 public:
  using Handler = std::function<Reply(const ServedRequest&, std::size_t index)>;

  explicit ScriptedHttpServer(Handler handler, std::string unix_path = {});
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& target) const {
    return "http://127.0.0.1:" + std::to_string(port_) + target;
  }
  std::vector<ServedRequest> requests() const;

 private:
  void accept_connections();
  void serve(int connection);
  bool answer(int connection, const Reply& reply);
  bool send_all(int connection, std::string_view bytes);
  bool pause(int ms);

  Handler handler_;
  std::uint16_t port_ = 0;  // Before the listener, whose making sets it.
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::set<int> connections_;
  std::vector<ServedRequest> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// gzip of zeros without end: 13 bits for 258 bytes. Each call gives about 13 KiB, which are 2 MiB
// unpacked.
std::function<std::string()> gzip_of_zeros();

}  // namespace flagstone::fakes
