// libcurl's multi handle driven by the loop: sockets are watched, its one timeout is a timer.
//
// Inside upstream's HTTP client only; owned by HttpClient. Hops are handed back with retire(),
// which is safe inside curl's own callbacks: curl forbids removing a handle there, so the hop waits
// for the outermost call to end.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/io_watch.h"
#include "net/timer.h"
#include "upstream/http_client.h"
#include "upstream/http_proxies.h"

namespace flagstone::upstream {

class HttpHop;

class HttpEngine {
 public:
  HttpEngine(net::Loop& loop, net::Resolver& resolver, HttpClient::Options options);
  ~HttpEngine();
  HttpEngine(const HttpEngine&) = delete;
  HttpEngine& operator=(const HttpEngine&) = delete;

  net::Loop& loop() { return loop_; }
  net::Resolver& resolver() { return resolver_; }
  const HttpClient::Options& options() const { return options_; }
  const HttpProxies& proxies() const { return proxies_; }

  // False when curl refuses the handle. Never calls back into the hop before returning.
  // REQUIRES: not inside a curl callback.
  bool add(HttpHop& hop);
  // Takes the hop off curl and destroys it, now or when the calls on the stack have ended.
  void retire(std::unique_ptr<HttpHop> hop);

  // Keeps retired hops alive as long as it is on the stack.
  class Busy {
   public:
    explicit Busy(HttpEngine& engine) : engine_(engine) { ++engine_.depth_; }
    ~Busy() {
      if (--engine_.depth_ == 0) engine_.bury();
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    HttpEngine& engine_;
  };

 private:
  friend struct CurlCallbacks;
  void watch_socket(int socket, int what);
  void set_timeout(long delay_ms);
  void act(int socket, int readiness);
  void tell_finished();
  void bury();

  net::Loop& loop_;
  net::Resolver& resolver_;
  HttpClient::Options options_;
  HttpProxies proxies_;
  void* multi_;  // CURLM
  net::Timer timeout_;
  std::map<int, std::unique_ptr<net::IoWatch>> watches_;
  int depth_ = 0;
  std::vector<std::unique_ptr<HttpHop>> retired_;
};

}  // namespace flagstone::upstream
