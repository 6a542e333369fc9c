// Any bytes as a flagd document: the scanner must give the same in one piece and in two, and every
// record it cuts must compile or be refused, never as malformed, and validating must say the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/document_scanner.h"

namespace flagd = flagstone::evaluation::flagd;
namespace evaluation = flagstone::evaluation;

namespace {

constexpr std::size_t kDocumentBytesMax = 1 << 20;

std::expected<flagd::ScannedDocument, flagd::DocumentError> scan(std::string_view text,
                                                                 std::size_t cut) {
  flagd::DocumentScanner scanner(kDocumentBytesMax);
  for (const std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
    if (auto fed = scanner.feed(piece); !fed) return std::unexpected(fed.error());
  }
  return scanner.finish();
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = scan(text, size);
  const auto pieces = scan(text, size == 0 ? 0 : data[size - 1] % size);
  require(whole.has_value() == pieces.has_value());
  if (!whole) {
    require(to_string(whole.error()) == to_string(pieces.error()));
    return 0;
  }
  require(whole->update.records.size() == pieces->update.records.size());
  const auto dialect = flagd::make_flagd_dialect();
  for (std::size_t i = 0; i < whole->update.records.size(); ++i) {
    const evaluation::Record& record = whole->update.records[i];
    require(record.raw == pieces->update.records[i].raw);
    require(record.id == pieces->update.records[i].id);
    const evaluation::RecordText one{record.id.kind, record.id.set_id, record.id.key, record.raw};
    const auto compiled = dialect->compile(one);
    require(compiled || compiled.error().kind != evaluation::RecordError::Kind::kMalformed);
    const auto valid = dialect->validate(one);
    require(valid.has_value() == compiled.has_value());
    require(valid || valid.error().message == compiled.error().message);
  }
  return 0;
}
