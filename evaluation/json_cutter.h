// Cuts chosen values out of a JSON text while it arrives: chunks in, values out.
//
// Owned by whoever receives the text; one thread. Validates every byte (JSON grammar, UTF-8),
// without recursion, whatever the chunks are. Knows no vendor: a receiver says of each value where
// it begins whether to go into it, to take it whole or to pass over it. Holds one taken value at
// most, and none where it lies whole in one chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "evaluation/document_error.h"
#include "evaluation/json_skip.h"
#include "evaluation/json_syntax.h"

namespace flagstone::evaluation {

class JsonCutter {
 public:
  enum class Wish : std::uint8_t { kEnter, kTake, kSkip };

  // A value that begins. Members of an entered object of depth 0, the text's own, have depth 1.
  struct Value {
    std::size_t depth = 0;
    std::string_view key;  // Unescaped; empty for the text's own value and in arrays.
    char first = 0;        // `{`, `[`, `"`, `t`, `f`, `n`, `-` or a digit.
    std::size_t line = 1;
  };

  // The errors refuse the text.
  class Receiver {
   public:
    virtual std::expected<Wish, std::string> on_value(const Value& value) = 0;
    // The value last wished for is complete: its bytes, until the call returns.
    virtual std::expected<void, std::string> on_taken(std::string_view raw) = 0;
    // Who is told of the members of an object that is taken, if anybody. Where it lies whole and
    // right in one chunk, on_watched() comes instead of on_taken(); else the watcher may have been
    // told of some members, which counts for nothing.
    virtual PassedMembers* watcher() { return nullptr; }
    virtual std::expected<void, std::string> on_watched(std::string_view raw) {
      return on_taken(raw);
    }
    // The container entered at that depth has ended.
    virtual std::expected<void, std::string> on_left(std::size_t depth) = 0;

   protected:
    ~Receiver() = default;
  };

  // Refuses texts of more bytes than that, and values taken that would have to be held with more
  // than the other. The receiver is borrowed.
  JsonCutter(std::size_t bytes_max, std::size_t value_bytes_max, Receiver& receiver);

  // Eats the next bytes. After an error every further call gives the same error.
  std::expected<void, DocumentError> feed(std::string_view chunk);
  // No more bytes come: whether the text was one whole value.
  std::expected<void, DocumentError> finish();
  // Bytes of the value that is being taken.
  std::size_t held_bytes() const { return raw_.capacity(); }

 private:
  std::expected<void, DocumentError> refuse(std::string message);
  bool take_result(std::expected<void, std::string> result);
  void handle(JsonSyntax::Event event, const char*& at, const char* end);
  void begin_value(char first, std::size_t depth, const char* at);
  void end_value(std::size_t depth, const char* at);
  void end_container(const char* at);
  void begin_container(char first, const char*& at, const char* end);
  void end_string(const char* at);
  bool in_entered() const { return !taking_ && !skipping_; }

  const std::size_t bytes_max_;
  const std::size_t value_bytes_max_;
  Receiver& receiver_;
  std::size_t fed_ = 0;
  JsonSyntax syntax_;
  std::optional<DocumentError> error_;

  bool taking_ = false;
  bool skipping_ = false;
  std::size_t base_ = 0;  // Depth of the value that is taken or skipped.
  bool gathers_key_ = false;
  std::string key_;
  // The bytes taken so far: raw_, and then what follows piece_ in the current chunk.
  std::string raw_;
  const char* piece_ = nullptr;
};

}  // namespace flagstone::evaluation
