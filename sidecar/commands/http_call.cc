#include "sidecar/commands/http_call.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

namespace flagstone::sidecar {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
// A command prints the answer; more than this is not an answer of ours.
constexpr std::size_t kAnswerBytesMax = 64 * 1024 * 1024;

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto* body = static_cast<std::string*>(to);
  if (body->size() + size * count > kAnswerBytesMax) return 0;
  body->append(data, size * count);
  return size * count;
}

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

std::expected<HttpAnswer, std::string> http_call(std::string_view address, std::string_view path,
                                                 const HttpCall& call) {
  std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  if (!curl) return std::unexpected("cannot initialise libcurl");
  std::string url;
  if (address.starts_with(kUnixPrefix)) {
    std::string socket(address.substr(kUnixPrefix.size()));
    curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    url = fmt::format("http://localhost{}", path);
  } else {
    url = fmt::format("http://{}{}", address, path);
  }
  HttpAnswer answer;
  std::unique_ptr<curl_slist, CurlDeleter> headers;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  // The daemon is on this machine: never through a proxy of the environment.
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kCommandTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!call.bearer.empty()) {
    std::string line = fmt::format("Authorization: Bearer {}", call.bearer);
    headers.reset(curl_slist_append(nullptr, line.c_str()));
  }
  if (call.body != nullptr) {
    headers.reset(curl_slist_append(headers.release(), "Content-Type: application/json"));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(call.body->size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, call.body->data());
  }
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  if (CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return std::unexpected(fmt::format("no answer from {}: {}; is `flagstone start` running there?",
                                       address, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace flagstone::sidecar
