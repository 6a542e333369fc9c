// One flagd document, compiled, with the lookup an evaluation needs: what the cache is to the
// daemon. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "evaluation/context_reader.h"
#include "evaluation/dialects/flagd/flagd_dialect.h"
#include "evaluation/dialects/flagd/wire/decode_document.h"

namespace flagstone::evaluation::flagd {

class FlagStore final : public RecordLookup {
 public:
  explicit FlagStore(std::string_view document, FlagdOptions options = {},
                     DocumentFormat format = DocumentFormat::kJson)
      : dialect_(make_flagd_dialect(options)) {
    auto update = decode_document(document, format);
    if (!update) {
      ADD_FAILURE() << to_string(update.error());
      return;
    }
    for (const Record& record : update->records) add(record);
    if (update->has_metadata) {
      auto compiled = dialect_->compile_metadata(update->metadata);
      EXPECT_TRUE(compiled) << compiled.error().message;
      if (compiled) document_ = std::move(*compiled);
    }
  }

  const CompiledRecord* find(RecordKind kind, std::string_view set_id,
                             std::string_view key) const override {
    const auto found = records_.find({kind, std::string(set_id), std::string(key)});
    return found == records_.end() ? nullptr : found->second.get();
  }
  const CompiledRecord* find_in_any_set(RecordKind kind, std::string_view key) const override {
    const CompiledRecord* last = nullptr;
    for (const auto& [id, record] : records_) {
      if (id.kind == kind && id.key == key) last = record.get();
    }
    return last;
  }

  // nullptr-like FLAG_NOT_FOUND for unknown flags, as the apis answer.
  Evaluation evaluate(std::string_view key, std::string_view context_json, Moment moment = {}) {
    auto context = reader_.read(context_json);
    EXPECT_TRUE(context) << context.error().message;
    for (const auto& [id, record] : records_) {
      if (id.kind != kFlagKind || id.key != key) continue;
      return dialect_->evaluate({id.key, id.set_id, *record, document_.get()}, *context, *this,
                                moment, scratch_);
    }
    Evaluation missing;
    missing.reason = Reason::kError;
    missing.error = ErrorCode::kFlagNotFound;
    return missing;
  }
  // `reason variant value`, or `ERROR code`: short enough for a table.
  std::string answer(std::string_view key, std::string_view context_json, Moment moment = {}) {
    const Evaluation result = evaluate(key, context_json, moment);
    if (result.reason == Reason::kError) {
      return "ERROR " + std::string(error_code_name(result.error));
    }
    std::string text(reason_name(result.reason));
    if (result.type == ValueType::kNone) return text;
    return text.append(" ").append(result.variant).append(" ").append(result.value_json);
  }

  const Dialect& dialect() const { return *dialect_; }
  std::size_t size() const { return records_.size(); }
  const std::map<std::string, RecordError>& refused() const { return refused_; }
  const CompiledRecord& flag(std::string_view key) const {
    const CompiledRecord* found = find_in_any_set(kFlagKind, key);
    EXPECT_NE(found, nullptr) << key;
    return *found;
  }

 private:
  void add(const Record& record) {
    auto compiled =
        dialect_->compile({record.id.kind, record.id.set_id, record.id.key, record.raw});
    if (compiled) {
      records_[record.id] = std::move(*compiled);
    } else {
      refused_[record.id.key] = compiled.error();
    }
  }

  std::unique_ptr<Dialect> dialect_;
  std::map<RecordId, std::unique_ptr<const CompiledRecord>> records_;
  std::map<std::string, RecordError> refused_;
  std::unique_ptr<const CompiledRecord> document_;
  ContextReader reader_;
  Scratch scratch_;
};

}  // namespace flagstone::evaluation::flagd
