// The keeper's side of one environment: its layers, and the snapshot they make together.
//
// Owned by the keeper, used on its thread only. From the bottom: the bootstrap (until every
// required source has answered), the sources in order, the pins. Later layers win per (kind, set
// id, key); when one lets go, the earlier shows again. Whatever fails leaves the old snapshot as it
// was and says why in the outcome.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cache/flag_ids.h"
#include "cache/layer.h"
#include "cache/layer_image.h"
#include "cache/serving_state.h"
#include "cache/snapshot.h"
#include "evaluation/dialect.h"
#include "evaluation/update.h"

namespace flagstone::cache {

class Intake;
struct EntryHome;

struct EnvironmentOptions {
  std::string name;
  // In order; later ones win.
  std::vector<LayerOptions> sources;
  bool has_bootstrap = false;
  // Of one document's records together, decompressed.
  std::size_t max_document_bytes = std::size_t{64} * 1024 * 1024;
};

// The update is in, and Environment::snapshot() has it.
struct Accepted {
  // Records of the update; of those (and of what it dropped): new, with other content, gone,
  // quarantined, and, in a delta, older than what was there.
  std::size_t records = 0;
  // The same by their kind's number; those of greater numbers and what a state had are not counted.
  std::array<std::size_t, kKindsCounted> of_kind{};
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
  std::size_t quarantined = 0;
  std::size_t outdated = 0;
  // False when everybody is answered as before: nothing to publish.
  bool snapshot_changed = false;
  // The visible records that changed, for change events. Of more than kChangesListedMax, and when
  // a document's metadata changed, `everything` is true instead and the list is empty.
  std::vector<evaluation::RecordId> changed_ids;
  bool everything = false;
};

// Nothing changed; the cursor must not move.
struct Refused {
  enum class Kind : std::uint8_t {
    kMalformed,          // A record (or the metadata) is no JSON: the document may be cut.
    kTooLarge,           // Over max_document_bytes.
    kOverMemory,         // Does not fit into the memory budget beside the old one.
    kMostlyQuarantined,  // More than half of a document's records do not compile.
    kDiskTooSlow,        // The spool could not be written in time.
  };
  Kind kind = Kind::kMalformed;
  std::string message;
};
std::string_view refusal_name(Refused::Kind kind);

// Nothing changed; the cursor must not move. See shrink_guard.h.
struct Held {
  HeldDocument document;
};

using IntakeOutcome = std::variant<Accepted, Refused, Held>;

// `flag-key: value` from the pins file.
struct Pin {
  std::string key;
  std::string value_json;
};

class Environment {
 public:
  static constexpr std::size_t kChangesListedMax = 1000;
  static constexpr std::size_t kPinsMax = 1000;

  // `dialect` and `home` outlive every snapshot made here.
  Environment(EnvironmentOptions options, const evaluation::Dialect& dialect, EntryHome& home);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const std::string& name() const { return options_.name; }
  const evaluation::Dialect& dialect() const { return dialect_; }
  EntryHome& home() { return home_; }
  // The layers' numbers: what begin() and the rest call `layer`, and what Entry::layer() says.
  std::uint16_t bootstrap_layer() const { return 0; }
  std::uint16_t source_layer(std::size_t source) const {
    return static_cast<std::uint16_t>(source + 1);
  }
  std::uint16_t pins_layer() const { return static_cast<std::uint16_t>(layers_.size() - 1); }
  std::size_t source_count() const { return options_.sources.size(); }

  // Starts taking an update in; call Intake::step() until it answers true, then finish(). At most
  // one intake per layer at a time. Destroying it unfinished changes nothing. Bootstrap documents
  // go to bootstrap_layer().
  std::unique_ptr<Intake> begin(std::uint16_t layer, evaluation::Update update);
  // The same for what the state directory had; the good texts keep answering for records whose
  // newest text does not compile.
  std::unique_ptr<Intake> begin_restored(std::uint16_t layer, RestoredLayer restored);

  // Takes in the document that the shrink guard holds, now. nullopt: none is held.
  std::optional<Accepted> accept_held(std::uint16_t layer);
  // The credential is another one, and perhaps another environment's: the next complete document of
  // that source comes in without the shrink guard, and the cursor, which is of what the old one
  // opened, is no more.
  void credential_changed(std::uint16_t layer);

  // Puts these pins in the place of all earlier ones. A value that does not compile is left out
  // and named in `problems`.
  struct PinsOutcome {
    Accepted accepted;
    std::vector<std::string> problems;
  };
  PinsOutcome set_pins(const std::vector<Pin>& pins);

  // What to publish. nullptr until some document was accepted.
  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  // The least live of what is served: bootstrap, else state, else live.
  Origin origin() const;
  // Every source that is not optional has an accepted document, live or from the state, or there
  // is a bootstrap.
  bool ready() const;
  // Flag ids are below this: usage counters need as many before snapshot() is published.
  std::uint32_t flag_id_limit() const { return flag_ids_.limit(); }

  // What the state directory should write for this layer, or nullopt when it is up to date. Taking
  // it marks the layer as written; when the write fails, say so and the next one has everything.
  std::optional<StateWrite> take_state_write(std::uint16_t layer);
  void state_write_failed(std::uint16_t layer);
  // What was written is on the disk: the texts lie there from now on, and their memory goes.
  void state_write_done(std::uint16_t layer, SavedTexts saved);
  // Some text could not be read back: the next complete document of each source brings its texts
  // anew.
  void distrust_texts();
  // Asks for a write although nothing changed: to remember the time of the last contact.
  void mark_unsaved(std::uint16_t layer);

  // For status and metrics.
  const Layer& layer(std::uint16_t index) const { return *layers_[index]; }
  std::size_t layer_count() const { return layers_.size(); }

 private:
  friend class Intake;

  // A pin as the vendor's text.
  struct PinText {
    std::string key;
    std::string raw;
  };

  void let_go_of_saved_file(Layer& layer);
  std::unique_ptr<Intake> begin_intake(std::uint16_t layer, RestoredLayer restored, Origin origin);
  Accepted commit(Layer& layer, PreparedChange change);
  void assign_flag_ids(const std::vector<RecordIndex::Edit>& edits);
  void retire_flag_ids(const RecordIndex& before, const std::vector<RecordIndex::Edit>& edits);
  // Entries of the bootstrap that go because every required source has answered.
  std::vector<EntryPointer> drop_answered_bootstrap();
  bool sources_answered() const;

  // environment_layering.cc: what the layers show together.
  EntryPointer winner(const Entry& id) const;
  void merge(const std::vector<EntryPointer>& touched);
  RecordIndex merged_from_scratch() const;
  std::vector<EntryPointer> refresh_pins();
  EntryPointer make_pinned(std::string_view set_id, const PinText& pin);
  void show(std::vector<EntryPointer> touched, bool metadata_changed, Accepted& accepted);

  EnvironmentOptions options_;
  const evaluation::Dialect& dialect_;
  EntryHome& home_;
  std::vector<std::unique_ptr<Layer>> layers_;
  FlagIds flag_ids_;
  std::vector<PinText> pins_;
  // All layers but the pins; and with the pins.
  RecordIndex merged_;
  RecordIndex visible_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::uint64_t generation_ = 0;
};

}  // namespace flagstone::cache
