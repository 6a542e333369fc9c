#include "net/rpc/gzip.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "net/request.h"

namespace flagstone::net {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr std::size_t kFirstOutputBytes = 4096;

}  // namespace

void Gunzip::Free::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

bool Gunzip::reset() {
  if (stream_ != nullptr) return inflateReset(stream_.get()) == Z_OK;
  auto fresh = std::make_unique<z_stream>();
  if (inflateInit2(fresh.get(), kGzipOnly) != Z_OK) return false;
  stream_.reset(fresh.release());
  return true;
}

Gunzip::Result Gunzip::run(std::string_view compressed, std::size_t bytes_max, std::string& out) {
  out.clear();
  if (!reset() || compressed.size() > std::numeric_limits<uInt>::max()) return Result::kMalformed;
  z_stream& stream = *stream_;
  // zlib's own type is not const, and it does not write.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::size_t made = 0;
  for (;;) {
    // One byte more than is allowed, to tell a message that is just as large from a larger one.
    const std::size_t room = std::min(std::max(kFirstOutputBytes, made * 2), bytes_max + 1);
    if (out.size() < room) {
      out.reserve(room + Request::kBodyPaddingBytes);
      out.resize(room);
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(out.size() - made);
    const int code = inflate(&stream, Z_NO_FLUSH);
    made = out.size() - stream.avail_out;
    if (made > bytes_max) return Result::kTooLarge;
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return Result::kMalformed;
      continue;
    }
    // Nothing left to read and room to write: the message is cut.
    const bool cut = stream.avail_in == 0 && stream.avail_out > 0;
    if (code != Z_OK || cut) return Result::kMalformed;
  }
  out.resize(made);
  return Result::kDone;
}

}  // namespace flagstone::net
