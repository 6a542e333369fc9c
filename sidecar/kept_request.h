// What an api keeps of a request whose answer takes more than a turn: its text, with views of it
// that stay valid.
//
// A value that must stay where it is; one thread.
#pragma once

#include <string>
#include <vector>

#include "net/request.h"

namespace flagstone::sidecar {

class KeptRequest {
 public:
  explicit KeptRequest(const net::Request& request) : request_(request) {
    std::size_t bytes = request.body.size() + net::Request::kBodyPaddingBytes;
    for (const net::HeaderField& field : request.headers) {
      bytes += field.name.size() + field.value.size();
    }
    // Reserved whole, so that no view moves.
    text_.reserve(bytes);
    fields_.reserve(request.headers.size());
    for (const net::HeaderField& field : request.headers) {
      fields_.push_back({keep(field.name), keep(field.value)});
    }
    // Last: the padding behind it may be read.
    request_.body = keep(request.body);
    text_.append(net::Request::kBodyPaddingBytes, '\0');
    request_.headers = fields_;
    request_.method_text = request_.path = request_.query = request_.host = {};
  }
  KeptRequest(const KeptRequest&) = delete;
  KeptRequest& operator=(const KeptRequest&) = delete;

  // Headers and body alone.
  const net::Request& request() const { return request_; }
  std::size_t bytes() const { return text_.capacity(); }

 private:
  std::string_view keep(std::string_view piece) {
    const std::size_t begin = text_.size();
    text_ += piece;
    return std::string_view(text_).substr(begin);
  }

  std::string text_;
  std::vector<net::HeaderField> fields_;
  net::Request request_;
};

}  // namespace flagstone::sidecar
