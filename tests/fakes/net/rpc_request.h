// Requests of RPC clients, and their bytes.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "net/request.h"

namespace flagstone::net {

// A frame as gRPC, gRPC-Web and Connect streams have it.
inline std::string rpc_frame(std::string_view message, unsigned flags = 0) {
  std::string frame(1, static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>(message.size() >> shift & 0xff));
  }
  return frame.append(message);
}

inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string source(text);
  std::string out(deflateBound(&stream, source.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// A POST. Owns what its Request views.
class RpcRequest {
 public:
  RpcRequest(std::string_view content_type, std::string_view body) {
    set_body(body);
    request_.method = Method::kPost;
    request_.method_text = "POST";
    request_.path = "/test.Service/Method";
    request_.version = HttpVersion::k2;
    with("content-type", content_type);
  }

  // Views: the text given has to outlive this.
  RpcRequest& with(std::string_view name, std::string_view value) {
    fields_.push_back({name, value});
    request_.headers = fields_;
    return *this;
  }
  RpcRequest& over(HttpVersion version) {
    request_.version = version;
    return *this;
  }
  RpcRequest& by(Method method) {
    request_.method = method;
    return *this;
  }
  const Request& operator*() const { return request_; }

 private:
  // In memory of its own with exactly the promised padding, for the sanitizer to watch.
  void set_body(std::string_view body) {
    body_ = std::make_unique<char[]>(body.size() + Request::kBodyPaddingBytes);
    std::memcpy(body_.get(), body.data(), body.size());
    request_.body = {body_.get(), body.size()};
  }

  std::vector<HeaderField> fields_;
  std::unique_ptr<char[]> body_;
  Request request_;
};

}  // namespace flagstone::net
