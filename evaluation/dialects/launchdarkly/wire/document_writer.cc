#include "evaluation/dialects/launchdarkly/wire/document_writer.h"

#include <utility>

#include "evaluation/json_text.h"

namespace flagstone::evaluation::launchdarkly {

void DocumentWriter::begin(std::string& out, const TransferTarget& target) const {
  switch (form_) {
    case DocumentForm::kPut:
      out += "event: put\ndata: {\"path\":\"/\",\"data\":{\"flags\":{";
      return;
    case DocumentForm::kFlagsPut:
      out += "event: put\ndata: {";
      return;
    case DocumentForm::kLatestAll:
      out += "{\"flags\":{";
      return;
    case DocumentForm::kFlags:
      out += '{';
      return;
    case DocumentForm::kPolledTransfer:
      out += poll_begin();
      break;
    case DocumentForm::kTransfer:
      break;
  }
  append_intent(out, delivery(), Intent::kFull, "cant-catchup", target);
}

void DocumentWriter::begin_segments(std::string& out) {
  if (std::exchange(in_segments_, true)) return;
  out += "},\"segments\":{";
  comma_ = false;
}

void DocumentWriter::add(std::string& out, const ServedObject& object) {
  if (is_transfer()) return append_put_object(out, delivery(), object);
  if (object.kind == kSegmentKind) begin_segments(out);
  if (std::exchange(comma_, true)) out += ',';
  append_json_string(out, object.key);
  out += ':';
  if (is_event()) {
    append_event_data(out, object.raw);
  } else {
    out += object.raw;
  }
}

void DocumentWriter::finish(std::string& out, const TransferTarget& target) {
  switch (form_) {
    case DocumentForm::kPut:
      begin_segments(out);
      out += "}}}\n\n";
      return;
    case DocumentForm::kFlagsPut:
      out += "}\n\n";
      return;
    case DocumentForm::kLatestAll:
      begin_segments(out);
      out += "}}";
      return;
    case DocumentForm::kFlags:
      out += '}';
      return;
    case DocumentForm::kTransfer:
      return append_transferred(out, delivery(), target);
    case DocumentForm::kPolledTransfer:
      append_transferred(out, delivery(), target);
      out += poll_end();
      return;
  }
}

}  // namespace flagstone::evaluation::launchdarkly
