#include "net/gzip.h"

#include <cstdlib>

#include <zlib.h>

namespace flagstone::net {
namespace {

constexpr int kGzipWindow = 16 + MAX_WBITS;
constexpr int kMemoryLevel = 8;
// zlib counts in 32 bits.
constexpr std::size_t kPieceBytes = std::size_t{1} << 30U;

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
  std::string out;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    const std::string_view piece = text.substr(0, kPieceBytes);
    text.remove_prefix(piece.size());
    // zlib's own type is not const, and it does not write.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    do {
      const std::size_t made = out.size();
      const auto room = static_cast<uInt>(deflateBound(&stream, stream.avail_in) + 64);
      out.resize(made + room);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
      stream.avail_out = room;
      code = deflate(&stream, text.empty() ? Z_FINISH : Z_NO_FLUSH);
      out.resize(made + (room - stream.avail_out));
    } while (stream.avail_in > 0);
  }
  deflateEnd(&stream);
  return out;
}

}  // namespace flagstone::net
