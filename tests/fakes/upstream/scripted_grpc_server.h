// A gRPC server that does what a test tells it, on 127.0.0.1 or a Unix socket: messages, pieces of
// messages, statuses, resets, garbage. It records every request.
//
// Its HTTP/2 frames are put together by hand, so that they may be wrong, on blocking sockets and a
// thread per connection; of nghttp2 it uses only the reading of compressed headers. It does not ask
// for flow control: send no more than the client's first windows take (curl's are 32 MiB).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace flagstone::fakes {

using HeaderPairs = std::vector<std::pair<std::string, std::string>>;

struct GrpcRequest {
  std::map<std::string, std::string> headers;  // With `:path` and the like.
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// A message with its five bytes in front.
std::string grpc_frame(std::string_view message, char flag = 0);

// One call, in the thread of its connection. When the script returns, the connection is closed: at
// once, or by the client where the call has got its end.
class GrpcCall {
 public:
  GrpcCall(int connection, std::uint32_t stream) : connection_(connection), stream_(stream) {}

  void head(const HeaderPairs& headers = {{":status", "200"}, {"content-type", "application/grpc"}},
            bool last = false);
  // Bytes of the body, cut into DATA frames of at most `frame_bytes`. False: the client has gone.
  bool data(std::string_view bytes, std::size_t frame_bytes = 16'384);
  bool message(std::string_view message) { return data(grpc_frame(message)); }
  void trailers(int status, const std::string& text = {});
  // A head that is the end as well.
  void trailers_only(int status, const std::string& text = {});
  void reset(std::uint32_t error);
  void goaway(std::uint32_t last_stream, std::uint32_t error);
  bool raw(std::string_view bytes);
  // Says nothing until the client (or the server's end) closes the connection.
  void wait_for_end();
  // The call has got its end, by trailers or a reset.
  bool ended() const { return ended_; }

 private:
  bool frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);

  int connection_;
  std::uint32_t stream_;
  bool ended_ = false;
};

class ScriptedGrpcServer {
 public:
  using Script = std::function<void(GrpcCall& call, const GrpcRequest& request, std::size_t index)>;

  explicit ScriptedGrpcServer(Script script, std::string unix_path = {});
  ~ScriptedGrpcServer();
  ScriptedGrpcServer(const ScriptedGrpcServer&) = delete;
  ScriptedGrpcServer& operator=(const ScriptedGrpcServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<GrpcRequest> requests() const;
  std::size_t calls() const { return requests().size(); }

 private:
  void accept_connections();
  void serve(int connection);

  Script script_;
  std::uint16_t port_ = 0;  // Before the listener, whose making sets it.
  int listener_ = -1;
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::set<int> connections_;
  std::vector<GrpcRequest> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace flagstone::fakes
