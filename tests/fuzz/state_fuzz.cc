// The state's files with any bytes in them: reading never crashes, never allocates by a length it
// was told, and a manifest or blob that reads back encodes to the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cache/state_encoding.h"
#include "cache/usage.h"

namespace {

using flagstone::cache::BatchHeader;
using flagstone::cache::BatchSink;
using flagstone::cache::BatchWriter;
using flagstone::cache::ByteSource;
using flagstone::cache::StoredRecord;

class Bytes final : public ByteSource {
 public:
  explicit Bytes(std::string_view bytes) : size_(bytes.size()), bytes_(bytes) {}
  std::expected<std::string_view, std::string> take(std::size_t size) override {
    if (size > bytes_.size()) return std::unexpected("the end");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  bool at_end() const override { return bytes_.empty(); }
  std::uint64_t offset() const override { return size_ - bytes_.size(); }

 private:
  const std::size_t size_;
  std::string_view bytes_;
};

void read(std::string_view bytes, const BatchHeader& header) {
  Bytes source(bytes);
  std::size_t texts = 0;
  const BatchSink sink{.record =
                           [&texts](const StoredRecord& record) {
                             texts += record.set_id.size() + record.key.size() + record.raw.size();
                           },
                       .metadata = [&texts](std::string_view raw) { texts += raw.size(); }};
  (void)flagstone::cache::read_batch(source, header, sink);
  if (texts > bytes.size()) std::abort();
}

// A valid batch in which the input is a record, and then the same with one byte of it turned.
void damage(std::string_view bytes) {
  const BatchHeader header{.generation = 3, .sequence = 0, .source_hash = 5, .created_unix_ms = 7};
  std::string batch;
  BatchWriter writer(batch, header);
  StoredRecord record;
  record.key = bytes.substr(0, bytes.size() / 2);
  record.raw = bytes.substr(bytes.size() / 2);
  writer.record(record);
  writer.finish();
  Bytes whole(batch);
  const BatchSink ignore{.record = [](const StoredRecord&) {}, .metadata = [](std::string_view) {}};
  if (!flagstone::cache::read_batch(whole, header, ignore)) std::abort();
  const std::size_t at = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % batch.size();
  batch[at] = static_cast<char>(batch[at] ^ 0x10);
  Bytes damaged(batch);
  if (flagstone::cache::read_batch(damaged, header, ignore)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes, {.generation = 1, .sequence = 0, .source_hash = 2, .created_unix_ms = 0});
  damage(bytes);
  if (const auto manifest = flagstone::cache::decode_manifest(bytes)) {
    if (flagstone::cache::encode_manifest(*manifest) != bytes) std::abort();
  }
  if (const auto blob = flagstone::cache::decode_blob(bytes)) {
    if (flagstone::cache::encode_blob(*blob) != bytes) std::abort();
  }
  (void)flagstone::cache::UsageTotals().restore(bytes);
  return 0;
}
