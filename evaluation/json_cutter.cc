#include "evaluation/json_cutter.h"

#include <utility>

#include "evaluation/dialect.h"
#include "evaluation/json_skip.h"
#include "evaluation/json_text.h"

namespace flagstone::evaluation {
namespace {

using Event = JsonSyntax::Event;

// A buffer that once held a large value is given back.
constexpr std::size_t kBufferKeptBytes = std::size_t{64} * 1024;

}  // namespace

JsonCutter::JsonCutter(std::size_t bytes_max, std::size_t value_bytes_max, Receiver& receiver)
    : bytes_max_(bytes_max), value_bytes_max_(value_bytes_max), receiver_(receiver) {}

std::expected<void, DocumentError> JsonCutter::refuse(std::string message) {
  if (!error_) {
    error_ = DocumentError{std::move(message), syntax_.offset(), syntax_.line(),
                           syntax_.offset() - syntax_.line_start() + 1};
  }
  return std::unexpected(*error_);
}

bool JsonCutter::take_result(std::expected<void, std::string> result) {
  if (!result) (void)refuse(std::move(result.error()));
  return result.has_value();
}

std::expected<void, DocumentError> JsonCutter::feed(std::string_view chunk) {
  if (error_) return std::unexpected(*error_);
  if (chunk.size() > bytes_max_ - fed_) {
    return refuse("the document is larger than " + std::to_string(bytes_max_) + " bytes");
  }
  fed_ += chunk.size();
  const char* at = chunk.data();
  const char* const end = at + chunk.size();
  piece_ = at;
  for (;;) {
    const char* const from = at;
    const Event event = syntax_.next(at, end);
    if (gathers_key_ && event != Event::kBeginString) {
      key_.append(from, event == Event::kEndString ? at - 1 : at);
    }
    if (event == Event::kMore) break;
    if (event == Event::kError) return refuse(std::string(syntax_.message()));
    handle(event, at, end);
    if (error_) return std::unexpected(*error_);
  }
  if (!taking_) return {};
  raw_.append(piece_, end);
  if (raw_.size() <= value_bytes_max_) return {};
  return refuse("a value of more than " + std::to_string(value_bytes_max_) + " bytes");
}

std::expected<void, DocumentError> JsonCutter::finish() {
  if (error_) return std::unexpected(*error_);
  const bool in_number = taking_;
  if (!syntax_.finish()) return refuse(std::string(syntax_.message()));
  // A number that is the whole text has no end of its own.
  if (in_number) {
    taking_ = false;
    if (!take_result(receiver_.on_taken(raw_))) return std::unexpected(*error_);
  }
  return {};
}

void JsonCutter::handle(Event event, const char*& at, const char* end) {
  switch (event) {
    case Event::kBeginObject:
      return begin_container('{', at, end);
    case Event::kBeginArray:
      return begin_container('[', at, end);
    case Event::kEndObject:
    case Event::kEndArray:
      return end_container(at);
    case Event::kBeginString:
      if (!syntax_.is_key()) return begin_value('"', syntax_.depth(), at - 1);
      gathers_key_ = in_entered();
      key_.clear();
      return;
    case Event::kEndString:
      return end_string(at);
    case Event::kBeginScalar:
      return begin_value(syntax_.scalar(), syntax_.depth(), at);
    case Event::kEndScalar:
      return end_value(syntax_.depth(), at);
    case Event::kMore:
    case Event::kError:
      return;
  }
}

void JsonCutter::begin_value(char first, std::size_t depth, const char* at) {
  if (!in_entered()) return;
  const auto wish =
      receiver_.on_value({.depth = depth, .key = key_, .first = first, .line = syntax_.line()});
  if (!wish) return void(refuse(wish.error()));
  key_.clear();
  if (*wish == Wish::kEnter) return;
  base_ = depth;
  taking_ = *wish == Wish::kTake;
  skipping_ = !taking_;
  piece_ = at;
  if (raw_.capacity() > kBufferKeptBytes) raw_ = {};
  raw_.clear();
}

void JsonCutter::begin_container(char first, const char*& at, const char* end) {
  const bool outer = in_entered();
  const std::size_t depth = syntax_.depth() - 1;
  // Of a value that is taken, how deep it may be is its reader's business.
  if (!taking_ && depth >= kJsonDepthMax) {
    return void(refuse("nested deeper than " + std::to_string(kJsonDepthMax) + " levels"));
  }
  begin_value(first, depth, at - 1);
  if (error_ || !outer || in_entered() || first != '{') return;
  // Nearly every object lies whole in a chunk; those are passed over in one step.
  NobodyWatches nobody;
  PassedMembers* const watcher = taking_ ? receiver_.watcher() : nullptr;
  const auto passed = pass_object(at, end, watcher == nullptr ? nobody : *watcher);
  if (!passed) return;
  syntax_.pass(at, *passed);
  at = passed->end;
  if (watcher == nullptr) return end_value(depth, at);
  taking_ = false;
  take_result(receiver_.on_watched({piece_, at}));
}

void JsonCutter::end_string(const char* at) {
  if (!syntax_.is_key()) return end_value(syntax_.depth(), at);
  if (!std::exchange(gathers_key_, false) || !syntax_.has_escape()) return;
  std::string plain;
  append_unescaped(plain, key_);
  key_ = std::move(plain);
}

void JsonCutter::end_container(const char* at) {
  if (in_entered()) {
    take_result(receiver_.on_left(syntax_.depth()));
  } else {
    end_value(syntax_.depth(), at);
  }
}

void JsonCutter::end_value(std::size_t depth, const char* at) {
  if (in_entered() || depth != base_) return;
  skipping_ = false;
  if (!std::exchange(taking_, false)) return;
  if (raw_.empty()) {
    take_result(receiver_.on_taken({piece_, at}));
    return;
  }
  raw_.append(piece_, at);
  take_result(receiver_.on_taken(raw_));
}

}  // namespace flagstone::evaluation
