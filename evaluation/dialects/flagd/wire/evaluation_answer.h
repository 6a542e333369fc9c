// Writes what flagd's evaluation services answer: Resolve…Response and ResolveAllResponse, as
// protobuf bytes or as protobuf's JSON with unpopulated fields emitted, in all three packages.
//
// One per serving thread; its memory grows to the largest answer seen and stays. Appends to the
// caller's string. How Go's protojson emits unpopulated fields: zero values of plain fields, null
// for a message that is not set, nothing for `optional` fields and members of a oneof.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluation/dialects/flagd/wire/struct_writer.h"
#include "evaluation/dialects/flagd/wire/typed_value.h"

namespace flagstone::evaluation::flagd {

enum class AnswerCodec : std::uint8_t { kProto, kJson };
// flagd.evaluation.v1, flagd.evaluation.v2, schema.v1.
enum class ServiceVersion : std::uint8_t { kV1, kV2, kSchema };

struct ResolveAnswer {
  AskedType type = AskedType::kBoolean;
  // Nullptr: there is none, and the caller takes its own default. v2 leaves the field out, the
  // others answer the type's zero.
  const TypedValue* value = nullptr;
  std::string_view reason;
  // Plain and as a JSON string; both empty when there is none.
  std::string_view variant;
  std::string_view variant_json;
  // A JSON object.
  std::string_view metadata_json;
};

class EvaluationAnswerWriter {
 public:
  void append(std::string& out, AnswerCodec codec, ServiceVersion version,
              const ResolveAnswer& answer);

  // ResolveAllResponse: begin, any flags with different keys, end. v1 and schema.v1, which has no
  // metadata here.
  void begin_all(std::string& out, AnswerCodec codec, ServiceVersion version);
  void append_flag(std::string& out, std::string_view key, const ResolveAnswer& answer);
  void end_all(std::string& out, std::string_view metadata_json);

 private:
  void append_proto(std::string& out, bool optional_fields, const ResolveAnswer& answer);
  void append_proto_value(std::string& out, bool optional_fields, const ResolveAnswer& answer);
  void append_any_flag(std::string& out, const ResolveAnswer& answer);

  StructWriter structs_;
  std::string plain_;     // A string value without its escapes.
  std::string any_flag_;  // One flag of a bulk answer, until its size is known.
  AnswerCodec codec_ = AnswerCodec::kProto;
  bool bulk_metadata_ = false;
  bool comma_ = false;
};

}  // namespace flagstone::evaluation::flagd
