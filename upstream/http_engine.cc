#include "upstream/http_engine.h"

#include <curl/curl.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "net/loop.h"
#include "upstream/http_hop.h"

namespace flagstone::upstream {

// Trampolines: curl's C callbacks to named members.
struct CurlCallbacks {
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    static_cast<HttpEngine*>(self)->watch_socket(socket, what);
    return 0;
  }
  static int on_timeout(CURLM*, long delay_ms, void* self) {
    static_cast<HttpEngine*>(self)->set_timeout(delay_ms);
    return 0;
  }
};

namespace {

HttpClient::Options with_roots(HttpClient::Options options, const config::Variables& variables) {
  // curl's library reads neither variable; only its command line does.
  if (options.ca_file.empty()) options.ca_file = variables("SSL_CERT_FILE").value_or("");
  if (options.ca_folder.empty()) options.ca_folder = variables("SSL_CERT_DIR").value_or("");
  return options;
}

}  // namespace

HttpEngine::HttpEngine(net::Loop& loop, net::Resolver& resolver, HttpClient::Options options)
    : loop_(loop),
      resolver_(resolver),
      options_(with_roots(std::move(options), config::process_variable)),
      proxies_(HttpProxies::from(config::process_variable)),
      timeout_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  // Counted by curl, so that every engine may ask for it.
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) std::abort();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) std::abort();  // Out of memory at start.
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlCallbacks::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlCallbacks::on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.idle_connections_max));
}

HttpEngine::~HttpEngine() {
  assert(depth_ == 0 && retired_.empty());
  curl_multi_cleanup(multi_);  // May still take sockets off their watches.
  watches_.clear();
  curl_global_cleanup();
}

bool HttpEngine::add(HttpHop& hop) {
  assert(loop_.in_thread());
  return curl_multi_add_handle(multi_, hop.handle()) == CURLM_OK;
}

void HttpEngine::retire(std::unique_ptr<HttpHop> hop) {
  hop->detach();
  retired_.push_back(std::move(hop));
  if (depth_ == 0) bury();
}

void HttpEngine::bury() {
  // Removing a handle can call watch_socket, never a hop.
  for (const std::unique_ptr<HttpHop>& hop : retired_) {
    curl_multi_remove_handle(multi_, hop->handle());
  }
  retired_.clear();
}

void HttpEngine::watch_socket(int socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    watches_.erase(socket);
    return;
  }
  std::unique_ptr<net::IoWatch>& watch = watches_[socket];
  if (watch == nullptr) {
    watch = std::make_unique<net::IoWatch>(loop_, socket, [this, socket](net::Readiness ready) {
      act(socket, (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                      (ready.failed ? CURL_CSELECT_ERR : 0));
    });
  }
  watch->watch(what == CURL_POLL_IN || what == CURL_POLL_INOUT,
               what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
}

void HttpEngine::set_timeout(long delay_ms) {
  if (delay_ms < 0) {
    timeout_.stop();
  } else {
    // Not zero: curl may ask for zero again and again, from inside the timer's own callback.
    timeout_.start_once(std::max(delay_ms, 1L));
  }
}

void HttpEngine::act(int socket, int readiness) {
  assert(loop_.in_thread());
  const Busy busy(*this);
  int running = 0;
  curl_multi_socket_action(multi_, socket, readiness, &running);
  tell_finished();
}

void HttpEngine::tell_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    reinterpret_cast<HttpHop*>(owner)->finished(message->data.result);
  }
}

}  // namespace flagstone::upstream
