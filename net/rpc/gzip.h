// Gunzip with a bound on what comes out, for messages of peers that are not trusted.
//
// Owned by the loop's scratch, the loop's thread only. Holds zlib's 40 KB from the first compressed
// message on, so that later ones allocate nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;  // zlib's, seen only inside net/

namespace flagstone::net {

class Gunzip {
 public:
  enum class Result : std::uint8_t { kDone, kTooLarge, kMalformed };

  // Replaces `out`, which never grows beyond `bytes_max` (and Request::kBodyPaddingBytes of
  // capacity behind it). Several members one after the other are one message, as gzip has it.
  Result run(std::string_view compressed, std::size_t bytes_max, std::string& out);

 private:
  struct Free {
    void operator()(z_stream_s* stream) const;
  };
  bool reset();

  std::unique_ptr<z_stream_s, Free> stream_;
};

}  // namespace flagstone::net
