// Writes flags as a flagd document, for providers that evaluate by themselves and for other
// daemons: `{"flags":{…}}` and nothing else, as flagd's own sync service sends it.
//
// Pure: a writer belongs to one thread and borrows what it is given. The one rule, whatever the
// flags come from: a flag's members keep their spelling; `$ref` in its targeting is replaced by the
// evaluator it means, since one name may mean different evaluators in different sets, and since
// consumers resolve references within evaluators by chance; its document's metadata is copied into
// the flag's, which wins; `source` says where it comes from. A reference that names no evaluator,
// or that would never end, stays as written: it is an evaluation error here and there.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluation/dialect.h"

namespace flagstone::evaluation::flagd {

// `{"$ref":"name"}` within a rule: where it stands, braces included.
struct RuleReference {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string name;
};
// All of them, in order. REQUIRES: valid JSON.
std::vector<RuleReference> find_references(std::string_view rule);

// The evaluators that references mean.
class EvaluatorTexts {
 public:
  // The evaluator's JSON for a flag of that set; empty when there is none.
  virtual std::string_view find(std::string_view set_id, std::string_view name) const = 0;

 protected:
  ~EvaluatorTexts() = default;
};

// A flag to be written. The texts are valid JSON.
struct WrittenFlag {
  std::string_view key;
  std::string_view set_id;
  std::string_view raw;
  std::string_view source;
  // The metadata object of its document, empty when it has none.
  std::string_view document_metadata;
};

class DocumentWriter {
 public:
  // A rule that would grow beyond this keeps its references: nobody would accept the record.
  static constexpr std::size_t kRuleBytesMax = kRecordBytesMaxDefault;
  // Evaluators within evaluators, at most; deeper references stay.
  static constexpr std::size_t kReferenceDepthMax = 1024;

  // Appends to `out`, and stops when the document exceeds `bytes_max`.
  DocumentWriter(const EvaluatorTexts& evaluators, std::size_t bytes_max, std::string& out);

  // False when the document has become too large; what was written is then of no use.
  [[nodiscard]] bool add(const WrittenFlag& flag);
  void finish();

 private:
  struct Member {
    std::string name;  // Plain.
    std::string_view quoted_name;
    std::string_view value;
    std::size_t order = 0;
  };
  using Members = std::vector<Member>;

  void add_members(const WrittenFlag& flag);
  void add_rule(std::string_view rule, std::string_view set_id);
  // Appends the rule with what its references mean; false when it exceeds kRuleBytesMax.
  bool expand(std::string_view rule, std::string_view set_id, std::string& out);
  // nullptr: the reference stays.
  const std::string* expanded(std::string_view name, std::string_view set_id);
  void add_metadata(std::string_view own, const WrittenFlag& flag);
  void add_member(std::string_view quoted_name, std::string_view value);
  void add_merged(const WrittenFlag& flag);
  static void read_members(std::string_view object, Members& members);

  const EvaluatorTexts& evaluators_;
  const std::size_t bytes_max_;
  std::string& out_;
  const std::size_t start_;
  bool comma_ = false;  // Whether a comma goes before the next member.
  // Evaluators with their references replaced, by set and name: each is done once. Empty while it
  // is being done, and when it cannot be.
  std::map<std::pair<std::string, std::string>, std::string> expanded_;
  std::size_t expanded_bytes_ = 0;
  std::size_t reference_depth_ = 0;
  Members own_;
  Members document_;
  std::string_view document_text_;  // What document_ was read from.
};

}  // namespace flagstone::evaluation::flagd
