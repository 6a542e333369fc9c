#include "sidecar/api/flagd_sync_body.h"

#include <algorithm>
#include <map>

#include "evaluation/dialects/flagd/wire/document_writer.h"
#include "evaluation/dialects/flagd/wire/stream_messages.h"
#include "sidecar/json_writer.h"
#include "sidecar/selected_flags.h"
#include "sidecar/shared_records.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::flagd;

class Evaluators final : public wire::EvaluatorTexts {
 public:
  explicit Evaluators(const cache::Snapshot& snapshot) : records_(snapshot, "evaluator") {}

  // Texts stay where they are, since evaluators are expanded within each other.
  std::string_view find(std::string_view set_id, std::string_view name) const override {
    const cache::Entry* entry = records_.find(set_id, name);
    if (entry == nullptr) return {};
    auto [at, missing] = texts_.try_emplace(entry);
    if (missing) (void)SharedRecords::answering_text(*entry, reader_, at->second);
    return at->second;
  }

 private:
  SharedRecords records_;
  cache::RecordReader reader_{cache::RecordReader::Patience::kDisk};
  mutable std::map<const cache::Entry*, std::string> texts_;
};

bool write_document(const cache::Snapshot& snapshot, const Selector& selector,
                    std::size_t bytes_max, std::string& out) {
  const Evaluators evaluators(snapshot);
  wire::DocumentWriter writer(evaluators, std::min(bytes_max, FlagdSyncBody::kDocumentBytesMax),
                              out);
  const cache::RecordReader reader(cache::RecordReader::Patience::kDisk);
  std::string text;
  cache::Snapshot::Walk walk(filter_of(selector));
  while (const cache::Entry* flag = snapshot.next_flag(walk)) {
    // A text in quarantine would make in-process providers, and flagd itself, refuse the whole
    // document and stay on what they had: they get what answers here, the last good text.
    if (!SharedRecords::answering_text(*flag, reader, text)) return false;
    if (text.empty()) continue;
    const cache::SnapshotLayer& layer = snapshot.layer_of(*flag);
    const bool has_metadata = layer.metadata_problem.empty() && layer.metadata.starts_with('{');
    const wire::WrittenFlag written{
        .key = flag->key(),
        .set_id = flag->set_id(),
        .raw = text,
        .source = layer.name,
        .document_metadata = has_metadata ? std::string_view(layer.metadata) : std::string_view()};
    if (!writer.add(written)) return false;
  }
  writer.finish();
  return true;
}

}  // namespace

std::shared_ptr<FlagdSyncBody> FlagdSyncBody::make(const cache::Snapshot& snapshot,
                                                   const Selector& selector,
                                                   std::string_view sync_context_json,
                                                   std::size_t bytes_max) {
  std::string document;
  if (!write_document(snapshot, selector, bytes_max, document)) return nullptr;
  std::shared_ptr<FlagdSyncBody> body(new FlagdSyncBody);
  std::string message;
  wire::append_document_head(message, document.size());
  const std::size_t head_bytes = message.size();
  message += document;
  wire::StructWriter structs;
  wire::append_sync_context(message, sync_context_json, structs);
  body->proto_ = net::RpcSharedMessage::make(message);
  body->document_ = body->proto_->message().substr(head_bytes, document.size());
  body->context_json_ = sync_context_json;
  body->digest_ = evaluation::digest128(document);
  return body;
}

const std::shared_ptr<const net::RpcSharedMessage>& FlagdSyncBody::message(net::RpcCodec codec) {
  if (codec == net::RpcCodec::kProto) return proto_;
  if (json_ == nullptr) {
    std::string message;
    wire::append_sync_flags_json(message, document_, context_json_);
    json_ = net::RpcSharedMessage::make(message);
  }
  return json_;
}

std::string sync_context_json(const ServingSettings& settings) {
  std::string json;
  JsonWriter writer(json);
  writer.open('{');
  for (const auto& [name, value] : settings.static_context) {
    writer.member(name, std::string_view(value));
  }
  writer.close('}');
  return json;
}

}  // namespace flagstone::sidecar
