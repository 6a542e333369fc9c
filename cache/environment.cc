#include "cache/environment.h"

#include <cassert>
#include <utility>

#include "cache/entry_home.h"
#include "cache/intake.h"

namespace flagstone::cache {

using evaluation::kFlagKind;

std::string_view refusal_name(Refused::Kind kind) {
  switch (kind) {
    case Refused::Kind::kMalformed:
      return "malformed";
    case Refused::Kind::kTooLarge:
      return "too_large";
    case Refused::Kind::kOverMemory:
      return "over_memory";
    case Refused::Kind::kMostlyQuarantined:
      return "mostly_quarantined";
    case Refused::Kind::kDiskTooSlow:
      return "disk_too_slow";
  }
  return "";
}

Environment::Environment(EnvironmentOptions options, const evaluation::Dialect& dialect,
                         EntryHome& home)
    : options_(std::move(options)),
      dialect_(dialect),
      home_(home),
      merged_(home.budget),
      visible_(home.budget) {
  const auto add = [this](LayerOptions layer) {
    const auto index = static_cast<std::uint16_t>(layers_.size());
    layers_.push_back(std::make_unique<Layer>(std::move(layer), index, home_.budget));
  };
  add({.name = "bootstrap", .optional = true, .shrink_guard = false, .confirm_shrink = 1});
  for (const LayerOptions& source : options_.sources) add(source);
  add({.name = "pins", .optional = true, .shrink_guard = false, .confirm_shrink = 1});
}

Environment::~Environment() {
  for (const auto& layer : layers_) let_go_of_saved_file(*layer);
}

std::unique_ptr<Intake> Environment::begin_intake(std::uint16_t layer, RestoredLayer restored,
                                                  Origin origin) {
  assert(layer < pins_layer());
  return std::unique_ptr<Intake>(new Intake(*this, *layers_[layer], std::move(restored), origin));
}

std::unique_ptr<Intake> Environment::begin(std::uint16_t layer, evaluation::Update update) {
  const Origin origin = layer == bootstrap_layer() ? Origin::kBootstrap : Origin::kLive;
  return begin_intake(layer, {.update = std::move(update), .filed = {}, .good_texts = {}}, origin);
}

std::unique_ptr<Intake> Environment::begin_restored(std::uint16_t layer, RestoredLayer restored) {
  return begin_intake(layer, std::move(restored), Origin::kState);
}

Accepted Environment::commit(Layer& layer, PreparedChange change) {
  RecordIndex::normalise(change.edits);
  layer.bound_tombstones(change.edits);
  assign_flag_ids(change.edits);

  const RecordIndex before = layer.records_;
  layer.records_ = before.with(change.edits);
  if (layer.index_ != bootstrap_layer()) {
    const bool cursor_moved =
        (change.full || !change.cursor.empty()) && change.cursor != layer.cursor_;
    const bool moved =
        !change.edits.empty() || change.document || cursor_moved || !layer.has_document_;
    if (change.origin == Origin::kState) {
      layer.note_saved();
    } else if (moved) {
      layer.note_unsaved(change.edits);
    }
  }
  const bool metadata_changed = change.document != nullptr;
  if (change.document) layer.document_ = std::move(change.document);
  // A delta without a cursor of its own leaves the layer's.
  if (change.full || !change.cursor.empty()) layer.cursor_ = std::move(change.cursor);
  layer.origin_ = change.origin;
  layer.has_document_ = true;
  layer.held_change_.reset();
  if (change.full) {
    layer.held_.reset();
    layer.forgive_shrink_ = false;
  }

  if (home_.room != nullptr) {
    for (EntryPointer& entry : change.compiled) home_.room->note_compiled(std::move(entry));
  }

  Accepted accepted;
  // A state's list may name one record twice.
  accepted.records = change.origin == Origin::kState ? layer.records_.size() : change.records;
  accepted.of_kind = change.of_kind;
  accepted.quarantined = change.quarantined;
  accepted.outdated = change.outdated;
  std::vector<EntryPointer> touched = drop_answered_bootstrap();
  touched.reserve(touched.size() + change.edits.size());
  for (const RecordIndex::Edit& edit : change.edits) {
    const Entry& id = *edit.entry;
    const Entry* old = before.find(id.kind(), id.set_id(), id.key());
    const bool lives = !edit.erase && !id.is_tombstone();
    accepted.added += lives && old == nullptr ? 1 : 0;
    accepted.changed += lives && old != nullptr && old != &id ? 1 : 0;
    accepted.removed += !lives && old != nullptr ? 1 : 0;
    touched.push_back(edit.entry);
  }
  retire_flag_ids(before, change.edits);
  show(std::move(touched), metadata_changed, accepted);
  return accepted;
}

// A flag keeps its number as long as any layer has it, and beyond (FlagIds).
void Environment::assign_flag_ids(const std::vector<RecordIndex::Edit>& edits) {
  for (const RecordIndex::Edit& edit : edits) {
    const Entry& entry = *edit.entry;
    if (edit.erase || entry.kind() != kFlagKind || entry.is_tombstone()) continue;
    if (entry.flag_id() != kNoFlagId) continue;
    std::uint32_t id = kNoFlagId;
    for (const auto& layer : layers_) {
      const Entry* known = layer->records_.find(kFlagKind, entry.set_id(), entry.key());
      if (known != nullptr) id = known->flag_id();
    }
    if (id == kNoFlagId) id = flag_ids_.take(entry.set_id(), entry.key());
    entry.assign_flag_id(id);
  }
}

void Environment::retire_flag_ids(const RecordIndex& before,
                                  const std::vector<RecordIndex::Edit>& edits) {
  for (const RecordIndex::Edit& edit : edits) {
    const Entry& id = *edit.entry;
    if (id.kind() != kFlagKind || (!edit.erase && !id.is_tombstone())) continue;
    const Entry* gone = before.find(kFlagKind, id.set_id(), id.key());
    if (gone == nullptr) continue;
    bool elsewhere = false;
    for (const auto& layer : layers_) {
      elsewhere = elsewhere || layer->records_.find(kFlagKind, id.set_id(), id.key()) != nullptr;
    }
    if (!elsewhere) flag_ids_.retire(id.set_id(), id.key(), gone->flag_id());
  }
}

bool Environment::sources_answered() const {
  bool any_required = false;
  bool all = true;
  bool all_required = true;
  for (std::size_t i = 0; i < source_count(); ++i) {
    const Layer& source = *layers_[source_layer(i)];
    all = all && source.has_document();
    if (source.options().optional) continue;
    any_required = true;
    all_required = all_required && source.has_document();
  }
  // Where nothing is required, the bootstrap stays until everybody has answered.
  return any_required ? all_required : all;
}

std::vector<EntryPointer> Environment::drop_answered_bootstrap() {
  std::vector<EntryPointer> gone;
  Layer& bootstrap = *layers_[bootstrap_layer()];
  if (!bootstrap.has_document_ || !sources_answered()) return gone;
  std::vector<RecordIndex::Edit> edits;
  RecordIndex::Position position;
  while (const EntryPointer* entry = bootstrap.records_.next(position)) {
    gone.push_back(*entry);
    edits.push_back(RecordIndex::erase(*entry));
  }
  const RecordIndex before = std::exchange(bootstrap.records_, RecordIndex(home_.budget));
  bootstrap.has_document_ = false;
  auto empty = std::make_shared<SnapshotLayer>();
  empty->name = bootstrap.options_.name;
  bootstrap.document_ = std::move(empty);
  retire_flag_ids(before, edits);
  return gone;
}

std::optional<Accepted> Environment::accept_held(std::uint16_t index) {
  Layer& layer = *layers_[index];
  if (!layer.held_) return std::nullopt;
  if (layer.held_change_ && !layer.intake_running_) {
    PreparedChange change = std::move(*layer.held_change_);
    return commit(layer, std::move(change));
  }
  // The layer moved on since: the same document comes in as soon as it is seen again.
  layer.held_->times_seen = layer.held_->times_needed;
  return Accepted{};
}

void Environment::credential_changed(std::uint16_t index) {
  Layer& layer = *layers_[index];
  layer.forgive_shrink_ = true;
  if (layer.cursor_.empty()) return;
  layer.cursor_.clear();
  mark_unsaved(index);
}

Origin Environment::origin() const {
  if (layers_[bootstrap_layer()]->has_document()) return Origin::kBootstrap;
  for (std::size_t i = 0; i < source_count(); ++i) {
    const Layer& source = *layers_[source_layer(i)];
    if (source.has_document() && source.origin() == Origin::kState) return Origin::kState;
  }
  return Origin::kLive;
}

bool Environment::ready() const {
  if (layers_[bootstrap_layer()]->has_document()) return true;
  for (std::size_t i = 0; i < source_count(); ++i) {
    const Layer& source = *layers_[source_layer(i)];
    if (!source.options().optional && !source.has_document()) return false;
  }
  return true;
}

std::optional<StateWrite> Environment::take_state_write(std::uint16_t index) {
  Layer& layer = *layers_[index];
  if (index == bootstrap_layer() || index == pins_layer() || !layer.unsaved_) return std::nullopt;
  StateWrite write{.image = {.records = layer.records_,
                             .metadata = layer.document_->metadata,
                             .cursor = layer.cursor_},
                   .everything = layer.everything_unsaved_,
                   .changed = std::move(layer.unsaved_ids_)};
  layer.note_saved();
  return write;
}

void Environment::let_go_of_saved_file(Layer& layer) {
  if (layer.saved_file_) home_.files.let_go(*layer.saved_file_);
  layer.saved_file_.reset();
}

void Environment::state_write_done(std::uint16_t index, SavedTexts saved) {
  Layer& layer = *layers_[index];
  if (saved.texts.empty() && saved.file == nullptr) return;
  if (saved.file != nullptr) {
    let_go_of_saved_file(layer);
    layer.saved_file_ = home_.files.add(std::move(saved.file));
  }
  // Without a number for the file everything stays where it was.
  if (!layer.saved_file_) return;
  for (const SavedTexts::Text& text : saved.texts) {
    const auto place =
        TextPlace::in_file(*layer.saved_file_, text.offset, text.entry->text_bytes());
    if (place) text.entry->move_text(*place);
  }
}

void Environment::distrust_texts() {
  for (const auto& layer : layers_) layer->texts_unreadable_ = true;
}

void Environment::mark_unsaved(std::uint16_t layer) {
  if (layers_[layer]->has_document_) layers_[layer]->unsaved_ = true;
}

void Environment::state_write_failed(std::uint16_t index) {
  Layer& layer = *layers_[index];
  layer.unsaved_ = true;
  layer.everything_unsaved_ = true;
  layer.unsaved_ids_.clear();
}

}  // namespace flagstone::cache
