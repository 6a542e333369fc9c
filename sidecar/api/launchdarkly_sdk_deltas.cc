#include "sidecar/api/launchdarkly_sdk_deltas.h"

namespace flagstone::sidecar {
namespace {

namespace wire = evaluation::launchdarkly;
using wire::Delivery;
using wire::StreamPaths;

bool compares_versions(SdkAudience audience) {
  return audience == SdkAudience::kAll || audience == SdkAudience::kFlagsOnly;
}

void append_change(std::string& out, SdkAudience audience, bool is_there,
                   const wire::ServedObject& object) {
  if (compares_versions(audience)) {
    const bool flags_only = audience == SdkAudience::kFlagsOnly;
    const StreamPaths paths = flags_only ? StreamPaths::kFlagsOnly : StreamPaths::kAll;
    return is_there ? append_patch(out, paths, object) : append_delete(out, paths, object);
  }
  const Delivery delivery =
      audience == SdkAudience::kTransfer ? Delivery::kStream : Delivery::kPoll;
  is_there ? append_put_object(out, delivery, object) : append_delete_object(out, delivery, object);
}

// nullptr: it is not there, or nothing of it was ever good.
const cache::Entry* answering_entry(const cache::Snapshot& snapshot, const SdkChange& change) {
  const cache::Entry* entry = snapshot.find_record_in_any_set(change.kind, change.key);
  return entry == nullptr ? nullptr : entry->answering();
}

SdkDelta append_changes(const SdkChangeLog::Since& since, const cache::Snapshot& snapshot,
                        SdkAudience audience, const cache::RecordReader& reader, std::string& out) {
  std::string text;
  const std::size_t most = out.size() + kSdkDeltaBytesMax;
  for (const SdkChange* change : since.changes) {
    if (audience == SdkAudience::kFlagsOnly && change->kind != evaluation::kFlagKind) continue;
    wire::ServedObject object{.kind = change->kind, .key = change->key, .version = change->version};
    if (change->after) {
      const cache::Entry* entry = answering_entry(snapshot, *change);
      if (entry == nullptr) return SdkDelta::kNeedsFull;  // It is no flag of the vendor's then.
      text.clear();
      if (!reader.append_text_of(*entry, text)) {
        // All that is missing is asked for at once.
        if (!reader.failed()) continue;
        return SdkDelta::kFailed;
      }
      object.raw = text;
    }
    append_change(out, audience, change->after.has_value(), object);
    if (out.size() > most) return SdkDelta::kNeedsFull;
  }
  return reader.waiting().empty() ? SdkDelta::kWritten : SdkDelta::kNeedsDisk;
}

}  // namespace

SdkTarget::SdkTarget(const SdkMirror& mirror, std::size_t environment)
    : payload_id(mirror.environment(environment).name),
      state(mirror.selector_of(environment)),
      version(static_cast<std::int64_t>(mirror.book(environment).log.newest())) {}

SdkDelta append_sdk_delta(const SdkMirror& mirror, std::size_t environment, std::uint64_t told,
                          SdkAudience audience, const cache::RecordReader& reader,
                          std::string& out) {
  const SdkMirror::Book& book = mirror.book(environment);
  const SdkChangeLog::Since since = book.log.since(told);
  if (since.needs_put && compares_versions(audience)) return SdkDelta::kNeedsFull;
  if (since.changes.size() > kSdkDeltaChangesMax) return SdkDelta::kNeedsFull;
  const std::size_t before = out.size();
  const SdkTarget target(mirror, environment);
  const Delivery delivery =
      audience == SdkAudience::kTransfer ? Delivery::kStream : Delivery::kPoll;
  if (!compares_versions(audience)) {
    if (delivery == Delivery::kPoll) out += wire::poll_begin();
    append_intent(out, delivery, wire::Intent::kChanges, "stale", target.view());
  }
  const SdkDelta outcome =
      append_changes(since, *mirror.environment(environment).snapshot, audience, reader, out);
  if (outcome != SdkDelta::kWritten) {
    out.resize(before);
    return outcome;
  }
  if (!compares_versions(audience)) {
    append_transferred(out, delivery, target.view());
    if (delivery == Delivery::kPoll) out += wire::poll_end();
  }
  return outcome;
}

}  // namespace flagstone::sidecar
