// What an environment's layers show together: who wins, where the pins lie, what changed for those
// who ask.
#include <algorithm>
#include <utility>

#include "cache/entry_home.h"
#include "cache/environment.h"

namespace flagstone::cache {

using evaluation::kFlagKind;

EntryPointer Environment::winner(const Entry& id) const {
  for (std::size_t i = pins_layer(); i-- > 0;) {
    EntryPointer entry = layers_[i]->records_.share_stored(id.kind(), id.set_id(), id.key());
    if (entry && !entry->is_tombstone()) return entry;
  }
  return nullptr;
}

RecordIndex Environment::merged_from_scratch() const {
  const Layer* largest = layers_[0].get();
  for (std::size_t i = 1; i < pins_layer(); ++i) {
    if (layers_[i]->records_.size() > largest->records_.size()) largest = layers_[i].get();
  }
  std::vector<RecordIndex::Edit> edits;
  for (std::size_t i = 0; i < pins_layer(); ++i) {
    if (layers_[i].get() == largest) continue;
    RecordIndex::Position position;
    while (const EntryPointer* entry = layers_[i]->records_.next(position)) {
      if (EntryPointer wins = winner(**entry)) edits.push_back(RecordIndex::put(std::move(wins)));
    }
  }
  return largest->records_.with(std::move(edits));
}

void Environment::merge(const std::vector<EntryPointer>& touched) {
  std::size_t layers_with_records = 0;
  const Layer* only = layers_[0].get();
  for (std::size_t i = 0; i < pins_layer(); ++i) {
    if (layers_[i]->records_.size() == 0) continue;
    ++layers_with_records;
    only = layers_[i].get();
  }
  // One layer alone is the merged index: the same pages, no second copy.
  if (layers_with_records <= 1) {
    merged_ = only->records_;
    return;
  }
  if (touched.size() > merged_.size() / 2) {
    merged_ = merged_from_scratch();
    return;
  }
  std::vector<RecordIndex::Edit> edits;
  edits.reserve(touched.size());
  for (const EntryPointer& id : touched) {
    EntryPointer wins = winner(*id);
    edits.push_back(wins ? RecordIndex::put(std::move(wins)) : RecordIndex::erase(id));
  }
  merged_ = merged_.with(std::move(edits));
}

EntryPointer Environment::make_pinned(std::string_view set_id, const PinText& pin) {
  evaluation::CompileResult compiled =
      dialect_.compile({.kind = kFlagKind, .set_id = set_id, .key = pin.key, .raw = pin.raw});
  if (!compiled) return nullptr;
  // There are few, and somebody means them to be used: they stay compiled.
  return Entry::make({.kind = kFlagKind,
                      .layer = pins_layer(),
                      .set_id = set_id,
                      .key = pin.key,
                      .raw = pin.raw,
                      .compiled = std::move(*compiled)},
                     home_);
}

// A pin lies on its key in every set that has it; where no set has it, it is a flag without set.
// Which sets have it changes with the layers below. Returns the entries that came or went.
std::vector<EntryPointer> Environment::refresh_pins() {
  Layer& layer = *layers_[pins_layer()];
  std::vector<RecordIndex::Edit> edits;
  std::vector<RecordIndex::Edit> wanted;
  const auto want = [&](std::string_view set_id, const PinText& pin) {
    EntryPointer entry = layer.records_.share_stored(kFlagKind, set_id, pin.key);
    const std::uint64_t content = Entry::content_of(kFlagKind, set_id, pin.key, pin.raw);
    if (!entry || entry->text_hash() != content) {
      entry = make_pinned(set_id, pin);
      if (!entry) return;
      edits.push_back(RecordIndex::put(entry));
    }
    wanted.push_back(RecordIndex::put(std::move(entry)));
  };
  for (const PinText& pin : pins_) {
    bool anywhere = false;
    RecordIndex::Position position = merged_.first_of_key(kFlagKind, pin.key);
    while (const EntryPointer* next = merged_.next(position)) {
      const Entry& flag = **next;
      if (flag.kind() != kFlagKind || flag.key() != pin.key || flag.is_tombstone()) break;
      want(flag.set_id(), pin);
      anywhere = true;
    }
    if (!anywhere) want({}, pin);
  }
  const RecordIndex wanted_index = RecordIndex(home_.budget).with(wanted);
  RecordIndex::Position position;
  while (const EntryPointer* entry = layer.records_.next(position)) {
    const Entry& pinned = **entry;
    if (wanted_index.find(kFlagKind, pinned.set_id(), pinned.key()) != nullptr) continue;
    edits.push_back(RecordIndex::erase(*entry));
  }
  std::vector<EntryPointer> touched;
  for (const RecordIndex::Edit& edit : edits) touched.push_back(edit.entry);
  if (!edits.empty()) {
    assign_flag_ids(edits);
    const RecordIndex before = layer.records_;
    layer.records_ = before.with(edits);
    retire_flag_ids(before, edits);
  }
  visible_ = merged_.with(std::move(wanted));
  return touched;
}

Environment::PinsOutcome Environment::set_pins(const std::vector<Pin>& pins) {
  PinsOutcome outcome;
  std::vector<PinText> texts;
  for (const Pin& pin : pins) {
    if (texts.size() == kPinsMax) {
      outcome.problems.push_back("more than " + std::to_string(kPinsMax) +
                                 " pins: the rest is left out");
      break;
    }
    std::string raw = dialect_.pin_text(pin.key, pin.value_json);
    const evaluation::CompileResult compiled =
        dialect_.compile({.kind = kFlagKind, .set_id = {}, .key = pin.key, .raw = raw});
    if (!compiled) {
      outcome.problems.push_back("pin \"" + pin.key + "\": " + compiled.error().message);
      continue;
    }
    // Of pins for one key the last counts.
    std::erase_if(texts, [&pin](const PinText& earlier) { return earlier.key == pin.key; });
    texts.push_back({.key = pin.key, .raw = std::move(raw)});
  }
  pins_ = std::move(texts);
  outcome.accepted.records = pins_.size();
  show({}, false, outcome.accepted);
  return outcome;
}

void Environment::show(std::vector<EntryPointer> touched, bool metadata_changed,
                       Accepted& accepted) {
  const RecordIndex before = visible_;
  merge(touched);
  if (pins_.empty() && layers_[pins_layer()]->records_.size() == 0) {
    visible_ = merged_;
  } else {
    std::vector<EntryPointer> pinned = refresh_pins();
    touched.insert(touched.end(), pinned.begin(), pinned.end());
  }
  bool any_document = false;
  for (std::size_t i = 0; i < pins_layer(); ++i) {
    any_document = any_document || layers_[i]->has_document();
  }
  if (!any_document) return;

  const bool first = snapshot_ == nullptr;
  accepted.everything = first || metadata_changed;
  bool changed = accepted.everything;
  for (const EntryPointer& id : touched) {
    if (accepted.everything) break;
    const Entry* old = before.find(id->kind(), id->set_id(), id->key());
    const Entry* now = visible_.find(id->kind(), id->set_id(), id->key());
    if (old == now) continue;
    changed = true;
    accepted.changed_ids.push_back(id->id());
    accepted.everything = accepted.changed_ids.size() > kChangesListedMax;
  }
  if (accepted.everything) accepted.changed_ids.clear();
  // Pins and the bootstrap may have named an id twice.
  std::sort(accepted.changed_ids.begin(), accepted.changed_ids.end());
  const auto last = std::unique(accepted.changed_ids.begin(), accepted.changed_ids.end());
  accepted.changed_ids.erase(last, accepted.changed_ids.end());
  accepted.snapshot_changed = changed;
  if (!changed) return;

  SnapshotLayers documents;
  for (const auto& layer : layers_) documents.push_back(layer->document_);
  snapshot_ =
      std::make_shared<const Snapshot>(dialect_, visible_, std::move(documents), ++generation_);
}

}  // namespace flagstone::cache
