// Any bytes as a request to flagd's evaluation services: what our reader takes, protobuf's own
// classes take as the same, or replace what ours did not look into.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <google/protobuf/stubs/logging.h>

#include "evaluation/dialects/flagd/wire/evaluation_request.h"
#include "evaluation/dialects/flagd/wire/flagd_evaluation_v1.pb.h"

namespace evaluation = flagstone::evaluation;
namespace wire = flagstone::flagd_wire;

namespace {

void expect(bool truth) {
  if (!truth) std::abort();
}

void compare(const wire::Struct& object, const evaluation::Value& read);

void compare(const wire::Value& value, const evaluation::Value& read) {
  switch (value.kind_case()) {
    case wire::Value::kBoolValue:
      return expect(read.is_bool() && read.as_bool() == value.bool_value());
    case wire::Value::kNumberValue:
      return expect(read.is_number() && read.as_double() == value.number_value());
    case wire::Value::kStringValue:
      return expect(read.is_string() && read.as_string() == value.string_value());
    case wire::Value::kStructValue:
      return compare(value.struct_value(), read);
    case wire::Value::kListValue:
      expect(read.is_array() &&
             read.items().size() == static_cast<std::size_t>(value.list_value().values_size()));
      for (int i = 0; i < value.list_value().values_size(); ++i) {
        compare(value.list_value().values(i), read.items()[static_cast<std::size_t>(i)]);
      }
      return;
    default:
      return expect(read.is_null());
  }
}

void compare(const wire::Struct& object, const evaluation::Value& read) {
  expect(read.is_object());
  for (const auto& [name, value] : object.fields()) {
    const evaluation::Value* found = read.member(name);
    expect(found != nullptr);
    compare(value, *found);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const google::protobuf::LogSilencer silence;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  evaluation::flagd::EvaluationRequestReader reader;
  const auto request = reader.read(message);
  wire::evaluation_v1::ResolveBooleanRequest oracle;
  const bool taken = oracle.ParseFromArray(data, static_cast<int>(size));
  if (request && taken) {
    expect(request->flag_key == oracle.flag_key());
    compare(oracle.context(), request->context.attributes());
  }
  (void)reader.read_all(message);
  evaluation::ContextReader contexts;
  (void)evaluation::flagd::EvaluationRequestReader::read_json(message, contexts);
  return 0;
}
